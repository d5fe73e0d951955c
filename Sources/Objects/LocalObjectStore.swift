import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Objects in a directory: `sha256/ab/<hex>` as they are, `sha256/ab/<hex>.lz4` as LZ4 frames.
///
/// Files are written in `tmp/`, synced, then renamed into place, and their directory synced: after a crash an object is
/// whole or absent. They are read-only (0444), as a courtesy; what is read is hashed all the same. A put of an object
/// that is there writes nothing, except that putting raw an object stored only compressed adds the raw file, so that
/// ``localPath(_:)`` has one. Several processes may use one directory. All file work runs on threads of its own, in
/// buffers of 1 MiB (`get` returns the whole object).
public final class LocalObjectStore: ManagedObjectStore {
    /// The store's directory, as an absolute path.
    public let directory: String
    let queue: BlockingQueue
    // The object directories whose own entries this process has synced.
    let durableDirectories = Mutex<Set<String>>([])

    /// Opens a store; the directory is created when the first object is put.
    public init(directory: String) {
        var path = directory.hasPrefix("/") ? directory : FileManager.default.currentDirectoryPath + "/" + directory
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.directory = path
        // Wide enough that the syncs of small files meet in one commit of the file system's journal.
        queue = BlockingQueue(label: "lockstep.objects", width: 16)
    }

    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        try await queue.run { [self] in
            let digest = Digest.of(bytes)
            try store(digest, size: bytes.count, encoding: encoding) { sink in
                try bytes.withUnsafeBytes { try sink($0) }
            }
            return digest
        }
    }

    /// Stores the content of the file at `path` and returns its digest and size in bytes.
    ///
    /// The file is hashed first, so that one already stored costs one read and no write; a new one larger than a buffer
    /// is read twice, and refused if the second read has another digest.
    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        try await queue.run { [self] in
            let file = try OpenFile.reading(path)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.bufferSize, alignment: 16)
            defer { buffer.deallocate() }
            var hasher = Digest.Hasher()
            var size = 0
            var last = 0
            repeat {
                last = try file.read(into: buffer)
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<last]))
                size += last
            } while last == buffer.count
            let digest = hasher.finalize()
            try store(digest, size: size, encoding: encoding) { sink in
                if size == last {
                    try sink(UnsafeRawBufferPointer(rebasing: buffer[..<last]))
                    return
                }
                var second = Digest.Hasher()
                var remaining = size
                try file.seek(to: 0)
                while remaining > 0 {
                    let count = min(try file.read(into: buffer), remaining)
                    guard count > 0 else { throw ObjectError.changedWhileRead(path: path) }
                    let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                    second.update(part)
                    try sink(part)
                    remaining -= count
                }
                guard second.finalize() == digest else { throw ObjectError.changedWhileRead(path: path) }
            }
            return (digest, size)
        }
    }

    /// Takes over a file in the store's own file system as a raw object: verified, durable, and renamed instead of
    /// copied.
    ///
    /// The file must be whole, and nobody may write to it any more.
    ///
    /// - Returns: the file's size in bytes.
    /// - Throws: `ObjectError.corrupt` for a file of another digest, which is left where it is.
    public func adopt(_ path: String, as digest: Digest) async throws -> Int {
        try await queue.run { [self] in
            let target = self.path(of: digest, .raw)
            let (found, size) = try Self.digest(of: path)
            guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: path) }
            if try isStored(target) {
                _ = SystemCall.remove(path)
                return size
            }
            try OpenFile.reading(path).seal(mode: 0o444)
            try createDurably(Directory.parent(of: target))
            guard SystemCall.move(path, to: target) == 0 else {
                throw ObjectError.system(operation: "write", path: target, code: errno)
            }
            try OpenFile.syncDirectory(Directory.parent(of: target))
            return size
        }
    }

    private static func digest(of path: String) throws -> (digest: Digest, size: Int) {
        let file = try OpenFile.reading(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        var hasher = Digest.Hasher()
        var size = 0
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return (hasher.finalize(), size) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += count
        }
    }

    public func get(_ digest: Digest) async throws -> [UInt8] {
        try await queue.run { [self] in
            let location = try locate(digest)
            var content: [UInt8] = []
            if location.encoding == .raw { content.reserveCapacity(try OpenFile.reading(location.path).size) }
            try read(digest, at: location) { content.append(contentsOf: $0) }
            return content
        }
    }

    public func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        try await stream(digest, part: nil, body)
    }

    public func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws {
        try await stream(digest, part: range, body)
    }

    private func stream(
        _ digest: Digest,
        part: Range<Int>?,
        _ body: ([UInt8]) async throws -> Void
    ) async throws {
        let reader = try await queue.run { [self] in try PieceReader(digest, at: try locate(digest), range: part) }
        while let piece = try await queue.run({ try reader.next() }) { try await body(piece) }
    }

    public func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8] {
        try await queue.run { [self] in try StoredFile.read(digest, range: range, at: try locate(digest)) }
    }

    public func size(_ digest: Digest) async throws -> Int {
        try await queue.run { [self] in try StoredFile.contentSize(digest, at: try locate(digest)) }
    }

    public func contains(_ digest: Digest) async throws -> Bool {
        try await queue.run { [self] in
            try ObjectEncoding.allCases.contains { try exists(path(of: digest, $0)) }
        }
    }

    /// Reads an object through, in both forms if it is stored in both, and throws for the first that is not it.
    public func verify(_ digest: Digest) async throws {
        try await queue.run { [self] in
            _ = try locate(digest)
            for encoding in ObjectEncoding.allCases {
                let path = path(of: digest, encoding)
                if try exists(path) {
                    try read(digest, at: StoredFile.Location(path: path, encoding: encoding)) { _ in }
                }
            }
        }
    }

    public func localPath(_ digest: Digest) async throws -> String? {
        try await queue.run { [self] in
            let location = try locate(digest)
            return location.encoding == .raw ? location.path : nil
        }
    }

    public func write(_ digest: Digest, to path: String) async throws {
        try await queue.run { [self] in
            let location = try locate(digest)
            let temporary = try TemporaryFile(in: Directory.parent(of: path), prefix: ".lockstep-")
            try read(digest, at: location) { try temporary.file.write($0) }
            try temporary.commit(to: path, mode: 0o644)
        }
    }
}

/// A stored file read in pieces by one task, on whatever thread is free.
private final class PieceReader: Sendable {
    private let file: Mutex<StoredFile>

    init(_ digest: Digest, at location: StoredFile.Location, range: Range<Int>?) throws {
        file = Mutex(try StoredFile(digest, at: location, range: range))
    }

    func next() throws -> [UInt8]? {
        try file.withLock { file in try file.next().map { [UInt8]($0) } }
    }
}
