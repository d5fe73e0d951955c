import Columns
import Expressions
import Testing

/// Casts to text against PostgreSQL's output functions.
@Suite struct TextOutputTests {
    /// Random bits, powers of two and of ten with their neighbours, and integers: where digits are many or midway.
    @Test func floatsAreWrittenAlike() throws {
        let oracle = try PostgresOracle.shared.get()
        var random = SeededGenerator(seed: 3)
        var doubles: [Double] = []
        for exponent in stride(from: -1074, through: 1023, by: 3) {
            doubles.append(Double(sign: .plus, exponent: exponent, significand: 1))
        }
        for exponent in -30...30 {
            let power = Double("1e\(exponent)") ?? 0
            doubles += [power, power.nextUp, power.nextDown]
        }
        doubles += [
            9007199254740991, 9_007_199_254_740_994, 1e15, 999_999_999_999_999, 123456789012345680, 0.0001, 0.00001234,
        ]
        for _ in 0..<1500 {
            doubles.append(Double(bitPattern: random.next()))
            doubles.append(Double(Int64(bitPattern: random.next())))
            doubles.append(Double(Int64.random(in: -100_000_000...100_000_000, using: &random)) / 1000)
        }
        doubles = doubles.filter(\.isFinite)
        var floats = doubles.map { Float($0) }.filter { $0.isFinite && $0 != 0 }
        for exponent in -149...127 { floats.append(Float(sign: .plus, exponent: exponent, significand: 1)) }
        for _ in 0..<1500 { floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))) }
        floats = floats.filter(\.isFinite)
        let script = """
            select unnest(array[\(doubles.map { "'\($0)'" }.joined(separator: ","))]::float8[])::text;
            select unnest(array[\(floats.map { "'\($0)'" }.joined(separator: ","))]::float4[])::text;
            """
        let answers = try oracle.lines(script)
        try #require(answers.count == doubles.count + floats.count)
        try compare(Column(.float64, doubles.map { .float64($0) }), answers.prefix(doubles.count))
        try compare(Column(.float32, floats.map { .float32($0) }), answers.suffix(floats.count))
    }

    private func compare(_ column: Column, _ answers: ArraySlice<String>) throws {
        let batch = RecordBatch(["x": column])
        let texts = try Expression("x::text", schema: batch.schema).evaluate(batch).column
        for (row, answer) in answers.enumerated() {
            #expect(texts[row] == .string(answer), "\(column[row])")
        }
    }
}
