import Columns
import Expressions
import Testing

@Suite struct IntervalTests {
    /// PostgreSQL raises where an interval's months leave its four bytes, also where nothing would be added to.
    @Test(arguments: [
        "t + n * interval '1 month'", "t - interval '1 month' * n",
        "t + (interval '1 month' * n + interval '2 months')",
        "t + -(n * interval '1 month')",
    ])
    func monthsThatNoIntervalHoldsAreUndefined(_ text: String) throws {
        let rows = RecordBatch([
            "t": .timestamp(PrimitiveColumn([nil, 0, nil, nil], zero: 0)),
            "n": .int64(PrimitiveColumn([4_294_967_296, 4_294_967_296, 1, nil], zero: 0)),
        ])
        let found = try Expression(text, schema: rows.schema).evaluate(rows)
        #expect((0..<4).map { found.invalid?[$0] ?? false } == [true, true, false, false])
        #expect(found.column.nullCount == 4)
    }
}
