#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the file system says of a path, symbolic links not followed.
struct FileStatus: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
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

    init(kind: Kind, mode: FileMode, size: Int, modified: Int64, changed: Int64, inode: UInt64, device: UInt64) {
        self.kind = kind
        self.mode = mode
        self.size = size
        self.device = device
        self.inode = inode
        self.modified = modified
        self.changed = changed
    }

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        mode = FileMode(status.st_mode)
        size = Int(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }

    /// `nil` if there is nothing at `path`.
    init?(of path: DiskPath) throws(SnapshotError) {
        var status = stat()
        guard path.withCString({ lstat($0, &status) }) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Self.error("inspect", path)
        }
        self.init(status)
    }

    /// `nil` if there is nothing at `path`.
    init?(of path: String) throws(SnapshotError) { try self.init(of: DiskPath(path)) }

    /// - Throws: ``SnapshotError/system(operation:path:message:)`` if there is nothing at `path`.
    static func existing(_ path: DiskPath) throws(SnapshotError) -> FileStatus {
        guard let status = try FileStatus(of: path) else {
            throw .system(operation: "read", path: path.text, message: String(cString: strerror(ENOENT)))
        }
        return status
    }

    /// - Throws: ``SnapshotError/system(operation:path:message:)`` if there is nothing at `path`.
    static func existing(_ path: String) throws(SnapshotError) -> FileStatus { try existing(DiskPath(path)) }

    /// The last system error as a snapshot error.
    static func error(_ operation: String, _ path: DiskPath) -> SnapshotError {
        let code = errno
        return .system(operation: operation, path: path.text, message: String(cString: strerror(code)))
    }

    /// The last system error as a snapshot error.
    static func error(_ operation: String, _ path: String) -> SnapshotError { error(operation, DiskPath(path)) }

    /// Nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Blocks for a time.
    static func sleep(nanoseconds: Int64) {
        var left = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var wanted = left
        while nanosleep(&wanted, &left) != 0, errno == EINTR { wanted = left }
    }

    /// The absolute path of something that exists, every symbolic link resolved.
    static func resolved(_ path: String) throws(SnapshotError) -> String {
        guard let resolved = realpath(path, nil) else { throw error("find", path) }
        defer { free(resolved) }
        guard let text = String(validatingCString: resolved) else { throw .undecodableName(directory: path) }
        return text
    }
}

/// A path on this machine, as the bytes that the system takes.
struct DiskPath: Hashable, Sendable {
    // With the NUL at its end.
    private let terminated: [UInt8]

    init(_ text: String) { terminated = Array(text.utf8) + [0] }

    init(_ bytes: some Collection<UInt8>) { terminated = Array(bytes) + [0] }

    /// Something below a directory.
    init(_ directory: String, _ path: SnapshotPath) {
        var bytes = Array(directory.utf8)
        bytes.reserveCapacity(bytes.count + path.bytes.count + 2)
        bytes.append(UInt8(ascii: "/"))
        bytes += path.bytes
        bytes.append(0)
        terminated = bytes
    }

    func appending(_ name: some Collection<UInt8>) -> DiskPath { DiskPath(bytes + [UInt8(ascii: "/")] + Array(name)) }

    var bytes: ArraySlice<UInt8> { terminated.dropLast() }

    /// For people: see ``SnapshotPath/text``.
    var text: String { Printable.text(bytes) }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        terminated.withUnsafeBytes { bytes in
            // The array is never empty: it ends in NUL.
            bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress.unsafelyUnwrapped) }
        }
    }
}
