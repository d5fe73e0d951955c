#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the file system says of a path, symbolic links not followed.
struct FileStatus: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case file
        case directory
        case symbolicLink
        case other
    }

    let kind: Kind
    let mode: FileMode
    let size: Int
    let device: UInt64
    let inode: UInt64
    /// Nanoseconds since 1970.
    let modified: Int64
    /// Nanoseconds since 1970.
    let changed: Int64

    /// `nil` if there is nothing at `path`.
    init?(of path: String) throws(SnapshotError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Self.error("inspect", path)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        mode = status.st_mode & S_IXUSR == 0 ? .regular : .executable
        size = Int(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }

    /// - Throws: ``SnapshotError/system(operation:path:message:)`` if there is nothing at `path`.
    static func existing(_ path: String) throws(SnapshotError) -> FileStatus {
        guard let status = try FileStatus(of: path) else {
            throw .system(operation: "read", path: path, message: String(cString: strerror(ENOENT)))
        }
        return status
    }

    /// The last system error as a snapshot error.
    static func error(_ operation: String, _ path: String) -> SnapshotError {
        .system(operation: operation, path: path, message: String(cString: strerror(errno)))
    }

    /// Nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The absolute path of something that exists, every symbolic link resolved.
    static func resolved(_ path: String) throws(SnapshotError) -> String {
        guard let resolved = realpath(path, nil) else { throw error("find", path) }
        defer { free(resolved) }
        guard let text = String(validatingCString: resolved) else { throw .undecodableName(directory: path) }
        return text
    }
}
