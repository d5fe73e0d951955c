/// Starts a replay, or moves its clock.
public struct ReplayRequest: Codable, Hashable, Sendable {
    /// RFC 3339.
    public var at: String

    public init(at: String) { self.at = at }
}

public struct ReplayStatus: Codable, Hashable, Sendable {
    public var id: Int64
    /// RFC 3339.
    public var clock: String

    public init(id: Int64, clock: String) {
        self.id = id
        self.clock = clock
    }
}

/// What is online, and until when.
public struct OnlineStatus: Codable, Hashable, Sendable {
    public struct View: Codable, Hashable, Sendable {
        public var reference: String
        public var digest: String
        /// RFC 3339.
        public var through: String

        public init(reference: String, digest: String, through: String) {
            self.reference = reference
            self.digest = digest
            self.through = through
        }
    }

    /// `live` or `replay`.
    public var clockKind: String
    /// RFC 3339.
    public var now: String
    public var replay: Int64?
    public var views: [View]

    public init(clockKind: String, now: String, replay: Int64?, views: [View]) {
        self.clockKind = clockKind
        self.now = now
        self.replay = replay
        self.views = views
    }
}

public struct PushResponse: Codable, Hashable, Sendable {
    public var rows: Int
    /// Rows that the source's filter left out.
    public var filtered: Int
    /// The replay that took the rows, which its end removes; `nil` when they are history.
    public var replay: Int64?
    /// RFC 3339, when the last of the rows becomes visible; `nil` when all are.
    public var visibleFrom: String?

    public init(rows: Int, filtered: Int, replay: Int64? = nil, visibleFrom: String? = nil) {
        self.rows = rows
        self.filtered = filtered
        self.replay = replay
        self.visibleFrom = visibleFrom
    }
}

/// The service's health.
public struct Health: Codable, Hashable, Sendable {
    public var status: String
    public var version: String
    /// The clock that requests are answered by: `live` or `replay`.
    public var clock: String
    /// Whether requests may start replays and move their clocks: never in production.
    public var allowsReplay: Bool
    /// RFC 3339.
    public var now: String
    public var database: String

    public init(
        status: String,
        version: String,
        clock: String,
        allowsReplay: Bool,
        now: String,
        database: String
    ) {
        self.status = status
        self.version = version
        self.clock = clock
        self.allowsReplay = allowsReplay
        self.now = now
        self.database = database
    }
}

/// A parity report to be kept.
public struct ReportRequest: Codable, Hashable, Sendable {
    /// The lock the comparison was made under.
    public var lock: String
    /// The report's canonical JSON text.
    public var document: String

    public init(lock: String, document: String) {
        self.lock = lock
        self.document = document
    }
}
