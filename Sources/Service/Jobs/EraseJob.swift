import Catalog
import Datasets
import Expressions
import Features
import Formats
import FoundationEssentials
import Objects
import Wire

/// Destroys the content of one file in every snapshot, and lists what was made from them.
///
/// The order: the tombstone, from which on the content is not taken again; then each copy, an object of its own or an
/// entry of a pack, which is rewritten without it; then the end of the erasure is recorded. A job that dies in between is
/// done again whole: every step finds done what was done.
struct EraseJob {
    let context: JobContext
    let request: JobRequest.Erase

    /// How long one deletion may take.
    private static let claim = TimeSpan(microseconds: 300_000_000)

    func run() async throws -> JobResult {
        guard let digest = Digest(request.digest) else { throw RequestError("'\(request.digest)' is not a digest") }
        // Every other empty file would go with it, and none could be taken again.
        guard digest != .of([]) else { throw RequestError("an empty file has nothing that could be erased") }
        let reason = request.reason.trimmingWhitespace
        guard !reason.isEmpty else { throw RequestError("an erasure needs a reason, which is kept for good") }
        var places = try await search(digest)
        guard let first = places.first else {
            throw CatalogError(.notFound, "no snapshot of the project holds \(digest)")
        }
        let derived = try await derived(from: places.map(\.version))
        if !request.isDryRun {
            let isNew = try await context.catalog.bury(
                digest,
                byteCount: Int64(first.size),
                path: "\(first.version.reference):\(first.path)",
                reason: reason,
                actor: request.actor,
                in: context.project
            )
            let parts: Parts
            do {
                // Again, now that nobody can record it any more.
                places = try await search(digest)
                parts = try await contents(of: digest)
            } catch let error as CatalogError where error.code == .inUse {
                if isNew { try await context.catalog.unbury(digest) }
                throw error
            }
            try await destroy(digest, parts)
            try await context.catalog.finishErasure(digest)
        }
        let report = ErasureReport(
            digest: "\(digest)",
            isDryRun: request.isDryRun,
            places: places.map { "\($0.version.reference):\($0.path)" },
            derived: derived.map { ErasureReport.Derived(kind: $0.name.kind.rawValue, reference: "\($0.reference)") }
        )
        return JobResult(
            counts: [
                "places": Int64(places.count), "snapshots": Int64(Set(places.map(\.version.id)).count),
                "derived": Int64(derived.count),
            ],
            text: String(decoding: try WireCoding.encode(report), as: UTF8.self)
        )
    }

    /// Removes a content from every object, as often as a snapshot comes to need a pack of which a part is to go.
    private func destroy(_ digest: Digest, _ parts: Parts) async throws {
        var found = parts
        while true {
            // The list of a file's chunks goes last: a job that is done again finds the chunks by it.
            if try await removeFromPacks(found.chunks, found.known),
                try await removeFromPacks(found.list.union([digest]), found.known),
                try await remove(digest, replacement: nil, found.known)
            {
                return
            }
            found = try await contents(of: digest)
        }
    }

    private typealias Parts = (chunks: Set<Digest>, list: Set<Digest>, known: Set<Int64>)

    private typealias Place = (version: VersionRecord, path: String, size: Int, isChunked: Bool)

    /// Every path of the project's snapshots with this content.
    ///
    /// - Throws: `CatalogError.inUse` when a snapshot of another project has it: its people have to be asked.
    private func search(_ digest: Digest) async throws -> [Place] {
        let recorded = try await context.catalog.recordedManifests()
        var places: [Place] = []
        for (done, item) in recorded.enumerated() {
            try await context.report("searching snapshots", done, recorded.count)
            guard let object = item.version.object else { continue }
            let manifest = try SnapshotManifest(json: try await context.objects.get(object))
            let paths = manifest.paths(of: digest)
            guard !paths.isEmpty else { continue }
            guard item.project == context.project else {
                throw CatalogError(
                    .inUse,
                    "\(item.version.reference):\(paths[0].path) of project '\(item.projectName)' has the same content; "
                        + "forget or replace that snapshot first"
                )
            }
            let isChunked = manifest.objectReferences.contains { $0.digest == digest && $0.chunks != nil }
            places += paths.map { (item.version, $0.path, $0.size, isChunked) }
        }
        return places
    }

    /// What was made from some snapshots, directly or not: it may hold what was erased.
    private func derived(from versions: [VersionRecord]) async throws -> [Lineage.Node] {
        var seen = Set(versions.map(\.id))
        var derived: [Lineage.Node] = []
        for id in seen.sorted() {
            let lineage = try await context.catalog.lineage(
                of: id,
                up: false,
                down: true,
                limit: DatasetRoutes.lineageLimit
            )
            for node in lineage.nodes where seen.insert(node.id).inserted { derived.append(node) }
        }
        return derived
    }

    /// What is to go with a file: the chunks that no other file has, and the list that names them; none of a file that is
    /// whole.
    ///
    /// A chunk that another file shares, as the next version of the same table does, is a part of that file too and stays.
    ///
    /// - Returns: with them, the snapshots that were looked at.
    /// - Throws: `CatalogError.inUse` where the file as a whole is a chunk of another.
    private func contents(of digest: Digest) async throws -> Parts {
        let packs = ServicePacks(objects: context.objects)
        var own: Set<Digest> = []
        var others: Set<Digest> = []
        var lists: Set<Digest> = []
        let recorded = try await context.catalog.recordedManifests()
        for item in recorded {
            guard let object = item.version.object else { continue }
            let manifest = try SnapshotManifest(json: try await context.objects.get(object))
            // Of files that are whole nothing but themselves is asked.
            guard manifest.objectReferences.contains(where: { $0.chunks != nil }) else {
                others.formUnion(manifest.objectReferences.lazy.map(\.digest).filter { $0 != digest })
                continue
            }
            let contents = try await SnapshotContents.open(
                manifest,
                packs: try await context.catalog.packs(of: item.version).map {
                    PackReference(digest: $0.digest, size: $0.size)
                },
                from: packs,
                objects: context.objects,
                references: manifest.objectReferences.filter { $0.chunks != nil },
                listsOnly: true
            )
            for reference in manifest.objectReferences {
                guard let list = reference.chunks else {
                    if reference.digest != digest { others.insert(reference.digest) }
                    continue
                }
                do {
                    try contents.forEachContent(of: reference) { content in
                        if reference.digest == digest { own.insert(content) } else { others.insert(content) }
                    }
                } catch SnapshotError.missingContent {
                    // Erased before, this one or another.
                }
                if reference.digest == digest { lists.insert(list) }
            }
            if others.contains(digest) {
                throw CatalogError(
                    .inUse,
                    "\(digest) is also a part of a larger file of \(item.version.reference); erase or forget that first"
                )
            }
        }
        return (
            own.subtracting(others).subtracting(lists), lists.subtracting(others), Set(recorded.map(\.version.id))
        )
    }

    /// Rewrites every pack that has any of some contents, needed or not, without them.
    ///
    /// - Returns: false where a snapshot that is not known has come to need one.
    private func removeFromPacks(_ digests: Set<Digest>, _ known: Set<Int64>) async throws -> Bool {
        guard !digests.isEmpty else { return true }
        // What a dead writer left has no row yet, and may hold the content all the same.
        _ = try await GarbageCollector(
            catalog: context.catalog,
            objects: context.objects,
            grace: TimeSpan(microseconds: .max),
            report: context.report
        ).adoptUnknown()
        var last: Digest?
        while true {
            let page = try await context.catalog.objects(after: last, limit: 500)
            guard let end = page.last else { return true }
            for object in page {
                guard let index = try await packIndex(object.digest), digests.contains(where: index.contains) else {
                    continue
                }
                try await context.report("rewriting pack \(object.digest)", 0, 0)
                // One that an earlier run withdrew is replaced already, or was needed by nothing.
                let replacement = object.isWithdrawn ? nil : try await rewritten(object.digest, without: digests)
                guard try await remove(object.digest, replacement: replacement, known) else { return false }
            }
            last = end.digest
        }
    }

    /// The index of an object that is a pack.
    private func packIndex(_ digest: Digest) async throws -> PackIndex? {
        do {
            guard try await PackIndex.isPack(digest, in: context.objects) else { return nil }
            let size = try await context.objects.size(digest)
            return try await PackIndex.read(digest, size: size, from: context.objects)
        } catch is PackError {
            // Begins as a pack does and is none: a file of somebody's making.
            return nil
        } catch ObjectError.missing {
            // Announced and never sent, or gone since the list was made.
            return nil
        }
    }

    /// Stores a pack's other contents as a pack; none if there are no others.
    private func rewritten(_ pack: Digest, without digests: Set<Digest>) async throws -> Digest? {
        let size = try await context.objects.size(pack)
        let index = try await PackIndex.read(pack, size: size, from: context.objects)
        let left = index.entries.filter { !digests.contains($0.digest) }.sorted { $0.offset < $1.offset }
        // One for one: whoever needs the old one needs the new one.
        return try await PackRewriter(objects: context.objects, bound: .max).rewrite(
            [(PackReference(digest: pack, size: size), left)]
        ).first?.digest
    }

    private func remove(_ digest: Digest, replacement: Digest?, _ known: Set<Int64>) async throws -> Bool {
        let start = ContinuousClock.now
        let claim = try await context.catalog.takeOut(
            digest,
            replacement: replacement,
            known: known,
            duration: Self.claim
        )
        guard let claim else { return false }
        try await context.objects.delete(digest, before: start + .microseconds(Self.claim.microseconds / 2))
        try await context.catalog.finishDeletion([digest], of: claim)
        return true
    }
}

extension SnapshotManifest {
    /// Where a content stands, with its size.
    func paths(of digest: Digest) -> [(path: String, size: Int)] {
        let paths = assets.filter { $0.digest == digest }.map { (path: "\($0.path)", size: $0.size) }
        guard paths.isEmpty, let other = objectReferences.first(where: { $0.digest == digest }) else { return paths }
        return [(path: "(its code or environment)", size: other.size)]
    }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
