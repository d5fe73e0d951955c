import Columns
import Testing
import TimeZones

@testable import Formats

@Suite struct ParquetPruningReadingTests {
    /// Four row groups of ten rows, sorted by k.
    private func file(_ naive: NaiveTimestamps = .utc) throws -> ParquetFile {
        try ParquetFile(bytes: ForeignFiles.statistics, name: "t", naiveTimestamps: naive)
    }

    @Test func rangesLeaveOutRowGroups() throws {
        let file = try file()
        func groups(_ ranges: ColumnRange...) -> [Int] { file.rowGroups(mayContain: ranges) }
        #expect(groups() == [0, 1, 2, 3])
        #expect(groups(ColumnRange("k")) == [0, 1, 2, 3])
        #expect(groups(ColumnRange("k", from: .int64(10), through: .int64(19))) == [1])
        #expect(groups(ColumnRange("k", from: .int64(9), through: .int64(20))) == [0, 1, 2])
        #expect(groups(ColumnRange("k", through: .int64(-1))) == [])
        #expect(groups(ColumnRange("k", from: .int64(40))) == [])
        #expect(groups(ColumnRange("s", from: .string("025"))) == [2, 3])
        #expect(groups(ColumnRange("u", from: .int64(3_000_000_000_000_000_000))) == [3])
        #expect(groups(ColumnRange("k", from: .int64(15)), ColumnRange("s", through: .string("025"))) == [1, 2])
        // The first two groups are null throughout.
        #expect(groups(ColumnRange("n", through: .int64(100))) == [2, 3])
    }

    @Test func whatStatisticsDoNotSayIsKept() throws {
        let file = try file()
        let all = [0, 1, 2, 3]
        #expect(file.rowGroups(mayContain: [ColumnRange("missing", from: .int64(0))]) == all)
        #expect(file.rowGroups(mayContain: [ColumnRange("k", from: .string("z"))]) == all)
        // Every group has a NaN, which counts as greater than every number.
        #expect(file.rowGroups(mayContain: [ColumnRange("f", from: .float64(1_000))]) == all)
        #expect(file.rowGroups(mayContain: [ColumnRange("f", from: .float64(1_000), through: .float64(.nan))]) == all)
        #expect(file.rowGroups(mayContain: [ColumnRange("f", from: .float64(5), through: .float64(9))]) == [1])
        let none = try ParquetFile(bytes: ForeignFiles.encodings, name: "t")
        #expect(none.rowGroups(mayContain: [ColumnRange("si", from: .int64(5))]) == [0, 1])
    }

    @Test func zeroesOfEitherSignAreEqual() throws {
        let batch = RecordBatch(["f": Column(.float64, [.float64(-0.0)])])
        let file = try ParquetFile(bytes: Parquet.encode([batch]), name: "t")
        for zero in [0.0, -0.0] {
            let range = ColumnRange("f", from: .float64(zero), through: .float64(zero))
            #expect(file.rowGroups(mayContain: [range]) == [0])
        }
    }

    @Test func clocksOfAZoneWidenTheirBounds() throws {
        let rules = try TimeZoneRules.named("America/New_York")
        let file = try file(NaiveTimestamps(.zone(rules)))
        let hour: Int64 = 3_600_000_000
        // Clocks show 00:00 to 09:00 in the first group: 05:00 to 14:00 in UTC.
        #expect(file.statistics(rowGroup: 0, column: "t")?.minimum == nil)
        for (instant, expected) in [(5, true), (14, true), (-48, false), (90, false)] as [(Int64, Bool)] {
            let range = ColumnRange("t", from: .timestamp(instant * hour), through: .timestamp(instant * hour))
            #expect(file.rowGroups(mayContain: [range]).contains(0) == expected)
        }
    }

    @Test func rowGroupsAreReadAlone() throws {
        let file = try file()
        let batch = try file.read(rowGroup: 2, columns: ["k", "s"])
        #expect(batch["k"] == Column(.int64, (20..<30).map { .int64($0) }))
        #expect(batch["s"] == Column(.string, (20..<30).map { .string("0\($0)") }))
    }

    @Test func theLayoutSaysWhatTheFooterSays() throws {
        let layout = try file().layout
        #expect(layout.rowCount == 40)
        #expect(layout.formatVersion == 2)
        #expect(layout.fileBytes == ForeignFiles.statistics.count)
        #expect(layout.createdBy == "parquet-cpp-arrow version 26.0.1")
        #expect(layout.columns.map(\.path) == ["k", "f", "s", "n", "u", "t", "l"])
        #expect(layout.columns.map(\.physicalType).prefix(4) == ["INT64", "DOUBLE", "BYTE_ARRAY", "INT32"])
        #expect(
            layout.columns.map(\.logicalType)
                == [nil, nil, "STRING", nil, "INT(64, unsigned)", "TIMESTAMP(MICROS, local)", "STRING"]
        )
        #expect(layout.columns[0].type == .int64)
        #expect(layout.columns[0].repetition == "optional")
        #expect(layout.rowGroups.map(\.rowCount) == [10, 10, 10, 10])
        #expect(layout.rowGroups[1].sortedBy == [.init(path: "k", isDescending: false, nullsFirst: false)])
        let chunk = layout.rowGroups[1].chunks[0]
        #expect(chunk.codec == "UNCOMPRESSED")
        #expect(chunk.encodings.sorted() == ["PLAIN", "RLE"])
        #expect(chunk.minimum == .int64(10))
        #expect(chunk.maximum == .int64(19))
        #expect(chunk.nullCount == 0)
        #expect(!chunk.hasDictionary)
        #expect(layout.rowGroups[0].chunks[3].nullCount == 10)
        #expect(try ParquetFile(bytes: ForeignFiles.snappy, name: "t").layout.rowGroups[0].chunks[0].hasDictionary)
    }
}
