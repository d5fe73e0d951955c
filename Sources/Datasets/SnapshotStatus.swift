import Objects
import Synchronization

/// How files on this machine differ from a snapshot.
public struct SnapshotStatus: Sendable {
    /// What a snapshot made now would change.
    public let assets: SnapshotDiff.Paths
    /// Files, symbolic links and empty directories there are now.
    public let count: Int
    /// Files that were read; the cache knew the others.
    public let filesRead: Int

    /// Compares files with a snapshot; reads those that the cache does not know, and stores nothing but what it learns in
    /// the cache.
    ///
    /// - Parameter wanted: as the snapshot was made; code, environment and parents are not looked at.
    public static func of(_ wanted: SnapshotRequirements, against manifest: SnapshotManifest) async throws
        -> SnapshotStatus
    {
        try await fileWork.run {
            let tree = try AssetTree(paths: wanted.paths, root: wanted.root, ignoreRoot: wanted.ignoreRoot)
            let files = tree.entries.filter { $0.status.kind == .file }
            var cache = StatCache(root: tree.root)
            if let directory = wanted.cache, !wanted.readsEverything {
                cache = StatCache.load(root: tree.root, from: directory)
            }
            var objects = cache.objects(for: files)
            var statuses = files.map(\.status)
            var isTrusted = objects.map { $0 != nil }
            let unread = files.indices.filter { objects[$0] == nil }
            let read = try FileDigests.run(unread.map { DiskPath(tree.root, files[$0].path) })
            // A large file that is as it was keeps its chunk list.
            var chunks: [Digest: Digest] = [:]
            manifest.forEachReference { if let list = $0.chunks { chunks[$0.digest] = list } }
            for (position, file) in zip(unread, read) {
                objects[position] = ObjectReference(
                    size: file.object.size,
                    digest: file.object.digest,
                    chunks: chunks[file.object.digest]
                )
                statuses[position] = file.status
                isTrusted[position] = StatCache.mayRecord(file)
            }
            if let directory = wanted.cache, !unread.isEmpty {
                var kept: [StatCache.Entry] = []
                for (position, file) in files.enumerated() {
                    guard isTrusted[position], let object = objects[position] else { continue }
                    kept.append(StatCache.Entry(path: file.path, status: statuses[position], object: object))
                }
                if kept != cache.entries {
                    cache.replace(kept)
                    try cache.save(in: directory)
                }
            }
            let entries = AssetCapture.entries(tree.entries, objects, statuses)
            return SnapshotStatus(
                assets: SnapshotDiff.Paths(from: manifest.assets, to: entries, path: \.path, content: \.content),
                count: tree.entries.count,
                filesRead: unread.count
            )
        }
    }
}

/// Hashes files on all cores, each while nothing wrote to it; see ``FileCapture``.
enum FileDigests {
    static func run(_ paths: [DiskPath]) throws -> [CapturedFile] {
        let results = Mutex<[CapturedFile]>([])
        let work = OrderedWork<[CapturedFile]>(limit: 8) { files in results.withLock { $0 += files } }
        do {
            for start in stride(from: 0, to: paths.count, by: 64) {
                let batch = paths[start..<min(start + 64, paths.count)]
                try work.submit { try batch.map(FileCapture.digest) }
            }
        } catch {
            try? work.finish()
            throw error
        }
        try work.finish()
        return results.withLock { $0 }
    }
}
