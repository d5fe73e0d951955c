import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds keys, tokens and passwords in code and configuration, so that none is stored by accident.
///
/// It looks for what is obvious: tokens by their published prefixes, PEM blocks of private keys, passwords in URLs,
/// literals given to something named a password or secret, and the entries of credential files. It proves nothing: a
/// secret of no known form passes. Binary files (a NUL in the first 8 KiB) and files above the size bound are not read
/// through; the outcome says so.
public struct SecretScanner: Sendable {
    /// A comment that allows whatever its line holds; for a private key, also on the line before its `BEGIN`.
    public static let allowComment = "lockstep: allow-secret"
    /// The most bytes of a file that is scanned unless told otherwise: 32 MiB.
    public static let standardSizeLimit = 32 << 20

    public let sizeLimit: Int
    public let allowed: SecretAllowList

    /// - Parameter sizeLimit: the most bytes of a file that is scanned.
    public init(allowed: SecretAllowList = SecretAllowList(), sizeLimit: Int = SecretScanner.standardSizeLimit) {
        self.allowed = allowed
        self.sizeLimit = sizeLimit
    }

    /// Scans content that is in memory.
    ///
    /// - Parameter path: the file's name, whose last component also says what form it has (`.netrc`, `.env`).
    public func scan(_ content: Span<UInt8>, path: String) -> SecretScan.Outcome {
        var scan = SecretScan(path: path, scanner: self)
        scan.take(content)
        return scan.finish()
    }

    /// Scans a file in pieces of 1 MiB; blocks on the disk.
    ///
    /// - Parameters:
    ///   - file: where it is.
    ///   - path: how findings name it.
    /// - Throws: ``SnapshotError/system(operation:path:message:)`` if it cannot be read.
    public func scan(file: String, path: String) throws(SnapshotError) -> SecretScan.Outcome {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileStatus.error("open", file) }
        defer { close(descriptor) }
        var scan = SecretScan(path: path, scanner: self)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 20)
        defer { buffer.deallocate() }
        while !scan.isOver {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileStatus.error("read", file)
            }
            if count == 0 { break }
            scan.take(UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
        return scan.finish()
    }
}
