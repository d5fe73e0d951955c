import FoundationEssentials
import Objects
import Synchronization

/// The assets of a snapshot, read where the cache does not know them.
struct AssetCapture: Sendable {
    let entries: [AssetEntry]
    /// The files that were read.
    let readCount: Int
    /// Chunk lists of files that were not read, each whole.
    let lists: [Digest: [UInt8]]
    private let cache: (directory: String, content: StatCache)?

    static func run(
        _ tree: AssetTree,
        _ wanted: SnapshotRequirements,
        into sink: ContentSink,
        progress: (@Sendable (SnapshotProgress) -> Void)?
    ) async throws -> AssetCapture {
        try await fileWork.run {
            let counter = ProgressCounter(filesTotal: tree.entries.count, report: progress)
            let files = tree.entries.filter { $0.status.kind == .file }
            var cache = StatCache(root: tree.root)
            var lists: [Digest: [UInt8]] = [:]
            var objects = [ObjectReference?](repeating: nil, count: files.count)
            if let directory = wanted.cache, !wanted.readsEverything {
                cache = StatCache.load(root: tree.root, from: directory)
                objects = cache.objects(for: files).map { object in
                    guard let object, isStored(object, sink.known, ChunkLists(directory), &lists) else { return nil }
                    return object
                }
            }
            let unread = files.indices.filter { objects[$0] == nil }
            counter.add(files: tree.entries.count - unread.count, bytes: objects.reduce(0) { $0 + ($1?.size ?? 0) })
            let captured = try FileCapture.run(
                unread.map { DiskPath(tree.root, files[$0].path) },
                sizes: unread.map { files[$0].status.size },
                into: sink
            ) { counter.add(files: 1, bytes: $0) }

            var statuses = files.map(\.status)
            var isTrusted = objects.map { $0 != nil }
            for (position, file) in zip(unread, captured) {
                objects[position] = file.object
                statuses[position] = file.status
                isTrusted[position] = StatCache.mayRecord(file)
            }
            var kept: [StatCache.Entry] = []
            kept.reserveCapacity(files.count)
            for (position, file) in files.enumerated() {
                guard isTrusted[position], let object = objects[position] else { continue }
                kept.append(StatCache.Entry(path: file.path, status: statuses[position], object: object))
            }
            let isChanged = kept != cache.entries
            cache.replace(kept)
            return AssetCapture(
                entries: entries(tree.entries, objects, statuses),
                readCount: unread.count,
                lists: lists,
                cache: isChanged ? wanted.cache.map { ($0, cache) } : nil
            )
        }
    }

    /// Writes down what is known now, for the next capture.
    ///
    /// - Parameter lists: all chunk lists of the snapshot.
    func remember(lists: [Digest: [UInt8]]) throws {
        guard let cache else { return }
        let store = ChunkLists(cache.directory)
        for (digest, bytes) in lists { try store.put(digest, bytes) }
        try cache.content.save(in: cache.directory)
    }

    /// Whether the store has what the cache says a file holds; adds the file's chunk lists.
    private static func isStored(
        _ object: ObjectReference,
        _ known: PackCatalog,
        _ store: ChunkLists,
        _ lists: inout [Digest: [UInt8]]
    ) -> Bool {
        guard let chunks = object.chunks else { return known.contains(object.digest) }
        var pending = [chunks]
        while let digest = pending.popLast() {
            guard known.contains(digest), let bytes = store.get(digest),
                let list = try? ChunkList(bytes, digest: digest)
            else { return false }
            lists[digest] = bytes
            if list.level > 0 {
                pending += list.parts.map(\.digest)
            } else if !list.parts.allSatisfy({ known.contains($0.digest) }) {
                return false
            }
        }
        return true
    }

    static func entries(
        _ tree: [TreeEntry],
        _ objects: [ObjectReference?],
        _ statuses: [FileStatus]
    ) -> [AssetEntry] {
        var position = 0
        return tree.compactMap { item in
            switch item.status.kind {
            case .file:
                defer { position += 1 }
                return objects[position].map {
                    AssetEntry(path: item.path, content: .file(mode: statuses[position].mode, $0))
                }
            case .symbolicLink: return AssetEntry(path: item.path, content: .symbolicLink(target: item.target))
            case .directory: return AssetEntry(path: item.path, content: .directory(mode: item.status.mode))
            case .other: return nil
            }
        }
    }
}

/// Chunk lists kept beside the cache, so that files that have not changed need not be divided again.
struct ChunkLists {
    private let directory: String

    init(_ cache: String) { directory = cache + "/chunks" }

    private func path(_ digest: Digest) -> String { "\(directory)/\(digest.hex)" }

    /// A list whose bytes are what its name says; `nil` where there is none.
    func get(_ digest: Digest) -> [UInt8]? {
        guard let bytes = try? OpenedFile.content(of: DiskPath(path(digest)), limit: PackedContent.maximumSize),
            Digest.of(bytes) == digest
        else { return nil }
        return bytes
    }

    func put(_ digest: Digest, _ bytes: [UInt8]) throws {
        if get(digest) == nil { try AtomicFile.write(bytes, to: path(digest), isDurable: false) }
    }
}

/// Counts the files of concurrent captures, reporting in order.
private final class ProgressCounter: Sendable {
    private let progress: Mutex<SnapshotProgress>
    private let report: (@Sendable (SnapshotProgress) -> Void)?

    init(filesTotal: Int, report: (@Sendable (SnapshotProgress) -> Void)?) {
        progress = Mutex(SnapshotProgress(filesTotal: filesTotal))
        self.report = report
        report?(SnapshotProgress(filesTotal: filesTotal))
    }

    func add(files: Int, bytes: Int) {
        guard files > 0 else { return }
        progress.withLock { progress in
            progress.filesDone += files
            progress.bytesDone += bytes
            report?(progress)
        }
    }
}
