#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An open file descriptor, closed when released.
final class OpenFile {
    /// What is read or written at once: 1 MiB.
    static let bufferSize = 1 << 20

    let path: String
    private let descriptor: Int32

    private init(path: String, flags: Int32, mode: mode_t = 0) throws(ObjectError) {
        var descriptor: Int32
        repeat {
            descriptor = open(path, flags | O_CLOEXEC, mode)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw .system(operation: "open", path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Opens a regular file; waits on no pipe or device.
    static func reading(_ path: String) throws(ObjectError) -> OpenFile {
        let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else {
            throw .system(operation: "inspect", path: path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        return file
    }

    /// Creates a file that is not there yet.
    static func creating(_ path: String) throws(ObjectError) -> OpenFile {
        try OpenFile(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    }

    var size: Int {
        get throws(ObjectError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                throw .system(operation: "inspect", path: path, code: errno)
            }
            return Int(status.st_size)
        }
    }

    func rewind() throws(ObjectError) {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw .system(operation: "read", path: path, code: errno) }
    }

    /// Fills as much of `buffer` as the file has left; 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let count = Self.read(descriptor, base + filled, buffer.count - filled)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(operation: "read", path: path, code: errno)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError) {
        guard let base = bytes.baseAddress else { return }
        var written = 0
        while written < bytes.count {
            let count = Self.write(descriptor, base + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(operation: "write", path: path, code: errno)
            }
            written += count
        }
    }

    /// Sets the mode and waits until content and mode are on the disk.
    func seal(mode: mode_t) throws(ObjectError) {
        guard fchmod(descriptor, mode) == 0 else {
            throw .system(operation: "set the mode of", path: path, code: errno)
        }
        guard fsync(descriptor) == 0 else { throw .system(operation: "sync", path: path, code: errno) }
    }

    /// Waits until the entries of a directory are on the disk.
    static func syncDirectory(_ path: String) throws(ObjectError) {
        let directory = try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY)
        guard fsync(directory.descriptor) == 0 else { throw .system(operation: "sync", path: path, code: errno) }
    }

    // The methods above hide the functions of the same names.
    private static func read(_ descriptor: Int32, _ base: UnsafeMutableRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, base, count)
        #else
            Musl.read(descriptor, base, count)
        #endif
    }

    private static func write(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, base, count)
        #else
            Musl.write(descriptor, base, count)
        #endif
    }
}
