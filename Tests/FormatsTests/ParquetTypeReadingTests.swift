import Columns
import Testing
import TimeZones

@testable import Formats

@Suite struct ParquetTypeReadingTests {
    private let rows = 0..<40

    private func column(_ type: DataType, _ value: (Int) -> Scalar) -> Column { Column(type, rows.map(value)) }
    private func optional(_ row: Int, _ value: Scalar) -> Scalar { row % 7 == 3 ? .null : value }

    private func decimal(_ digits: Int, scale: Int) -> String {
        var text = String(abs(digits))
        while text.count <= scale { text = "0" + text }
        return (digits < 0 ? "-" : "") + text.dropLast(scale) + "." + text.suffix(scale)
    }

    @Test func readsTypesThatNeedAConversion() throws {
        let file = try ParquetFile(bytes: ForeignFiles.types, name: "t", naiveTimestamps: .utc)
        #expect(file.refusedColumns == ["nul": "it has no type, only nulls; declare its type, or leave the column out"])
        let batch = try file.read(columns: file.schema.fields.map(\.name))
        #expect(batch["i8"] == column(.int64) { optional($0, .int64(Int64($0) - 20)) })
        #expect(batch["i16"] == column(.int64) { .int64(Int64($0) * -800) })
        #expect(batch["u16"] == column(.int64) { .int64(65_535 - Int64($0)) })
        #expect(batch["u64"] == column(.int64) { .int64(.max - Int64($0)) })
        #expect(batch["half"] == column(.float32) { .float32(Float($0) / 4 - 3) })
        let day: Int64 = 86_400_000_000
        #expect(batch["date"] == column(.timestamp) { optional($0, .timestamp((Int64($0) * 1_000 - 20_000) * day)) })
        #expect(batch["tms"] == column(.int64) { .int64(Int64($0) * 1_001_000) })
        #expect(batch["tus"] == column(.int64) { .int64(Int64($0) * 1_001) })
        #expect(batch["tns"] == column(.int64) { .int64(Int64($0) * 1_001) })
        #expect(batch["local"] == column(.timestamp) { optional($0, .timestamp(Int64($0) * 10 * day)) })
        #expect(batch["d9"] == column(.int64) { optional($0, .int64(Int64($0) - 20)) })
        #expect(batch["d9_2"] == column(.string) { .string(decimal($0 * 7 - 100, scale: 2)) })
        let zeros = String(repeating: "0", count: 27)
        #expect(batch["d38"] == column(.string) { .string($0 == 0 ? "0.005" : "\($0)\(zeros).000") })
        #expect(batch["bin"] == column(.bytes) { optional($0, .bytes([UInt8($0), 255])) })
        guard case .string(let uuid)? = batch["uuid"]?[3] else { throw Missing() }
        #expect(uuid == "03040506-0708-090a-0b0c-0d0e0f101112")
    }

    private struct Missing: Error {}

    @Test func readsTypesOnRequest() throws {
        let types: [String: DataType] = [
            "half": .float64, "d9": .string, "d9_2": .float64, "d38": .float64, "uuid": .bytes, "nul": .timestamp,
            "tms": .timestamp, "i8": .string,
        ]
        let file = try ParquetFile(bytes: ForeignFiles.types, name: "t", naiveTimestamps: .utc, types: types)
        #expect(file.refusedColumns.keys.sorted() == ["i8", "tms"])
        #expect(
            file.refusedColumns["i8"]
                == "it is int64 in the file, and string is asked for; cast it, or ask for int64"
        )
        let batch = try file.read(columns: ["half", "d9", "d9_2", "d38", "uuid", "nul"])
        #expect(batch["half"] == column(.float64) { .float64(Double($0) / 4 - 3) })
        #expect(batch["d9"] == column(.string) { optional($0, .string("\($0 - 20)")) })
        #expect(batch["d9_2"] == column(.float64) { .float64(Double($0 * 7 - 100) / 100) })
        #expect(batch["d38"]?[2] == .float64(2e27))
        #expect(batch["uuid"]?[1] == .bytes((1...16).map { UInt8($0) }))
        #expect(batch["nul"] == column(.timestamp) { _ in .null })
    }

    @Test func widensFloatsToTheBit() throws {
        let patterns: [UInt32] = [0x7FC0_0123, 0xFF80_0001, 0x8000_0000, 1, 0x7F7F_FFFF, 0xFF80_0000, 0x3FC0_0000]
        var assembly = ParquetAssembly(.float, rowCount: patterns.count)
        assembly.append(.data, .plain, count: patterns.count, plain(patterns))
        let file = try ParquetFile(bytes: assembly.bytes, name: "t", types: ["c": .float64])
        guard case .float64(let doubles)? = try file.read()["c"] else { throw Missing() }
        let expected: [UInt64] = [
            0x7FF8_0024_6000_0000, 0xFFF0_0000_2000_0000, 0x8000_0000_0000_0000, 0x36A0_0000_0000_0000,
            0x47EF_FFFF_E000_0000, 0xFFF0_0000_0000_0000, 0x3FF8_0000_0000_0000,
        ]
        #expect(doubles.values.map(\.bitPattern) == expected)
    }

    @Test func readsOldTypes() throws {
        let day: Int64 = 86_400_000_000
        let file = try ParquetFile(bytes: ForeignFiles.legacyTypes, name: "t", naiveTimestamps: .utc)
        let batch = try file.read()
        #expect(batch["local"] == column(.timestamp) { optional($0, .timestamp(Int64($0) * 10 * day)) })
        #expect(batch["d9"] == column(.int64) { optional($0, .int64(Int64($0) - 20)) })
        #expect(batch["d9_2"] == column(.string) { .string(decimal($0 * 7 - 100, scale: 2)) })
        #expect(batch["d18"] == column(.string) { .string(decimal($0 * 1_000_000_000_000_000 - 1, scale: 4)) })
        #expect(
            try ParquetFile(bytes: ForeignFiles.legacyTypes, name: "t").refusedColumns["local"]
                == "its INT96 timestamps have no time zone; write them as UTC in INT64, or declare a time zone"
        )
    }

    @Test func clocksOfAZoneBecomeInstants() throws {
        let berlin = NaiveTimestamps.Rule.zone(try TimeZoneRules.named("Europe/Berlin"))
        let naive = NaiveTimestamps(.refuse, columns: ["local": berlin])
        let hour: Int64 = 3_600_000_000
        // 1970-01-01 to 1971-01-26: Germany had no summer time.
        for bytes in [ForeignFiles.types, ForeignFiles.legacyTypes] {
            let file = try ParquetFile(bytes: bytes, name: "t", naiveTimestamps: naive)
            let expected = column(.timestamp) { optional($0, .timestamp(Int64($0) * 240 * hour - hour)) }
            #expect(try file.read(columns: ["local"])["local"] == expected)
        }
        #expect(
            try ParquetFile(bytes: ForeignFiles.types, name: "t", naiveTimestamps: naive).refusedColumns["date"] != nil
        )
    }

    @Test func convertedTypesStandInForLogicalOnes() throws {
        for (converted, expected) in [(9, 5_000), (10, 5)] as [(Int, Int64)] {
            var assembly = ParquetAssembly(.int64, rowCount: 1)
            assembly.convertedType = converted
            assembly.append(.data, .plain, count: 1, plain([5] as [Int64]))
            #expect(
                try ParquetFile(bytes: assembly.bytes, name: "t").read()["c"]
                    == Column(.timestamp, [.timestamp(expected)])
            )
        }
        var unsigned = ParquetAssembly(.int32, rowCount: 1)
        unsigned.convertedType = 13
        unsigned.append(.data, .plain, count: 1, plain([UInt32.max]))
        #expect(
            try ParquetFile(bytes: unsigned.bytes, name: "t").read()["c"] == Column(.int64, [.int64(4_294_967_295)])
        )
    }

    @Test func aValueOutsideTheTypeNamesItsRow() throws {
        var assembly = ParquetAssembly(.int64, rowCount: 3, repetition: .optional)
        assembly.convertedType = 14
        // The second row is null; the dictionary's last entry is used by none.
        let entries = plain([5, UInt64(1) << 63, .max])
        assembly.append(.dictionary, .plain, count: 3, entries)
        assembly.append(.data, .rleDictionary, count: 3, plain([2] as [UInt32]) + [3, 0b101] + [2, 3, 0b0100, 0])
        let error = #expect(throws: MalformedFile.self) { try ParquetFile(bytes: assembly.bytes, name: "t").read() }
        #expect(
            error?.detail
                == "column 'c': row 2 (counted from 0): 9223372036854775808 is past int64, as which uint64 is "
                + "read; cast the column"
        )
        assembly.pages = []
        assembly.append(.dictionary, .plain, count: 3, entries)
        assembly.append(.data, .rleDictionary, count: 3, plain([2] as [UInt32]) + [3, 0b101] + [2, 3, 0, 0])
        #expect(
            try ParquetFile(bytes: assembly.bytes, name: "t").read()["c"]
                == Column(.int64, [.int64(5), .null, .int64(5)])
        )

        var text = ParquetAssembly(.byteArray, rowCount: 2)
        text.append(.data, .plain, count: 2, plain([1] as [UInt32]) + [65] + plain([1] as [UInt32]) + [0xFF])
        #expect(try ParquetFile(bytes: text.bytes, name: "t").read()["c"]?[1] == .bytes([0xFF]))
        let bad = #expect(throws: MalformedFile.self) {
            try ParquetFile(bytes: text.bytes, name: "t", types: ["c": .string]).read()
        }
        #expect(bad?.detail.contains("row 1 (counted from 0): the text is not valid UTF-8") == true)
    }

    @Test func nestedColumnsAreRefusedAndTheOthersRead() throws {
        let file = try ParquetFile(bytes: ForeignFiles.nested, name: "t")
        let only = "which is not read; only lists of float are, as vectors"
        #expect(
            file.refusedColumns == [
                "st": "it is a struct, \(only): flatten it", "m": "it is a MAP, \(only): flatten it",
                "l": "it is a list of INT64, \(only): cast it",
                "ll": "it is a list of something other than plain values, \(only): flatten it",
            ]
        )
        let batch = try file.read(columns: ["a", "v", "z"])
        #expect(batch["a"] == column(.int64) { .int64(Int64($0)) })
        #expect(batch["v"] == column(.vector(dimension: 3)) { optional($0, .vector([Float($0), -0.5, 2])) })
        #expect(batch["z"] == column(.string) { .string("s\($0)") })
        #expect(file.layout.columns.map(\.path).contains("st.y.list.element"))
        let typed = try ParquetFile(bytes: ForeignFiles.nested, name: "t", types: ["v": .vector(dimension: 4)])
        let error = #expect(throws: MalformedFile.self) { try typed.read(columns: ["v"]) }
        #expect(error?.detail.contains("row 0 (counted from 0): the list has 3 elements, expected 4") == true)
    }

    @Test func readsTheOldFormsOfLists() throws {
        let expected = Column(.vector(dimension: 2), [.vector([1, 2]), .vector([3, 4])])
        // A repeated leaf, alone and in a group; levels of one bit, each behind its length.
        let forms: [[(name: String, repetition: ParquetRepetition, isList: Bool)]] = [
            [("c", .repeated, false)],
            [("c", .required, true), ("element", .repeated, false)],
            [("c", .required, true), ("bag", .repeated, false), ("item", .required, false)],
        ]
        for nodes in forms {
            var assembly = ParquetAssembly(.float, rowCount: 2)
            assembly.nodes = nodes
            assembly.valueCount = 4
            let levels = plain([2] as [UInt32]) + [3, 0b1010] + plain([2] as [UInt32]) + [8, 1]
            assembly.append(.data, .plain, count: 4, levels + plain([1, 2, 3, 4] as [Float]))
            #expect(try ParquetFile(bytes: assembly.bytes, name: "t").read()["c"] == expected)
        }
        for name in ["array", "c_tuple"] {
            var assembly = ParquetAssembly(.float, rowCount: 0)
            assembly.nodes = [("c", .required, true), (name, .repeated, false), ("item", .required, false)]
            #expect(try ParquetFile(bytes: assembly.bytes, name: "t").refusedColumns["c"] != nil)
        }
    }
}
