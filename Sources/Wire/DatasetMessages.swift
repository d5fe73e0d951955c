/// The versions of a dataset, newest first.
public struct DatasetLog: Codable, Hashable, Sendable {
    public struct Entry: Codable, Hashable, Sendable {
        public var reference: String
        public var digest: String
        /// RFC 3339.
        public var createdAt: String
        public var files: Int64
        public var bytes: Int64
        /// Versions of this dataset by reference, others and forgotten ones by digest.
        public var parents: [String]
        public var tags: [String]
        public var aliases: [String]

        public init(
            reference: String,
            digest: String,
            createdAt: String,
            files: Int64,
            bytes: Int64,
            parents: [String],
            tags: [String],
            aliases: [String]
        ) {
            self.reference = reference
            self.digest = digest
            self.createdAt = createdAt
            self.files = files
            self.bytes = bytes
            self.parents = parents
            self.tags = tags
            self.aliases = aliases
        }
    }

    public var entries: [Entry]
    /// References of versions that were forgotten.
    public var forgotten: [String]

    public init(entries: [Entry], forgotten: [String]) {
        self.entries = entries
        self.forgotten = forgotten
    }
}

/// A tag or an alias to be set.
public struct LabelRequest: Codable, Hashable, Sendable {
    public var name: String
    /// `tag` or `alias`.
    public var kind: String
    /// What it is to mean: `name`, `name@number` or `name@label`.
    public var reference: String

    public init(name: String, kind: String, reference: String) {
        self.name = name
        self.kind = kind
        self.reference = reference
    }
}

/// A tag or an alias.
public struct LabelMessage: Codable, Hashable, Sendable {
    public var name: String
    /// `tag` or `alias`.
    public var kind: String
    /// `name@number`.
    public var reference: String
    public var digest: String
    /// RFC 3339.
    public var at: String
    /// In a history: `set`, `moved` or `deleted`.
    public var action: String?
    /// What the name meant before, where it was set or moved just now.
    public var previous: String?

    public init(
        name: String,
        kind: String,
        reference: String,
        digest: String,
        at: String,
        action: String? = nil,
        previous: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.reference = reference
        self.digest = digest
        self.at = at
        self.action = action
        self.previous = previous
    }
}

public struct LabelList: Codable, Hashable, Sendable {
    public var labels: [LabelMessage]

    public init(labels: [LabelMessage]) { self.labels = labels }
}

/// Which versions of a dataset to forget: one by its number, or those that no rule keeps.
public struct ForgetRequest: Codable, Hashable, Sendable {
    public var number: Int?
    public var keepLast: Int?
    /// A length of time such as `30d`.
    public var keepWithin: String?
    public var keepTagged: Bool
    public var isDryRun: Bool

    public init(
        number: Int? = nil,
        keepLast: Int? = nil,
        keepWithin: String? = nil,
        keepTagged: Bool = false,
        isDryRun: Bool = false
    ) {
        self.number = number
        self.keepLast = keepLast
        self.keepWithin = keepWithin
        self.keepTagged = keepTagged
        self.isDryRun = isDryRun
    }
}

/// What was forgotten, or would be, and why the rest is kept.
public struct ForgetResponse: Codable, Hashable, Sendable {
    public struct Decision: Codable, Hashable, Sendable {
        public var reference: String
        public var digest: String
        public var isForgotten: Bool
        public var reasons: [String]

        public init(reference: String, digest: String, isForgotten: Bool, reasons: [String]) {
            self.reference = reference
            self.digest = digest
            self.isForgotten = isForgotten
            self.reasons = reasons
        }
    }

    public var decisions: [Decision]

    public init(decisions: [Decision]) { self.decisions = decisions }
}

/// What an erasure destroyed, and what was made from it; the text of its job's result.
public struct ErasureReport: Codable, Hashable, Sendable {
    public struct Derived: Codable, Hashable, Sendable {
        public var kind: String
        public var reference: String

        public init(kind: String, reference: String) {
            self.kind = kind
            self.reference = reference
        }
    }

    public var digest: String
    public var isDryRun: Bool
    /// `dataset@n:path`.
    public var places: [String]
    public var derived: [Derived]

    public init(digest: String, isDryRun: Bool, places: [String], derived: [Derived]) {
        self.digest = digest
        self.isDryRun = isDryRun
        self.places = places
        self.derived = derived
    }
}

/// What is left of erased content.
public struct TombstoneMessage: Codable, Hashable, Sendable {
    public var digest: String
    /// Where it was erased, `dataset@n:path`.
    public var path: String
    public var reason: String
    public var actor: String
    /// RFC 3339.
    public var erasedAt: String
    /// Whether the last copy is gone.
    public var isFinished: Bool

    public init(digest: String, path: String, reason: String, actor: String, erasedAt: String, isFinished: Bool) {
        self.digest = digest
        self.path = path
        self.reason = reason
        self.actor = actor
        self.erasedAt = erasedAt
        self.isFinished = isFinished
    }
}

public struct TombstoneList: Codable, Hashable, Sendable {
    public var tombstones: [TombstoneMessage]

    public init(tombstones: [TombstoneMessage]) { self.tombstones = tombstones }
}
