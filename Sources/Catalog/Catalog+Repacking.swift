import Features
import Objects
import Postgres

/// A pack that snapshots need.
public struct PackUse: Hashable, Sendable {
    public let digest: Digest
    /// Bytes of the pack.
    public let byteCount: Int
    /// Row numbers of the versions that need it.
    public let versions: Set<Int64>
    /// Row numbers of their datasets.
    public let datasets: Set<Int64>
    /// Whether something else than the packs of a snapshot needs it as well, or a live session pins it.
    public let isHeld: Bool
}

extension Catalog {
    /// Every pack that a snapshot of any project needs, by digest.
    public func packUses() async throws -> [PackUse] {
        try await read { connection in
            try connection.query(
                """
                select o.digest, o.byte_count, array_agg(v.id) as versions, array_agg(v.definition_id) as datasets,
                    bool_or(d.kind <> 'snapshot' or coalesce((v.document ->> 'format')::int, 1) < 2)
                    or exists (select from segments s where s.object = o.digest) or \(Self.isPinned("o")) as held
                from objects o join version_objects vo on vo.digest = o.digest join versions v on v.id = vo.version_id
                join definitions d on d.id = v.definition_id
                where exists (
                    select from version_objects p join versions s on s.id = p.version_id
                    join definitions n on n.id = s.definition_id
                    where p.digest = o.digest and n.kind = 'snapshot' and s.object is distinct from o.digest
                    and coalesce((s.document ->> 'format')::int, 1) >= 2
                ) group by o.digest, o.byte_count order by o.digest
                """
            ).map { row in
                PackUse(
                    digest: try Digest(column: try row.bytes("digest")),
                    byteCount: Int(try row.int64("byte_count")),
                    versions: Set(try row.int64Array("versions")),
                    datasets: Set(try row.int64Array("datasets")),
                    isHeld: try row.bool("held")
                )
            }
        }
    }

    /// Has other packs take a pack's place for every version that needs it, and withdraws it.
    ///
    /// Readers open their sessions under a lock on the version, writers pin packs under a lock on the pack's row; both are
    /// held here, so that whoever relies on the pack is seen, and whoever comes later finds the others.
    ///
    /// - Parameters:
    ///   - use: as it was when it was found out what is needed of the pack.
    ///   - replacements: stored packs that hold all of that.
    /// - Returns: whether it was done: not where a session relies on the pack, or other versions need it by now.
    public func replace(_ use: PackUse, with replacements: Set<Digest>) async throws -> Bool {
        try await run { connection in
            _ = try connection.query(
                "select id from versions where id = any($1) order by id for update",
                [.int64Array(use.versions.sorted())]
            )
            let rows = replacements.union([use.digest]).sorted()
            let stored = try connection.query(
                "select digest from objects where digest = any($1) and stored_at is not null order by digest for update",
                [.bytesArray(rows.map(\.bytes))]
            )
            guard stored.count == rows.count else { return false }
            let isPinned = try connection.query(
                "select \(Self.isPinned("o")) as pinned from objects o where digest = $1",
                [.bytes(use.digest.bytes)]
            ).only().bool("pinned")
            let versions = try connection.query(
                "select version_id from version_objects where digest = $1",
                [.bytes(use.digest.bytes)]
            ).map { try $0.int64("version_id") }
            guard !isPinned, Set(versions) == use.versions else { return false }
            try connection.execute(
                """
                insert into version_objects (version_id, digest)
                select v.id, r.digest from unnest($1::bigint[]) as v (id), unnest($2::bytea[]) as r (digest)
                on conflict do nothing
                """,
                [.int64Array(versions), .bytesArray(replacements.sorted().map(\.bytes))]
            )
            try connection.execute("delete from version_objects where digest = $1", [.bytes(use.digest.bytes)])
            try connection.execute(
                """
                with gone as (delete from objects where digest = $1 returning digest, byte_count)
                insert into withdrawals (digest, byte_count) select digest, byte_count from gone
                """,
                [.bytes(use.digest.bytes)]
            )
            return true
        }
    }
}
