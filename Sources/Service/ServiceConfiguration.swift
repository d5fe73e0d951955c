import FoundationEssentials

/// How a service is set up.
public struct ServiceConfiguration: Sendable {
    public var host: String
    public var port: Int
    /// A libpq connection string or URL.
    public var database: String
    /// The object store: a local directory, or `s3://bucket/prefix`.
    public var objects: String
    /// Says how S3 is spoken to, and with which credentials; not looked at for a local store.
    public var environment: [String: String]
    /// The project of requests that name none.
    public var project: String
    /// Whether requests may start replays and move their clocks.
    ///
    /// Never in production.
    public var allowsReplay: Bool
    public var connectionCount: Int

    public init(
        host: String = "127.0.0.1",
        port: Int = 6566,
        database: String,
        objects: String,
        project: String,
        allowsReplay: Bool = false,
        connectionCount: Int = 8,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.objects = objects
        self.project = project
        self.allowsReplay = allowsReplay
        self.connectionCount = connectionCount
        self.environment = environment
    }
}
