import Columns
import Expressions
import Kernels
import Testing

/// Aggregates over windows within expressions: what is read, what is refused, what is the same.
@Suite struct WindowTests {
    private static let schema = Schema([
        Field("amount", .float64), Field("n", .int64), Field("paid", .bool), Field("name", .string),
        Field("at", .timestamp), Field("v", .vector(dimension: 2)),
    ])

    private func read(_ text: String) throws -> Expression {
        try Expression(text, schema: Self.schema, windows: .allowed)
    }

    @Test func saysWhatIsAggregated() throws {
        let expression = try read("sum(amount * 2) filter (where paid) over 7d / count(*) over 1h30m + n")
        #expect(expression.type == .float64)
        #expect(expression.inputs == ["n"])
        let sum = try #require(expression.windows.first)
        #expect((sum.function, sum.width, sum.type) == (.sum, 604_800_000_000, .float64))
        #expect(sum.argument?.text == expression.text && sum.argument?.inputs == ["amount"])
        #expect(sum.filter?.inputs == ["paid"])
        let count = try #require(expression.windows.last)
        #expect((count.function, count.width, count.type) == (.countRows, 5_400_000_000, .int64))
        #expect(count.argument == nil && count.filter == nil)
        #expect("\(count)" == "count(*) over 1h30m")
    }

    /// Where the whole is evaluated, a window is a column.
    @Test func isEvaluatedOverItsWindows() throws {
        let expression = try read("coalesce(sum(amount) over 7d, 0) > 10 and not paid")
        let rows = RecordBatch([
            expression.windows[0].column: .float64(PrimitiveColumn([11, 9, nil, 12], zero: 0)),
            "paid": .bool(PrimitiveColumn([false, false, false, true])),
        ])
        #expect(expression.evaluate(rows).column == .bool(PrimitiveColumn([true, false, false, false])))
    }

    @Test(arguments: [
        ("sum(amount) over 7d", "SUM ( amount )  OVER '168h'"),
        ("count(distinct name) over 1d", "count_distinct(name) over interval '1 day'"),
        ("stddev(n) over 1h", "stddev_samp(n) over 60m"),
        ("avg(n) filter (where (paid)) over 1d", "avg(n) filter (where paid) over 24h"),
        ("approx_quantile(n, 0.50) over 1d", "approx_quantile(n, 5e-1) over 1d"),
    ])
    func oneMeaningHasOneForm(_ left: String, _ right: String) throws {
        #expect(try read(left).canonical == read(right).canonical)
        #expect(try read(left).windows == read(right).windows)
    }

    /// Everything that can change a value is part of the name.
    @Test func differentWindowsHaveDifferentForms() throws {
        let texts = [
            "sum(n) over 7d", "sum(n) over 8d", "sum(n + 0) over 7d", "avg(n) over 7d",
            "sum(n) filter (where paid) over 7d",
            "sum(n) filter (where not paid) over 7d", "sum(amount) over 7d", "count(*) over 7d", "count(n) over 7d",
            "approx_quantile(n, 0.5) over 7d", "approx_quantile(n, 0.25) over 7d", "count(distinct n) over 7d",
            "min(n) over 7d", "max(n) over 7d", "first(n) over 7d", "last(n) over 7d", "stddev(n) over 7d",
        ]
        #expect(Set(try texts.map { try read($0).canonical }).count == texts.count)
        #expect(Set(try texts.flatMap { try read($0).windows }).count == texts.count)
    }

    @Test func theSameWindowTwiceIsOne() throws {
        #expect(try read("sum(n) over 7d - sum(n) over 7d").windows.count == 1)
        #expect(try read("sum(n) over 7d - sum(n) over 1d").windows.count == 2)
    }

    @Test(arguments: [
        ("sum(n)", "'sum' aggregates rows of history; say over which time, as in sum(x) over 7d", 0),
        ("sun(n) over 7d", "'sun' is not an aggregate; did you mean 'sum'?", 0),
        ("lower(name) over 7d", "'lower' is not an aggregate; these are: avg, count,", 0),
        ("sum(name) over 7d", "'sum' is not defined on string", 4),
        ("sum(paid) over 7d", "'sum' is not defined on bool; cast it to int64 to count where it is true", 4),
        ("max(v) over 7d", "'max' is not defined on vector<float32, 2>", 4),
        ("sum(n) over (partition by n)", "a window is a length of time, as in over 7d", 12),
        ("sum(n) over 7", "expected a length of time such as 7d, 12h or 1h30m, found '7'", 12),
        ("sum(n) over '7 x'", "a window needs a length of time such as 7d, 12h or 1h30m", 12),
        ("sum(n) over 0d", "a window is longer than zero", 12),
        ("sum(n) over interval '1 month'", "a month has no fixed length; give a window in days", 12),
        ("sum(n) filter (where n) over 7d", "'filter' needs bool, found int64; compare it", 21),
        ("sum(n) filter (n > 1) over 7d", "expected 'where' and a condition in 'filter'", 15),
        ("sum(n) filter (where paid)", "expected 'over' and a length of time", 26),
        ("sum(sum(n) over 1d) over 7d", "not within another window", 4),
        ("count() over 7d", "count takes one argument, found 0", 0),
        ("count(*)", "expected 'over' and a length of time, as in count(*) over 7d", 8),
        ("sum(n, n) over 7d", "sum takes one argument, found 2", 0),
        ("approx_quantile(n, 2) over 7d", "the second argument of approx_quantile is a number from 0 to 1", 19),
        ("approx_quantile(n) over 7d", "approx_quantile takes 2 arguments, found 1", 0),
        ("sum(nn) over 7d", "unknown column 'nn'; did you mean 'n'?", 4),
        ("n + 7d", "a number is followed directly by other characters", 4),
    ])
    func saysWhatIsWrong(_ text: String, _ message: String, _ position: Int) {
        let error = #expect(throws: ExpressionError.self) { try read(text) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.position == position)
    }

    @Test func noHistoryNoWindow() {
        let error = #expect(throws: ExpressionError.self) { try Expression("sum(n) over 7d > 1", schema: Self.schema) }
        #expect(error?.message.hasPrefix("there is no history to aggregate here") == true)
    }

    /// Words of windows stay free for columns.
    @Test func wordsStayFree() throws {
        let schema = Schema([Field("over", .int64), Field("filter", .int64), Field("sum", .int64)])
        #expect(try Expression("over + filter + sum", schema: schema).inputs == ["filter", "over", "sum"])
    }
}
