#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Why an object could not be stored or read.
public enum ObjectError: Error, Hashable, Sendable {
    /// No object of this name.
    case missing(Digest, directory: String)
    /// The stored content has another digest: a flipped bit, a truncated or a swapped file.
    case corrupt(Digest, found: Digest, path: String)
    /// The stored LZ4 frame cannot be decoded, so there is no content to hash.
    case damagedFrame(Digest, path: String, reason: String)
    /// A file being stored changed between two reads.
    case changedWhileRead(path: String)
    /// Not something with content: a directory, a device.
    case notAFile(path: String)
    /// An object was not deleted in the time that was given for it.
    case late(Digest)
    /// The operating system refused an operation.
    case system(operation: String, path: String, code: Int32)
}

extension ObjectError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let digest, let directory):
            return "object \(digest) is not in \(directory); restore it from a backup or another store, "
                + "or put the original file again"
        case .corrupt(let digest, let found, let path):
            return "object \(digest) has the digest \(found) in \(path); remove that and "
                + "restore it from a backup or another store, or put the original file again"
        case .damagedFrame(let digest, let path, let reason):
            return "object \(digest) is a damaged LZ4 frame in \(path) (\(reason)); remove that and "
                + "restore it from a backup or another store, or put the original file again"
        case .changedWhileRead(let path):
            return "file \(path) changed while it was read; stop what writes to it, then try again"
        case .notAFile(let path):
            return "\(path) is not a regular file; name a file"
        case .late(let digest):
            return "object \(digest) could not be deleted in time; collect again"
        case .system(let operation, let path, let code):
            return "cannot \(operation) \(path): \(String(cString: strerror(code))); \(Self.advice(code))"
        }
    }

    private static func advice(_ code: Int32) -> String {
        switch code {
        case ENOENT: "check that the path exists"
        case EACCES, EPERM, EROFS: "give this user the right to it, or use another directory"
        case ENOSPC, EDQUOT: "free some space, then try again"
        case EMFILE, ENFILE: "raise the limit on open files"
        default: "check the disk and the path, then try again"
        }
    }
}
