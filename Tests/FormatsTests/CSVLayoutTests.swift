import Columns
import Formats
import Testing

/// Layouts at the edges of what the scanner takes at once, and files that are damaged.
@Suite struct CSVLayoutTests {
    private let text = Schema([Field("a", .string), Field("b", .string)])

    /// Cells of every length around a scanner's block, plain and quoted, in files that end in each possible way.
    @Test func cellsOfEveryLengthAreFoundWhole() throws {
        for length in 0...200 {
            let plain = String(repeating: "x", count: length)
            let quoted = String(repeating: "\n,", count: length / 2)
            let spoken = String(repeating: "\"", count: length % 70)
            for end in ["\n", "\r\n", ""] {
                let rows = [
                    "a,b", "\(plain),1", "2,\"\(quoted)\"", "\"\(spoken.replacing("\"", with: "\"\""))\",\(plain)",
                ]
                let file = rows.joined(separator: end.isEmpty ? "\n" : end) + end
                let batch = try read(file, text)
                let first: Scalar = plain.isEmpty ? .null : .string(plain)
                #expect(batch["a"] == Column(.string, [first, .string("2"), .string(spoken)]))
                #expect(batch["b"] == Column(.string, [.string("1"), .string(quoted), first]))
            }
        }
    }

    @Test func numbersAtTheStartOfAFileAreRead() throws {
        // Eight bytes before a number are looked at where there are eight.
        for name in ["", "a", "abc", "abcdefgh"] {
            for number in ["1", "-2", "12345678", "123456789", "007"] {
                let batch = try read("\(name)\n\(number)", Schema([Field(name, .int64)]))
                #expect(batch[name] == Column(.int64, [Int64(number).map { .int64($0) } ?? .null]))
                let doubles = try read("\(name)\n\(number)", Schema([Field(name, .float64)]))
                #expect(doubles[name] == Column(.float64, [Double(number).map { .float64($0) } ?? .null]))
            }
        }
    }

    @Test func digitsAreToldFromTheirNeighbours() throws {
        let schema = Schema([Field("n", .int64)])
        for byte in 0...255 as ClosedRange<UInt8> where byte < 48 || byte > 57 {
            for position in 0..<8 where ![0x0A, 0x0D, 0x22, 0x2C].contains(byte) {
                var cell = Array("12345678".utf8)
                cell[position] = byte
                // A sign at the start is the one that belongs.
                let isSigned = position == 0 && (byte == 0x2B || byte == 0x2D)
                let bytes = Array("n\n99999999\n".utf8) + cell
                var reader = try CSVReader(bytes: bytes, name: "t", schema: schema)
                do throws(CSVError) {
                    _ = try reader.readAll()
                    #expect(isSigned)
                } catch {
                    #expect(!isSigned && error.line == 3)
                }
            }
        }
    }

    @Test func aLineIsARow() throws {
        let one = Schema([Field("s", .string)])
        #expect(try read("s\r\n\r\na\r\n", one)["s"] == Column(.string, [.null, .string("a")]))
        #expect(try read("s\na\n\n", one)["s"] == Column(.string, [.string("a"), .null]))
        #expect(try read("s\n\"\"\n", one)["s"] == Column(.string, [.string("")]))
        // A byte order mark alone is no header; an empty first line is one, of an empty name.
        #expect(throws: CSVError.self) { try read("\u{FEFF}", Schema([])) }
        #expect(try read("\n1\n", Schema([Field("", .int64)])).rowCount == 1)
    }

    @Test func wideRowsAndLongCells() throws {
        let names = (0..<3_000).map { "c\($0)" }
        let wide = names.joined(separator: ",") + "\n" + names.indices.map(String.init).joined(separator: ",")
        let batch = try read(wide, Schema(names.map { Field($0, .int64) }))
        #expect(batch.columns.enumerated().allSatisfy { $1 == Column(.int64, [.int64(Int64($0))]) })
        let long = String(repeating: "0123456é", count: 20_000)
        #expect(
            try read("a,b\n\(long),\"\(long)\"\n", text).columns == [
                Column(.string, [.string(long)]), Column(.string, [.string(long)]),
            ]
        )
    }

    @Test func batchesHoldTheRowsAskedFor() throws {
        let file = "a,b\n" + (0..<5_000).map { "x\($0),y" }.joined(separator: "\n")
        var reader = try CSVReader(bytes: Array(file.utf8), name: "t", schema: text)
        var counts: [Int] = []
        while let batch = try reader.next(maxRows: 2_047) {
            #expect(batch.columns[0][0] == .string("x\(counts.reduce(0, +))"))
            counts.append(batch.rowCount)
        }
        #expect(counts == [2_047, 2_047, 906])
    }

    /// Floats with few and many digits, at the edges of ranges and between neighbours.
    @Test func floatsAreTheNearest() throws {
        var random = SeededGenerator(seed: 31)
        var texts = ["2.2250738585072014e-308", "1.7976931348623157e308", "9007199254740993", "4503599627370497.5"]
        texts += ["1.7976931348623159e308", "5e-324", "2.4703282292062327e-324", "1e-342", "9223372036854775808e-5"]
        texts += ["1e23", "8.98846567431158e307", "6929495644600919.5", "3.0e-39", "1.1754943508222875e-38"]
        for _ in 0..<500 {
            let value = Double(bitPattern: random.next())
            if value.isFinite { texts.append("\(value)") }
            // Nineteen digits and any exponent; then ties between two doubles, and near ones.
            texts.append("\(random.next() / 10)e\(Int.random(in: -345...295, using: &random))")
            let even = 1 << 54 + random.next() >> 11
            texts.append("\(even | 2)")
            texts.append("\(even | 2).000000000000000000001")
            texts.append("\(Double(random.next() >> 40) / 1024)")
        }
        let expected = texts.map { Double($0) ?? .nan }
        let finite = zip(texts, expected).filter { $1.isFinite }
        let batch = try read(
            "d,f\n" + finite.map { "\($0.0),\(abs($0.1) < 1e38 ? $0.0 : "0")" }.joined(separator: "\n"),
            Schema([Field("d", .float64), Field("f", .float32)])
        )
        for (row, (text, value)) in finite.enumerated() {
            #expect(batch.columns[0][row].isIdentical(to: .float64(value)), "\(text)")
            if abs(value) < 1e38 {
                #expect(batch.columns[1][row].isIdentical(to: .float32(Float(text) ?? .nan)), "\(text)")
            }
        }
        for (text, value) in zip(texts, expected) where value.isInfinite {
            #expect(throws: CSVError.self) { try read("d\n\(text)", Schema([Field("d", .float64)])) }
        }
    }

    @Test(arguments: [
        (
            "t\n2013-01-01T10:00:00\n", DataType.timestamp,
            "'t.csv' line 2 column 1 't': expected a timestamp with a time zone, found '2013-01-01T10:00:00'; append Z or an "
                + "offset, or declare a time zone"
        ),
        (
            "t\n\n2013-13-01T10:00:00Z\n", .timestamp,
            "'t.csv' line 3 column 1 't': expected timestamp (RFC 3339, for example 2013-01-01T10:00:00Z), found "
                + "'2013-13-01T10:00:00Z'; correct the cell, or declare its spelling as null"
        ),
        (
            "t\n\"[1,2,3]\"\n", .vector(dimension: 2),
            "'t.csv' line 2 column 1 't': expected a vector of 2 elements, found 3"
        ),
        (
            "t\n\"[1;2]\"\n", .vector(dimension: 2),
            "'t.csv' line 2 column 1 't': expected vector<float32, 2> (a quoted list such as [0.5, 1]), found '[1;2]'; correct "
                + "the cell, or declare its spelling as null"
        ),
        (
            "t\nyes\n", .bool,
            "'t.csv' line 2 column 1 't': expected bool (true, false, t, f, 1 or 0), found 'yes'; correct the cell, or declare "
                + "its spelling as null"
        ),
        (
            "t\n1e400\n", .float64,
            "'t.csv' line 2 column 1 't': expected float64 (a decimal number in range, NaN or Infinity), found '1e400'; "
                + "correct the cell, or declare its spelling as null"
        ),
        (
            "t\n\"x\ny\tz\"\n", .bytes,
            "'t.csv' line 2 column 1 't': expected bytes (hexadecimal digits after \\x), found 'x\\ny\\tz'; correct the cell, or "
                + "declare its spelling as null"
        ),
        ("\"t\n1\n", .int64, "'t.csv' line 1 column 1: the quoted cell that begins here never ends; close the quote"),
    ])
    func errorsSayWhatWasExpected(file: String, type: DataType, message: String) {
        let error = #expect(throws: CSVError.self) { try read(file, Schema([Field("t", type)])) }
        #expect(error?.description == message)
    }

    @Test func theHeaderAndTheDelimiterAreChecked() {
        let error = #expect(throws: CSVError.self) {
            _ = try CSVReader(bytes: [0x61, 0x2C, 0xFF, 0x0A], name: "t.csv", schema: Schema([]))
        }
        #expect(
            error?.description == "'t.csv' line 1 column 2: the text is not valid UTF-8; convert the file to UTF-8"
        )
        for delimiter in ["\"", "\r", "\n"].map({ Array($0.utf8)[0] }) {
            let error = #expect(throws: CSVError.self) {
                try read("a", Schema([]), CSVOptions(delimiter: delimiter))
            }
            #expect(error?.problem == .badDelimiter(delimiter))
        }
    }

    @Test func damageThrowsAndNeverTraps() throws {
        let batch = randomBatch(rows: 60, nulls: .some, isVaried: true, seed: 41)
        var writer = CSVWriter(schema: batch.schema)
        try writer.append(batch)
        let bytes = writer.takeBytes()
        var random = SeededGenerator(seed: 42)
        let marks = Array("\",\n\r0-.eN\\[".utf8) + [0, 0x80, 0xFF]
        for round in 0..<450 {
            var damaged = bytes
            switch round % 3 {
            case 0: damaged.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            case 1:
                for _ in 0...Int.random(in: 0..<4, using: &random) {
                    damaged[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8(random.next() % 8)
                }
            default:
                for _ in 0...Int.random(in: 0..<4, using: &random) {
                    let mark = marks[Int.random(in: 0..<marks.count, using: &random)]
                    damaged[Int.random(in: 0..<bytes.count, using: &random)] = mark
                }
            }
            do throws(CSVError) {
                var reader: CSVReader
                do { reader = try CSVReader(bytes: damaged, name: "t", schema: batch.schema) } catch { continue }
                while let rows = try reader.next(maxRows: 17) { #expect(rows.rowCount <= 17) }
            } catch {
                #expect(error.line != nil)
            }
            _ = try? CSVInference.infer(bytes: damaged, name: "t")
        }
    }
}
