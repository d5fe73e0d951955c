import Columns
import Expressions
import Testing

/// Truth tables over true, false, null and undefined.
@Suite struct LogicTests {
    private enum Truth: String, CaseIterable {
        case yes, no, null, undefined
    }

    /// `a` and `b` hold every pair; a true value of `x` or `y` makes the operand undefined by dividing by zero.
    private static let pairs = Truth.allCases.flatMap { left in Truth.allCases.map { (left, $0) } }

    private static let batch: RecordBatch = {
        func column(_ values: [Truth]) -> Column {
            Column(.bool, values.map { $0 == .yes ? .bool(true) : ($0 == .no ? .bool(false) : .null) })
        }
        func divisor(_ values: [Truth]) -> Column { Column(.int64, values.map { .int64($0 == .undefined ? 0 : 1) }) }
        let (left, right) = (pairs.map(\.0), pairs.map(\.1))
        return RecordBatch(["a": column(left), "x": divisor(left), "b": column(right), "y": divisor(right)])
    }()

    private func evaluate(_ template: String) throws -> [Truth] {
        // The case keeps a null or a truth value, and is undefined where its first condition is.
        let text = template.split(separator: " ").map { word in
            switch word {
            case "A": "(case when 1 / x = 0 then null else a end)"
            case "B": "(case when 1 / y = 0 then null else b end)"
            default: String(word)
            }
        }.joined(separator: " ")
        let result = try Expression(text, schema: Self.batch.schema, expecting: .bool).evaluate(Self.batch)
        return Self.pairs.indices.map { row in
            if result.invalid?[row] ?? false { return result.column[row] == .null ? .undefined : .yes }
            return switch result.column[row] {
            case .bool(let value): value ? .yes : .no
            default: .null
            }
        }
    }

    @Test func conjunctionLetsFalseDecide() throws {
        let expected = Self.pairs.map { left, right -> Truth in
            if left == .no || right == .no { return .no }
            if left == .undefined || right == .undefined { return .undefined }
            return left == .null || right == .null ? .null : .yes
        }
        #expect(try evaluate("A and B") == expected)
    }

    @Test func disjunctionLetsTrueDecide() throws {
        let expected = Self.pairs.map { left, right -> Truth in
            if left == .yes || right == .yes { return .yes }
            if left == .undefined || right == .undefined { return .undefined }
            return left == .null || right == .null ? .null : .no
        }
        #expect(try evaluate("A or B") == expected)
    }

    @Test func unaryTests() throws {
        func table(_ yes: Truth, _ no: Truth, _ null: Truth) -> [Truth] {
            Self.pairs.map { left, _ in
                switch left {
                case .yes: yes
                case .no: no
                case .null: null
                case .undefined: .undefined
                }
            }
        }
        #expect(try evaluate("not A") == table(.no, .yes, .null))
        #expect(try evaluate("A is null") == table(.no, .no, .yes))
        #expect(try evaluate("A is not null") == table(.yes, .yes, .no))
        #expect(try evaluate("A is true") == table(.yes, .no, .no))
        #expect(try evaluate("A is not true") == table(.no, .yes, .yes))
        #expect(try evaluate("A is false") == table(.no, .yes, .no))
        #expect(try evaluate("A is not false") == table(.yes, .no, .yes))
    }

    @Test func equalityAndDistinctness() throws {
        func table(_ result: (Truth, Truth) -> Truth) -> [Truth] {
            Self.pairs.map { $0 == .undefined || $1 == .undefined ? .undefined : result($0, $1) }
        }
        let equal = table { $0 == .null || $1 == .null ? .null : ($0 == $1 ? .yes : .no) }
        #expect(try evaluate("A = B") == equal)
        #expect(try evaluate("A is distinct from B") == table { $0 == $1 ? .no : .yes })
        #expect(try evaluate("A is not distinct from B") == table { $0 == $1 ? .yes : .no })
        #expect(try evaluate("A in ( B )") == equal)
    }

    @Test func branchesNotTakenDoNotCount() throws {
        #expect(
            try evaluate("coalesce( A , B )")
                == Self.pairs.map { $0 == .null ? $1 : $0 }
        )
        #expect(
            try evaluate("case when A then B else true end")
                == Self.pairs.map { $0 == .undefined ? .undefined : ($0 == .yes ? $1 : .yes) }
        )
        #expect(
            try evaluate("greatest( A , B )")
                == Self.pairs.map { left, right in
                    if left == .undefined || right == .undefined { return .undefined }
                    if left == .yes || right == .yes { return .yes }
                    return left == .null && right == .null ? .null : .no
                }
        )
    }

    @Test func literalsFold() throws {
        let rows = RecordBatch(["n": Column(.int64, [.int64(1), .int64(2)])])
        func evaluate(_ text: String) throws -> Evaluation { try Expression(text, schema: rows.schema).evaluate(rows) }
        #expect(try evaluate("1 / 0").invalid == Bitmap(repeating: true, count: 2))
        #expect(
            try evaluate("false and 1 / 0 = 1")
                == Evaluation(column: Column(.bool, [.bool(false), .bool(false)]), invalid: nil)
        )
        #expect(try evaluate("-9223372036854775808").column[1] == .int64(.min))
        #expect(try evaluate("case when n = 1 then 1 / 0 else n end").invalid == Bitmap(words: [1], count: 2))
        #expect(try evaluate("'a' || 'b'").column == Column(.string, [.string("ab"), .string("ab")]))
        #expect(try evaluate("interval '1.5h' > interval '1 day -23:00:00'").column[0] == .bool(true))
        #expect(
            try evaluate("extract(epoch from interval '1 week 2d 3 hr 4m 5.000006 secs')").column[0]
                == .float64(788645.000006)
        )
    }
}
