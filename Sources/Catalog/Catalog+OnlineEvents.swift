import Features
import Postgres

/// What rows of history leave for the windows of one view version.
public struct ViewEvents: Sendable {
    /// Of a pushed row `sequence` counts from zero within the push; `features` holds the windows' inputs.
    public var rows: [OnlineRow]
    /// Microseconds: the width of the view's widest window, past which a row is in none.
    public var widest: Int64

    public init(rows: [OnlineRow], widest: Int64) {
        self.rows = rows
        self.widest = widest
    }
}

/// What is online of one entity of a view.
public struct OnlineEntity: Hashable, Sendable {
    /// The newest visible row.
    public var row: OnlineRow?
    /// What the view's windows can see, in order of event time.
    public var events: [OnlineEvent]

    public init(row: OnlineRow? = nil, events: [OnlineEvent] = []) {
        self.row = row
        self.events = events
    }
}

extension Catalog {
    /// How far back of the clock events are kept beside the live rows: services' clocks may differ by as much.
    public static let clockSlack: Int64 = 3_600_000_000
    /// Instants that rows may have: the years 0000 to 9999.
    private static let instants: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999

    /// The last event time that no window holds any more at a clock.
    private static func lastExpired(_ widest: Int64, at clock: Int64) -> Int64 {
        let (time, overflow) = clock.subtractingReportingOverflow(widest)
        return overflow ? instants.lowerBound - 1 : max(time, instants.lowerBound - 1)
    }

    /// Statements that add events, and drop those of the same entities that every window has passed.
    ///
    /// - Parameter replaces: whether the events are all that the view has: those that are there go first.
    static func writes(
        _ events: ViewEvents,
        namespace: Namespace,
        view: Int64,
        clock: Int64,
        replaces: Bool = false
    ) -> [(String, [Parameter])] {
        let expired = lastExpired(events.widest, at: namespace.isReplay ? clock : clock - clockSlack)
        let kept = events.rows.filter { $0.eventTime > expired }
        var statements: [(String, [Parameter])] = []
        if replaces {
            statements.append(
                (
                    "delete from online_events where namespace_id = $1 and view_version_id = $2",
                    [.int64(namespace.id), .int64(view)]
                )
            )
        } else {
            statements.append(
                (
                    """
                    delete from online_events where namespace_id = $1 and view_version_id = $2
                        and entity_key = any ($3::bytea[]) and event_time <= $4
                    """,
                    [
                        .int64(namespace.id), .int64(view),
                        .bytesArray(Set(events.rows.map(\.key)).sorted(by: precedes)),
                        .timestamp(expired),
                    ]
                )
            )
        }
        for start in stride(from: 0, to: kept.count, by: 5000) {
            let part = kept[start..<min(start + 5000, kept.count)]
            statements.append(
                (
                    """
                    insert into online_events
                        (namespace_id, view_version_id, entity_key, event_time, known_at, sequence, inputs, expires_at)
                    select $1, $2, r.* from unnest($3::bytea[], $4::timestamptz[], $5::timestamptz[], $6::bigint[],
                        $7::bytea[], $8::timestamptz[]) r
                    on conflict do nothing
                    """,
                    [
                        .int64(namespace.id), .int64(view), .bytesArray(part.map(\.key)),
                        .timestampArray(part.map(\.eventTime)), .timestampArray(part.map(\.knownAt)),
                        .int64Array(part.map(\.sequence)), .bytesArray(part.map(\.features)),
                        .timestampArray(
                            part.map { row in
                                let (time, overflow) = row.eventTime.addingReportingOverflow(events.widest)
                                return overflow ? instants.upperBound : min(time, instants.upperBound)
                            }
                        ),
                    ]
                )
            )
        }
        return statements
    }

    private static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }

    /// The newest visible row of each (view version, key) at an instant, and what its windows can see, in the order asked.
    ///
    /// One statement, so that rows and events are those of one moment.
    ///
    /// - Parameter asked: `widest` is the width of the view's widest window, `nil` for a view without.
    public func onlineEntities(
        _ asked: [(view: Int64, key: [UInt8], widest: Int64?)],
        namespace: Int64,
        at clock: Int64
    ) async throws -> [OnlineEntity] {
        guard asked.contains(where: { $0.widest != nil }) else {
            let rows = try await onlineRows(asked.map { ($0.view, $0.key) }, namespace: namespace, at: clock)
            return rows.map { OnlineEntity(row: $0) }
        }
        let found = try await pool.withConnection { connection in
            try connection.query(
                """
                with asked as (
                    select * from unnest($2::bigint[], $3::bytea[], $4::timestamptz[])
                        with ordinality as r (view, key, expired, place)
                )
                select r.place, true as is_row, o.* from asked r cross join lateral (
                    select c.* from (
                        select event_time, known_at, sequence, features from online_rows
                        where namespace_id = $1 and view_version_id = r.view and entity_key = r.key
                        union all
                        select event_time, known_at, sequence, features from online_pending
                        where namespace_id = $1 and view_version_id = r.view and entity_key = r.key and known_at <= $5
                    ) c order by event_time desc, known_at desc, sequence desc limit 1
                ) o
                union all
                select r.place, false, e.event_time, e.known_at, e.sequence, e.inputs from asked r
                join online_events e on e.namespace_id = $1 and e.view_version_id = r.view and e.entity_key = r.key
                where e.event_time > r.expired and e.event_time <= $5 and e.known_at <= $5
                """,
                [
                    .int64(namespace), .int64Array(asked.map(\.view)), .bytesArray(asked.map(\.key)),
                    // A view without windows has no events to be found.
                    .timestampArray(asked.map { $0.widest.map { Self.lastExpired($0, at: clock) } ?? clock }),
                    .timestamp(clock),
                ]
            )
        }
        var entities = [OnlineEntity](repeating: OnlineEntity(), count: asked.count)
        for row in found {
            let place = Int(try row.int64("place")) - 1
            let (eventTime, knownAt) = (try row.timestamp("event_time"), try row.timestamp("known_at"))
            let (sequence, packed) = (try row.int64("sequence"), try row.bytes("features"))
            if try row.bool("is_row") {
                entities[place].row = OnlineRow(
                    key: asked[place].key,
                    eventTime: eventTime,
                    knownAt: knownAt,
                    sequence: sequence,
                    features: packed
                )
            } else {
                entities[place].events.append(
                    OnlineEvent(eventTime: eventTime, knownAt: knownAt, sequence: sequence, inputs: packed)
                )
            }
        }
        return entities
    }

    /// Drops live events that every window has passed, also those of entities to which nothing more is pushed.
    ///
    /// - Returns: how many were dropped; call again while there are any.
    public func expireEvents() async throws -> Int {
        try await pool.withConnection { connection in
            try connection.execute(
                """
                delete from online_events where ctid = any (array(
                    select e.ctid from online_events e join namespaces n on n.id = e.namespace_id
                    where not n.is_replay and e.expires_at < now() - interval '1 hour' limit 10000
                    for update of e skip locked
                ))
                """
            )
        }
    }
}
