import Objects

/// The code beside the data: every file of a directory at its content on disk, and where git says it stands.
public struct CodeCapture: Hashable, Sendable {
    /// The HEAD commit; `nil` outside git and before the first commit.
    public let commit: String?
    /// The branch; `nil` outside git and on a detached HEAD.
    public let branch: String?
    /// The URL of the remote `origin`, without user name and password.
    public let remote: String?
    /// The captured directory inside its repository, `""` for all of it; `nil` outside git.
    public let directory: String?
    /// `git diff HEAD --binary` of the directory, if anything differs; reads with `git apply`.
    public let diff: ObjectReference?
    /// In the order of their paths' bytes, relative to the captured directory.
    public let files: [CodeFile]

    public init(
        commit: String?,
        branch: String?,
        remote: String?,
        directory: String?,
        diff: ObjectReference?,
        files: [CodeFile]
    ) {
        self.commit = commit
        self.branch = branch
        self.remote = remote
        self.directory = directory
        self.diff = diff
        self.files = files.sorted { $0.path < $1.path }
    }
}

/// One file of the code.
public struct CodeFile: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable {
        /// As in HEAD.
        case tracked
        /// In the index and different from HEAD, staged or not; also a file new in the index.
        case modified
        /// Not in the index and not ignored; every file outside git.
        case untracked
        /// In HEAD or the index, not on disk.
        case deleted
    }

    public let path: SnapshotPath
    public let state: State
    public let mode: FileMode
    /// Bytes, uncompressed; 0 for a deleted file.
    public let size: Int
    /// `nil` for a deleted file.
    public let digest: Digest?

    public init(path: SnapshotPath, state: State, mode: FileMode, size: Int, digest: Digest?) {
        self.path = path
        self.state = state
        self.mode = mode
        self.size = size
        self.digest = digest
    }
}

extension CodeCapture: Codable {
    private enum CodingKeys: String, CodingKey {
        case commit, branch, remote, directory, diff, files
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            commit: container.decodeIfPresent(String.self, forKey: .commit),
            branch: container.decodeIfPresent(String.self, forKey: .branch),
            remote: container.decodeIfPresent(String.self, forKey: .remote),
            directory: container.decodeIfPresent(String.self, forKey: .directory),
            diff: container.decodeIfPresent(ObjectReference.self, forKey: .diff),
            files: container.decode([CodeFile].self, forKey: .files)
        )
    }
}
