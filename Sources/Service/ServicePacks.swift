import Catalog
import Datasets
import Features
import Objects
import Synchronization

/// The packs of the service's store, of which those used last stay open: packs never change.
final class ServicePacks: PackSource {
    private struct State {
        var readers: [PackReference: PackReader] = [:]
        /// In the order of their use, the last one last.
        var order: [PackReference] = []
    }

    /// How many packs stay open; an index has 49 bytes for each content.
    private static let limit = 64

    private let objects: any ObjectStore
    private let state = Mutex(State())

    init(objects: any ObjectStore) { self.objects = objects }

    func index(of pack: PackReference) async throws -> PackIndex { try await open(pack).index }

    func open(_ pack: PackReference) async throws -> PackReader {
        let known = state.withLock { state in
            state.readers[pack].map { reader in
                Self.touch(pack, &state)
                return reader
            }
        }
        if let known { return known }
        let reader = try await ObjectPacks(objects).open(pack)
        guard reader.index.packSize == pack.size else {
            throw RequestError("pack \(pack.digest) has \(reader.index.packSize) bytes, not \(pack.size)")
        }
        state.withLock { state in
            state.readers[pack] = reader
            Self.touch(pack, &state)
            if state.order.count > Self.limit { state.readers[state.order.removeFirst()] = nil }
        }
        return reader
    }

    private static func touch(_ pack: PackReference, _ state: inout State) {
        state.order.removeAll { $0 == pack }
        state.order.append(pack)
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
            references: references.filter { $0.chunks != nil }
        )
        for reference in references {
            do {
                try contents.forEachContent(of: reference) { digest in
                    guard contents.catalog.contains(digest) else { throw SnapshotError.missingContent(digest) }
                }
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
        let packs = try await catalog.packs(of: snapshot).map { PackReference(digest: $0.digest, size: $0.size) }
        let contents = try await SnapshotContents.open(
            manifest,
            packs: packs,
            from: self,
            objects: objects,
            references: [reference]
        )
        return try contents.bytes(reference)
    }
}
