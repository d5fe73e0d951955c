import CLinux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An open file descriptor, closed when released.
package final class OpenFile {
    /// What is read or written at once: 1 MiB.
    package static let bufferSize = 1 << 20

    package let path: String
    private let descriptor: Int32

    private init(path: String, flags: Int32, mode: mode_t = 0) throws(ObjectError) {
        let descriptor = SystemCall.openFile(path, flags, mode)
        guard descriptor >= 0 else { throw .system(operation: "open", path: path, code: errno) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Opens a regular file; waits on no pipe or device.
    package static func reading(_ path: String) throws(ObjectError) -> OpenFile {
        let file = try OpenFile(path: path, flags: O_RDONLY | O_NONBLOCK)
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else {
            throw .system(operation: "inspect", path: path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        return file
    }

    /// Creates a file that is not there yet.
    static func creating(_ path: String, mode: mode_t) throws(ObjectError) -> OpenFile {
        try OpenFile(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
    }

    package var size: Int {
        get throws(ObjectError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                throw .system(operation: "inspect", path: path, code: errno)
            }
            return Int(status.st_size)
        }
    }

    package func seek(to offset: Int) throws(ObjectError) {
        guard lseek(descriptor, off_t(offset), SEEK_SET) == offset else {
            throw .system(operation: "read", path: path, code: errno)
        }
    }

    /// Fills as much of `buffer` as the file has left; 0 at its end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ObjectError) -> Int {
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

    /// The bytes at the offsets `range`, fewer where the file ends before.
    func read(_ range: Range<Int>) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
            while filled < range.count, let base = buffer.baseAddress {
                let count = pread(descriptor, base + filled, range.count - filled, off_t(range.lowerBound + filled))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw ObjectError.system(operation: "read", path: path, code: errno)
                }
                if count == 0 { break }
                filled += count
            }
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ObjectError) {
        guard SystemCall.write(bytes, to: descriptor, path) >= 0 else {
            throw .system(operation: "write", path: path, code: errno)
        }
    }

    /// Has a range of what was written sent to the disk without waiting for it; promises nothing.
    func startWriting(_ range: Range<Int>) {
        _ = sync_file_range(
            descriptor,
            Int64(range.lowerBound),
            Int64(range.count),
            UInt32(LINUX_SYNC_FILE_RANGE_WRITE)
        )
    }

    /// Sets the mode and waits until content and mode are on the disk.
    func seal(mode: mode_t) throws(ObjectError) {
        guard SystemCall.setMode(descriptor, path, mode) == 0 else {
            throw .system(operation: "set the mode of", path: path, code: errno)
        }
        try sync()
    }

    /// Waits until the content is on the disk.
    func sync() throws(ObjectError) {
        guard SystemCall.sync(descriptor, path) == 0 else {
            throw .system(operation: "sync", path: path, code: errno)
        }
    }

    /// Waits until the entries of a directory are on the disk.
    static func syncDirectory(_ path: String) throws(ObjectError) {
        try OpenFile(path: path, flags: O_RDONLY | O_DIRECTORY).sync()
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
