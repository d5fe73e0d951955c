import Catalog
import Datasets
import FoundationEssentials
import Objects

/// Writes contents of packs into new packs and stores those.
struct PackRewriter {
    /// A new pack that is stored.
    struct NewPack {
        let digest: Digest
        let size: Int
        let contents: Set<Digest>
    }

    let objects: any ObjectStore
    /// The bytes that no new pack's entries exceed.
    var bound = PackWriter.standardBound

    /// Every content is verified on its way; new packs are durable on return.
    ///
    /// - Parameter parts: packs and what to take of them, in the order in which it is to stand in the new ones.
    /// - Throws: `PackError` for a content that is damaged; nothing is stored then.
    func rewrite(_ parts: [(pack: PackReference, entries: [PackEntry])]) async throws -> [NewPack] {
        let directory = FileManager.default.temporaryDirectory.appending(
            component: "lockstep-packs-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let writer = PackWriter(directory: directory.path, bound: bound)
        for (pack, entries) in parts where !entries.isEmpty {
            let reader = try await ObjectPacks(objects).open(pack, reading: entries)
            for entry in entries { _ = try writer.append(try reader.content(entry)) }
        }
        var made: [NewPack] = []
        for sealed in try writer.finish() {
            let digest = try await objects.putFile(at: sealed.path, encoding: .raw).digest
            made.append(NewPack(digest: digest, size: sealed.size, contents: Set(sealed.entries.map(\.digest))))
        }
        return made
    }
}
