import Columns
import Expressions
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What PostgreSQL has no counterpart for: buckets, vectors, external functions, `ln(1 + x)`; and long lists.
@Suite struct FunctionTests {
    private func evaluate(_ text: String, _ batch: RecordBatch, _ functions: [ExternalFunction] = []) throws
        -> Evaluation
    {
        try Expression(text, schema: batch.schema, functions: functions).evaluate(batch)
    }

    private func values(_ text: String, _ batch: RecordBatch, _ functions: [ExternalFunction] = []) throws -> [Scalar] {
        let column = try evaluate(text, batch, functions).column
        return (0..<batch.rowCount).map { column[$0] }
    }

    // MARK: Buckets

    /// Made by a program in another language from the specification of XXH64; the same as Spark's `xxhash64`.
    private static let hashes: [(value: Scalar, millionth: Int64, seventh: Int64)] = [
        (.bool(true), 242_920, 2), (.bool(false), 52_121, 3),
        (.int64(0), 287_889, 4), (.int64(1), 846_665, 5), (.int64(-1), 479_439, 3), (.int64(.min), 430_074, 3),
        (.float32(1.5), 579_347, 3), (.float32(-0.0), 52_121, 3), (.float32(-.nan), 632_075, 2),
        (.float64(1.5), 965_900, 4), (.float64(-0.0), 287_889, 4), (.float64(.signalingNaN), 81_917, 3),
        (.string(""), 276_811, 3), (.string("abc"), 71_848, 4), (.string("日本語"), 933_365, 3),
        (.string(String(repeating: "a", count: 33)), 174_835, 5),
        (.bytes(Array(0..<100)), 64_318, 0), (.timestamp(1_357_000_000_123_456), 431_987, 2),
    ]

    @Test(arguments: hashes.indices)
    func bucketsAreStable(index: Int) throws {
        let (value, millionth, seventh) = Self.hashes[index]
        let type = try #require(value.type)
        let batch = RecordBatch(["x": Column(type, [value, .null])])
        #expect(try values("hash_bucket(x, 1000003)", batch) == [.int64(millionth), .null])
        #expect(try values("hash_bucket(x, 7)", batch) == [.int64(seventh), .null])
    }

    @Test func bucketsNeedACount() throws {
        let batch = RecordBatch(["x": Column(.int64, [.int64(1), .int64(1), .int64(1), .null])])
        let counts = RecordBatch([
            "x": Column(.int64, [.int64(1), .int64(1), .int64(1), .null]),
            "n": Column(.int64, [.int64(0), .int64(-3), .null, .int64(0)]),
        ])
        #expect(try evaluate("hash_bucket(x, n)", counts).invalid == Bitmap(words: [0b0011], count: 4))
        #expect(try values("hash_bucket('abc', 7)", batch)[0] == .int64(4))
        #expect(try values("hash_bucket(true, 7)", batch)[2] == .int64(2))
    }

    // MARK: Vectors

    @Test func vectorsAreMultiplied() throws {
        let batch = RecordBatch([
            "v": Column(
                .vector(dimension: 3),
                [.vector([1, 2, 2]), .null, .vector([0, 0, 0]), .vector([0.1, 0.2, 0.3])]
            ),
            "w": Column(
                .vector(dimension: 3),
                [.vector([3, 0, 4]), .vector([1, 1, 1]), .vector([1, 0, 0]), .vector([1e30, 1, 1])]
            ),
            "i": Column(.int64, [.int64(1), .int64(1), .int64(0), .int64(4)]),
        ])
        let tail = Double(Float(0.1)) * Double(Float(1e30)) + Double(Float(0.2)) + Double(Float(0.3))
        #expect(try values("dot(v, w)", batch) == [.float64(11), .null, .float64(0), .float64(tail)])
        #expect(try values("norm(v)", batch).prefix(3) == [.float64(3), .null, .float64(0)])
        let similarity = try evaluate("cosine_similarity(v, w)", batch)
        #expect(similarity.column[0] == .float64(11.0 / 15.0))
        #expect(similarity.invalid == Bitmap(words: [0b0100], count: 4))
        #expect(try values("element(v, 2)", batch) == [.float32(2), .null, .float32(0), .float32(0.2)])
        let elements = try evaluate("element(w, i)", batch)
        #expect(elements.column[0] == .float32(3) && elements.column[1] == .float32(1))
        #expect(elements.invalid == Bitmap(words: [0b1100], count: 4))
    }

    // MARK: External functions

    private static func counter(_ argument: String, identity: [UInt8], edges: [Double]) -> ExternalFunction {
        ExternalFunction(name: "bin", argument: argument, input: .float64, identity: identity) { column in
            guard case .float64(let values) = column else { return .nulls(.int64, count: column.count) }
            return .int64(
                PrimitiveColumn(
                    (0..<values.count).map { row in values[row].map { value in Int64(edges.count { $0 <= value }) } },
                    zero: 0
                )
            )
        }
    }

    @Test func externalFunctionsAreBound() throws {
        let batch = RecordBatch([
            "x": Column(.float64, [.float64(-1), .float64(0), .null, .float64(20)]),
            "i": Column(.int64, [.int64(5), .int64(0), .int64(1), .null]),
        ])
        let functions = [
            Self.counter("wind_bins", identity: [1], edges: [0, 10]),
            Self.counter("wind_bins@3", identity: [2], edges: [5]),
        ]
        #expect(try values("bin(x, wind_bins)", batch, functions) == [.int64(0), .int64(1), .null, .int64(2)])
        #expect(try values("bin(x, 'wind_bins@3') + 1", batch, functions) == [.int64(1), .int64(1), .null, .int64(2)])
        #expect(try values("bin(i, wind_bins)", batch, functions) == [.int64(1), .int64(1), .int64(1), .null])
        #expect(try values("bin(12, wind_bins)", batch, functions)[2] == .int64(2))
        // Undefined stays undefined.
        #expect(try evaluate("bin(1 / i, wind_bins)", batch, functions).invalid == Bitmap(words: [0b0010], count: 4))
        let canonical = try Expression("bin(x, wind_bins)", schema: batch.schema, functions: functions).canonical
        let other = [Self.counter("wind_bins", identity: [9], edges: [0, 10])]
        #expect(try Expression("bin(x, wind_bins)", schema: batch.schema, functions: other).canonical != canonical)
        let error = #expect(throws: ExpressionError.self) {
            try Expression("bin(x, wnd_bins)", schema: batch.schema, functions: functions)
        }
        #expect(
            error?.description == "bin knows no 'wnd_bins'; did you mean 'wind_bins'?\n  bin(x, wnd_bins)\n         ^"
        )
    }

    @Test func namesAreRead() throws {
        let names = try ExpressionNames(
            in: #"case when bin(a + B, 'w@1') in (x, 2) then "B" else bin(a, w) - extract(hour from t) end"#
        )
        #expect(names.columns == ["a", "b", "x", "B", "t"])
        #expect(
            names.externals == [.init(function: "bin", argument: "w@1"), .init(function: "bin", argument: "w")]
        )
        #expect(throws: ExpressionError.self) { try ExpressionNames(in: "a +") }
    }

    // MARK: ln(1 + x)

    /// Against `ln` of a sum whose rounding error is put back, as Kahan does, which is good to a few ulps.
    @Test func logarithmOfOnePlusKeepsSmallNumbers() throws {
        var random = SeededGenerator(seed: 5)
        var numbers: [Double] = [
            0, -0.0, 1e-300, -1e-300, 1e-17, 1e-10, -1e-10, 0.5, -0.5, 1, 1e300, .infinity, -0x1.fffffffffffffp-1,
        ]
        for _ in 0..<500 {
            let exponent = Double.random(in: -18...2, using: &random)
            numbers.append(Double.random(in: -0.99...1, using: &random) * pow(10, exponent > 0 ? 0 : exponent))
        }
        let batch = RecordBatch(["x": Column(.float64, numbers.map { .float64($0) })])
        let result = try evaluate("ln(1 + x)", batch)
        #expect(try evaluate("ln(x + 1.0)", batch) == result && result.invalid == nil)
        for (row, x) in numbers.enumerated() {
            let sum = 1 + x
            let expected = sum == 1 || x == .infinity ? x : log(sum) * (x / (sum - 1))
            guard case .float64(let value) = result.column[row] else { continue }
            #expect(value == expected || abs(value - expected) <= 4 * expected.ulp, "\(x): \(value), \(expected)")
        }
        let edges = RecordBatch([
            "x": Column(.float64, [.float64(-1), .float64(-2), .float64(-.infinity), .float64(.nan), .null])
        ])
        let undefined = try evaluate("ln(1 + x)", edges)
        #expect(undefined.invalid == Bitmap(words: [0b00111], count: 5))
        #expect(undefined.column[3].isIdentical(to: .float64(.nan)))
        // Integers are added as integers.
        let integers = RecordBatch(["i": Column(.int64, [.int64(0)])])
        #expect(try values("ln(1 + i)", integers) == [.float64(0)])
    }

    // MARK: Long lists

    /// A list that is probed gives what a list compared item by item gives.
    @Test func longListsAreProbed() throws {
        let sample = Sample(seed: 77, rows: 200)
        let lists: [(column: String, items: [String])] = [
            ("i", ["0", "1", "-1", "9223372036854775807", "5", "6", "7", "-3", "8", "12"]),
            (
                "x",
                [
                    "0.0", "cast('NaN' as float64)", "1.5", "2.5", "-2.5", "1e16", "710.0",
                    "cast('Infinity' as float64)", "0.1", "3.0",
                ]
            ),
            ("r", ["0", "cast('NaN' as float32)", "cast(0.1 as float32)", "1", "2", "3", "4", "5", "6", "7"]),
            ("s", ["''", "'a'", "'日本語'", "'abc'", "'é'", "' '", "'12'", "'nan'", "'off'", "'it''s'"]),
            ("t", (0..<10).map { "timestamp '1970-01-01' + interval '\($0) us'" }),
        ]
        for (column, items) in lists {
            for list in [items, items + ["null"]] {
                let probed = try evaluate("\(column) in (\(list.joined(separator: ", ")))", sample.batch)
                // Four at a time the items are compared.
                let parts = stride(from: 0, to: list.count, by: 4).map {
                    "\(column) in (\(list[$0..<min($0 + 4, list.count)].joined(separator: ", ")))"
                }
                let compared = try evaluate(parts.joined(separator: " or "), sample.batch)
                #expect(probed == compared, "\(column)")
                #expect(probed.column.nullCount < 200)
            }
        }
        let many = (0..<5000).map { String($0 * 3) }.joined(separator: ", ")
        let batch = RecordBatch(["i": Column(.int64, (0..<300).map { .int64($0) })])
        #expect(try values("i in (\(many))", batch) == (0..<300).map { .bool($0 % 3 == 0) })
        #expect(try evaluate("i not in (\(many), 1 / 0)", batch).invalid?.setCount == 200)
    }
}
