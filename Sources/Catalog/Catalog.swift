import Features
import Formats
import Objects
import Postgres

/// Why the catalog refuses.
public struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable {
        case notFound
        /// The request contradicts what is recorded.
        case conflict
        /// Something still uses what would be removed.
        case inUse
        /// The request itself is wrong.
        case invalid
        /// What is asked for was destroyed on purpose.
        case erased
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

/// Versions, history, online rows, jobs and reports, in PostgreSQL.
///
/// The only module that knows both SQL and the domain. Every public method is one transaction.
public final class Catalog: Sendable {
    let pool: ConnectionPool

    public init(pool: ConnectionPool) { self.pool = pool }

    /// Applies the migrations that the database lacks.
    ///
    /// - Returns: the names of those applied.
    public func migrate() async throws -> [String] {
        try await pool.withConnection { connection in
            try Migrator(Migrations.all).apply(on: connection).map(\.name)
        }
    }

    /// Whether the database answers.
    public func ping() async throws {
        try await pool.withConnection { connection in _ = try connection.query("select 1") }
    }

    /// Runs one statement that only reads: it needs no transaction of its own, and so one round trip instead of three.
    func read<R: Sendable>(_ body: @Sendable @escaping (Connection) throws -> R) async throws -> R {
        try await pool.withConnection(body)
    }

    func run<R: Sendable>(_ body: @Sendable @escaping (Connection) throws -> R) async throws -> R {
        try await pool.withConnection { connection in
            try connection.transaction(retries: 3) { try body(connection) }
        }
    }
}

extension Digest {
    init(column bytes: [UInt8]) throws {
        guard let digest = Digest(bytes: bytes) else {
            throw CatalogError(.conflict, "the database holds a digest of \(bytes.count) bytes, expected 32")
        }
        self = digest
    }
}

extension Digest? {
    var parameter: Parameter { map { .bytes($0.bytes) } ?? .null }
}
