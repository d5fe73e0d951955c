import Glibc
import Synchronization

/// A cluster for tests: in a directory of its own, not durable, removed by `stop` or when the process exits.
public struct TemporaryCluster: Sendable {
    private let cluster: Cluster
    let directory: String

    /// Creates and starts a cluster.
    public init() throws(PostgresError) {
        var template = Array("/tmp/pg-temporary-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PostgresError(.cluster, "cannot create a directory in /tmp: \(ChildProcess.reason(errno))")
        }
        directory = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        // The server's user, when this is root, passes through.
        chmod(directory, 0o711)
        cluster = Cluster(directory: directory, isDurable: false)
        Self.register(self)
        do throws(PostgresError) {
            try cluster.start()
        } catch {
            try? stop()
            throw error
        }
    }

    /// The process's common cluster, started at first use; tests keep apart by a database each.
    public static func shared() throws(PostgresError) -> TemporaryCluster {
        switch common {
        case .success(let cluster): return cluster
        case .failure(let error): throw error
        }
    }

    private static let common: Result<TemporaryCluster, PostgresError> = Result {
        () throws(PostgresError) in try TemporaryCluster()
    }

    /// The target of the database `postgres`.
    public var connectionTarget: String {
        get throws(PostgresError) { try cluster.connectionTarget }
    }

    /// Creates an empty database with a name of its own and returns its target.
    public func makeDatabase() throws(PostgresError) -> String {
        let name = "test_\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let target = try cluster.connectionTarget
        try Connection(target).script("create database \(name)")
        return target.replacingDatabase(with: name)
    }

    /// Stops the server and removes everything.
    public func stop() throws(PostgresError) {
        Self.live.withLock { _ = $0.removeValue(forKey: directory) }
        defer { FilePath.remove(directory) }
        try cluster.stop()
    }

    private static let live = Mutex<[String: TemporaryCluster]>([:])

    private static let stopsAtExit: Void = {
        atexit {
            for cluster in TemporaryCluster.live.withLock({ Array($0.values) }) { try? cluster.stop() }
        }
    }()

    private static func register(_ cluster: TemporaryCluster) {
        _ = stopsAtExit
        live.withLock { $0[cluster.directory] = cluster }
    }
}

extension String {
    /// The target with another database: later keywords win.
    fileprivate func replacingDatabase(with name: String) -> String { "\(self) dbname=\(name)" }
}
