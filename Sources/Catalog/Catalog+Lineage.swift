import Features
import Objects
import Postgres

/// What a version was made from, and what was made with it.
public struct Lineage: Hashable, Sendable {
    public struct Node: Hashable, Sendable {
        public let id: Int64
        public let name: DefinitionName
        public let number: Int
        public let digest: Digest
        /// Microseconds UTC.
        public let createdAt: Int64
        public var reference: VersionReference { VersionReference(name: name.name, number: number) }
    }

    /// Version `user` uses version `used`, as `role`.
    public struct Use: Hashable, Sendable {
        public let user: Int64
        public let used: Int64
        public let role: String
    }

    /// A parity report under a lock of the graph.
    public struct Report: Hashable, Sendable {
        public let lock: Int64
        public let digest: Digest
        public let passed: Bool
        /// Microseconds UTC.
        public let createdAt: Int64
    }

    public let root: Int64
    /// Every version once, the root among them.
    public let nodes: [Node]
    public let uses: [Use]
    public let reports: [Report]
    /// Whether there is more than was asked for.
    public let isTruncated: Bool
}

extension Catalog {
    /// Follows the edges from a version.
    ///
    /// Each version is visited once, whatever the number of ways to it, so that the cost is that of the edges met and a
    /// cycle, which nothing should make, ends.
    ///
    /// - Parameters:
    ///   - up: what it uses, and what that uses.
    ///   - down: what uses it, and what uses that; with the parity reports under the locks met.
    ///   - limit: at most so many versions in either direction.
    public func lineage(of version: Int64, up: Bool, down: Bool, limit: Int) async throws -> Lineage {
        try await run { connection in
            let above = up ? try Self.walk(Self.upwards, from: version, limit: limit, on: connection) : [version]
            let below = down ? try Self.walk(Self.downwards, from: version, limit: limit, on: connection) : [version]
            let isTruncated = above.count > limit || below.count > limit
            let ids = Array(Set(above.prefix(limit) + below.prefix(limit)))
            let all = Parameter.int64Array(ids)
            let nodes = try connection.query(
                """
                select v.id, d.kind, d.name, v.number::bigint as number, v.digest, v.created_at from versions v
                join definitions d on d.id = v.definition_id where v.id = any($1) order by d.kind, d.name, v.number
                """,
                [all]
            ).map { try Lineage.Node($0) }
            let uses = try connection.query(
                """
                select user_id, used_id, role from edges where user_id = any($1) and used_id = any($1) and $3
                union select user_id, used_id, role from edges where used_id = any($2) and user_id = any($2) and $4
                order by 1, 2, 3
                """,
                [
                    .int64Array(Array(above.prefix(limit))), .int64Array(Array(below.prefix(limit))), .bool(up),
                    .bool(down),
                ]
            ).map { row in
                Lineage.Use(
                    user: try row.int64("user_id"),
                    used: try row.int64("used_id"),
                    role: try row.text("role")
                )
            }
            let reports = try connection.query(
                """
                select lock_version_id, digest, passed, created_at from reports where lock_version_id = any($1)
                order by created_at, digest
                """,
                [.int64Array(down ? Array(below.prefix(limit)) : [])]
            ).map { row in
                Lineage.Report(
                    lock: try row.int64("lock_version_id"),
                    digest: try Digest(column: try row.bytes("digest")),
                    passed: try row.bool("passed"),
                    createdAt: try row.timestamp("created_at")
                )
            }
            return Lineage(root: version, nodes: nodes, uses: uses, reports: reports, isTruncated: isTruncated)
        }
    }

    // A union without "all" drops what was met before: the guard against cycles.
    private static let upwards = """
        with recursive walk (id) as (
            select $1::bigint union select e.used_id from walk w join edges e on e.user_id = w.id
        ) select id from walk limit $2
        """

    private static let downwards = """
        with recursive walk (id) as (
            select $1::bigint union select e.user_id from walk w join edges e on e.used_id = w.id
        ) select id from walk limit $2
        """

    /// The versions met, one more than `limit` where there are more.
    private static func walk(
        _ sql: String,
        from version: Int64,
        limit: Int,
        on connection: Connection
    ) throws -> [Int64] {
        try connection.query(sql, [.int64(version), .int64(Int64(limit) + 1)]).map { try $0.int64("id") }
    }

    /// A path of users from a version that is used, to a lock where one is reached: `segment a@1, lock b@1`.
    static func usePath(from used: Int64, on connection: Connection) throws -> String {
        let rows = try connection.query(
            """
            with recursive walk (id, depth) as (
                select $1::bigint, 0 union
                select e.user_id, w.depth + 1 from walk w join edges e on e.used_id = w.id where w.depth < 20
            ) select w.id, min(w.depth)::bigint as depth, d.kind, d.name, v.number::bigint as number, v.digest, v.created_at
            from walk w join versions v on v.id = w.id join definitions d on d.id = v.definition_id
            group by w.id, d.kind, d.name, v.number, v.digest, v.created_at
            """,
            [.int64(used)]
        )
        var nodes: [Int64: (node: Lineage.Node, depth: Int64)] = [:]
        for row in rows { nodes[try row.int64("id")] = (try Lineage.Node(row), try row.int64("depth")) }
        let ordered = nodes.values.sorted { ($0.depth, $0.node.id) < ($1.depth, $1.node.id) }
        guard var place = (ordered.first { $0.node.name.kind == .lock } ?? ordered.last)?.node.id else {
            return "nothing"
        }
        let edges = try connection.query(
            "select user_id, used_id from edges where used_id = any($1)",
            [.int64Array(Array(nodes.keys))]
        ).map { (user: try $0.int64("user_id"), used: try $0.int64("used_id")) }
        var path: [String] = []
        while place != used, let here = nodes[place] {
            path.append("\(here.node.name.kind.rawValue) \(here.node.reference)")
            let next = edges.filter { $0.user == place }.compactMap { nodes[$0.used] }.first { $0.depth < here.depth }
            guard let next else { break }
            place = next.node.id
        }
        return path.reversed().joined(separator: ", which is used by ")
    }
}

extension Lineage.Node {
    init(_ row: Row) throws {
        self.id = try row.int64("id")
        self.name = try row.definitionName()
        self.number = Int(try row.int64("number"))
        self.digest = try Digest(column: try row.bytes("digest"))
        self.createdAt = try row.timestamp("created_at")
    }
}
