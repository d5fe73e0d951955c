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
public final class LocalObjectStore: ObjectStore {
    /// The store's directory, as an absolute path.
    public let directory: String
    private let queue: BlockingQueue
    // The object directories whose own entries this process has synced.
    private let durableDirectories = Mutex<Set<String>>([])

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
                try file.rewind()
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

    public func get(_ digest: Digest) async throws -> [UInt8] {
        try await queue.run { [self] in
            let location = try locate(digest)
            var content: [UInt8] = []
            if location.encoding == .raw { content.reserveCapacity(try OpenFile.reading(location.path).size) }
            try read(digest, at: location) { content.append(contentsOf: $0) }
            return content
        }
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
                if try exists(path) { try read(digest, at: (path, encoding)) { _ in } }
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

    // MARK: Files

    private typealias Location = (path: String, encoding: ObjectEncoding)

    private func path(of digest: Digest, _ encoding: ObjectEncoding) -> String {
        let hex = digest.hex
        return "\(directory)/sha256/\(hex.prefix(2))/\(hex)\(encoding == .lz4 ? ".lz4" : "")"
    }

    private func exists(_ path: String) throws -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT else { throw ObjectError.system(operation: "inspect", path: path, code: errno) }
        return false
    }

    private func locate(_ digest: Digest) throws -> Location {
        for encoding in [ObjectEncoding.raw, .lz4] {
            let path = path(of: digest, encoding)
            if try exists(path) { return (path, encoding) }
        }
        throw ObjectError.missing(digest, directory: directory)
    }

    /// Hands the content to `body` piece by piece, then throws if it was not the object's.
    private func read(
        _ digest: Digest,
        at location: Location,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let file = try OpenFile.reading(location.path)
        var hasher = Digest.Hasher()
        switch location.encoding {
        case .raw:
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.bufferSize, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { break }
                let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                hasher.update(part)
                try body(part)
            }
        case .lz4:
            do {
                try LZ4FrameDecoder().decode(file) { part in
                    hasher.update(part)
                    try body(part)
                }
            } catch let error as LZ4FrameError {
                throw ObjectError.damagedFrame(digest, path: location.path, reason: error.reason)
            }
        }
        let found = hasher.finalize()
        guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: location.path) }
    }

    /// Writes an object from what `produce` gives, unless it is there.
    private func store(
        _ digest: Digest,
        size: Int,
        encoding: ObjectEncoding,
        from produce: (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let sufficient: [ObjectEncoding] = encoding == .raw ? [.raw] : [.raw, .lz4]
        for encoding in sufficient where try isStored(path(of: digest, encoding)) { return }

        let target = path(of: digest, encoding)
        let temporaries = directory + "/tmp"
        try Directory.create(temporaries)
        let temporary = try TemporaryFile(in: temporaries, prefix: "")
        switch encoding {
        case .raw:
            try produce { try temporary.file.write($0) }
        case .lz4:
            do {
                let encoder = try LZ4FrameEncoder(contentSize: size) { try temporary.file.write($0) }
                try produce { try encoder.append($0) }
                try encoder.finish()
            } catch let error as LZ4FrameError {
                throw ObjectError.damagedFrame(digest, path: temporary.file.path, reason: error.reason)
            }
        }
        try createDurably(Directory.parent(of: target))
        try temporary.commit(to: target, mode: 0o444)
    }

    /// Creates a directory of objects; its entry is durable on return, whoever created it.
    private func createDurably(_ path: String) throws {
        try Directory.create(path)
        if durableDirectories.withLock({ $0.contains(path) }) { return }
        try OpenFile.syncDirectory(Directory.parent(of: path))
        try OpenFile.syncDirectory(directory)
        durableDirectories.withLock { _ = $0.insert(path) }
    }

    /// Whether an object's file is there, and durably so.
    private func isStored(_ path: String) throws -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw ObjectError.system(operation: "inspect", path: path, code: errno) }
            return false
        }
        // Another writer may have renamed it but not yet synced the directory; renaming sets the change time.
        if time(nil) - status.st_ctim.tv_sec < 60 { try OpenFile.syncDirectory(Directory.parent(of: path)) }
        return true
    }
}
