#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file of the user's, open for reading; closed when released.
final class OpenedFile {
    let path: DiskPath
    private let descriptor: Int32

    /// Opens a regular file; follows no symbolic link and waits on no pipe.
    init(_ path: DiskPath) throws(SnapshotError) {
        let descriptor = path.withCString { path in
            var descriptor: Int32
            repeat {
                descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            } while descriptor < 0
                && errno == EINTR
            return descriptor
        }
        guard descriptor >= 0 else {
            throw errno == ELOOP ? .symbolicLink(path: path.text) : FileStatus.error("open", path)
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    var status: FileStatus {
        get throws(SnapshotError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileStatus.error("inspect", path) }
            return FileStatus(status)
        }
    }

    /// Fills as much of `buffer` as the file has left; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SnapshotError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let count = Self.read(descriptor, base + filled, buffer.count - filled)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileStatus.error("read", path)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// All of a file that has at most `limit` bytes; `nil` for a larger one.
    static func content(of path: DiskPath, limit: Int) throws(SnapshotError) -> [UInt8]? {
        let file = try OpenedFile(path)
        let size = try file.status.size
        guard size <= limit else { return nil }
        var content: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size + 1, 4096), alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return content }
            guard content.count + count <= limit else { return nil }
            content += buffer[..<count]
        }
    }

    // The method above hides the function of the same name.
    private static func read(_ descriptor: Int32, _ base: UnsafeMutableRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, base, count)
        #else
            Musl.read(descriptor, base, count)
        #endif
    }
}
