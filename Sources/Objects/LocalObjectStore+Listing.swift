import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is in the directory, and its removal.
extension LocalObjectStore {
    /// - Complexity: a page reads the directories that it takes objects from, each of 1/256 of the store, in whole.
    public func list(after: Digest?, limit: Int) async throws -> [StoredObject] {
        try await queue.run { [self] in
            var page: [StoredObject] = []
            for first in Int(after?.bytes.first ?? 0)...255 where page.count < limit {
                for digest in try digests(startingWith: UInt8(first)) where page.count < limit {
                    if let after, digest <= after { continue }
                    if let object = try storedObject(digest) { page.append(object) }
                }
            }
            return page
        }
    }

    @discardableResult
    public func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        try await queue.run { [self] in
            // Looked at here, since it may have waited for a thread.
            if let deadline, ContinuousClock.now >= deadline { throw ObjectError.late(digest) }
            var wasThere = false
            // The raw form last: as long as it is there, the object is.
            for encoding in [ObjectEncoding.lz4, .raw] {
                let path = path(of: digest, encoding)
                if try remove(path) { wasThere = true }
            }
            // Also where nothing was found: a deletion that failed half-way may have removed it.
            let parent = Directory.parent(of: path(of: digest, .raw))
            if try status(parent) != nil { try OpenFile.syncDirectory(parent) }
            return wasThere
        }
    }

    @discardableResult
    public func removeUnfinished(before instant: Int64) async throws -> Int {
        try await queue.run { [self] in
            var count = 0
            for name in try names(in: directory + "/tmp") {
                let path = "\(directory)/tmp/\(name)"
                guard let status = try status(path), status.modified < instant else { continue }
                switch status.st_mode & S_IFMT {
                case S_IFREG: if try remove(path) { count += 1 }
                case S_IFDIR: count += try removeAbandoned(path)
                default: continue
                }
            }
            return count
        }
    }

    /// Removes a directory in which a writer made packs, unless one lives that has it locked.
    ///
    /// - Returns: how many files were in it.
    private func removeAbandoned(_ path: String) throws -> Int {
        let descriptor = SystemCall.openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return 0 }
        return try removeTree(path)
    }

    private func removeTree(_ path: String) throws -> Int {
        var count = 0
        for name in try names(in: path) {
            let path = "\(path)/\(name)"
            if let status = try status(path), status.st_mode & S_IFMT == S_IFDIR {
                count += try removeTree(path)
            } else if try remove(path) {
                count += 1
            }
        }
        guard SystemCall.removeDirectory(path) == 0 || errno == ENOENT else {
            throw ObjectError.system(operation: "remove", path: path, code: errno)
        }
        return count
    }

    private func remove(_ path: String) throws -> Bool {
        if SystemCall.remove(path) == 0 { return true }
        guard errno == ENOENT else { throw ObjectError.system(operation: "remove", path: path, code: errno) }
        return false
    }

    /// The objects of one directory, in order; files with other names are none.
    private func digests(startingWith first: UInt8) throws -> [Digest] {
        let hex = String(first, radix: 16)
        let directory = "\(directory)/sha256/\(hex.utf8.count == 1 ? "0" : "")\(hex)"
        var found: Set<Digest> = []
        for name in try names(in: directory) {
            let stem = name.hasSuffix(".lz4") ? name.dropLast(4) : name[...]
            if let digest = Digest(hex: stem), digest.bytes.first == first { found.insert(digest) }
        }
        return found.sorted()
    }

    /// `nil` if it was deleted meanwhile.
    private func storedObject(_ digest: Digest) throws -> StoredObject? {
        let forms = try ObjectEncoding.allCases.compactMap { try status(path(of: digest, $0)) }
        guard let modified = forms.map(\.modified).max() else { return nil }
        return StoredObject(
            digest: digest,
            storedSize: forms.reduce(0) { $0 + Int($1.st_size) },
            modified: modified
        )
    }

    private func status(_ path: String) throws -> stat? {
        var status = stat()
        if lstat(path, &status) == 0 { return status }
        guard errno == ENOENT else { throw ObjectError.system(operation: "inspect", path: path, code: errno) }
        return nil
    }

    private func names(in directory: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return []
        }
    }
}

extension stat {
    /// Microseconds since 1970 UTC.
    fileprivate var modified: Int64 { Int64(st_mtim.tv_sec) * 1_000_000 + Int64(st_mtim.tv_nsec) / 1_000 }
}
