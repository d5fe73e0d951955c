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
    /// In the order of their paths' bytes; their files are not captured, since the commit names them.
    public let submodules: [Submodule]
    /// What only this machine has of the commit's history; `nil` where a remote has all of it, and outside git.
    public let unpushed: UnpushedCommits?

    public init(
        commit: String?,
        branch: String?,
        remote: String?,
        directory: String?,
        diff: ObjectReference?,
        files: [CodeFile],
        submodules: [Submodule] = [],
        unpushed: UnpushedCommits? = nil
    ) {
        self.commit = commit
        self.branch = branch
        self.remote = remote
        self.directory = directory
        self.diff = diff
        self.files = files.sortedByPath(\.path)
        self.submodules = submodules.sortedByPath(\.path)
        self.unpushed = unpushed
    }
}

/// A repository inside the captured one, as a commit.
public struct Submodule: Hashable, Sendable {
    public let path: SnapshotPath
    /// The commit that is checked out there, or that the index names where none is.
    public let commit: String

    public init(path: SnapshotPath, commit: String) {
        self.path = path
        self.commit = commit
    }
}

/// Commits that the HEAD commit needs and that no remote-tracking branch has.
public struct UnpushedCommits: Hashable, Sendable {
    public let commits: Int
    /// A git bundle of them, which `git fetch` reads; `nil` if it is larger than ``bundleLimit``, and for a
    /// shallow clone that lacks what they build upon.
    public let bundle: ObjectReference?

    /// The most bytes of a bundle that is stored: 64 MiB.
    public static let bundleLimit = 64 << 20

    public init(commits: Int, bundle: ObjectReference?) {
        self.commits = commits
        self.bundle = bundle
    }
}

/// One file of the code.
public struct CodeFile: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
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
    /// A file or a symbolic link; `nil` for a deleted file.
    public let content: EntryContent?

    public init(path: SnapshotPath, state: State, content: EntryContent?) {
        self.path = path
        self.state = state
        self.content = content
    }

    /// Bytes, uncompressed; 0 for what has none.
    public var size: Int { content?.object?.size ?? 0 }
    /// `nil` for what has no bytes.
    public var digest: Digest? { content?.object?.digest }
}
