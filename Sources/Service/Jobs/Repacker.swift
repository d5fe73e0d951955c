import Catalog
import Datasets
import Features
import Objects

/// Gives back the dead bytes of packs that are needed: what is needed of a pack that is mostly dead goes into a new one.
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

    func run(_ survey: PackSurvey) async throws -> Outcome {
        var outcome = Outcome()
        let sparse = survey.packs.filter(isSparse)
        outcome.held = sparse.count(where: \.use.isHeld)
        let groups = Dictionary(grouping: sparse.filter { !$0.use.isHeld }) { $0.use.datasets.sorted() }
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

    private func rewrite(_ packs: [PackSurvey.Pack], _ outcome: inout Outcome) async throws {
        guard !packs.isEmpty else { return }
        try await context.report("rewriting packs", outcome.packs, 0)
        let made: [PackRewriter.NewPack]
        do {
            made = try await PackRewriter(objects: context.objects).rewrite(
                packs.map { (PackReference(digest: $0.use.digest, size: $0.use.byteCount), $0.needed) }
            )
        } catch is PackError {
            // Alone, the others are no worse off for the one that is damaged.
            guard packs.count > 1 else {
                outcome.damaged += 1
                return
            }
            for pack in packs { try await rewrite([pack], &outcome) }
            return
        }
        var used: Set<Digest> = []
        for pack in packs {
            let needed = Set(pack.needed.map(\.digest))
            let replacements = Set(made.filter { !$0.contents.isDisjoint(with: needed) }.map(\.digest))
            // Whatever was computed before, a version is never left without a content.
            guard needed.allSatisfy({ digest in made.contains { $0.contents.contains(digest) } }),
                !replacements.contains(pack.use.digest)
            else {
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
}
