import Glibc

/// The immutable bytes of a whole file: a private read-only mapping, or an array.
///
/// Soundness of the unchecked conformance: the mapping is read-only, never handed out beyond `withBytes`, and
/// unmapped only when the last reference goes. A file that another process truncates while it is mapped faults,
/// as with every mapped file; stored objects are immutable, so they are never truncated.
final class FileBytes: @unchecked Sendable {
    let name: String
    let count: Int
    private let array: [UInt8]
    private let mapping: UnsafeMutableRawPointer?

    init(_ bytes: [UInt8], name: String) {
        self.name = name
        self.count = bytes.count
        self.array = bytes
        self.mapping = nil
    }

    /// Maps a regular file; a pipe or device is read to its end instead.
    init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("inspect", path) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw FileError("read", path, code: EISDIR) }
        name = path
        if status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 {
            let size = Int(status.st_size)
            guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
                throw FileError("map", path)
            }
            madvise(address, size, MADV_SEQUENTIAL)
            count = size
            array = []
            mapping = address
        } else {
            array = try FileBytes.drain(descriptor, path)
            count = array.count
            mapping = nil
        }
    }

    deinit {
        if let mapping { munmap(mapping, count) }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let mapping { return try body(UnsafeRawBufferPointer(start: mapping, count: count)) }
        return try array.withUnsafeBytes(body)
    }

    private static func drain(_ descriptor: Int32, _ path: String) throws(FileError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let received = read(descriptor, &chunk, chunk.count)
            if received < 0 {
                if errno == EINTR { continue }
                throw FileError("read", path)
            }
            if received == 0 { return result }
            result.append(contentsOf: chunk[..<received])
        }
    }
}
