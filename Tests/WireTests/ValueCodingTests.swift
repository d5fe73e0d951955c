import Columns
import Formats
import Testing
import TimeZones
import Wire

@Suite struct ValueCodingTests {
    private static let extremes: [(type: DataType, values: [Scalar])] = [
        (.bool, [.bool(true), .bool(false)]),
        (.int64, [.int64(.min), .int64(.max), .int64(0), .int64(-1), .int64(9_007_199_254_740_993)]),
        (
            .float32,
            [
                0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 16_777_216,
                1e-7,
            ]
            .map { Scalar.float32($0) }
        ),
        (
            .float64,
            [
                0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 0.1.nextUp,
                9_007_199_254_740_992, 1e22, 2.5e-308,
            ].map { Scalar.float64($0) }
        ),
        (
            .string,
            ["", "NaN", "null", "\"\\\n\0", "é", "e\u{301}", "𝄞", "\u{2028}\u{FEFF}"].map { Scalar.string($0) }
        ),
        (.bytes, [.bytes([]), .bytes([0]), .bytes([255, 254, 0, 1]), .bytes((0...255).map { UInt8($0) })]),
        (
            .timestamp,
            [
                0, -1, 1, 1_000, 1_357_034_400_000_000, -62_167_219_200_000_000, 253_402_300_799_999_999,
                -62_167_219_200_000_001, 253_402_300_800_000_000, .min, .max,
            ].map { Scalar.timestamp($0) }
        ),
        (.vector(dimension: 3), [.vector([0, -0.0, .nan]), .vector([.infinity, 0.1, -.leastNonzeroMagnitude])]),
    ]

    private func isSame(_ left: Scalar, _ right: Scalar) -> Bool {
        if case (.string(let left), .string(let right)) = (left, right) { return left.utf8.elementsEqual(right.utf8) }
        return left.isIdentical(to: right)
    }

    @Test(arguments: extremes) func valuesKeepTheirBits(type: DataType, values: [Scalar]) throws {
        for value in values + [.null] {
            let json = ValueCoding.json(value)
            let read = try ValueCoding.scalar(try JSON(parsing: json.encoded()), type: type, subject: "x")
            #expect(isSame(read, value), "\(value) went as \(json.text) and came as \(read)")
        }
        let elements = (values + [.null]).map(ValueCoding.json)
        let column = try ValueCoding.column(elements, type: type, subject: "x")
        for (row, value) in (values + [.null]).enumerated() { #expect(isSame(column[row], value)) }
    }

    @Test(arguments: 0..<100 as Range<UInt64>) func randomBitsSurvive(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let word = random.next()
        let values: [(DataType, Scalar)] = [
            (.float64, .float64(Double(bitPattern: word))), (.float32, .float32(Float(bitPattern: UInt32(word >> 32)))),
            (.int64, .int64(Int64(bitPattern: word))), (.timestamp, .timestamp(Int64(bitPattern: word))),
        ]
        for (type, value) in values {
            let read = try ValueCoding.scalar(JSON(parsing: ValueCoding.json(value).text), type: type, subject: "x")
            #expect(read.isIdentical(to: value))
        }
    }

    @Test func textIsAsDocumented() {
        #expect(ValueCoding.json(.float32(0.1)).text == "0.1")
        #expect(ValueCoding.json(.float64(.nan)).text == "\"NaN\"")
        #expect(ValueCoding.json(.bytes([1, 2, 255])).text == "\"AQL/\"")
        #expect(ValueCoding.json(.timestamp(1_357_034_400_000_000)).text == "\"2013-01-01T10:00:00Z\"")
        #expect(ValueCoding.json(.timestamp(.min)).text == "-9223372036854775808")
        #expect(ValueCoding.json(.vector([1, -.infinity])).text == "[1.0,\"-Infinity\"]")
        #expect(ValueCoding.json(.null).text == "null")
    }

    @Test(arguments: [
        (DataType.bool, "1"), (.bool, "\"true\""), (.int64, "1.0"), (.int64, "\"1\""), (.int64, "9223372036854775808"),
        (.int64, "1e3"), (.int64, "true"), (.float64, "\"1\""), (.float64, "\"nan\""), (.float64, "true"),
        (.float32, "[]"),
        (.float32, "\"inf\""), (.string, "1"), (.string, "[\"a\"]"), (.bytes, "\"AQL\""), (.bytes, "\"?\""),
        (.bytes, "[1]"),
        (.timestamp, "\"2013-01-01\""),
        (.timestamp, "\"2013-02-30T00:00:00Z\""),
        (.timestamp, "1.5"), (.vector(dimension: 2), "[1]"), (.vector(dimension: 2), "[1,2,3]"),
        (.vector(dimension: 2), "[1,null]"), (.vector(dimension: 2), "[1,\"2\"]"), (.vector(dimension: 2), "1"),
    ]) func otherTypesAreRefused(type: DataType, text: String) throws {
        let json = try JSON(parsing: text)
        let found = #expect(throws: ValueError.self) {
            try ValueCoding.scalar(json, type: type, subject: "join key 'k'")
        }
        #expect(found?.description == "join key 'k' is \(text), expected \(type)")
    }

    @Test func timestampsWithoutAnOffsetNeedAZone() throws {
        let wall = JSON.string("2013-07-01T10:00:00")
        let found = #expect(throws: ValueError.self) {
            try ValueCoding.scalar(wall, type: .timestamp, subject: "column 't'")
        }
        #expect(
            found?.description
                == "column 't' is '2013-07-01T10:00:00', which has no time zone; append Z or an offset, or declare the column's"
        )
        let zone = try TimeZoneRules.named("America/New_York")
        let value = try ValueCoding.scalar(wall, type: .timestamp, subject: "column 't'", naive: .zone(zone))
        #expect(value == .timestamp(1_372_687_200_000_000))
    }

    /// A number too great for its type is not infinity.
    @Test(arguments: [(DataType.float64, "1e999"), (.float32, "1e39"), (.float64, "-1e999")])
    func numbersOutOfRangeAreRefused(type: DataType, text: String) {
        #expect(throws: ValueError.self) { try ValueCoding.scalar(JSON(parsing: text), type: type, subject: "x") }
    }

    @Test func faultsNameTheirRow() {
        let found = #expect(throws: ValueError.self) {
            try ValueCoding.column([.int(1), .string("x")], type: .int64, subject: "column 'n'")
        }
        #expect(found?.description == "column 'n', row 2, is \"x\", expected int64")
    }

    @Test func offsetsAreHonoured() throws {
        let value = try ValueCoding.scalar(.string("2013-01-01T05:00:00.5-05:00"), type: .timestamp, subject: "x")
        #expect(value == .timestamp(1_357_034_400_500_000))
    }
}
