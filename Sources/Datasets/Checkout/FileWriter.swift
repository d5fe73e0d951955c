import Objects
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A way to make a file of a checkout.
public enum FileWay: String, Hashable, Sendable, CaseIterable {
    /// A file of its own that shares blocks with the cache's until one of them is written to.
    case reflink
    /// Another name of the cache's file: read-only, and verified just before.
    case hardlink
    /// A file of its own.
    case copy
}

/// Writes the files of a checkout on all cores; see ``Checkout``.
struct FileWriter: Sendable {
    private static let batchCount = 64
    private static let batchSize = 4 << 20

    private let contents: SnapshotContents
    private let root: String
    private let ways: [FileWay]
    private let cache: WholeFileCache?

    init(_ contents: SnapshotContents, in root: String, ways: [FileWay], cache: String?) throws {
        self.contents = contents
        self.root = root
        let cache = try cache.map { try WholeFileCache($0) }
        self.cache = cache
        // A way that this file system does not have is found out once.
        self.ways = try ways.filter { way in
            switch way {
            case .reflink: try cache?.canClone(to: root) ?? false
            case .hardlink: try cache?.canLink(to: root) ?? false
            case .copy: true
            }
        }
    }

    /// Writes the files among `items`; blocks.
    func write(_ items: [Checkout.Item], _ outcome: inout Checkout.Outcome) throws {
        var files = items.compactMap { item -> (place: Int, item: Checkout.Item, object: ObjectReference)? in
            guard case .file(_, let object) = item.content else { return nil }
            // In the order of the packs, which are then read from front to back.
            let place = contents.catalog.place(of: object.chunks ?? object.digest)
            return ((place?.pack ?? 0) << 40 + (place?.entry.offset ?? 0), item, object)
        }
        files.sort { $0.place < $1.place }
        let made = Mutex<[FileWay: Int]>([:])
        let work = OrderedWork<[FileWay: Int]>(limit: 8) { ways in
            made.withLock { $0.merge(ways) { $0 + $1 } }
        }
        var batch: [Checkout.Item] = []
        var batchSize = 0
        func submit() throws {
            let items = batch
            (batch, batchSize) = ([], 0)
            try work.submit {
                var ways: [FileWay: Int] = [:]
                for item in items {
                    if case .file(let mode, let object) = item.content {
                        ways[try write(DiskPath(root, item.path), mode, object), default: 0] += 1
                    }
                }
                return ways
            }
        }
        do {
            for (_, item, object) in files {
                batch.append(item)
                batchSize += object.size
                if batch.count == Self.batchCount || batchSize >= Self.batchSize { try submit() }
                outcome.files += 1
                outcome.bytes += object.size
            }
            if !batch.isEmpty { try submit() }
        } catch {
            try? work.finish()
            throw error
        }
        try work.finish()
        outcome.ways = made.withLock { $0 }
    }

    /// Removes what was made besides the files; what is left after an error, the next writer of the same cache removes.
    func finish() throws { try cache?.finish() }

    private func write(_ path: DiskPath, _ mode: FileMode, _ object: ObjectReference) throws -> FileWay {
        if let cache {
            for way in ways {
                switch way {
                case .reflink:
                    if try cache.clone(object, from: contents, to: path, mode) { return .reflink }
                case .hardlink:
                    if try cache.link(object, from: contents, to: path, mode) { return .hardlink }
                case .copy: break
                }
                if way == .copy { break }
            }
        }
        try NewFile.write(path, mode: mode) { try $0.write(object, from: contents) }
        return .copy
    }
}

/// A file that is made new, never an existing one.
struct NewFile: ~Copyable {
    private let path: DiskPath
    private let descriptor: Int32
    private var size = 0
    private var endsInHole = false

    /// Makes a file at a path where nothing is, fills it and sets its mode.
    static func write(
        _ path: DiskPath,
        mode: FileMode,
        _ body: (inout NewFile) throws -> Void
    ) throws {
        var file = try NewFile(path)
        try body(&file)
        try file.finish(mode)
    }

    private init(_ path: DiskPath) throws(SnapshotError) {
        descriptor = path.withCString { SystemCall.openFile($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600) }
        guard descriptor >= 0 else { throw FileStatus.error("create", path) }
        self.path = path
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
        guard SystemCall.write(bytes, to: descriptor, path.text) >= 0 else { throw FileStatus.error("write", path) }
    }

    mutating func write(_ object: ObjectReference, from contents: SnapshotContents) throws {
        var parts = 0
        // A local copy of what the closure changes: a noncopyable self cannot be captured.
        let (descriptor, path) = (descriptor, path)
        var (size, endsInHole) = (0, false)
        try contents.read(object) { part in
            parts += 1
            endsInHole = part.count >= 1 << 15 && Self.isZero(part)
            if endsInHole {
                // Blocks that were never written read as zeros.
                guard lseek(descriptor, off_t(part.count), SEEK_CUR) >= 0 else { throw FileStatus.error("write", path) }
            } else {
                let count = part.withUnsafeBytes { SystemCall.write($0, to: descriptor, path.text) }
                guard count >= 0 else { throw FileStatus.error("write", path) }
            }
            size += part.count
        }
        self.size = size
        self.endsInHole = endsInHole
    }

    private consuming func finish(_ mode: FileMode) throws(SnapshotError) {
        if endsInHole {
            guard SystemCall.setSize(descriptor, path.text, size) == 0 else { throw FileStatus.error("write", path) }
        }
        guard SystemCall.setMode(descriptor, path.text, mode_t(mode.bits)) == 0 else {
            throw FileStatus.error("set the mode of", path)
        }
    }

    private static func isZero(_ bytes: borrowing [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, bytes.first == 0 else { return false }
            return memcmp(base, base + 1, bytes.count - 1) == 0
        }
    }

    /// Makes the file a clone of an open one.
    ///
    /// - Returns: whether the file system can.
    func clone(_ source: Int32) -> Bool { SystemCall.clone(source, to: descriptor, path.text) == 0 }
}
