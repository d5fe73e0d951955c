import Objects

/// Why a snapshot could not be made, read or checked out.
public enum SnapshotError: Error, Hashable, Sendable {
    case unsafePath(String, reason: String)
    case outsideRoot(path: String, root: String)
    case noPaths
    case symbolicLink(path: String)
    case notAFile(path: String)
    case notADirectory(path: String)
    case undecodableName(directory: String)
    case submodule(path: String)
    case nestedRepository(path: String)
    /// Size, times or content of a file changed while it was captured, twice.
    case changedDuringCapture(path: String)
    case toolFailed(command: String, status: Int32, message: String)
    case toolMissing(command: String, directory: String)
    case malformedManifest(reason: String)
    case wrongDigest(expected: Digest, found: Digest)
    case occupied(directory: String)
    case wrongSize(path: String, expected: Int, found: Int)
    case system(operation: String, path: String, message: String)
}

extension SnapshotError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsafePath(let path, let reason):
            "path '\(path)' cannot be in a snapshot: \(reason); use a path relative to the root, without '.' and '..'"
        case .outsideRoot(let path, let root):
            "\(path) is not below the root \(root); name files below it, or another root"
        case .noPaths:
            "a snapshot without paths has no assets; name at least one file or directory"
        case .symbolicLink(let path):
            "\(path) is a symbolic link, which a snapshot cannot hold; name its target, or replace it with a copy"
        case .notAFile(let path):
            "\(path) is neither a regular file nor a directory; leave it out"
        case .notADirectory(let path):
            "\(path) is not a directory; name the directory that holds the code"
        case .undecodableName(let directory):
            "a name in \(directory) is not UTF-8; rename the file"
        case .submodule(let path):
            "\(path) is a git submodule, which a snapshot cannot hold; capture a directory without it"
        case .nestedRepository(let path):
            "\(path) is a git repository inside the captured one; add it to .gitignore, or capture another directory"
        case .changedDuringCapture(let path):
            "\(path) changed while it was captured, twice; stop what writes to it, then try again"
        case .toolFailed(let command, let status, let message):
            "'\(command)' ended with status \(status): \(message); run it by hand and mend what it reports"
        case .toolMissing(let command, let directory):
            "\(directory) is in a git repository but '\(command)' cannot be run; install it, or put it on PATH"
        case .malformedManifest(let reason):
            "the manifest cannot be read: \(reason); fetch it again, or make the snapshot anew"
        case .wrongDigest(let expected, let found):
            "the manifest has the digest \(found), not \(expected); fetch it again, or restore it from a backup"
        case .occupied(let directory):
            "\(directory) exists and is not an empty directory; check out elsewhere, or ask to overwrite it"
        case .wrongSize(let path, let expected, let found):
            "'\(path)' has \(found) bytes, \(expected) in the manifest; the manifest is not what was captured, "
                + "restore it from a backup"
        case .system(let operation, let path, let message):
            "cannot \(operation) \(path): \(message); check the path and this user's rights to it"
        }
    }
}
