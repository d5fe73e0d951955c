import Expressions
import Features
import Objects
import Postgres

/// Content that was destroyed on purpose: what is left of it.
public struct Tombstone: Hashable, Sendable {
    public let digest: Digest
    public let byteCount: Int64
    /// Where it was erased, `dataset@n:path`.
    public let path: String
    public let reason: String
    public let actor: String
    /// Microseconds UTC.
    public let erasedAt: Int64
    /// `nil` while the erasure is under way.
    public let finishedAt: Int64?
}

/// A snapshot of any project, with its manifest's object.
public struct RecordedManifest: Hashable, Sendable {
    public let project: Int64
    public let projectName: String
    public let version: VersionRecord
}

extension Catalog {
    /// Everything that was erased, oldest first.
    public func tombstones() async throws -> [Tombstone] {
        try await read { connection in
            try connection.query(
                """
                select digest, byte_count, path, reason, actor, erased_at, finished_at from tombstones
                order by erased_at, digest
                """
            ).map { row in
                Tombstone(
                    digest: try Digest(column: try row.bytes("digest")),
                    byteCount: try row.int64("byte_count"),
                    path: try row.text("path"),
                    reason: try row.text("reason"),
                    actor: try row.text("actor"),
                    erasedAt: try row.timestamp("erased_at"),
                    finishedAt: try row.timestampIfPresent("finished_at")
                )
            }
        }
    }

    /// Throws `CatalogError.erased`, with the reason, where any of some contents was erased.
    public func refuseErased(_ digests: [Digest]) async throws {
        try await read { connection in try Self.refuseErased(digests, on: connection) }
    }

    /// Every snapshot of every project, for a search of their manifests.
    public func recordedManifests() async throws -> [RecordedManifest] {
        try await read { connection in
            try connection.query(
                """
                select p.id as project, p.name as project_name, \(VersionRecord.columns) from versions v
                join definitions d on d.id = v.definition_id join projects p on p.id = d.project_id
                where d.kind = 'snapshot' order by p.name, d.name, v.number
                """
            ).map { row in
                RecordedManifest(
                    project: try row.int64("project"),
                    projectName: try row.text("project_name"),
                    version: try VersionRecord(row)
                )
            }
        }
    }

    /// Records that content is erased: from then on it is not taken again.
    ///
    /// The same again keeps the first reason. A snapshot that is being recorded is waited for, and one that comes later finds
    /// the content erased.
    ///
    /// - Returns: whether it was not erased before.
    /// - Throws: `CatalogError.inUse` when the content is also something that the catalog itself lives on.
    public func bury(
        _ digest: Digest,
        byteCount: Int64,
        path: String,
        reason: String,
        actor: String,
        in project: Int64
    ) async throws -> Bool {
        try await run { connection in
            try Self.lockErasures(shared: false, on: connection)
            let vital = try connection.query(
                """
                select d.kind, d.name, v.number::bigint as number from versions v
                join definitions d on d.id = v.definition_id where v.object = $1 limit 1
                """,
                [.bytes(digest.bytes)]
            )
            if let row = vital.first {
                throw CatalogError(
                    .inUse,
                    "\(digest) is also \(try row.text("kind")) \(try row.text("name"))@\(try row.int64("number")) itself, "
                        + "and cannot be erased as a file"
                )
            }
            return try connection.execute(
                """
                insert into tombstones (digest, project_id, byte_count, path, reason, actor)
                values ($1, $2, $3, $4, $5, $6) on conflict (digest) do nothing
                """,
                [
                    .bytes(digest.bytes), .int64(project), .int64(byteCount), .text(path), .text(reason), .text(actor),
                ]
            ) == 1
        }
    }

    /// Takes an erasure back of which nothing was done yet.
    public func unbury(_ digest: Digest) async throws {
        try await run { connection in
            _ = try connection.execute("delete from tombstones where digest = $1", [.bytes(digest.bytes)])
        }
    }

    /// Held to the end of the transaction: shared by those who record snapshots, alone by who erases.
    static func lockErasures(shared: Bool, on connection: Connection) throws {
        // Of this use alone among advisory locks of the database.
        let key = Parameter.int64(0x4C53_5445_5241)
        try connection.execute("select pg_advisory_xact_lock\(shared ? "_shared" : "")($1)", [key])
    }

    /// Records that nothing of an erased content is left in the store.
    public func finishErasure(_ digest: Digest) async throws {
        try await run { connection in
            _ = try connection.execute(
                "update tombstones set finished_at = coalesce(finished_at, now()) where digest = $1",
                [.bytes(digest.bytes)]
            )
        }
    }

    /// Every object that may have bytes in the store, withdrawn ones too, by digest, a page at a time.
    public func objects(after digest: Digest?, limit: Int) async throws -> [(digest: Digest, isWithdrawn: Bool)] {
        try await read { connection in
            try connection.query(
                """
                select digest, bool_and(is_withdrawn) as is_withdrawn from (
                    select digest, false as is_withdrawn from objects where digest > $1
                    union all select digest, true from withdrawals where digest > $1
                ) as known group by digest order by digest limit $2
                """,
                [.bytes(digest?.bytes ?? []), .int64(Int64(limit))]
            ).map { (try Digest(column: try $0.bytes("digest")), try $0.bool("is_withdrawn")) }
        }
    }

    /// Withdraws an object that holds erased content, whoever needs or pins it, and claims its bytes for deletion.
    ///
    /// - Parameter replacement: a stored object that takes its place for every version that needs it; without one they
    ///   do without.
    /// - Parameter known: the snapshots of which it was known what they need when it was decided what goes.
    /// - Returns: `nil` where another needs the object by now: then nothing was done.
    public func takeOut(
        _ digest: Digest,
        replacement: Digest?,
        known: Set<Int64>,
        duration: TimeSpan
    ) async throws -> DeletionClaim? {
        try await run { connection in
            // Held against forgetting, and before the objects as everywhere.
            _ = try connection.query(
                """
                select v.id from versions v where exists (
                    select from version_objects r where r.version_id = v.id and r.digest = $1
                ) order by v.id for key share
                """,
                [.bytes(digest.bytes)]
            )
            let rows = Parameter.bytesArray([digest.bytes] + (replacement.map { [$0.bytes] } ?? []))
            let held = try connection.query(
                "select digest, byte_count, stored_at is not null as stored from objects where digest = any($1) "
                    + "order by digest for update",
                [rows]
            )
            // The object's row is held: nobody comes to need it from here on.
            let users = try connection.query(
                """
                select vo.version_id from version_objects vo join versions v on v.id = vo.version_id
                join definitions d on d.id = v.definition_id where vo.digest = $1 and d.kind = 'snapshot'
                """,
                [.bytes(digest.bytes)]
            ).map { try $0.int64("version_id") }
            guard known.isSuperset(of: users) else { return nil }
            if let replacement {
                let isStored = try held.contains {
                    try $0.bytes("digest") == replacement.bytes && $0.bool("stored")
                }
                guard isStored else {
                    throw CatalogError(
                        .conflict,
                        "the rewritten pack \(replacement) was removed meanwhile; erase again"
                    )
                }
                try connection.execute(
                    """
                    insert into version_objects (version_id, digest)
                    select version_id, $2 from version_objects where digest = $1 on conflict do nothing
                    """,
                    [.bytes(digest.bytes), .bytes(replacement.bytes)]
                )
            }
            try connection.execute("delete from version_objects where digest = $1", [.bytes(digest.bytes)])
            try connection.execute("delete from objects where digest = $1", [.bytes(digest.bytes)])
            let size = try held.first { try $0.bytes("digest") == digest.bytes }?.int64("byte_count") ?? 0
            let until = try connection.query(
                """
                insert into withdrawals (digest, byte_count, deleting_until)
                values ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
                on conflict (digest) do update set deleting_until = excluded.deleting_until returning deleting_until
                """,
                [.bytes(digest.bytes), .int64(size), .int64(duration.microseconds)]
            ).only().timestamp("deleting_until")
            return DeletionClaim(objects: [(digest, size)], until: until)
        }
    }
}
