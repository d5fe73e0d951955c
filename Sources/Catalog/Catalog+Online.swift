import Features
import Postgres

/// The features of one entity, packed, with the three clocks of the row behind them.
public struct OnlineRow: Hashable, Sendable {
    public var key: [UInt8]
    public var eventTime: Int64
    public var knownAt: Int64
    public var sequence: Int64
    public var features: [UInt8]

    public init(key: [UInt8], eventTime: Int64, knownAt: Int64, sequence: Int64, features: [UInt8]) {
        self.key = key
        self.eventTime = eventTime
        self.knownAt = knownAt
        self.sequence = sequence
        self.features = features
    }

    /// Whether the row wins over another of its key: the greatest (event time, known-at, sequence) does.
    func wins(over other: OnlineRow) -> Bool {
        (eventTime, knownAt, sequence) > (other.eventTime, other.knownAt, other.sequence)
    }
}

/// Rows pushed to a source, and what they make of each view over it.
public struct Push: Sendable {
    public struct View: Sendable {
        public var version: Int64
        /// One for each pushed row that has a key; `sequence` counts from zero within the push.
        public var rows: [OnlineRow]
        /// What the same rows leave for the view's windows; `nil` for a view without.
        public var events: ViewEvents?

        public init(version: Int64, rows: [OnlineRow], events: ViewEvents? = nil) {
            self.version = version
            self.rows = rows
            self.events = events
        }
    }

    public var sourceVersion: Int64
    /// `sequence` counts from zero within the push.
    public var rows: [HeadRow]
    public var views: [View]

    public init(sourceVersion: Int64, rows: [HeadRow], views: [View]) {
        self.sourceVersion = sourceVersion
        self.rows = rows
        self.views = views
    }
}

extension HeadRow {
    public init(position: Int, eventTime: Int64, knownAt: Int64, packed: [UInt8]) {
        self.init(sequence: Int64(position), eventTime: eventTime, knownAt: knownAt, row: packed)
    }
}

/// The online rows of one view version, to be written.
public struct MaterializedView: Sendable {
    public var version: Int64
    public var rows: [OnlineRow]
    /// All that the view's windows can still see; `nil` for a view without.
    public var events: ViewEvents?

    public init(version: Int64, rows: [OnlineRow], events: ViewEvents? = nil) {
        self.version = version
        self.rows = rows
        self.events = events
    }
}

/// Until when the online rows of a view version are complete.
public struct Materialization: Hashable, Sendable {
    public let view: VersionRecord
    /// Microseconds UTC.
    public let through: Int64
    public let sequence: Int64
}

extension Catalog {
    /// Appends rows to history and makes them online, in one transaction.
    ///
    /// - Parameter clock: rows known after it are durable and wait.
    /// - Returns: the sequence of the first row.
    public func push(_ push: Push, namespace: Namespace, clock: Int64) async throws -> Int64 {
        try await run { connection in
            // A replay's rows are scratch: losing the last ones in a crash loses nothing.
            if namespace.isReplay { _ = try connection.query("select set_config('synchronous_commit', 'off', true)") }
            let first = try Self.reserveSequences(
                on: connection,
                namespace.id,
                source: push.sourceVersion,
                count: push.rows.count
            )
            // Everything in one round trip.
            var statements: [(String, [Parameter])] = [
                (
                    """
                    insert into history_head (namespace_id, source_version_id, sequence, event_time, known_at, row)
                    select $1, $2, r.* from unnest($3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bytea[]) r
                    """,
                    [
                        .int64(namespace.id), .int64(push.sourceVersion),
                        .int64Array(push.rows.map { first + $0.sequence }),
                        .timestampArray(push.rows.map(\.eventTime)), .timestampArray(push.rows.map(\.knownAt)),
                        .bytesArray(push.rows.map(\.row)),
                    ]
                )
            ]
            for view in push.views {
                func numbered(_ rows: [OnlineRow]) -> [OnlineRow] {
                    rows.map { row in
                        var row = row
                        row.sequence += first
                        return row
                    }
                }
                statements += Self.writes(
                    numbered(view.rows),
                    namespace: namespace.id,
                    view: view.version,
                    clock: clock
                )
                if var events = view.events {
                    events.rows = numbered(events.rows)
                    statements += Self.writes(events, namespace: namespace, view: view.version, clock: clock)
                }
            }
            _ = try connection.pipeline(statements)
            return first
        }
    }

    /// Makes views online and records until when they are complete, all of them or none.
    ///
    /// - Parameters:
    ///   - through: the instant; a replay's clock is moved to it in the same transaction.
    ///   - isDefault: whether the namespace becomes the replay that requests without a number use.
    public func materialize(
        _ views: [MaterializedView],
        project: Int64,
        namespace: Namespace,
        through: Int64,
        isDefault: Bool
    ) async throws {
        try await run { connection in
            if namespace.isReplay {
                let moved = try connection.execute(
                    "update namespaces set clock = $2 where id = $1 and is_replay and clock <= $2",
                    [.int64(namespace.id), .timestamp(through)]
                )
                guard moved == 1 else {
                    throw CatalogError(
                        .conflict,
                        "a replay clock moves forward only; start another replay with: lockstep materialize --at TIME"
                    )
                }
            }
            for view in views {
                var start = 0
                while start < view.rows.count {
                    let end = min(start + 5000, view.rows.count)
                    let part = Array(view.rows[start..<end])
                    _ = try connection.pipeline(
                        Self.writes(part, namespace: namespace.id, view: view.version, clock: through)
                    )
                    start = end
                }
                if let events = view.events {
                    // A replay's pushed rows have sequences of its own: what is there would be counted twice.
                    let statements = Self.writes(
                        events,
                        namespace: namespace,
                        view: view.version,
                        clock: through,
                        replaces: namespace.isReplay
                    )
                    for statement in statements { _ = try connection.pipeline([statement]) }
                }
                try connection.execute(
                    """
                    insert into materializations as m (namespace_id, view_version_id, through, sequence)
                    values ($1, $2, $3, $4) on conflict (namespace_id, view_version_id)
                    do update set through = greatest(m.through, excluded.through),
                        sequence = greatest(m.sequence, excluded.sequence), finished_at = now()
                    """,
                    [
                        .int64(namespace.id), .int64(view.version), .timestamp(through),
                        .int64(view.rows.map(\.sequence).max() ?? 0),
                    ]
                )
            }
            if isDefault {
                try connection.execute(
                    "delete from namespaces where project_id = $1 and is_replay and is_default and id <> $2",
                    [.int64(project), .int64(namespace.id)]
                )
                try connection.execute("update namespaces set is_default = true where id = $1", [.int64(namespace.id)])
            }
        }
    }

    /// Statements that upsert visible rows where they win over what is there; rows known after `clock` go to the waiting
    /// table.
    private static func writes(
        _ rows: [OnlineRow],
        namespace: Int64,
        view: Int64,
        clock: Int64
    ) -> [(String, [Parameter])] {
        var winners: [[UInt8]: OnlineRow] = [:]
        var pending: [OnlineRow] = []
        for row in rows {
            if row.knownAt > clock {
                pending.append(row)
            } else if winners[row.key].map({ row.wins(over: $0) }) ?? true {
                winners[row.key] = row
            }
        }
        // In key order, so that two writers never wait for each other's rows.
        let visible = winners.values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let insert = """
            (namespace_id, view_version_id, entity_key, event_time, known_at, sequence, features)
            select $1, $2, r.* from unnest($3::bytea[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::bytea[]) r
            """
        var statements: [(String, [Parameter])] = []
        // Rows of the same keys that have waited long enough move up, so that what waits does not grow without end.
        statements.append(
            (
                """
                with due as (
                    delete from online_pending where namespace_id = $1 and view_version_id = $2
                        and entity_key = any ($3::bytea[]) and known_at <= $4
                    returning entity_key, event_time, known_at, sequence, features
                )
                insert into online_rows as o
                    (namespace_id, view_version_id, entity_key, event_time, known_at, sequence, features)
                select distinct on (entity_key) $1::bigint, $2::bigint, due.* from due
                order by entity_key, event_time desc, known_at desc, sequence desc
                on conflict (namespace_id, view_version_id, entity_key)
                do update set event_time = excluded.event_time, known_at = excluded.known_at,
                    sequence = excluded.sequence, features = excluded.features
                where (excluded.event_time, excluded.known_at, excluded.sequence) > (o.event_time, o.known_at, o.sequence)
                """,
                [
                    .int64(namespace), .int64(view), .bytesArray(Array(Set(rows.map(\.key)))),
                    .timestamp(clock),
                ]
            )
        )
        if !visible.isEmpty {
            let sql = """
                insert into online_rows as o \(insert) on conflict (namespace_id, view_version_id, entity_key)
                do update set event_time = excluded.event_time, known_at = excluded.known_at,
                    sequence = excluded.sequence, features = excluded.features
                where (excluded.event_time, excluded.known_at, excluded.sequence) > (o.event_time, o.known_at, o.sequence)
                """
            statements.append((sql, parameters(visible, namespace: namespace, view: view)))
        }
        if !pending.isEmpty {
            let sql = "insert into online_pending \(insert) on conflict do nothing"
            statements.append((sql, parameters(pending, namespace: namespace, view: view)))
        }
        return statements
    }

    private static func parameters(_ rows: [OnlineRow], namespace: Int64, view: Int64) -> [Parameter] {
        [
            .int64(namespace), .int64(view), .bytesArray(rows.map(\.key)), .timestampArray(rows.map(\.eventTime)),
            .timestampArray(rows.map(\.knownAt)), .int64Array(rows.map(\.sequence)), .bytesArray(rows.map(\.features)),
        ]
    }

    /// The newest visible row of each (view version, key) at an instant, in the order asked; `nil` where there is none.
    ///
    /// One round trip and one index probe for each, whatever the number of views.
    public func onlineRows(
        _ asked: [(view: Int64, key: [UInt8])],
        namespace: Int64,
        at clock: Int64
    ) async throws -> [OnlineRow?] {
        guard !asked.isEmpty else { return [] }
        return try await pool.withConnection { connection in
            let rows = try connection.query(
                """
                select o.* from unnest($2::bigint[], $3::bytea[]) with ordinality as r (view, key, place)
                left join lateral (
                    select c.* from (
                        select entity_key, event_time, known_at, sequence, features from online_rows
                        where namespace_id = $1 and view_version_id = r.view and entity_key = r.key
                        union all
                        select entity_key, event_time, known_at, sequence, features from online_pending
                        where namespace_id = $1 and view_version_id = r.view and entity_key = r.key and known_at <= $4
                    ) c order by event_time desc, known_at desc, sequence desc limit 1
                ) o on true order by r.place
                """,
                [
                    .int64(namespace), .int64Array(asked.map(\.view)), .bytesArray(asked.map(\.key)), .timestamp(clock),
                ]
            )
            return try rows.map { row in
                guard let key = try row.bytesIfPresent("entity_key") else { return nil }
                return OnlineRow(
                    key: key,
                    eventTime: try row.timestamp("event_time"),
                    knownAt: try row.timestamp("known_at"),
                    sequence: try row.int64("sequence"),
                    features: try row.bytes("features")
                )
            }
        }
    }

    /// Which view versions are online in a namespace, and until when they are complete.
    public func materializations(_ namespace: Int64) async throws -> [Materialization] {
        try await read { connection in
            try connection.query(
                """
                select \(VersionRecord.columns), m.through, m.sequence from materializations m
                join versions v on v.id = m.view_version_id join definitions d on d.id = v.definition_id
                where m.namespace_id = $1 order by d.name, v.number
                """,
                [.int64(namespace)]
            ).map { row in
                Materialization(
                    view: try VersionRecord(row),
                    through: try row.timestamp("through"),
                    sequence: try row.int64("sequence")
                )
            }
        }
    }
}
