import Columns
import Formats

/// A small generator with a seed, so that every run draws the same data.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

enum NullPattern: CaseIterable {
    case none
    case some
    case all
    case runs
}

let allTypes: [DataType] = [
    .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 1), .vector(dimension: 3),
]

/// Values of one type, edge cases among them.
///
/// With few distinct values a dictionary pays.
func randomColumn(
    _ type: DataType,
    rows: Int,
    nulls: NullPattern,
    isVaried: Bool,
    _ random: inout SeededGenerator
) -> Column {
    let words = ["", "a", "naïve", "comma, \"quote\"", "line\nbreak\r\n", "NA", " ", "𝄞", "\u{FEFF}x", "0"]
    let doubles = [
        0.0, -0.0, 1.5, -.infinity, .infinity, .nan, .leastNonzeroMagnitude, 1.7976931348623157e308, 0.1, 1e22,
        123456.789,
    ]
    let floats: [Float] = [
        0, -0.0, 1.5, -.infinity, .infinity, .nan, .leastNonzeroMagnitude, 3.4028235e38, 0.1, 16777216,
    ]
    let integers = [Int64.min, .max, 0, -1, 1, 42]
    let times: [Int64] = [-62_167_219_200_000_000, 253_402_300_799_999_999, 0, -1, 1_357_034_400_000_000, 1_000]
    var values: [Scalar] = []
    for row in 0..<rows {
        let isNull =
            switch nulls {
            case .none: false
            case .some: Bool.random(using: &random)
            case .all: true
            case .runs: row / 70 % 2 == 1
            }
        if isNull {
            values.append(.null)
            continue
        }
        let isEdge = !isVaried || Int.random(in: 0..<4, using: &random) == 0
        switch type {
        case .bool: values.append(.bool(Bool.random(using: &random)))
        case .int64:
            let edge = integers[Int.random(in: 0..<integers.count, using: &random)]
            values.append(.int64(isEdge ? edge : Int64.random(in: .min ... .max, using: &random)))
        case .float32:
            let edge = floats[Int.random(in: 0..<floats.count, using: &random)]
            values.append(.float32(isEdge ? edge : Float.random(in: -1e6...1e6, using: &random)))
        case .float64:
            let edge = doubles[Int.random(in: 0..<doubles.count, using: &random)]
            values.append(.float64(isEdge ? edge : Double.random(in: -1e6...1e6, using: &random)))
        case .timestamp:
            let edge = times[Int.random(in: 0..<times.count, using: &random)]
            values.append(.timestamp(isEdge ? edge : Int64.random(in: times[0]...times[1], using: &random)))
        case .string:
            let edge = words[Int.random(in: 0..<words.count, using: &random)]
            values.append(.string(isEdge ? edge : "\(random.next())-\(edge)"))
        case .bytes:
            let length = isEdge ? 1 : Int.random(in: 0..<20, using: &random)
            values.append(.bytes((0..<length).map { _ in UInt8.random(in: isEdge ? 0...3 : 0...255, using: &random) }))
        case .vector(let dimension):
            values.append(
                .vector((0..<dimension).map { _ in floats[Int.random(in: 0..<floats.count, using: &random)] })
            )
        }
    }
    return Column(type, values)
}

/// One column of each type.
func randomBatch(rows: Int, nulls: NullPattern, isVaried: Bool, seed: UInt64) -> RecordBatch {
    var random = SeededGenerator(seed: seed)
    let columns = allTypes.map { randomColumn($0, rows: rows, nulls: nulls, isVaried: isVaried, &random) }
    let fields = allTypes.map { Field("a \($0)", $0) }
    return RecordBatch(schema: Schema(fields), columns: columns, rowCount: rows)
}

/// The first difference of two batches to the bit, NaN being any NaN; `nil` where there is none.
func difference(_ left: RecordBatch, _ right: RecordBatch) -> String? {
    if left.schema != right.schema { return "schemas \(left.schema.fields) and \(right.schema.fields)" }
    if left.rowCount != right.rowCount { return "\(left.rowCount) and \(right.rowCount) rows" }
    for (position, field) in left.schema.fields.enumerated() {
        for row in 0..<left.rowCount {
            let (a, b) = (left.columns[position][row], right.columns[position][row])
            if !a.isIdentical(to: b) { return "row \(row) of \(field.name): \(a) and \(b)" }
        }
        if left.columns[position].validity != right.columns[position].validity { return "validity of \(field.name)" }
    }
    return nil
}

func read(_ text: String, _ schema: Schema, _ options: CSVOptions = CSVOptions()) throws -> RecordBatch {
    var reader = try CSVReader(bytes: Array(text.utf8), name: "t.csv", schema: schema, options: options)
    return try reader.readAll()
}
