import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The files of objects. All of it blocks on the disk.
extension LocalObjectStore {
    func path(of digest: Digest, _ encoding: ObjectEncoding) -> String {
        let hex = digest.hex
        return "\(directory)/sha256/\(hex.prefix(2))/\(hex)\(encoding == .lz4 ? ".lz4" : "")"
    }

    func exists(_ path: String) throws -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT else { throw ObjectError.system(operation: "inspect", path: path, code: errno) }
        return false
    }

    func locate(_ digest: Digest) throws -> StoredFile.Location {
        for encoding in [ObjectEncoding.raw, .lz4] {
            let path = path(of: digest, encoding)
            if try exists(path) { return StoredFile.Location(path: path, encoding: encoding) }
        }
        throw ObjectError.missing(digest, directory: directory)
    }

    /// Hands the content to `body` piece by piece, then throws if it was not the object's.
    func read(
        _ digest: Digest,
        at location: StoredFile.Location,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let file = try StoredFile(digest, at: location)
        while let piece = try file.next() { try body(piece) }
    }

    /// Writes an object from what `produce` gives, unless it is there.
    func store(
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
    func createDurably(_ path: String) throws {
        try Directory.create(path)
        if durableDirectories.withLock({ $0.contains(path) }) { return }
        try OpenFile.syncDirectory(Directory.parent(of: path))
        try OpenFile.syncDirectory(directory)
        // The store's own entry, once: whoever made it may have died before.
        if !durableDirectories.withLock({ $0.contains(directory) }) {
            try OpenFile.syncDirectory(Directory.parent(of: directory))
        }
        durableDirectories.withLock { $0.formUnion([path, directory]) }
    }

    /// Whether an object's file is there, and durably so.
    func isStored(_ path: String) throws -> Bool {
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
