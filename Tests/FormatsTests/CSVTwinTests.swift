import Columns
import Formats
import Testing

/// A CSV parser as plain as can be: one state machine over bytes, cells as optional strings.
private func naiveRows(_ text: String) -> [[String?]] {
    var rows: [[String?]] = []
    var row: [String?] = []
    var cell: [UInt8] = []
    var isQuoted = false
    var inQuotes = false
    let bytes = Array(text.utf8)
    var position = 0
    func value() -> String? { cell.isEmpty && !isQuoted ? nil : String(decoding: cell, as: UTF8.self) }
    while position < bytes.count {
        let byte = bytes[position]
        if inQuotes {
            if byte == UInt8(ascii: "\"") {
                if position + 1 < bytes.count, bytes[position + 1] == byte {
                    cell.append(byte)
                    position += 1
                } else {
                    inQuotes = false
                }
            } else {
                cell.append(byte)
            }
        } else if byte == UInt8(ascii: "\"") {
            inQuotes = true
            isQuoted = true
        } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") {
            row.append(value())
            cell = []
            isQuoted = false
            if byte == UInt8(ascii: "\n") {
                rows.append(row)
                row = []
            }
        } else if byte != UInt8(ascii: "\r") {
            cell.append(byte)
        }
        position += 1
    }
    return rows
}

@Suite struct CSVTwinTests {
    @Test(arguments: 0..<20)
    func agreesWithTheNaiveParser(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let width = Int.random(in: 1...5, using: &random)
        let parts = ["a", "é", ",", "\"\"", "\n", "\r\n", " ", "x1", "𝄞"]
        var text = (0..<width).map { "c\($0)" }.joined(separator: ",") + "\n"
        for _ in 0..<60 {
            let cells = (0..<width).map { _ -> String in
                switch Int.random(in: 0..<4, using: &random) {
                case 0: return ""
                case 1: return "plain\(random.next() % 100)"
                default:
                    let count = Int.random(in: 0..<6, using: &random)
                    return "\"" + (0..<count).map { _ in parts[Int(random.next() % 9)] }.joined() + "\""
                }
            }
            text += cells.joined(separator: ",") + (Bool.random(using: &random) ? "\n" : "\r\n")
        }
        let expected = naiveRows(text)
        let schema = Schema((0..<width).map { Field("c\($0)", .string) })
        for maxRows in [1, 7, 1_000] {
            var reader = try CSVReader(bytes: Array(text.utf8), name: "t", schema: schema)
            var rows: [[String?]] = [(0..<width).map { "c\($0)" }]
            while let batch = try reader.next(maxRows: maxRows) {
                for row in 0..<batch.rowCount {
                    rows.append(
                        batch.columns.map { if case .string(let text) = $0[row] { text } else { nil } }
                    )
                }
            }
            #expect(rows == expected)
        }
    }

    @Test(arguments: NullPattern.allCases, [0, 1, 150])
    func writtenFilesReadBackTheSame(nulls: NullPattern, rows: Int) throws {
        for delimiter in [UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")] {
            let batch = randomBatch(rows: rows, nulls: nulls, isVaried: true, seed: 3)
            var writer = CSVWriter(schema: batch.schema, delimiter: delimiter)
            try writer.append(batch)
            let options = CSVOptions(delimiter: delimiter)
            var reader = try CSVReader(bytes: writer.takeBytes(), name: "t", schema: batch.schema, options: options)
            #expect(try difference(reader.readAll(), batch) == nil)
        }
    }

    @Test func writesTheDocumentedSpellings() throws {
        let batch = RecordBatch([
            "t": Column(.timestamp, [.timestamp(0), .timestamp(1_500_000), .timestamp(-1), .null]),
            "f": Column(.float32, [.float32(0.1), .float32(-.infinity), .float32(.nan), .null]),
            "s": Column(.string, [.string(""), .string("a,b"), .string("say \"x\""), .null]),
            "b": Column(.bytes, [.bytes([0, 255]), .bytes([]), .bytes([1]), .null]),
            "v": Column(.vector(dimension: 2), [.vector([1, 0.5]), .vector([0, -1]), .null, .null]),
        ])
        var writer = CSVWriter(schema: batch.schema)
        try writer.append(batch)
        let expected = """
            t,f,s,b,v
            1970-01-01T00:00:00Z,0.1,"",\\x00ff,"[1.0,0.5]"
            1970-01-01T00:00:01.500Z,-Infinity,"a,b",\\x,"[0.0,-1.0]"
            1969-12-31T23:59:59.999999Z,NaN,"say ""x\""",\\x01,
            ,,,,

            """
        #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
    }

    @Test func aTimestampBeyondTheYear9999IsRefused() throws {
        let batch = RecordBatch(["t": Column(.timestamp, [.timestamp(0), .timestamp(.max)])])
        var writer = CSVWriter(schema: batch.schema)
        #expect(throws: UnwritableValue.self) { try writer.append(batch) }
        #expect(writer.takeBytes() == Array("t\n".utf8))
    }
}

@Suite struct CSVInferenceTests {
    @Test func findsTheNarrowestTypeThatLosesNothing() throws {
        let text = """
            i,f,b,t,s,zip,big,mixed,none,quoted,known
            1,1,true,2013-01-01T10:00:00Z,x,00501,123456789012345678901,1,,\"7\",1
            -2,2.5,f,2013-01-01T10:00:00.5+01:00,1,10001,1,true,,\"8\",2
            NA,NaN,,NA,,0,,,,,
            """
        let schema = try CSVInference.infer(
            bytes: Array(text.utf8),
            name: "t",
            options: CSVOptions(nullSpellings: ["NA"]),
            known: ["known": .float64]
        )
        #expect(
            schema.fields.map(\.type) == [
                .int64, .float64, .bool, .timestamp, .string, .string, .string, .string, .string, .int64, .float64,
            ]
        )
    }

    @Test func everyCellCountsAndAnInferredSchemaReads() throws {
        let text = "a,b\n" + (0..<2_000).map { "\($0),\($0)" }.joined(separator: "\n") + "\n0.5,x\n"
        let schema = try CSVInference.infer(bytes: Array(text.utf8), name: "t")
        #expect(schema.fields.map(\.type) == [.float64, .string])
        #expect(try read(text, schema).rowCount == 2_001)
    }

    @Test func aQuotedEmptyCellMakesAString() throws {
        #expect(
            try CSVInference.infer(bytes: Array("a,b\n1,1\n\"\",\n".utf8), name: "t").fields.map(\.type) == [
                .string, .int64,
            ]
        )
    }

    @Test func naiveTimestampsAreTextUnlessDeclared() throws {
        let bytes = Array("t\n2013-01-01 10:00:00\n".utf8)
        #expect(try CSVInference.infer(bytes: bytes, name: "t").fields[0].type == .string)
        let options = CSVOptions(naiveTimestamps: .utc)
        #expect(try CSVInference.infer(bytes: bytes, name: "t", options: options).fields[0].type == .timestamp)
    }
}
