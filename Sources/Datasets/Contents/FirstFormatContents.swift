import FoundationEssentials
import Objects

/// Snapshots of format 1, whose files are objects of their own.
enum FirstFormatContents {
    /// Puts the objects of a snapshot into packs that nobody else sees and that are gone with the result.
    ///
    /// Memory: the largest object.
    ///
    /// - Throws: `ObjectError` for an object that is missing or corrupt.
    static func read(_ references: [ObjectReference], from objects: any ObjectStore) async throws -> SnapshotContents {
        let directory = FileManager.default.temporaryDirectory.path + "/lockstep-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let sink = ContentSink(known: PackCatalog(), directory: directory) { _ in }
        var lists: [Digest: Digest] = [:]
        for reference in references {
            let bytes = try await objects.get(reference.digest)
            let stored = try await fileWork.run { try sink.append(bytes) }
            if let chunks = stored.chunks { lists[reference.digest] = chunks }
        }
        var catalog = PackCatalog()
        var readers: [Digest: PackReader] = [:]
        for pack in try await fileWork.run({ try sink.finish() }) {
            let reader = try PackReader(path: pack.path)
            catalog.add(PackReference(digest: pack.digest, size: pack.size), reader.index)
            readers[pack.digest] = reader
        }
        // The readers keep the files open that are removed now.
        return try await SnapshotContents(catalog, from: OpenedPacks(readers: readers), lists: lists)
    }

    private struct OpenedPacks: PackSource {
        let readers: [Digest: PackReader]

        func index(of pack: PackReference) async throws -> PackIndex { try await open(pack).index }

        func open(_ pack: PackReference) async throws -> PackReader {
            guard let reader = readers[pack.digest] else { throw SnapshotError.missingContent(pack.digest) }
            return reader
        }
    }
}
