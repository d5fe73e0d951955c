import Objects

/// What stands at a path.
public enum EntryContent: Hashable, Sendable {
    case file(mode: FileMode, ObjectReference)
    /// The target is what the link holds, whatever it leads to.
    case symbolicLink(target: [UInt8])
    /// Recorded only where it is empty.
    case directory(mode: FileMode)

    /// The bytes of a file.
    public var object: ObjectReference? {
        if case .file(_, let object) = self { object } else { nil }
    }

    /// `nil` for a symbolic link, which has no mode of its own.
    public var mode: FileMode? {
        switch self {
        case .file(let mode, _), .directory(let mode): mode
        case .symbolicLink: nil
        }
    }

    /// Its word in manifests and in identities.
    public var kind: String {
        switch self {
        case .file: "file"
        case .symbolicLink: "symlink"
        case .directory: "directory"
        }
    }
}

/// One data file of a snapshot, a symbolic link, or an empty directory.
public struct AssetEntry: Hashable, Sendable {
    public let path: SnapshotPath
    public let content: EntryContent

    public init(path: SnapshotPath, content: EntryContent) {
        self.path = path
        self.content = content
    }

    /// A file.
    public init(path: SnapshotPath, mode: FileMode, size: Int, digest: Digest, chunks: Digest? = nil) {
        self.init(path: path, content: .file(mode: mode, ObjectReference(size: size, digest: digest, chunks: chunks)))
    }

    public var mode: FileMode? { content.mode }
    /// Bytes of a file, uncompressed; 0 for anything else.
    public var size: Int { content.object?.size ?? 0 }
    /// The SHA-256 of a file's bytes; `nil` for anything else.
    public var digest: Digest? { content.object?.digest }
}

/// Bytes by name and size.
public struct ObjectReference: Hashable, Sendable {
    /// Bytes, uncompressed.
    public let size: Int
    /// The SHA-256 of the bytes.
    public let digest: Digest
    /// The digest of the ``ChunkList`` of bytes that are stored in chunks.
    ///
    /// Where bytes are is no part of a snapshot's identity.
    public let chunks: Digest?

    public init(size: Int, digest: Digest, chunks: Digest? = nil) {
        self.size = size
        self.digest = digest
        self.chunks = chunks
    }
}
