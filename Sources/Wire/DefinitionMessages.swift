/// Definitions as files hold them.
public struct ApplyRequest: Codable, Hashable, Sendable {
    public struct File: Codable, Hashable, Sendable {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    public var files: [File]

    public init(files: [File]) { self.files = files }
}

/// What an apply did, or a plan would do.
public struct ApplyResponse: Codable, Hashable, Sendable {
    public struct Change: Codable, Hashable, Sendable {
        public var kind: String
        public var name: String
        /// `create`, `newVersion`, `revert`, `annotate` or `unchanged`.
        public var action: String
        public var number: Int
        public var digest: String
        public var differences: [String]

        public init(kind: String, name: String, action: String, number: Int, digest: String, differences: [String]) {
            self.kind = kind
            self.name = name
            self.action = action
            self.number = number
            self.digest = digest
            self.differences = differences
        }
    }

    public var changes: [Change]

    public init(changes: [Change]) { self.changes = changes }
}

/// One version of anything, as `list`, `show` and `history` give it.
public struct VersionMessage: Codable, Hashable, Sendable {
    public struct Use: Codable, Hashable, Sendable {
        public var role: String
        public var kind: String
        public var reference: String
        public var digest: String

        public init(role: String, kind: String, reference: String, digest: String) {
            self.role = role
            self.kind = kind
            self.reference = reference
            self.digest = digest
        }
    }

    public var kind: String
    public var reference: String
    public var digest: String
    /// The stored object that holds the version.
    public var object: String?
    /// JSON text.
    public var document: String
    /// RFC 3339.
    public var createdAt: String
    public var description: String?
    public var owner: String?
    public var uses: [Use]?

    public init(
        kind: String,
        reference: String,
        digest: String,
        object: String?,
        document: String,
        createdAt: String,
        description: String? = nil,
        owner: String? = nil,
        uses: [Use]? = nil
    ) {
        self.kind = kind
        self.reference = reference
        self.digest = digest
        self.object = object
        self.document = document
        self.createdAt = createdAt
        self.description = description
        self.owner = owner
        self.uses = uses
    }
}

public struct VersionList: Codable, Hashable, Sendable {
    public var versions: [VersionMessage]

    public init(versions: [VersionMessage]) { self.versions = versions }
}

/// What recording something gave.
public struct RecordedVersion: Codable, Hashable, Sendable {
    public var reference: String
    public var digest: String
    public var isNew: Bool

    public init(reference: String, digest: String, isNew: Bool) {
        self.reference = reference
        self.digest = digest
        self.isNew = isNew
    }
}

public struct ObjectStored: Codable, Hashable, Sendable {
    public var digest: String
    public var byteCount: Int

    public init(digest: String, byteCount: Int) {
        self.digest = digest
        self.byteCount = byteCount
    }
}
