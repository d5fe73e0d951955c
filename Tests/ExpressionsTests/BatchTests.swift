import Columns
import Expressions
import Testing

/// A row's value depends on that row alone.
@Suite struct BatchTests {
    @Test(arguments: [21, 22] as [UInt64])
    func batchSizeDoesNotMatter(seed: UInt64) throws {
        let sample = Sample(seed: seed, rows: 130)
        var generator = RandomExpressions(seed: seed)
        for number in 0..<150 {
            let kinds = RandomExpressions.Kind.ofColumns
            let twin = generator.expression(kinds[number % kinds.count], depth: 3)
            guard let expression = try? Expression(twin.ours, schema: Sample.schema) else { continue }
            let whole = expression.evaluate(sample.batch)
            #expect(whole.column.count == 130 && whole.column.type == expression.type)
            for size in number % 30 == 0 ? Array(1...65) : [1, 1 + number % 65, 64] {
                for start in stride(from: 0, to: 130, by: size) {
                    let range = start..<min(start + size, 130)
                    let part = expression.evaluate(sample.batch(range))
                    for row in range {
                        let isSame = part.column[row - start].isIdentical(to: whole.column[row])
                        let isUndefined = part.invalid?[row - start] ?? false
                        #expect(isSame && isUndefined == (whole.invalid?[row] ?? false), "\(twin.ours) at row \(row)")
                    }
                }
            }
            #expect(expression.evaluate(sample.batch(0..<0)).column.count == 0)
        }
    }

    /// Null rows hold zeros, absent bitmaps mean none, and an undefined row is null.
    @Test func resultsAreNormal() throws {
        let sample = Sample(seed: 31, rows: 100)
        var generator = RandomExpressions(seed: 31)
        for number in 0..<200 {
            let kinds = RandomExpressions.Kind.ofColumns
            let twin = generator.expression(kinds[number % kinds.count], depth: 1 + number % 3)
            guard let expression = try? Expression(twin.ours, schema: Sample.schema) else { continue }
            let result = expression.evaluate(sample.batch)
            let rows = (0..<100).map { result.column[$0] }
            let rebuilt = Column(expression.type, rows)
            #expect(rebuilt.validity == result.column.validity, "\(twin.ours)")
            #expect(Self.bits(rebuilt) == Self.bits(result.column), "\(twin.ours)")
            if let invalid = result.invalid {
                #expect(invalid.setCount > 0)
                for row in 0..<100 where invalid[row] { #expect(rows[row] == .null) }
            }
        }
    }

    private static func bits(_ column: Column) -> [UInt64] {
        switch column {
        case .bool(let column): column.values.map { $0 ? 1 : 0 }
        case .int64(let column), .timestamp(let column): column.values.map { UInt64(bitPattern: $0) }
        case .float32(let column): column.values.map { UInt64($0.bitPattern) }
        case .float64(let column): column.values.map(\.bitPattern)
        case .string(let column), .bytes(let column): column.offsets.map { UInt64($0) } + column.data.map { UInt64($0) }
        case .vector(let column): column.values.map { UInt64($0.bitPattern) }
        }
    }

    @Test func otherTypesPassThrough() throws {
        let batch = RecordBatch([
            "v": Column(.vector(dimension: 2), [.vector([1, 2]), .null, .vector([3, 4])]),
            "w": Column(.vector(dimension: 2), [.vector([5, 6]), .vector([7, 8]), .null]),
            "x": Column(.bytes, [.bytes([1]), .bytes([]), .null]),
            "p": Column(.bool, [.bool(true), .bool(false), .null]),
        ])
        func values(_ text: String) throws -> [Scalar] {
            let column = try Expression(text, schema: batch.schema).evaluate(batch).column
            return (0..<3).map { column[$0] }
        }
        #expect(try values("v") == [.vector([1, 2]), .null, .vector([3, 4])])
        #expect(try values("v is null") == [.bool(false), .bool(true), .bool(false)])
        #expect(try values("coalesce(v, w)") == [.vector([1, 2]), .vector([7, 8]), .vector([3, 4])])
        #expect(try values("case when p then v end") == [.vector([1, 2]), .null, .null])
        #expect(try values("coalesce(x, x)") == [.bytes([1]), .bytes([]), .null])
        #expect(try values("x = x") == [.bool(true), .bool(true), .null])
    }

    /// Timestamps PostgreSQL does not have: no trap, and what falls outside is undefined.
    @Test func extremeTimestampsDoNotTrap() throws {
        let batch = RecordBatch([
            "t": Column(.timestamp, [.timestamp(.min), .timestamp(.max), .timestamp(.min + 1), .timestamp(0)])
        ])
        for field in ["epoch", "year", "month", "day", "hour", "minute", "second", "dow", "isodow", "doy"] {
            #expect(try Expression("extract(\(field) from t)", schema: batch.schema).evaluate(batch).invalid == nil)
        }
        for unit in ["second", "minute", "hour", "day", "week", "month", "quarter", "year"] {
            let result = try Expression("date_trunc('\(unit)', t)", schema: batch.schema).evaluate(batch)
            #expect(result.invalid == Bitmap(words: [0b0101], count: 4), "\(unit)")
        }
        let moved = try Expression("t + interval '1 week' - (t - t)", schema: batch.schema).evaluate(batch)
        #expect(moved.invalid == Bitmap(words: [0b0111], count: 4))
    }

    @Test func extraColumnsAndOtherOrdersAreFine() throws {
        let expression = try Expression("a - b", schema: Schema([Field("a", .int64), Field("b", .int64)]))
        let batch = RecordBatch([
            "z": Column(.string, [.string("z")]), "b": Column(.int64, [.int64(2)]), "a": Column(.int64, [.int64(5)]),
        ])
        #expect(expression.evaluate(batch).column[0] == .int64(3))
    }
}
