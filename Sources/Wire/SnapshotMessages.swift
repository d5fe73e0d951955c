/// A pack of a snapshot's contents, which is an object of the store.
public struct PackMessage: Codable, Hashable, Sendable {
    public var digest: String
    /// Bytes of the pack.
    public var size: Int

    public init(digest: String, size: Int) {
        self.digest = digest
        self.size = size
    }
}

/// A snapshot whose manifest and packs are all stored.
public struct SnapshotRequest: Codable, Hashable, Sendable {
    public var dataset: String
    /// The manifest object's digest.
    public var manifest: String
    /// The packs that hold what the manifest names.
    public var packs: [PackMessage]

    public init(dataset: String, manifest: String, packs: [PackMessage]) {
        self.dataset = dataset
        self.manifest = manifest
        self.packs = packs
    }
}

/// A recorded snapshot: what it is, and which packs hold it now.
public struct SnapshotMessage: Codable, Hashable, Sendable {
    /// `dataset@number`.
    public var reference: String
    /// The snapshot's identity.
    public var digest: String
    /// The manifest object's digest.
    public var manifest: String
    public var createdAt: String
    public var packs: [PackMessage]

    public init(reference: String, digest: String, manifest: String, createdAt: String, packs: [PackMessage]) {
        self.reference = reference
        self.digest = digest
        self.manifest = manifest
        self.createdAt = createdAt
        self.packs = packs
    }
}

/// Packs that a dataset's next snapshot may use.
public struct PackList: Codable, Hashable, Sendable {
    public var packs: [PackMessage]
    /// The directory of the service's object store, where it is a local one.
    ///
    /// A client on the same machine may write packs in its `tmp/` and have them adopted instead of sending them.
    public var directory: String?

    public init(packs: [PackMessage], directory: String? = nil) {
        self.packs = packs
        self.directory = directory
    }
}

/// A pack that a client has written in the store's own `tmp/`.
public struct AdoptRequest: Codable, Hashable, Sendable {
    /// The directory in `tmp/`: `packs-` and hexadecimal digits.
    public var staging: String

    public init(staging: String) { self.staging = staging }
}
