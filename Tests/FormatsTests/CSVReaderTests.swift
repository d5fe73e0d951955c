import Columns
import Formats
import Testing

@Suite struct CSVReaderTests {
    @Test func readsColumnsByNameInTheSchemasOrder() throws {
        let schema = Schema([Field("c", .string), Field("a", .int64)])
        let batch = try read("a,b,c\n1,x,\"q \"\"r\"\"\"\r\n-2,y,\"two\nlines, one cell\"\n", schema)
        #expect(batch["a"] == Column(.int64, [.int64(1), .int64(-2)]))
        #expect(batch["c"] == Column(.string, [.string("q \"r\""), .string("two\nlines, one cell")]))
        #expect(batch.schema == schema)
    }

    @Test func tellsNullFromTheEmptyString() throws {
        let schema = Schema([Field("s", .string), Field("n", .float64)])
        let batch = try read("s,n\n,\n\"\",1\nNA,NA\n\"NA\",2\n", schema, CSVOptions(nullSpellings: ["NA"]))
        #expect(batch["s"] == Column(.string, [.null, .string(""), .null, .string("NA")]))
        #expect(batch["n"] == Column(.float64, [.null, .float64(1), .null, .float64(2)]))
    }

    @Test func anEmptyLineOfAOneColumnFileIsNull() throws {
        let batch = try read("s\na\n\nb", Schema([Field("s", .string)]))
        #expect(batch["s"] == Column(.string, [.string("a"), .null, .string("b")]))
    }

    @Test func skipsAByteOrderMarkAndTakesAnyDelimiter() throws {
        let batch = try read(
            "\u{FEFF}a;b\n1;x,y",
            Schema([Field("a", .int64), Field("b", .string)]),
            CSVOptions(delimiter: 0x3B)
        )
        #expect(batch["b"] == Column(.string, [.string("x,y")]))
    }

    @Test func aHeaderAloneIsNoRows() throws {
        #expect(try read("a,b\n", Schema([Field("b", .bool)])).rowCount == 0)
        #expect(try read("a,b", Schema([])).rowCount == 0)
    }

    @Test func readsBoolsAndTimestamps() throws {
        let schema = Schema([Field("b", .bool), Field("t", .timestamp)])
        let text = """
            b,t
            true,2013-01-01T10:00:00Z
            f,1969-12-31T23:59:59.999999Z
            1,2013-01-01 12:00:00+02:00
            0,2012-12-31T23:30:00.5-10:30
            T,2016-12-31T23:59:60Z
            FALSE,2000-02-29t00:00:00z
            """
        let batch = try read(text, schema)
        #expect(batch["b"] == Column(.bool, [true, false, true, false, true, false].map { .bool($0) }))
        let micros: [Int64] = [
            1_357_034_400_000_000, -1, 1_357_034_400_000_000, 1_357_034_400_500_000, 1_483_228_800_000_000,
            951_782_400_000_000,
        ]
        #expect(batch["t"] == Column(.timestamp, micros.map { .timestamp($0) }))
        let naive = try read(
            "t\n2013-01-01T10:00:00",
            Schema([Field("t", .timestamp)]),
            CSVOptions(naiveTimestamps: .utc)
        )
        #expect(naive["t"] == Column(.timestamp, [.timestamp(1_357_034_400_000_000)]))
    }

    @Test(arguments: [
        (
            "a,b\n1,2,3\n",
            "'t.csv' line 2: expected 2 fields as in the header, found 3; add or remove delimiters, or quote the cell"
        ),
        (
            "a,b\n1,2\n\n",
            "'t.csv' line 3: expected 2 fields as in the header, found 1; add or remove delimiters, or quote the cell"
        ),
        (
            "a,b\n\"x\n\",2\nx,y\n",
            "'t.csv' line 4 column 2 'b': expected int64 (digits between -9223372036854775808 and 9223372036854775807), "
                + "found 'y'; correct the cell, or declare its spelling as null"
        ),
        (
            "a,b\nx,9223372036854775808\n",
            "'t.csv' line 2 column 2 'b': expected int64 (digits between -9223372036854775808 and 9223372036854775807), "
                + "found '9223372036854775808'; correct the cell, or declare its spelling as null"
        ),
        (
            "a,b\nx,\(String(repeating: "z", count: 100))\n",
            "'t.csv' line 2 column 2 'b': expected int64 (digits between -9223372036854775808 and 9223372036854775807), "
                + "found '\(String(repeating: "z", count: 40))…'; correct the cell, or declare its spelling as null"
        ),
        ("a,b\n\"x,2\n", "'t.csv' line 2 column 1 'a': the quoted cell that begins here never ends; close the quote"),
        (
            "a,b\n\"x\"y,2\n",
            "'t.csv' line 2 column 1 'a': expected a delimiter or the end of the line after the closing quote; "
                + "double inner quotes"
        ),
        (
            "a,b\nx\"y,2\n",
            "'t.csv' line 2 column 1 'a': a quote inside an unquoted cell; quote the whole cell and double the inner quote"
        ),
        (
            "a,b\nx\ry,2\n",
            "'t.csv' line 2 column 1 'a': a carriage return without a line feed; end lines with LF or CRLF, or quote the cell"
        ),
        ("", "'t.csv': the file is empty; expected a header row"),
        ("x,y\n1,2\n", "'t.csv': no column 'a'; the file has 'x', 'y'"),
        ("a,b,a\n1,2,3\n", "'t.csv': the header names column 'a' twice; rename one of the two"),
    ])
    func errorsNameThePlace(text: String, message: String) {
        let error = #expect(throws: CSVError.self) {
            try read(text, Schema([Field("a", .string), Field("b", .int64)]))
        }
        #expect(error?.description == message)
    }

    @Test(arguments: [
        (DataType.timestamp, "2013-01-01T10:00:00"), (.timestamp, "2013-02-29T10:00:00Z"), (.timestamp, "2013-01-01"),
        (.timestamp, "2013-01-01T10:00:00.1234567Z"), (.timestamp, "2013-01-01T24:00:00Z"),
        (.timestamp, "2013-01-01T10:00:00.Z"), (.timestamp, "2013-01-01T10:00:00+0200"), (.bool, "yes"),
        (.bool, "2"), (.int64, "1.0"), (.int64, "+"), (.int64, "-"), (.int64, " 1"), (.int64, "-9223372036854775809"),
        (.float64, "1e999"), (.float64, "1."), (.float64, "e5"), (.float64, "0x10"), (.float64, "1e"),
        (.float64, "--1"),
        (.float32, "3.5e38"), (.bytes, "\\x0"), (.bytes, "00"), (.vector(dimension: 2), "\"[1,2,3]\""),
        (.vector(dimension: 2), "\"[1,x]\""), (.vector(dimension: 1), "1"), (.int64, "\"\""),
    ])
    func refuses(type: DataType, cell: String) throws {
        if cell == "1." {
            // A point may end a number, as in PostgreSQL.
            #expect(try read("v\n\(cell)", Schema([Field("v", type)]))["v"] == Column(type, [.float64(1)]))
            return
        }
        #expect(throws: CSVError.self) { try read("v\n\(cell)", Schema([Field("v", type)])) }
    }

    @Test func refusesTextThatIsNotUTF8() {
        for bytes in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]] {
            // The next cell begins with a continuation byte, so that both together would be well formed.
            let text = Array("s\nok\n".utf8) + bytes + [0x0A, 0xA9, 0x0A]
            let error = #expect(throws: CSVError.self) {
                var reader = try CSVReader(bytes: text, name: "t", schema: Schema([Field("s", .string)]))
                _ = try reader.readAll()
            }
            #expect(error?.line == 3)
            #expect(error?.problem == .invalidUTF8)
        }
    }

    @Test func theFirstFaultInReadingOrderIsReported() throws {
        let schema = Schema([Field("b", .int64), Field("a", .int64)])
        for maxRows in [1, 2, 100] {
            let error = #expect(throws: CSVError.self) {
                var reader = try CSVReader(bytes: Array("a,b\n1,1\n1,x\ny,1\n1\n".utf8), name: "t", schema: schema)
                while try reader.next(maxRows: maxRows) != nil {}
            }
            #expect(error?.line == 3)
            #expect(error?.columnName == "b")
        }
    }

    @Test func thereAreNoRowsAfterAnError() throws {
        let schema = Schema([Field("a", .int64), Field("s", .string)])
        for text in ["a,s\n,x\nx,y\n1,z\n", "a,s\n,x\n1\n1,z\n"] {
            var reader = try CSVReader(bytes: Array(text.utf8), name: "t", schema: schema)
            var isFailed = false
            do throws(CSVError) { _ = try reader.next(maxRows: 10) } catch { isFailed = true }
            let rest = try reader.next(maxRows: 10)
            #expect(isFailed)
            #expect(rest == nil)
        }
    }

    @Test func decimalsAreCorrectlyRounded() throws {
        var random = SeededGenerator(seed: 7)
        var texts = [
            "10.357019999999999", "9007199254740993", "1e23", "8.5e-46", "0.000001", "123456789012345678901234567890",
        ]
        texts += ["2.2250738585072011e-308", "4.9e-324", "1e-400", "0e999", "1.00000017881393432617187499", "16777217"]
        // Halfway between two floats, as decimals a double holds exactly.
        texts += ["1.000000059604644775390625", "1.00000017881393432617187500", "7.0064923216240854e-46"]
        for _ in 0..<400 {
            let digits = String(random.next() >> UInt64.random(in: 0...60, using: &random))
            let point = Int.random(in: 0...digits.count, using: &random)
            let exponent = Int.random(in: -40...30, using: &random)
            texts.append("\(digits.prefix(point)).\(digits.dropFirst(point))e\(exponent)")
        }
        for text in texts {
            let batch = try read("d,f\n\(text),\(text)", Schema([Field("d", .float64)]))
            #expect(batch["d"] == Column(.float64, [Double(text).map { .float64($0) } ?? .null]), "\(text)")
            if let float = Float(text), float.isFinite {
                let batch = try read("d,f\n\(text),\(text)", Schema([Field("f", .float32)]))
                #expect(batch["f"] == Column(.float32, [.float32(float)]), "\(text)")
            }
        }
    }
}
