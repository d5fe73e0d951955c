import Catalog
import Datasets
import Features
import Objects

/// Gives back the dead bytes of packs that are needed, and keeps them few: what is needed of a pack that is mostly dead goes
/// into a new one, and so do small packs, once there are many of them.
///
/// Packs of one dataset are joined, those of two never, so that what a dataset holds does not show in another's packs. New
/// packs are durable and promised before any version refers to them, and each old one is replaced in one transaction, or
/// left where somebody relies on it: see `Catalog.replace(_:with:)`. A run that dies leaves packs that nothing needs.
struct Repacker {
    struct Outcome: Hashable, Sendable {
        /// Packs that were replaced, their bytes, and how many of those were dead.
        var packs = 0
        var bytes = 0
        var dead = 0
        /// Bytes of the packs that took their place.
        var newBytes = 0
        /// Left because a session or a new version relies on them.
        var held = 0
        /// Left because a content that is needed is damaged.
        var damaged = 0
    }

    let context: JobContext
    /// How much of a pack must be dead.
    let share: Double

    /// How many live bytes are rewritten together.
    private static let groupBytes = PackWriter.standardBound
    /// Packs of fewer bytes are small: a quarter of the bound, so that a byte is joined a few times at most.
    static let smallBytes = PackWriter.standardBound / 4
    /// So many small packs of a dataset are joined.
    static let smallCount = 16

    func run(_ survey: PackSurvey) async throws -> Outcome {
        var outcome = Outcome()
        outcome.held = survey.packs.count { isSparse($0) && $0.use.isHeld }
        let groups = Dictionary(grouping: chosen(survey)) { $0.use.datasets.sorted() }
        for packs in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).map(\.value) {
            var group: [PackSurvey.Pack] = []
            var size = 0
            for pack in packs {
                group.append(pack)
                size += pack.neededBytes
                if size >= Self.groupBytes {
                    try await rewrite(group, &outcome)
                    (group, size) = ([], 0)
                }
            }
            try await rewrite(group, &outcome)
        }
        return outcome
    }

    func isSparse(_ pack: PackSurvey.Pack) -> Bool { pack.deadBytes > 0 && pack.deadShare > share }

    /// The packs to rewrite.
    func chosen(_ survey: PackSurvey) -> [PackSurvey.Pack] {
        let free = survey.packs.filter { !$0.use.isHeld }
        let small = Dictionary(grouping: free.filter { !isSparse($0) && $0.use.byteCount < Self.smallBytes }) {
            $0.use.datasets
        }.filter { $0.value.count >= Self.smallCount }.values.joined().map(\.use.digest)
        let joined = Set(small)
        return free.filter { isSparse($0) || joined.contains($0.use.digest) }
    }

    /// - Parameter isDamaged: whether one of some packs, of which these are a part, is damaged.
    private func rewrite(
        _ packs: [PackSurvey.Pack],
        isDamaged: Bool = false,
        _ outcome: inout Outcome
    ) async throws {
        guard let first = packs.first else { return }
        if packs.count == 1, first.deadBytes == 0 {
            // It would be the same again.
            if isDamaged, try await !isWhole(first) { outcome.damaged += 1 }
            return
        }
        try await context.report("rewriting packs", outcome.packs, 0)
        let made: [PackRewriter.NewPack]
        do {
            made = try await PackRewriter(objects: context.objects).rewrite(
                packs.map { (PackReference(digest: $0.use.digest, size: $0.use.byteCount), $0.needed) }
            )
        } catch ObjectError.missing {
            // Another collection has replaced one of them since it was looked at: no lease keeps what is to go.
            outcome.held += packs.count
            return
        } catch is PackError {
            guard packs.count > 1 else {
                outcome.damaged += 1
                return
            }
            // The others are no worse off for the one that is damaged.
            try await rewrite(Array(packs[..<(packs.count / 2)]), isDamaged: true, &outcome)
            try await rewrite(Array(packs[(packs.count / 2)...]), isDamaged: true, &outcome)
            return
        }
        var used: Set<Digest> = []
        for pack in packs {
            let needed = Set(pack.needed.map(\.digest))
            let replacements = Set(made.filter { !$0.contents.isDisjoint(with: needed) }.map(\.digest))
            // The others had nothing that is needed: it is the same again.
            if replacements.contains(pack.use.digest) { continue }
            // Whatever was computed before, a version is never left without a content.
            guard needed.allSatisfy({ digest in made.contains { $0.contents.contains(digest) } }) else {
                outcome.damaged += 1
                continue
            }
            if try await context.catalog.replace(pack.use, with: replacements) {
                outcome.packs += 1
                outcome.bytes += pack.use.byteCount
                outcome.dead += pack.deadBytes
                used.formUnion(replacements)
            } else {
                outcome.held += 1
            }
        }
        outcome.newBytes += made.filter { used.contains($0.digest) }.reduce(0) { $0 + $1.size }
    }

    private func isWhole(_ pack: PackSurvey.Pack) async throws -> Bool {
        do {
            let reference = PackReference(digest: pack.use.digest, size: pack.use.byteCount)
            let reader = try await ObjectPacks(context.objects).open(reference, reading: pack.needed)
            for entry in pack.needed { _ = try reader.content(entry) }
            return true
        } catch ObjectError.missing {
            return true
        } catch is PackError {
            return false
        }
    }
}
