import Features
import Formats
import Objects
import Postgres

/// One sealed piece of a source's history.
public struct SegmentRecord: Hashable, Sendable {
    public let version: VersionRecord
    public let sourceVersion: Int64
    public let object: Digest
    public let byteCount: Int64
    public let rowCount: Int64
    public let firstSequence: Int64
    public let lastSequence: Int64
    public let sortedBy: [String]
}

/// A segment to be recorded; its object must be durable.
public struct NewSegment: Sendable {
    public var sourceName: String
    public var sourceVersion: Int64
    public var object: Digest
    public var byteCount: Int
    public var rowCount: Int
    public var sequences: ClosedRange<Int64>
    /// Microseconds UTC, inclusive.
    public var eventTimes: ClosedRange<Int64>
    public var knownTimes: ClosedRange<Int64>
    public var sortedBy: [String]
    /// The snapshot version that the rows were read from.
    public var snapshot: Int64?
    /// The identity of the inputs that the rows were read from; `nil` for rows that were pushed.
    public var inputs: Digest?

    public init(
        sourceName: String,
        sourceVersion: Int64,
        object: Digest,
        byteCount: Int,
        rowCount: Int,
        sequences: ClosedRange<Int64>,
        eventTimes: ClosedRange<Int64>,
        knownTimes: ClosedRange<Int64>,
        sortedBy: [String],
        snapshot: Int64? = nil,
        inputs: Digest? = nil
    ) {
        self.sourceName = sourceName
        self.sourceVersion = sourceVersion
        self.object = object
        self.byteCount = byteCount
        self.rowCount = rowCount
        self.sequences = sequences
        self.eventTimes = eventTimes
        self.knownTimes = knownTimes
        self.sortedBy = sortedBy
        self.snapshot = snapshot
        self.inputs = inputs
    }
}

/// A row of the head: pushed and not yet sealed.
public struct HeadRow: Hashable, Sendable {
    public let sequence: Int64
    public let eventTime: Int64
    public let knownAt: Int64
    /// The source's columns, packed.
    public let row: [UInt8]
}

extension Catalog {
    /// Takes `count` places in a source version's history.
    ///
    /// - Returns: the first of them. Places that are never filled leave a gap, which means nothing.
    public func reserveSequences(_ namespace: Int64, source: Int64, count: Int) async throws -> Int64 {
        try await run { connection in
            try Self.reserveSequences(on: connection, namespace, source: source, count: count)
        }
    }

    static func reserveSequences(
        on connection: Connection,
        _ namespace: Int64,
        source: Int64,
        count: Int
    ) throws -> Int64 {
        // A replay continues after everything that was sealed, so that ties fall as they did in the original.
        try connection.query(
            """
            insert into sequences as s (namespace_id, source_version_id, next)
            values ($1, $2, coalesce((select max(last_sequence) from segments where source_version_id = $2), 0) + 1 + $3)
            on conflict (namespace_id, source_version_id) do update set next = s.next + $3 returning next - $3 as first
            """,
            [.int64(namespace), .int64(source), .int64(Int64(count))]
        ).only().int64("first")
    }

    /// Records sealed history, removing the head rows that it replaces.
    ///
    /// - Parameter head: the namespace and last sequence of the head rows that the segment holds.
    public func recordSegment(
        _ segment: NewSegment,
        in project: Int64,
        replacingHead head: (namespace: Int64, through: Int64)? = nil
    ) async throws -> (segment: VersionRecord, isNew: Bool) {
        try await run { connection in
            // Whoever records history of a source waits here for whoever does so already, and then sees what it did.
            _ = try connection.query(
                "select id from versions where id = $1 for update",
                [.int64(segment.sourceVersion)]
            )
            if let inputs = segment.inputs, let known = try Self.ingested(on: connection, project, inputs: inputs) {
                return (known, false)
            }
            var uses: [(version: Int64, role: String)] = [(segment.sourceVersion, "source")]
            if let snapshot = segment.snapshot { uses.append((snapshot, "snapshot")) }
            let recorded = try Self.record(
                NewVersion(
                    name: DefinitionName(kind: .segment, name: segment.sourceName),
                    digest: segment.object,
                    object: segment.object,
                    document: .object(["rows": .int(segment.rowCount), "bytes": .int(segment.byteCount)]),
                    uses: uses,
                    objects: [(segment.object, segment.byteCount)]
                ),
                in: project,
                on: connection
            )
            if recorded.isNew {
                try connection.execute(
                    """
                    insert into segments (version_id, source_version_id, object, row_count, first_sequence, last_sequence,
                        event_times, known_times, sorted_by, inputs)
                    values ($1, $2, $3, $4, $5, $6, tstzrange($7, $8, '[]'), tstzrange($9, $10, '[]'), $11, $12)
                    """,
                    [
                        .int64(recorded.version.id), .int64(segment.sourceVersion), .bytes(segment.object.bytes),
                        .int64(Int64(segment.rowCount)), .int64(segment.sequences.lowerBound),
                        .int64(segment.sequences.upperBound), .timestamp(segment.eventTimes.lowerBound),
                        .timestamp(segment.eventTimes.upperBound), .timestamp(segment.knownTimes.lowerBound),
                        .timestamp(segment.knownTimes.upperBound), .textArray(segment.sortedBy),
                        segment.inputs.parameter,
                    ]
                )
            }
            if let head {
                let replaced = try connection.execute(
                    "delete from history_head where namespace_id = $1 and source_version_id = $2 and sequence <= $3",
                    [.int64(head.namespace), .int64(segment.sourceVersion), .int64(head.through)]
                )
                guard replaced == segment.rowCount else {
                    throw CatalogError(
                        .conflict,
                        "the head of source '\(segment.sourceName)' was sealed by another at the same time; do it again"
                    )
                }
            }
            return (recorded.version, recorded.isNew)
        }
    }

    /// The segment that was made from just these inputs, if there is one.
    public func ingested(_ project: Int64, inputs: Digest) async throws -> VersionRecord? {
        try await read { connection in try Self.ingested(on: connection, project, inputs: inputs) }
    }

    private static func ingested(
        on connection: Connection,
        _ project: Int64,
        inputs: Digest
    ) throws -> VersionRecord? {
        let rows = try connection.query(
            """
            select \(VersionRecord.columns) from segments s join versions v on v.id = s.version_id
            join definitions d on d.id = v.definition_id where d.project_id = $1 and s.inputs = $2 limit 1
            """,
            [.int64(project), .bytes(inputs.bytes)]
        )
        return try rows.first.map { try VersionRecord($0) }
    }

    /// The sealed history of a source version, in sequence order.
    public func segments(of sourceVersion: Int64) async throws -> [SegmentRecord] {
        try await read { connection in
            try connection.query(
                """
                select \(VersionRecord.columns), s.source_version_id, s.object as data, o.byte_count, s.row_count,
                    s.first_sequence, s.last_sequence, s.sorted_by
                from segments s join versions v on v.id = s.version_id join definitions d on d.id = v.definition_id
                join objects o on o.digest = s.object where s.source_version_id = $1 order by s.first_sequence
                """,
                [.int64(sourceVersion)]
            ).map { row in
                SegmentRecord(
                    version: try VersionRecord(row),
                    sourceVersion: try row.int64("source_version_id"),
                    object: try Digest(column: try row.bytes("data")),
                    byteCount: try row.int64("byte_count"),
                    rowCount: try row.int64("row_count"),
                    firstSequence: try row.int64("first_sequence"),
                    lastSequence: try row.int64("last_sequence"),
                    sortedBy: try row.textArray("sorted_by")
                )
            }
        }
    }

    /// The head of a source version in a namespace, in sequence order.
    public func head(_ namespace: Int64, source: Int64) async throws -> [HeadRow] {
        try await read { connection in
            try connection.query(
                """
                select sequence, event_time, known_at, row from history_head
                where namespace_id = $1 and source_version_id = $2 order by sequence
                """,
                [.int64(namespace), .int64(source)]
            ).map { row in
                HeadRow(
                    sequence: try row.int64("sequence"),
                    eventTime: try row.timestamp("event_time"),
                    knownAt: try row.timestamp("known_at"),
                    row: try row.bytes("row")
                )
            }
        }
    }
}
