import Columns
import Expressions
import Features
import Testing

@Suite struct SourcePlanTests {
    private let columns = [
        Field("k", .string), Field("at", .timestamp), Field("seen", .timestamp), Field("keep", .bool),
        Field("x", .float64),
    ]

    private func plan(
        knownAt: String? = nil,
        lag: Int64? = nil,
        filter: String? = nil,
        event: EventTime = .column("at")
    )
        throws -> SourcePlan
    {
        try SourcePlan(
            Source(
                name: "s",
                columns: columns,
                eventTime: event,
                knownAt: knownAt,
                availableAfter: lag.map { TimeSpan(microseconds: $0) },
                filter: filter
            )
        )
    }

    private func batch(at: [Int64?], seen: [Int64?]? = nil, keep: [Bool?]? = nil) -> RecordBatch {
        let count = at.count
        return RecordBatch([
            "k": Column(.string, (0..<count).map { .string("k\($0)") }),
            "at": .timestamp(PrimitiveColumn(at, zero: 0)),
            "seen": .timestamp(PrimitiveColumn(seen ?? [Int64?](repeating: nil, count: count), zero: 0)),
            "keep": .bool(PrimitiveColumn(keep ?? [Bool?](repeating: true, count: count), zero: false)),
            "x": Column(.float64, (0..<count).map { .float64(Double($0)) }),
        ])
    }

    @Test func bulkRowsAreKnownAtTheirEventTime() throws {
        let rows = try plan().timed(batch(at: [5, -7]), arrival: nil)
        #expect(rows.eventTimes == [5, -7])
        #expect(rows.knownTimes == [5, -7])
        #expect(rows.filteredCount == 0)
    }

    @Test func pushedRowsAreKnownOnArrivalAndNeverBeforeTheirTime() throws {
        let rows = try plan().timed(batch(at: [5, 99, 100, 101, 200]), arrival: 100)
        #expect(rows.knownTimes == [100, 100, 100, 101, 200])
    }

    /// A declared lag goes before the clock on arrival, a declared column before a lag.
    @Test func whatIsDeclaredGoesFirst() throws {
        #expect(try plan(lag: 10).timed(batch(at: [5, 100]), arrival: 50).knownTimes == [15, 110])
        #expect(try plan(lag: 10).timed(batch(at: [5, 100]), arrival: nil).knownTimes == [15, 110])
        let rows = batch(at: [5, 100, 7], seen: [9, 3, 7])
        #expect(try plan(knownAt: "seen").timed(rows, arrival: 50).knownTimes == [9, 100, 7])
        #expect(try plan(knownAt: "seen", lag: 10).timed(rows, arrival: nil).knownTimes == [9, 100, 7])
    }

    /// Instants outside the years 0000 to 9999 are refused: a sum with a lag could wrap, and no request can name them.
    @Test func instantsThatNoRequestCanNameAreRefused() throws {
        let last: Int64 = 253_402_300_799_999_999
        for (at, lag) in [(Int64.max - 5, Int64(1000)), (last, 1), (.min, 0), (last + 1, 0)] {
            let plan = try plan(lag: lag)
            let fault = #expect(throws: DefinitionError.self) { try plan.timed(batch(at: [at]), arrival: nil) }
            #expect(fault?.description.contains("is outside the years 0000 to 9999") == true)
        }
        #expect(try plan(lag: 1).timed(batch(at: [last - 1]), arrival: nil).knownTimes == [last])
    }

    @Test func theFilterKeepsWhatIsTrue() throws {
        let rows = try plan(filter: "keep").timed(
            batch(at: [1, 2, nil, 4], keep: [true, false, nil, true]),
            arrival: nil
        )
        #expect(rows.eventTimes == [1, 4])
        #expect(rows.filteredCount == 2)
        #expect(rows.batch["k"] == .string(BinaryColumn(["k0", "k3"])))
        #expect(try plan(filter: "null").timed(batch(at: [1]), arrival: nil).batch.rowCount == 0)
        #expect(try plan().timed(batch(at: []), arrival: 3).batch.rowCount == 0)
    }

    @Test func eventTimesMayBeComputed() throws {
        let rows = try plan(lag: 2, event: .expression("coalesce(seen, at) + interval '1 us'"))
            .timed(batch(at: [1, 2], seen: [nil, 9]), arrival: nil)
        #expect(rows.eventTimes == [2, 10])
        #expect(rows.knownTimes == [4, 12])
    }

    @Test func everyKeptRowHasItsTimes() throws {
        let first = #expect(throws: DefinitionError.self) { try plan().timed(batch(at: [1, nil, nil]), arrival: nil) }
        #expect(
            first?.description == "source 's': the event time of row 2 of the rows is missing (2 such rows); "
                + "declare a filter that leaves such rows out"
        )
        let second = #expect(throws: DefinitionError.self) {
            try plan(knownAt: "seen").timed(batch(at: [1, 2], seen: [nil, 2]), arrival: 7)
        }
        #expect(
            second?.description
                == "source 's': the value in known_at column 'seen' of row 1 of the rows is missing; "
                + "give one for every row"
        )
        // A sum past the end of time is undefined.
        let late = try plan(event: .expression("at + interval '1 day'"))
        #expect(throws: DefinitionError.self) { try late.timed(batch(at: [.max]), arrival: nil) }
    }

    /// The row that is named is the row of the input, whatever the filter left out before it.
    @Test func rowsAreNumberedAsGiven() throws {
        let rows = batch(at: [1, 2, nil], keep: [false, true, true])
        let found = #expect(throws: DefinitionError.self) { try plan(filter: "keep").timed(rows, arrival: nil) }
        #expect(found?.description.contains("of row 3 of the rows is missing;") == true, "\(found?.description ?? "")")
    }

    @Test func historyAddsTheThreeClocks() throws {
        let plan = try plan(lag: 1)
        let history = try plan.timed(batch(at: [5, 6]), arrival: nil).history(firstSequence: 40)
        #expect(history.schema == plan.historySchema)
        #expect(history["__event_time"] == .timestamp(PrimitiveColumn([5, 6])))
        #expect(history["__known_at"] == .timestamp(PrimitiveColumn([6, 7])))
        #expect(history["__sequence"] == .int64(PrimitiveColumn([40, 41])))
    }
}
