import Expressions
import Features
import Objects
import Postgres

/// How the store's objects are kept and let go, exactly.
///
/// The row of an object says what the service may promise; the bytes follow it, never the other way round.
///
/// | row | means |
/// |---|---|
/// | none | nobody has sent it, or it was deleted |
/// | `objects`, not stored | somebody is sending it; it is not promised |
/// | `objects`, stored | it is there, and is promised to whoever asks |
/// | `withdrawals` | it is no longer promised; its bytes may still be there |
/// | `withdrawals`, deleting | a collector may be deleting its bytes: nobody may send them |
///
/// Whoever sends an object makes its row first and writes the bytes then; whoever deletes one withdraws the row first.
/// A version refers to rows of `objects` by foreign keys, and withdrawing deletes such a row: PostgreSQL refuses it for
/// anything that any table refers to. Rows are locked in the order definitions, versions, sessions, objects,
/// withdrawals, and within a table by id or digest, so that no two transactions wait for each other.
extension Catalog {
    /// Whether bytes may be written to the store.
    public enum Admission: Hashable, Sendable {
        case write
        /// A collector may be deleting the same object: wait.
        case wait
    }

    /// Makes or keeps the row of an object whose bytes will be written next; a withdrawn object is promised again once
    /// they were.
    ///
    /// - Parameter session: pins the object, if it lives; one that lapsed is no error, since the record will tell.
    /// - Throws: `CatalogError.erased` for content that may not come back.
    public func beginStoring(
        _ digest: Digest,
        byteCount: Int,
        session: Int64? = nil
    ) async throws -> Admission {
        do {
            return try await run { connection in
                try Self.refuseErased([digest], on: connection)
                if let session {
                    try connection.execute(
                        """
                        insert into pins (session_id, digest)
                        select id, $2 from sessions where id = $1 and expires_at > clock_timestamp() for key share
                        on conflict do nothing
                        """,
                        [.int64(session), .bytes(digest.bytes)]
                    )
                }
                try connection.execute(
                    """
                    insert into objects (digest, byte_count) values ($1, $2)
                    on conflict (digest) do update set touched_at = now()
                    """,
                    [.bytes(digest.bytes), .int64(Int64(byteCount))]
                )
                // Looked at after the row is ours: whoever withdrew it meanwhile has committed, and is seen here.
                let withdrawn = try connection.query(
                    """
                    select coalesce(deleting_until > clock_timestamp(), false) as deleting from withdrawals
                    where digest = $1 for update
                    """,
                    [.bytes(digest.bytes)]
                ).first
                guard let withdrawn else { return .write }
                if try withdrawn.bool("deleting") { throw BeingDeleted() }
                // Its bytes may be half gone with a collector that died: only writing them makes it stored.
                try connection.execute("delete from withdrawals where digest = $1", [.bytes(digest.bytes)])
                try connection.execute(
                    "update objects set stored_at = null where digest = $1",
                    [.bytes(digest.bytes)]
                )
                return .write
            }
        } catch is BeingDeleted {
            return .wait
        }
    }

    /// Promises an object whose bytes are durable.
    ///
    /// - Returns: false when its row was withdrawn while they were written; then begin again.
    public func finishStoring(_ digest: Digest) async throws -> Bool {
        try await run { connection in
            try connection.execute(
                """
                update objects set stored_at = coalesce(stored_at, now()), touched_at = now() where digest = $1
                """,
                [.bytes(digest.bytes)]
            ) == 1
        }
    }

    /// Which of some objects the service promises to have.
    public func stored(among digests: [Digest]) async throws -> Set<Digest> {
        try await read { connection in
            let rows = try connection.query(
                "select digest from objects where digest = any($1) and stored_at is not null",
                [.bytesArray(digests.map(\.bytes))]
            )
            return Set(try rows.map { try Digest(column: try $0.bytes("digest")) })
        }
    }

    /// Holds the rows of objects that a version is to refer to until the transaction ends.
    ///
    /// - Throws: `CatalogError.conflict` for one that is not stored, or was withdrawn; `erased` for one that was erased.
    static func holdStored(_ digests: Set<Digest>, for name: DefinitionName, on connection: Connection) throws {
        let held = try connection.query(
            """
            select digest from objects where digest = any($1) and stored_at is not null order by digest for key share
            """,
            [.bytesArray(digests.map(\.bytes))]
        )
        guard held.count < digests.count else { return }
        let missing = digests.subtracting(try held.map { try Digest(column: try $0.bytes("digest")) }).sorted()
        try refuseErased(missing, on: connection)
        throw CatalogError(
            .conflict,
            "\(name.kind.rawValue) '\(name.name)' needs \(missing.count) objects that are not stored, or were removed "
                + "as unneeded before it was recorded, the first of them \(missing[0]); send them again"
        )
    }

    // MARK: Collection

    /// Objects that a collection let go of, with their bytes.
    public struct Withdrawn: Hashable, Sendable {
        public var digests: [Digest] = []
        public var byteCount: Int64 = 0
        /// Where the next call goes on; `nil` at the end.
        public var next: Digest?
    }

    /// What a collection would find, by why it stays or goes.
    public struct CollectionOutlook: Hashable, Sendable {
        public var needed: Int64
        public var pinned: Int64
        public var recent: Int64
        public var collectable: Int64
        public var collectableBytes: Int64
        public var withdrawn: Int64
    }

    private static let isUnneeded = """
        not exists (select from version_objects r where r.digest = o.digest)
        and not exists (select from segments r where r.object = o.digest)
        """
    static func isPinned(_ table: String) -> String {
        """
        exists (
            select from pins p join sessions s on s.id = p.session_id
            where p.digest = \(table).digest and s.expires_at > clock_timestamp()
        )
        """
    }
    private static let isOld = "o.touched_at <= clock_timestamp() - $1 * interval '1 microsecond'"

    /// Counts objects by why they stay or would go.
    public func collectionOutlook(grace: TimeSpan) async throws -> CollectionOutlook {
        try await read { connection in
            let row = try connection.query(
                """
                select count(*) filter (where not unneeded) as needed,
                    count(*) filter (where unneeded and pinned) as pinned,
                    count(*) filter (where unneeded and not pinned and not old) as recent,
                    count(*) filter (where unneeded and not pinned and old) as collectable,
                    coalesce(sum(byte_count) filter (where unneeded and not pinned and old), 0)::bigint as bytes,
                    (select count(*) from withdrawals) as withdrawn
                from (
                    select o.byte_count, \(Self.isUnneeded) as unneeded, \(Self.isPinned("o")) as pinned,
                        \(Self.isOld) as old from objects o
                ) as seen
                """,
                [.int64(grace.microseconds)]
            ).only()
            return CollectionOutlook(
                needed: try row.int64("needed"),
                pinned: try row.int64("pinned"),
                recent: try row.int64("recent"),
                collectable: try row.int64("collectable"),
                collectableBytes: try row.int64("bytes"),
                withdrawn: try row.int64("withdrawn")
            )
        }
    }

    /// Makes rows for objects that the store lists and no row knows, so that their time runs from now on.
    ///
    /// They are not promised. Erased content that came back gets no time.
    ///
    /// - Returns: how many there were.
    public func adopt(_ objects: [(digest: Digest, byteCount: Int)]) async throws -> Int {
        let sorted = objects.sorted { $0.digest < $1.digest }
        let digests = Parameter.bytesArray(sorted.map(\.digest.bytes))
        return try await run { connection in
            let adopted = try connection.query(
                """
                insert into objects (digest, byte_count, touched_at)
                select f.digest, f.byte_count, case when t.digest is null then now() else '-infinity' end
                from unnest($1::bytea[], $2::bigint[]) with ordinality as f (digest, byte_count, place)
                left join tombstones t on t.digest = f.digest
                where not exists (select from withdrawals w where w.digest = f.digest) order by f.place
                on conflict (digest) do nothing returning digest
                """,
                [digests, .int64Array(sorted.map { Int64($0.byteCount) })]
            ).map { try $0.bytes("digest") }
            guard !adopted.isEmpty else { return 0 }
            // What was withdrawn while this waited for its row belongs to whoever withdrew it.
            let taken = try connection.execute(
                "delete from objects o using withdrawals w where o.digest = any($1) and w.digest = o.digest",
                [.bytesArray(adopted)]
            )
            return adopted.count - taken
        }
    }

    /// Withdraws objects that no version needs and no live session pins: from then on they are not promised.
    ///
    /// - Parameters:
    ///   - digest: where to go on.
    ///   - limit: at most so many, in one transaction.
    ///   - grace: how long ago they were last sent, at least.
    public func withdraw(after digest: Digest?, limit: Int, grace: TimeSpan) async throws -> Withdrawn {
        try await run { connection in
            let candidates = try connection.query(
                """
                select o.digest from objects o where o.digest > $2 and \(Self.isUnneeded)
                and not \(Self.isPinned("o")) and \(Self.isOld) order by o.digest limit $3 for update
                """,
                [.int64(grace.microseconds), .bytes(digest?.bytes ?? []), .int64(Int64(limit))]
            ).map { try $0.bytes("digest") }
            guard let last = candidates.last else { return Withdrawn() }
            // Asked again now that the rows are locked: a session or a version that came in between is seen here, and
            // one that comes later finds the row gone.
            let gone = try connection.query(
                """
                with gone as (
                    delete from objects o where o.digest = any($2) and \(Self.isUnneeded)
                    and not \(Self.isPinned("o")) and \(Self.isOld) returning digest, byte_count
                ) insert into withdrawals (digest, byte_count) select digest, byte_count from gone
                returning digest, byte_count
                """,
                [.int64(grace.microseconds), .bytesArray(candidates)]
            )
            var withdrawn = Withdrawn(next: candidates.count < limit ? nil : try Digest(column: last))
            for row in gone {
                withdrawn.digests.append(try Digest(column: try row.bytes("digest")))
                withdrawn.byteCount += try row.int64("byte_count")
            }
            return withdrawn
        }
    }

    /// Withdrawn objects that this caller alone may delete from the store now.
    public struct DeletionClaim: Sendable {
        public let objects: [(digest: Digest, byteCount: Int64)]
        /// Identifies the claim; microseconds UTC by the database.
        let until: Int64
    }

    /// Claims withdrawn objects for deletion; while the claim lasts nobody can send them.
    ///
    /// - Parameter duration: calls to delete must have ended by then: whoever claims stops well before.
    ///   One instant stands for the claim, so it is asked for once and not for each row.
    /// - Returns: none when all that is left is pinned, or claimed by another.
    public func claimDeletion(after digest: Digest?, limit: Int, duration: TimeSpan) async throws -> DeletionClaim {
        try await run { connection in
            let until = try connection.query(
                "select clock_timestamp() + $1 * interval '1 microsecond' as until",
                [.int64(duration.microseconds)]
            ).only().timestamp("until")
            let rows = try connection.query(
                """
                update withdrawals w set deleting_until = $1 where w.digest in (
                    select o.digest from withdrawals o where o.digest > $2
                    and coalesce(o.deleting_until < clock_timestamp(), true) and not \(Self.isPinned("o"))
                    order by o.digest limit $3 for update skip locked
                ) returning w.digest, w.byte_count
                """,
                [.timestamp(until), .bytes(digest?.bytes ?? []), .int64(Int64(limit))]
            )
            return DeletionClaim(
                objects: try rows.map {
                    (try Digest(column: try $0.bytes("digest")), try $0.int64("byte_count"))
                }.sorted { $0.0 < $1.0 },
                until: until
            )
        }
    }

    /// Forgets withdrawn objects whose bytes are gone.
    public func finishDeletion(_ digests: [Digest], of claim: DeletionClaim) async throws {
        try await run { connection in
            _ = try connection.execute(
                """
                delete from withdrawals where digest in (
                    select digest from withdrawals where digest = any($1) and deleting_until = $2 order by digest for update
                )
                """,
                [.bytesArray(digests.map(\.bytes)), .timestamp(claim.until)]
            )
        }
    }

    /// How many objects are withdrawn and not yet deleted.
    public func withdrawalCount() async throws -> Int64 {
        try await read { connection in
            try connection.query("select count(*) from withdrawals").only().int64(0)
        }
    }

    // MARK: Erasure

    /// Refuses content that was erased.
    static func refuseErased(_ digests: [Digest], on connection: Connection) throws {
        let rows = try connection.query(
            "select digest, reason from tombstones where digest = any($1) order by digest limit 1",
            [.bytesArray(digests.map(\.bytes))]
        )
        guard let row = rows.first else { return }
        throw CatalogError(
            .erased,
            "\(try Digest(column: try row.bytes("digest"))) was erased and is not taken again: \(try row.text("reason"))"
        )
    }

    private struct BeingDeleted: Error {}
}
