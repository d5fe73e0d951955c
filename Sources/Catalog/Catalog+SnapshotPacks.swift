import Features
import Objects
import Postgres

extension Catalog {
    /// The objects that a snapshot needs besides its manifest, in the order of their digests: its packs.
    ///
    /// Those of a snapshot of format 1 are its files.
    public func packs(of version: VersionRecord) async throws -> [(digest: Digest, size: Int)] {
        try await read { connection in
            try Self.packs(
                connection.query(
                    """
                    select o.digest, o.byte_count from version_objects vo join objects o on o.digest = vo.digest
                    join versions v on v.id = vo.version_id
                    where v.id = $1 and o.digest is distinct from v.object order by o.digest
                    """,
                    [.int64(version.id)]
                )
            )
        }
    }

    /// The packs of all snapshots of a dataset, the newest last; none for a dataset that is not there.
    public func packs(ofDataset name: String, in project: Int64) async throws -> [(digest: Digest, size: Int)] {
        try await read { connection in
            try Self.packs(
                connection.query(
                    """
                    select o.digest, o.byte_count from definitions d join versions v on v.definition_id = d.id
                    join version_objects vo on vo.version_id = v.id join objects o on o.digest = vo.digest
                    where d.project_id = $1 and d.kind = 'snapshot' and d.name = $2
                    and (v.document ->> 'format')::int >= 2 and o.digest is distinct from v.object
                    group by o.digest, o.byte_count order by min(v.number), o.digest
                    """,
                    [.int64(project), .text(name)]
                )
            )
        }
    }

    private static func packs(_ rows: Rows) throws -> [(digest: Digest, size: Int)] {
        try rows.map { (try Digest(column: try $0.bytes("digest")), Int(try $0.int64("byte_count"))) }
    }
}
