import Columns
import Formats
import Testing
import TimeZones

@Suite struct ArrowForeignTests {
    private func column(_ type: DataType, _ value: (Int) -> Scalar) -> Column { Column(type, (0..<20).map(value)) }

    private func text(_ number: Int, digits: Int) -> String {
        let padded = String(repeating: "0", count: digits) + String(abs(number))
        let whole = String(abs(number)).count > digits ? String(String(abs(number)).dropLast(digits)) : "0"
        return (number < 0 ? "-" : "") + whole + "." + padded.suffix(digits)
    }

    @Test func everyTypeIsReadOrRefusedByName() throws {
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: .utc)
        let refused = ["struct", "map", "interval", "ragged", "doubles", "lview", "ree", "union", "dense"]
        #expect(file.refusedColumns.keys.sorted() == refused.sorted())
        #expect(file.refusedColumns["struct"] == "its type is struct<a: int64, b: string>, which is not read")
        #expect(file.refusedColumns["ragged"]?.contains("row 0 has 0 elements") == true)
        let batch = try file.read(columns: file.schema.fields.map(\.name))
        #expect(batch["null"] == .nulls(.string, count: 20))
        #expect(batch["i8"] == column(.int64) { $0 % 7 == 0 ? .null : .int64(Int64($0 - 10)) })
        #expect(batch["u16"] == column(.int64) { .int64(Int64($0 * 3_000)) })
        #expect(batch["i32"] == column(.int64) { .int64(Int64($0) * -100_000_000) })
        #expect(batch["u32"] == column(.int64) { .int64(4_294_967_295 - Int64($0)) })
        #expect(batch["u64"] == column(.int64) { .int64(.max - Int64($0)) })
        #expect(batch["f16"] == column(.float32) { $0 % 6 == 0 ? .null : .float32(Float($0) / 8) })
        #expect(batch["utf8"] == column(.string) { $0 % 4 == 0 ? .null : .string("text \($0) naïve") })
        #expect(
            batch["view"]
                == column(.string) { $0 % 5 == 0 ? .null : .string(String(repeating: "view ", count: $0 % 5)) }
        )
        #expect(batch["bview"] == column(.bytes) { .bytes([UInt8](repeating: UInt8($0), count: $0)) })
        #expect(batch["bin"] == column(.bytes) { $0 % 3 == 0 ? .null : .bytes([UInt8($0), 255]) })
        #expect(batch["fixed"] == column(.bytes) { $0 % 9 == 0 ? .null : .bytes([UInt8($0), 1, 2]) })
        #expect(
            batch["uuid"]
                == column(.string) {
                    .string("00000000-0000-0000-0000-0000000000" + ($0 < 16 ? "0" : "") + String($0, radix: 16))
                }
        )
        #expect(batch["last"] == column(.int64) { .int64(Int64($0 * 11)) })
    }

    @Test func decimalsKeepTheirDigits() throws {
        let names = ["dec", "dec0", "dec256", "dec32"]
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: .utc)
        let batch = try file.read(columns: names)
        #expect(
            batch["dec"] == column(.string) { $0 % 8 == 0 ? .null : .string(text($0 * 1_234 - 10_000, digits: 3)) }
        )
        #expect(batch["dec0"] == column(.int64) { .int64(Int64($0 - 10) * 1_000_000_000_000) })
        let zeros = String(repeating: "0", count: 28)
        #expect(
            batch["dec256"] == column(.string) { .string($0 == 10 ? "0.00" : "\($0 - 10)\(zeros).00") }
        )
        #expect(batch["dec32"] == column(.string) { .string(text($0 - 10, digits: 2)) })
        let types: [String: DataType] = ["dec": .float64, "dec0": .string, "dec32": .float64, "dec256": .int64]
        let other = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: .utc, types: types)
        let asked = try other.read(columns: ["dec", "dec0", "dec32"])
        #expect(
            asked["dec"] == column(.float64) { $0 % 8 == 0 ? .null : .float64(Double($0 * 1_234 - 10_000) / 1_000) }
        )
        #expect(asked["dec0"] == column(.string) { .string($0 == 10 ? "0" : "\($0 - 10)000000000000") })
        #expect(asked["dec32"] == column(.float64) { .float64(Double($0 - 10) / 100) })
        #expect(other.refusedColumns["dec256"] == "its type is decimal256(60, 2), which cannot be read as int64")
    }

    @Test func timesBecomeMicroseconds() throws {
        let names = ["s", "ms", "ns", "naive", "date", "date64", "time", "time64", "duration"]
        let batch = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: .utc).read(columns: names)
        #expect(batch["s"] == column(.timestamp) { .timestamp(Int64($0) * 1_000_000) })
        #expect(batch["ms"] == column(.timestamp) { .timestamp(Int64($0 + 1) * 1_000) })
        #expect(batch["ns"] == column(.timestamp) { $0 % 5 == 0 ? .null : .timestamp(-Int64($0)) })
        #expect(batch["naive"] == column(.timestamp) { .timestamp(Int64($0)) })
        let day: Int64 = 86_400_000_000
        #expect(batch["date"] == column(.timestamp) { .timestamp((Int64($0) * 100 - 1_000) * day) })
        #expect(batch["date64"] == batch["date"])
        #expect(batch["time"] == column(.int64) { .int64(Int64($0) * 7_000_000) })
        #expect(batch["time64"] == column(.int64) { .int64(Int64($0)) })
        #expect(batch["duration"] == column(.int64) { .int64(-Int64($0) * 1_000) })
    }

    @Test func naiveTimesGoByTheirColumnsRule() throws {
        let refusing = try ArrowFile(bytes: ForeignArrow.everyType, name: "t")
        let reason = "its type is timestamp[us], without a time zone; write it as UTC, or declare a time zone"
        #expect(refusing.refusedColumns["naive"] == reason)
        #expect(refusing.refusedColumns["date"] != nil)
        let error = #expect(throws: MalformedFile.self) { try refusing.read(columns: ["last", "naive"]) }
        #expect(error?.detail == "column 'naive': \(reason)")
        let newYork = try TimeZoneRules.named("America/New_York")
        let rule = NaiveTimestamps(.refuse, columns: ["date": .zone(newYork), "naive": .utc])
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: rule)
        let batch = try file.read(columns: ["naive", "date"])
        #expect(batch["naive"] == column(.timestamp) { .timestamp(Int64($0)) })
        #expect(
            batch["date"]
                == column(.timestamp) { .timestamp(newYork.utc(wall: (Int64($0) * 100 - 1_000) * 86_400_000_000)) }
        )
    }

    @Test func listsOfOneLengthAreVectors() throws {
        let batch = try ArrowFile(bytes: ForeignArrow.everyType, name: "t").read(columns: ["fsl", "list"])
        #expect(batch["fsl"] == column(.vector(dimension: 2)) { $0 % 9 == 0 ? .null : .vector([Float($0), 0.5]) })
        #expect(batch["list"] == column(.vector(dimension: 3)) { $0 < 6 ? .null : .vector([Float($0), 0.5, 1]) })
        let types: [String: DataType] = ["list": .vector(dimension: 4), "ragged": .vector(dimension: 2)]
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", types: types)
        let error = #expect(throws: MalformedFile.self) { try file.read(columns: ["list"]) }
        #expect(error?.detail == "column 'list': row 6 has 3 elements, the vectors before it 4")
    }

    @Test func typesAreReadAsAsked() throws {
        let types: [String: DataType] = [
            "null": .vector(dimension: 2), "i8": .float64, "u32": .float64, "f16": .float64, "utf8": .bytes,
            "uuid": .bytes, "i32": .string,
        ]
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", naiveTimestamps: .utc, types: types)
        #expect(file.refusedColumns["i32"] == "its type is int32, which cannot be read as string")
        let batch = try file.read(columns: ["null", "i8", "u32", "f16", "utf8", "uuid"])
        #expect(batch["null"] == .nulls(.vector(dimension: 2), count: 20))
        #expect(batch["i8"] == column(.float64) { $0 % 7 == 0 ? .null : .float64(Double($0 - 10)) })
        #expect(batch["u32"] == column(.float64) { .float64(4_294_967_295 - Double($0)) })
        #expect(batch["f16"] == column(.float64) { $0 % 6 == 0 ? .null : .float64(Double($0) / 8) })
        #expect(batch["utf8"] == column(.bytes) { $0 % 4 == 0 ? .null : .bytes(Array("text \($0) naïve".utf8)) })
        #expect(batch["uuid"] == column(.bytes) { .bytes([UInt8](repeating: 0, count: 15) + [UInt8($0)]) })
        let binary = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", types: ["bin": .string])
        let error = #expect(throws: MalformedFile.self) { try binary.read(columns: ["bin"]) }
        #expect(error?.detail == "column 'bin': row 1 is not valid UTF-8")
    }

    @Test func dictionariesAreReadAsTheirValues() throws {
        let file = try ArrowFile(bytes: ForeignArrow.everyType, name: "t", types: ["dictint": .float64])
        let batch = try file.read(columns: ["dict", "dictint"])
        #expect(batch["dict"] == column(.string) { $0 % 6 == 0 ? .null : .string("entry \($0 % 7)") })
        #expect(batch["dictint"] == column(.float64) { [.float64(10), .null, .float64(30)][$0 % 3] })
        let layout = try #require(file.layout.columns.first { $0.name == "dict" })
        #expect(layout.type == "dictionary<values=string, indices=int32, ordered=0>")
        #expect(layout.entryCount == 7)
    }

    @Test func dictionariesGrowAndAreReplaced() throws {
        func check(_ bytes: [UInt8], _ expected: [[String?]], entries: Int) throws {
            let file = try ArrowFile(bytes: bytes, name: "t")
            func column(_ words: [String?]) -> Column { Column(.string, words.map { $0.map { .string($0) } ?? .null }) }
            #expect(try file.read(columns: ["d"])["d"] == column(expected.flatMap { $0 }))
            for batch in expected.indices.reversed() {
                #expect(try file.read(batch: batch)["d"] == column(expected[batch]))
            }
            #expect(file.layout.columns[0].entryCount == entries)
        }
        let growing = [["a", "b", nil], ["c", "a"], ["b"], ["e", "d", "c", "b", "a"]]
        try check(ForeignArrow.deltaFile, growing, entries: 5)
        try check(ForeignArrow.deltaStream, growing, entries: 5)
        try check(ForeignArrow.replacedStream, [["a", "b", nil], ["z", "x"], ["w", "x"], ["q"]], entries: 1)
    }

    @Test(arguments: [true, false])
    func version4IsRead(_ isStream: Bool) throws {
        let bytes = isStream ? ForeignArrow.legacyStream : ForeignArrow.version4
        let file = try ArrowFile(bytes: bytes, name: "t", naiveTimestamps: .utc)
        #expect(file.isStream == isStream)
        #expect(file.refusedColumns.keys.sorted() == ["dense", "union"])
        let batch = try file.read(columns: ["last", "i8", "dict", "naive", "utf8"])
        #expect(batch["last"] == column(.int64) { .int64(Int64($0 * 11)) })
        #expect(batch["dict"] == column(.string) { $0 % 6 == 0 ? .null : .string("entry \($0 % 7)") })
        #expect(batch["utf8"] == column(.string) { $0 % 4 == 0 ? .null : .string("text \($0) naïve") })
    }

    @Test func whatStandsUnderNullsIsCleared() throws {
        let batch = try ArrowFile(bytes: ForeignArrow.hidden, name: "t").read()
        #expect(batch["i"] == Column(.int64, [.int64(1), .null, .int64(3)]))
        #expect(batch["t"] == Column(.timestamp, [.timestamp(0), .null, .timestamp(0)]))
        #expect(batch["s"] == Column(.string, [.string("a"), .null, .string("b")]))
        #expect(batch["b"] == Column(.bool, [.bool(true), .null, .bool(true)]))
        #expect(batch["f"] == Column(.float64, [.float64(1.5), .null, .float64(-0.0)]))
        #expect(batch["v"] == Column(.vector(dimension: 2), [.vector([1, 2]), .null, .vector([5, 6])]))
        #expect(batch["d"] == Column(.string, [.string("q"), .null, .string("p")]))
    }

    @Test func readsWhatPolarsWrites() throws {
        let file = try ArrowFile(bytes: ForeignArrow.polars, name: "t")
        #expect(file.layout.batches.allSatisfy { $0.compression == .lz4 })
        let batch = try file.read()
        #expect(
            batch["s"] == column(.string) { $0 % 3 == 0 ? .null : .string("polars \($0 % 5) and more than twelve") }
        )
        #expect(batch["c"] == column(.string) { .string("cat \($0 % 4)") })
        #expect(batch["x"] == column(.float64) { .float64(Double($0)) })
        #expect(batch["t"] == column(.timestamp) { .timestamp(Int64($0) * 1_000) })
    }
}
