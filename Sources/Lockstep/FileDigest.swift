import Glibc
import Objects

/// The digest of a file, read in bounded memory.
enum FileDigest {
    /// - Throws: `ObjectError.system` when the file cannot be read.
    static func of(_ path: String) throws -> (digest: Digest, size: Int) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ObjectError.system(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var hasher = Digest.Hasher()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var size = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ObjectError.system(operation: "read", path: path, code: errno) }
            guard count > 0 else { return (hasher.finalize(), size) }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            size += count
        }
    }
}
