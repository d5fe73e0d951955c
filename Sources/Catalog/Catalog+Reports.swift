import Features
import Objects
import Postgres

/// A recorded parity report.
public struct ReportRecord: Hashable, Sendable {
    public let digest: Digest
    public let passed: Bool
    /// JSON text.
    public let document: String
    public let createdAt: Int64
}

extension Catalog {
    /// Records a parity report; recording the same one again changes nothing.
    ///
    /// - Parameter document: the canonical JSON that `digest` is the SHA-256 of.
    /// - Returns: whether it is new.
    public func recordReport(
        digest: Digest,
        passed: Bool,
        lock: Int64?,
        document: String,
        in project: Int64
    ) async throws -> Bool {
        try await run { connection in
            try connection.execute(
                """
                insert into reports (project_id, lock_version_id, digest, passed, document)
                values ($1, $2, $3, $4, $5::json) on conflict (project_id, digest) do nothing
                """,
                [
                    .int64(project), lock.map { .int64($0) } ?? .null, .bytes(digest.bytes), .bool(passed),
                    .text(document),
                ]
            ) == 1
        }
    }

    public func report(_ project: Int64, digest: Digest) async throws -> ReportRecord {
        try await read { connection in
            let rows = try connection.query(
                "select digest, passed, document, created_at from reports where project_id = $1 and digest = $2",
                [.int64(project), .bytes(digest.bytes)]
            )
            guard let row = rows.first else { throw CatalogError(.notFound, "there is no report \(digest)") }
            return ReportRecord(
                digest: try Digest(column: try row.bytes("digest")),
                passed: try row.bool("passed"),
                document: try row.json("document"),
                createdAt: try row.timestamp("created_at")
            )
        }
    }

    /// The lock with a digest, if it was made here.
    public func lock(_ project: Int64, digest: Digest) async throws -> VersionRecord? {
        try await read { connection in
            let rows = try connection.query(
                """
                select \(VersionRecord.columns) from definitions d join versions v on v.definition_id = d.id
                where d.project_id = $1 and d.kind = 'lock' and v.digest = $2 limit 1
                """,
                [.int64(project), .bytes(digest.bytes)]
            )
            return try rows.first.map { try VersionRecord($0) }
        }
    }

    /// The stored text of the lock with a digest, if it was made here.
    public func lockObject(_ project: Int64, digest: Digest) async throws -> Digest? {
        try await lock(project, digest: digest)?.object
    }
}
