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

    /// Instants that RFC 3339 can write: the years 0000 to 9999.
    private static let instants: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999

    /// Times rows by the three clocks and drops those that the filter leaves out.
    ///
    /// - Parameters:
    ///   - batch: the source's columns, by name.
    ///   - arrival: the service's clock for rows pushed live; `nil` for bulk loads, which are taken as known at their
    ///     event time unless the source says otherwise.
    ///   - origin: what the rows were read from, and the number of the first of them, for messages.
    /// - Throws: `DefinitionError` when a kept row has no event time or no declared known-at, or one outside the years
    ///   0000 to 9999.
    public func timed(
        _ batch: RecordBatch,
        arrival: Int64?,
        origin: (name: String, firstRow: Int) = ("the rows", 1)
    ) throws(DefinitionError) -> TimedRows {
        var rows = batch
        var kept = Array(0..<batch.rowCount)
        if let filter {
            kept = Self.trueRows(filter.evaluate(batch).column)
            if kept.count < batch.rowCount { rows = batch.take(kept) }
        }
        guard case .timestamp(let events) = eventTime.evaluate(rows).column else {
            preconditionFailure("an event time expression gives timestamps")
        }
        let place = (name: origin.name, rows: kept, firstRow: origin.firstRow)
        try check(events, "event time", hint: "declare a filter that leaves such rows out", place)
        var known: [Int64]
        if let column = source.knownAt, case .timestamp(let times)? = rows[column] {
            try check(times, "value in known_at column '\(column)'", hint: "give one for every row", place)
            known = times.values
        } else if let lag = source.availableAfter {
            // Both are far from the ends of 64 bits: the lag because its sum must be an instant too.
            known = events.values.map { $0.addingReportingOverflow(lag.microseconds).partialValue }
            try check(
                PrimitiveColumn(known),
                "instant at which it is available",
                hint: "shorten available_after",
                place
            )
        } else if let arrival {
            known = [Int64](repeating: arrival, count: rows.rowCount)
        } else {
            known = events.values
        }
        for row in known.indices where known[row] < events.values[row] { known[row] = events.values[row] }
        return TimedRows(
            batch: rows,
            eventTimes: events.values,
            knownTimes: known,
            filteredCount: batch.rowCount - kept.count
        )
    }

    private func check(
        _ column: PrimitiveColumn<Int64>,
        _ what: String,
        hint: String,
        _ place: (name: String, rows: [Int], firstRow: Int)
    ) throws(DefinitionError) {
        func isMissing(_ row: Int) -> Bool { !column.isValid(row) || !Self.instants.contains(column.values[row]) }
        guard let first = (0..<column.count).first(where: isMissing) else { return }
        let count = (first..<column.count).count(where: isMissing)
        let found = column.isValid(first) ? "is outside the years 0000 to 9999" : "is missing"
        throw DefinitionError(
            place: "source '\(source.name)'",
            message: "the \(what) of row \(place.firstRow + place.rows[first]) of \(place.name) \(found)"
                + "\(count > 1 ? " (\(count) such rows)" : ""); \(hint)"
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
