import Columns
import Expressions
import Kernels

/// A source whose expressions are typed and planned: turns raw rows into timed history rows.
public struct SourcePlan: Sendable {
    public let source: Source
    /// The declared columns.
    public let schema: Schema
    public let eventTime: Expression
    public let filter: Expression?

    /// The columns that history adds to the source's own.
    public static let historyFields = [
        Field("__event_time", .timestamp), Field("__known_at", .timestamp), Field("__sequence", .int64),
    ]

    public init(_ source: Source) throws(DefinitionError) {
        let schema = Schema(source.columns)
        self.source = source
        self.schema = schema
        let place = "source '\(source.name)'"
        for field in source.columns where field.name.hasPrefix("__") {
            throw DefinitionError(place: place, message: "column '\(field.name)' begins with '__', which is reserved")
        }
        func requireTimestamp(_ column: String, _ role: String) throws(DefinitionError) {
            guard let type = schema.type(of: column) else {
                let names = source.columns.map(\.name)
                throw DefinitionError(
                    place: place,
                    message:
                        "\(role) names column '\(column)', which the source does not have\(suggestion(for: column, among: names))"
                )
            }
            guard type == .timestamp else {
                throw DefinitionError(
                    place: place,
                    message:
                        "\(role) column '\(column)' is \(type), expected timestamp; declare it as timestamp or use an expression"
                )
            }
        }
        let text: String
        switch source.eventTime {
        case .column(let column):
            try requireTimestamp(column, "event_time")
            text = quoted(column)
        case .expression(let expression): text = expression
        }
        if let column = source.knownAt { try requireTimestamp(column, "known_at") }
        do {
            self.eventTime = try Expression(text, schema: schema, expecting: .timestamp)
        } catch {
            throw DefinitionError(place: place, message: "event_time: \(error)")
        }
        do {
            self.filter =
                if let filter = source.filter { try Expression(filter, schema: schema, expecting: .bool) } else { nil }
        } catch {
            throw DefinitionError(place: place, message: "filter: \(error)")
        }
    }

    /// The schema of history: the source's columns, then event time, known-at and sequence.
    public var historySchema: Schema { Schema(schema.fields + Self.historyFields) }

    /// Times rows by the three clocks and drops those that the filter leaves out.
    ///
    /// - Parameters:
    ///   - batch: the source's columns, by name.
    ///   - arrival: the service's clock for rows pushed live; `nil` for bulk loads, which are taken as known at their
    ///     event time unless the source says otherwise.
    /// - Throws: `DefinitionError` when a kept row has no event time or no declared known-at.
    public func timed(_ batch: RecordBatch, arrival: Int64?) throws(DefinitionError) -> TimedRows {
        var rows = batch
        var filteredCount = 0
        if let filter {
            let kept = Self.trueRows(filter.evaluate(batch).column)
            filteredCount = batch.rowCount - kept.count
            if filteredCount > 0 { rows = batch.take(kept) }
        }
        guard case .timestamp(let events) = eventTime.evaluate(rows).column else {
            preconditionFailure("an event time expression gives timestamps")
        }
        try require(events, "event time", rows: rows, hint: "declare a filter that leaves such rows out")
        var known: [Int64]
        if let column = source.knownAt, case .timestamp(let times) = rows[column] {
            try require(times, "value in known_at column '\(column)'", rows: rows, hint: "give one for every row")
            known = times.values
        } else if let lag = source.availableAfter {
            known = events.values.map { $0.addingReportingOverflow(lag.microseconds).partialValue }
        } else if let arrival {
            known = [Int64](repeating: arrival, count: rows.rowCount)
        } else {
            known = events.values
        }
        for row in known.indices where known[row] < events.values[row] { known[row] = events.values[row] }
        return TimedRows(batch: rows, eventTimes: events.values, knownTimes: known, filteredCount: filteredCount)
    }

    private func require(
        _ column: PrimitiveColumn<Int64>,
        _ what: String,
        rows: RecordBatch,
        hint: String
    ) throws(DefinitionError) {
        guard column.nullCount > 0, let first = (0..<column.count).first(where: { !column.isValid($0) }) else { return }
        throw DefinitionError(
            place: "source '\(source.name)'",
            message:
                "\(column.nullCount) of \(rows.rowCount) rows have no \(what), the first being row \(first + 1); \(hint)"
        )
    }

    private static func trueRows(_ column: Column) -> [Int] {
        guard case .bool(let values) = column else { preconditionFailure("a filter gives booleans") }
        return (0..<values.count).filter { values.values[$0] && values.isValid($0) }
    }
}

/// Rows with their event and known-at times, in input order.
public struct TimedRows: Sendable {
    /// The source's columns.
    public let batch: RecordBatch
    public let eventTimes: [Int64]
    /// Never before the event time.
    public let knownTimes: [Int64]
    /// How many rows the source's filter left out.
    public let filteredCount: Int

    /// The rows as history: the source's columns, event time, known-at, and sequences from `firstSequence` on.
    public func history(firstSequence: Int64) -> RecordBatch {
        let sequences = (0..<Int64(batch.rowCount)).map { firstSequence + $0 }
        return RecordBatch(
            schema: Schema(batch.schema.fields + SourcePlan.historyFields),
            columns: batch.columns + [
                .timestamp(PrimitiveColumn(eventTimes)), .timestamp(PrimitiveColumn(knownTimes)),
                .int64(PrimitiveColumn(sequences)),
            ],
            rowCount: batch.rowCount
        )
    }
}

/// A column name as the feature language quotes it.
func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
