import Features
import Postgres

/// An online store of its own within a project.
public struct Namespace: Hashable, Sendable {
    public let id: Int64
    /// Microseconds UTC; `nil` for the live namespace, which follows the server's clock.
    public let clock: Int64?
    public var isReplay: Bool { clock != nil }

    public init(id: Int64, clock: Int64?) {
        self.id = id
        self.clock = clock
    }
}

extension Catalog {
    /// The project called `name`.
    ///
    /// - Throws: `CatalogError.notFound`, naming what there is.
    public func project(_ name: String) async throws -> Int64 {
        try await run { connection in
            if let row = try connection.query("select id from projects where name = $1", [.text(name)]).first {
                return try row.int64("id")
            }
            let names = try connection.query("select name from projects order by name").map { try $0.text("name") }
            throw CatalogError(
                .notFound,
                "there is no project '\(name)'\(suggestion(for: name, among: names)); 'lockstep apply' makes it"
            )
        }
    }

    /// The project called `name`, made with its live namespace if it is new.
    public func makeProject(_ name: String) async throws -> Int64 {
        guard isName(name) else {
            throw CatalogError(.invalid, "'\(name)' cannot name a project; use letters, digits, '_', '-' and '.'")
        }
        return try await run { connection in
            if let row = try connection.query("select id from projects where name = $1", [.text(name)]).first {
                return try row.int64("id")
            }
            try connection.execute("insert into projects (name) values ($1) on conflict do nothing", [.text(name)])
            let id = try connection.query("select id from projects where name = $1", [.text(name)]).only().int64("id")
            try connection.execute(
                "insert into namespaces (project_id, is_replay) values ($1, false) on conflict do nothing",
                [.int64(id)]
            )
            return id
        }
    }

    public func projectName(_ project: Int64) async throws -> String {
        try await read { connection in
            try connection.query("select name from projects where id = $1", [.int64(project)]).only().text("name")
        }
    }

    /// The live namespace of a project.
    public func liveNamespace(_ project: Int64) async throws -> Namespace {
        try await read { connection in
            let row = try connection.query(
                "select id from namespaces where project_id = $1 and not is_replay",
                [.int64(project)]
            ).only()
            return Namespace(id: try row.int64("id"), clock: nil)
        }
    }

    /// The replay that requests without a replay's number use, if there is one.
    public func defaultReplay(_ project: Int64) async throws -> Namespace? {
        try await read { connection in
            let rows = try connection.query(
                "select id, clock from namespaces where project_id = $1 and is_replay and is_default",
                [.int64(project)]
            )
            return try rows.first.map { Namespace(id: try $0.int64("id"), clock: try $0.timestamp("clock")) }
        }
    }

    public func namespace(_ project: Int64, id: Int64) async throws -> Namespace {
        try await read { connection in
            let rows = try connection.query(
                "select id, clock from namespaces where project_id = $1 and id = $2",
                [.int64(project), .int64(id)]
            )
            guard let row = rows.first else {
                throw CatalogError(.notFound, "there is no replay \(id); it has ended, or belongs to another project")
            }
            return Namespace(id: try row.int64("id"), clock: try row.timestampIfPresent("clock"))
        }
    }

    /// Starts a replay: an empty online namespace whose clock stands at `clock`.
    public func startReplay(_ project: Int64, clock: Int64) async throws -> Namespace {
        try await run { connection in
            let row = try connection.query(
                "insert into namespaces (project_id, is_replay, clock) values ($1, true, $2) returning id",
                [.int64(project), .timestamp(clock)]
            ).only()
            return Namespace(id: try row.int64("id"), clock: clock)
        }
    }

    /// Ends the replays that an earlier process left behind.
    public func endAbandonedReplays() async throws {
        try await run { connection in
            _ = try connection.execute("delete from namespaces where is_replay and not is_default")
        }
    }

    /// Moves a replay's clock forward, or throws `conflict` if it already stands later.
    public func moveClock(_ namespace: Int64, to clock: Int64) async throws {
        try await pool.withConnection { connection in
            // One round trip and no wait for the disk: a replay moves its clock with nearly every request, and a crash
            // ends the replay anyway.
            let moved = try connection.pipeline([
                ("select set_config('synchronous_commit', 'off', true)", []),
                (
                    "update namespaces set clock = $2 where id = $1 and is_replay and clock <= $2 returning id",
                    [.int64(namespace), .timestamp(clock)]
                ),
            ])
            guard moved[1].count == 1 else {
                throw CatalogError(
                    .conflict,
                    "a replay clock moves forward only; start another replay with: lockstep materialize --at TIME"
                )
            }
        }
    }

    /// Ends a replay and removes its rows.
    public func endReplay(_ project: Int64, _ namespace: Int64) async throws {
        try await run { connection in
            _ = try connection.execute(
                "delete from namespaces where project_id = $1 and id = $2 and is_replay",
                [.int64(project), .int64(namespace)]
            )
        }
    }
}
