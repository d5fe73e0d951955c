import Catalog
import Datasets
import Objects

/// What snapshots need of the packs they have.
///
/// A content stays needed in the pack that a snapshot reads it from: of several packs the first. Memory: the indexes of one
/// snapshot's packs, 49 bytes for each content, and a byte for each content of the store.
struct PackSurvey {
    /// A pack, and what is needed of it.
    struct Pack {
        let use: PackUse
        /// In the order of the pack.
        let needed: [PackEntry]
        /// Bytes of all entries, and of those needed.
        let entryBytes: Int
        let neededBytes: Int

        var deadBytes: Int { entryBytes - neededBytes }
        /// The part of the entries that nothing needs.
        var deadShare: Double { entryBytes == 0 ? 0 : Double(deadBytes) / Double(entryBytes) }
    }

    /// Packs whose every snapshot could be read.
    let packs: [Pack]
    /// Packs left out because a snapshot's manifest, index or list of chunks cannot be read: all of them may be needed.
    let unreadable: Int

    var deadBytes: Int { packs.reduce(0) { $0 + $1.deadBytes } }

    static func run(_ context: JobContext) async throws -> PackSurvey {
        let packs = ServicePacks(objects: context.objects)
        // What was erased is needed by none, whoever still names it.
        let erased = Set(try await context.catalog.tombstones().map(\.digest))
        // Uses first: a snapshot recorded after them makes a use differ, which is noticed when the pack is to be replaced.
        let uses = try await context.catalog.packUses()
        let recorded = try await context.catalog.recordedManifests()
        var marks: [Digest: [Bool]] = [:]
        var broken: Set<Int64> = []
        for (done, item) in recorded.enumerated() {
            try await context.report("searching snapshots for dead bytes", done, recorded.count)
            do {
                try await mark(item.version, without: erased, context, packs, &marks)
            } catch let error as CancellationError {
                throw error
            } catch is PackError, is SnapshotError, is ObjectError {
                broken.insert(item.version.id)
            }
        }
        var found: [Pack] = []
        var unreadable = 0
        for use in uses {
            let reference = PackReference(digest: use.digest, size: use.byteCount)
            guard broken.isDisjoint(with: use.versions), let index = try? await packs.index(of: reference) else {
                unreadable += 1
                continue
            }
            let marked = marks[use.digest] ?? []
            let entries = index.entries
            let needed = entries.enumerated().filter { position, _ in
                position < marked.count && marked[position]
            }.map(\.element).sorted { $0.offset < $1.offset }
            found.append(
                Pack(
                    use: use,
                    needed: needed,
                    entryBytes: entries.reduce(0) { $0 + $1.range.count },
                    neededBytes: needed.reduce(0) { $0 + $1.range.count }
                )
            )
        }
        return PackSurvey(packs: found, unreadable: unreadable)
    }

    /// Marks in each pack of a snapshot what the snapshot reads from it.
    private static func mark(
        _ version: VersionRecord,
        without erased: Set<Digest>,
        _ context: JobContext,
        _ packs: ServicePacks,
        _ marks: inout [Digest: [Bool]]
    ) async throws {
        guard let object = version.object else { return }
        let manifest = try SnapshotManifest(json: try await context.objects.get(object))
        guard manifest.format != SnapshotManifest.firstFormat else { return }
        let references = manifest.objectReferences
        let contents = try await SnapshotContents.open(
            manifest,
            packs: try await context.catalog.packs(of: version).map {
                PackReference(digest: $0.digest, size: $0.size)
            },
            from: packs,
            objects: context.objects,
            references: references.filter { $0.chunks != nil },
            listsOnly: true
        )
        let catalog = contents.catalog
        var marked = catalog.packs.indices.map { position in
            marks.removeValue(forKey: catalog.packs[position].digest)
                ?? [Bool](repeating: false, count: catalog.index(of: position).count)
        }
        defer { for (position, pack) in catalog.packs.enumerated() { marks[pack.digest] = marked[position] } }
        // Of an erased file nothing is needed that no other file has.
        for reference in references where !erased.contains(reference.digest) {
            do {
                try contents.forEachContent(of: reference) { digest in
                    guard let pack = catalog.pack(of: digest), let place = catalog.index(of: pack).position(of: digest)
                    else { throw SnapshotError.missingContent(digest) }
                    marked[pack][place] = true
                }
            } catch SnapshotError.missingContent {
                // Erased; or lost, and then there is nothing to keep.
            }
        }
    }
}
