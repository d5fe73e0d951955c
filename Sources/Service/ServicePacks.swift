import Catalog
import Datasets
import Features
import Objects
import Synchronization

/// The packs of the service's store, of which those used last stay open, with their indexes: packs never change.
///
/// Packs of a store elsewhere are read by range, unless most of one is asked for.
final class ServicePacks: PackSource {
    private struct State {
        var readers = RecentlyUsed<PackReference, PackReader>(limit: ServicePacks.limit)
        var indexes = RecentlyUsed<PackReference, PackIndex>(limit: ServicePacks.limit)
    }

    /// How many packs stay open; an index has 49 bytes for each content.
    private static let limit = 64

    private let objects: any ObjectStore
    private let state = Mutex(State())

    init(objects: any ObjectStore) { self.objects = objects }

    func index(of pack: PackReference) async throws -> PackIndex {
        let known = state.withLock { $0.readers[pack]?.index ?? $0.indexes[pack] }
        if let known { return known }
        let index = try await ObjectPacks(objects).index(of: pack)
        try Self.check(index, pack)
        state.withLock { $0.indexes[pack] = index }
        return index
    }

    func open(_ pack: PackReference) async throws -> PackReader {
        if let known = state.withLock({ $0.readers[pack] }) { return known }
        let reader = try await ObjectPacks(objects).open(pack)
        try Self.check(reader.index, pack)
        state.withLock { $0.readers[pack] = reader }
        return reader
    }

    func open(_ pack: PackReference, reading entries: [PackEntry]) async throws -> PackReader {
        if let known = state.withLock({ $0.readers[pack] }) { return known }
        if try await objects.isLocal(pack.digest) { return try await open(pack) }
        return try await ObjectPacks(objects).open(pack, reading: entries, index: try await index(of: pack))
    }

    /// Closes every pack, so that those that were deleted give back what they take on the disk.
    func closeAll() { state.withLock { $0 = State() } }

    private static func check(_ index: PackIndex, _ pack: PackReference) throws {
        guard index.packSize == pack.size else {
            throw RequestError("pack \(pack.digest) has \(index.packSize) bytes, not \(pack.size)")
        }
    }

    /// Looks for everything that a manifest names, its references, in packs.
    ///
    /// - Throws: `RequestError` for the first content that none of them holds.
    func check(
        _ references: [ObjectReference],
        of manifest: SnapshotManifest,
        areIn packs: [PackReference]
    ) async throws {
        let contents = try await SnapshotContents.open(
            manifest,
            packs: packs,
            from: self,
            objects: objects,
            references: references.filter { $0.chunks != nil },
            listsOnly: true
        )
        for reference in references {
            do {
                try contents.forEachContent(of: reference) { digest in
                    guard contents.catalog.contains(digest) else { throw SnapshotError.missingContent(digest) }
                }
                try contents.checkSize(of: reference)
            } catch let error as SnapshotError where error.isWrongContent {
                throw RequestError("\(error)")
            } catch SnapshotError.missingContent(let digest) {
                throw RequestError(
                    "the snapshot needs \(digest), which none of the packs named holds; create the snapshot again"
                )
            }
        }
    }

    /// The bytes of a file of a snapshot.
    func bytes(_ digest: Digest, of snapshot: VersionRecord, catalog: Catalog) async throws -> [UInt8] {
        guard let object = snapshot.object else { return try await objects.get(digest) }
        let manifest = try SnapshotManifest(json: try await objects.get(object), expecting: snapshot.digest)
        guard let reference = manifest.objectReferences.first(where: { $0.digest == digest }) else {
            throw RequestError("snapshot \(snapshot.reference) has no file of the digest \(digest)")
        }
        var attempts = 3
        while true {
            let packs = try await catalog.packs(of: snapshot).map { PackReference(digest: $0.digest, size: $0.size) }
            attempts -= 1
            do {
                let contents = try await SnapshotContents.open(
                    manifest,
                    packs: packs,
                    from: self,
                    objects: objects,
                    references: [reference]
                )
                return try contents.bytes(reference)
            } catch let error as ObjectError {
                // A collection may have had another pack take the place of one of these.
                guard case .missing = error, attempts > 0 else { throw error }
            }
        }
    }
}
