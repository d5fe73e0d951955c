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
    case dirtySubmodule(path: String)
    case ignoreFileTooLarge(path: String)
    /// Code or environment hold what looks like keys or passwords.
    case secrets([SecretFinding])
    case malformedChunkList(Digest, reason: String)
    /// The service keeps a pack in a form that cannot be read in place.
    case packNotRaw(Digest)
    /// None of the snapshot's packs holds it.
    case missingContent(Digest)
    /// Bytes are not what the manifest says of them.
    case wrongContent(Digest, found: String)
    case nestedRepository(path: String)
    /// Its commit is on no remote, and the snapshot would only name it.
    case unpushedSubmodule(path: String)
    /// The content was destroyed on purpose and is not taken again.
    case erased(path: String, reason: String)
    /// Size, times or content of a file
    case changedDuringCapture(path: String)
    case toolFailed(command: String, status: Int32, message: String)
    case toolMissing(command: String, directory: String)
    case malformedManifest(reason: String)
    case wrongDigest(expected: Digest, found: Digest)
    case occupied(directory: String)
    /// A directory to be replaced holds what no snapshot gives back.
    case precious(directory: String, what: String)
    case nothingSelected(String)
    /// Neither the work tree nor the cache of another tool has what it tracks.
    case importMissing(path: String, digest: String)
    case importCorrupt(path: String, source: String, expected: String, found: String)
    case system(operation: String, path: String, message: String)
}

extension SnapshotError {
    /// Whether bytes are not what a manifest says of them.
    public var isWrongContent: Bool { if case .wrongContent = self { true } else { false } }
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
            "\(path) is a symbolic link; name its target, or the directory that holds the link"
        case .notAFile(let path):
            "\(path) is neither a file, a directory nor a symbolic link; take it away, or name it in .lockstepignore"
        case .notADirectory(let path):
            "\(path) is not a directory; name the directory that holds the code"
        case .undecodableName(let directory):
            "the path \(directory) is not UTF-8; name a directory above it"
        case .dirtySubmodule(let path):
            "the git submodule \(path) has changes that no commit holds; commit them there, or capture a directory without it"
        case .ignoreFileTooLarge(let path):
            "\(path) has more than 1 MiB; an ignore file has a few patterns, move what it is elsewhere"
        case .secrets(let findings):
            findings.map(\.description).joined(separator: "\n")
                + "\n\(findings.count) places look like secrets and nothing was stored; mend them, or name each file or "
                + "variable that may be stored all the same with --allow-secret"
        case .malformedChunkList(let digest, let reason):
            "chunk list \(digest) cannot be read: \(reason); verify the snapshot, and restore its pack from a backup"
        case .packNotRaw(let digest):
            "pack \(digest) is stored compressed and cannot be read in place; put it again as a raw object"
        case .missingContent(let digest):
            "no pack of the snapshot holds \(digest); verify the snapshot, and restore the pack from a backup"
        case .wrongContent(let digest, let found):
            "the content of \(digest) is \(found); the manifest or its chunk list is not what was captured, restore it from "
                + "a backup"
        case .nestedRepository(let path):
            "\(path) is a git repository inside the captured one; add it to .gitignore, or capture another directory"
        case .unpushedSubmodule(let path):
            "the git submodule \(path) is at a commit that no remote has, and of which a snapshot keeps the name alone; push it, "
                + "or capture a directory without it"
        case .erased(let path, let reason):
            "\(path) was \(reason); take it away, or name it in .lockstepignore"
        case .changedDuringCapture(let path):
            "\(path) changed each time it was captured; stop what writes to it, then try again"
        case .toolFailed(let command, let status, let message):
            "'\(command)' ended with status \(status): \(message); run it by hand and mend what it reports"
        case .toolMissing(let command, let directory):
            "\(directory) is in a git repository but '\(command)' cannot be run; install it, or put it on PATH"
        case .malformedManifest(let reason):
            "the manifest cannot be read: \(reason); fetch it again, or make the snapshot anew"
        case .wrongDigest(let expected, let found):
            "the manifest has the digest \(found), not \(expected); fetch it again, or restore it from a backup"
        case .occupied(let directory):
            "\(directory) exists and is not an empty directory; check out elsewhere, or have it replaced with --overwrite"
        case .precious(let directory, let what):
            "\(directory) \(what), which would be deleted with everything else there; check out to a directory of its own, or "
                + "name the paths to write and the rest is left alone"
        case .importMissing(let path, let digest):
            "'\(path)' (\(digest)) is neither in the work tree nor in the cache; fetch it with the tool that tracks it first"
        case .importCorrupt(let path, let source, let expected, let found):
            "'\(path)' in \(source) has the digest \(found), not \(expected); fetch it again with the tool that tracks it"
        case .nothingSelected(let pattern):
            "the snapshot has nothing at '\(pattern)'; see its paths with: lockstep snapshot show"
        case .system(let operation, let path, let message):
            "cannot \(operation) \(path): \(message); check the path and this user's rights to it"
        }
    }
}
