import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Small files that are whole or absent.
enum AtomicFile {
    /// Writes `bytes` beside `path` and renames the file to it; creates the directory.
    ///
    /// - Parameter isDurable: whether the file is on the disk on return, whatever happens to the machine.
    static func write(_ bytes: [UInt8], to path: String, isDurable: Bool = true) throws {
        let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "."
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let temporary = "\(path).\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        guard FileFault.allows() else { throw FileStatus.error("create", temporary) }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw FileStatus.error("create", temporary) }
        do {
            defer { close(descriptor) }
            try write(bytes, to: descriptor, temporary)
            if isDurable, !FileFault.allows() || fsync(descriptor) != 0 { throw FileStatus.error("sync", temporary) }
            guard FileFault.allows(), rename(temporary, path) == 0 else { throw FileStatus.error("write", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        if isDurable { try syncDirectory(directory) }
    }

    static func syncDirectory(_ path: String) throws(SnapshotError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileStatus.error("open", path) }
        defer { close(descriptor) }
        guard FileFault.allows(), fsync(descriptor) == 0 else { throw FileStatus.error("sync", path) }
    }

    /// Writes all of `bytes` to an open file.
    static func write(_ bytes: borrowing [UInt8], to descriptor: Int32, _ path: String) throws(SnapshotError) {
        let isWritten = bytes.withUnsafeBytes { bytes in
            guard FileFault.allows() else { return false }
            var written = 0
            while written < bytes.count, let base = bytes.baseAddress {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, base + written, bytes.count - written)
                #else
                    let count = Musl.write(descriptor, base + written, bytes.count - written)
                #endif
                if count < 0 {
                    if errno == EINTR { continue }
                    return false
                }
                written += count
            }
            return true
        }
        guard isWritten else { throw FileStatus.error("write", path) }
    }
}
