import Expressions
import Features
import Objects
import Postgres

/// A writer or a reader of objects at work: a lease on the database's clock.
public struct ObjectSession: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case write, read
    }

    public let id: Int64
    /// Microseconds UTC by the database's clock.
    public let expiresAt: Int64
}

extension Catalog {
    /// How long a session lives unless it is renewed.
    public static let sessionLease = TimeSpan(microseconds: 120_000_000)

    private static let renewed = "clock_timestamp() + \(sessionLease.microseconds) * interval '1 microsecond'"

    /// Opens a session for a writer.
    public func openSession(_ project: Int64) async throws -> ObjectSession {
        try await run { connection in try Self.open(.write, project, on: connection) }
    }

    /// Opens a session for a reader of a version: every object that it needs stays, though it may be forgotten.
    public func openSession(_ project: Int64, reading version: VersionRecord) async throws -> ObjectSession {
        try await run { connection in
            // Held against forgetting until the pins are there.
            let held = try connection.query(
                "select id from versions where id = $1 for key share",
                [.int64(version.id)]
            )
            guard !held.isEmpty else {
                throw CatalogError(.notFound, "\(version.name.kind.rawValue) \(version.reference) was forgotten")
            }
            let session = try Self.open(.read, project, on: connection)
            try connection.execute(
                "insert into pins (session_id, digest) select $1::bigint, digest from version_objects where version_id = $2",
                [.int64(session.id), .int64(version.id)]
            )
            return session
        }
    }

    private static func open(
        _ kind: ObjectSession.Kind,
        _ project: Int64,
        on connection: Connection
    ) throws -> ObjectSession {
        let row = try connection.query(
            "insert into sessions (project_id, kind, expires_at) values ($1, $2, \(renewed)) returning id, expires_at",
            [.int64(project), .text(kind.rawValue)]
        ).only()
        return ObjectSession(id: try row.int64("id"), expiresAt: try row.timestamp("expires_at"))
    }

    /// Keeps a session alive.
    ///
    /// - Throws: `CatalogError.notFound` for one that lapsed: what it pinned may be gone.
    public func renewSession(_ project: Int64, _ id: Int64) async throws -> ObjectSession {
        try await run { connection in
            let rows = try connection.query(
                """
                update sessions set expires_at = \(Self.renewed)
                where id = $1 and project_id = $2 and expires_at > clock_timestamp() returning expires_at
                """,
                [.int64(id), .int64(project)]
            )
            guard let row = rows.first else { throw Self.lapsed(id) }
            return ObjectSession(id: id, expiresAt: try row.timestamp("expires_at"))
        }
    }

    /// Ends a session, so that what it pinned may go; one that is gone already is no error.
    public func closeSession(_ project: Int64, _ id: Int64) async throws {
        try await run { connection in
            _ = try connection.execute(
                "delete from sessions where id = $1 and project_id = $2",
                [.int64(id), .int64(project)]
            )
        }
    }

    /// Pins objects that a session will send, or relies on.
    ///
    /// - Returns: those that the service does not promise to have: they must be sent. What it promises stays as long as
    ///   the session lives.
    /// - Throws: `CatalogError.erased` for content that may not come back.
    public func pin(_ digests: [Digest], in session: Int64, of project: Int64) async throws -> Set<Digest> {
        let digests = Set(digests).sorted()
        return try await run { connection in
            let live = try connection.query(
                "select id from sessions where id = $1 and project_id = $2 and expires_at > clock_timestamp() for key share",
                [.int64(session), .int64(project)]
            )
            guard !live.isEmpty else { throw Self.lapsed(session) }
            try Self.refuseErased(digests, on: connection)
            // Locked before they are pinned: a collector that withdraws one has it now, and this waits to see it gone;
            // or it comes later, and sees the pin.
            let promised = try connection.query(
                """
                select digest from objects where digest = any($1) and stored_at is not null order by digest for key share
                """,
                [.bytesArray(digests.map(\.bytes))]
            ).map { try Digest(column: try $0.bytes("digest")) }
            try connection.execute(
                """
                insert into pins (session_id, digest) select $1::bigint, digest from unnest($2::bytea[]) as f (digest)
                on conflict do nothing
                """,
                [.int64(session), .bytesArray(digests.map(\.bytes))]
            )
            return Set(digests).subtracting(promised)
        }
    }

    /// Removes the sessions that lapsed.
    public func endLapsedSessions() async throws -> Int {
        try await run { connection in
            try connection.execute(
                """
                delete from sessions where id in (
                    select id from sessions where expires_at <= clock_timestamp() order by id for update skip locked
                )
                """
            )
        }
    }

    /// When the writer that has been at work for longest began: microseconds UTC by the database's clock.
    public func oldestWriter() async throws -> Int64? {
        try await run { connection in
            try connection.query(
                """
                select created_at from sessions where kind = 'write' and expires_at > clock_timestamp()
                order by created_at limit 1
                """
            ).first.map { try $0.timestamp("created_at") }
        }
    }

    private static func lapsed(_ id: Int64) -> CatalogError {
        CatalogError(
            .notFound,
            "session \(id) has ended or lapsed, so that what it relied on may be gone; run the command again"
        )
    }
}
