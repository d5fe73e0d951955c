import Columns
import Formats
import Testing

@Suite struct ForeignParquetTests {
    private let rows = 0..<40

    private func column(_ type: DataType, _ value: (Int) -> Scalar) -> Column { Column(type, rows.map(value)) }

    @Test func readsWhatPyarrowWritesByDefault() throws {
        let file = try ParquetFile(bytes: ForeignFiles.snappy, name: "t", naiveTimestamps: .utc)
        let names = file.schema.fields.map(\.name)
        #expect(names == ["i32", "u8", "u32", "i64", "f", "d", "b", "s", "ms", "ns", "naive", "v", "date"])
        let batch = try file.read(columns: names)
        #expect(batch["i32"] == column(.int64) { $0 % 7 == 0 ? .null : .int64(Int64($0 - 5)) })
        #expect(batch["u8"] == column(.int64) { .int64(Int64($0 % 200)) })
        #expect(batch["u32"] == column(.int64) { .int64(4_294_967_295 - Int64($0)) })
        #expect(batch["i64"] == column(.int64) { $0 % 3 == 0 ? .null : .int64(Int64($0) * 1_000_000_000_000_000) })
        #expect(batch["f"] == column(.float32) { $0 % 5 == 0 ? .null : .float32(Float($0) / 4) })
        #expect(batch["d"] == column(.float64) { .float64(Double($0) / 8) })
        #expect(batch["b"] == column(.bool) { $0 % 11 == 0 ? .null : .bool($0 % 3 == 0) })
        #expect(batch["s"] == column(.string) { $0 % 4 == 0 ? .null : .string("value \($0 % 5) naïve naïve naïve") })
        #expect(batch["ms"] == column(.timestamp) { .timestamp(Int64($0) * 1_000_000 + 1_000) })
        #expect(batch["ns"] == column(.timestamp) { $0 == 3 ? .null : .timestamp(-Int64($0)) })
        #expect(batch["naive"] == column(.timestamp) { .timestamp(Int64($0)) })
        #expect(batch["v"] == column(.vector(dimension: 2)) { $0 % 9 == 0 ? .null : .vector([Float($0), 0.5]) })
    }

    @Test func refusesByNameWhatItDoesNotRead() throws {
        let file = try ParquetFile(bytes: ForeignFiles.snappy, name: "t")
        #expect(
            file.refusedColumns == [
                "date": "its dates have no time zone; write UTC timestamps, or declare a time zone",
                "naive": "its timestamps have no time zone; write them as UTC, or declare a time zone",
            ]
        )
        let error = #expect(throws: MalformedFile.self) { try file.read() }
        #expect(error?.reason == .unsupported)
        #expect(throws: MalformedFile.self) { try file.read(columns: ["date"]) }
        #expect(try file.read(columns: ["d"]).rowCount == 40)
    }

    @Test func readsPagesOfVersion2() throws {
        let file = try ParquetFile(bytes: ForeignFiles.pagesV2, name: "t")
        #expect(file.rowGroupCount == 2)
        let old = try ParquetFile(bytes: ForeignFiles.snappy, name: "t")
        let names = ["i32", "b", "s", "v", "i64"]
        #expect(try file.read() == old.read(columns: names))
        #expect(try file.read(rowGroup: 1).rowCount == 15)
    }

    @Test func readsRequiredColumns() throws {
        let expected = RecordBatch([
            "r": Column(.int64, [.int64(3), .int64(1), .int64(2)]),
            "t": Column(.string, [.string("x"), .string(""), .string("y")]),
        ])
        #expect(try ParquetFile(bytes: ForeignFiles.required, name: "t").read() == expected)
    }

    @Test func damageThrowsAndNeverTraps() throws {
        // These files have no checksums: Snappy and the decoders see the damage.
        var random = SeededGenerator(seed: 12)
        for bytes in [ForeignFiles.snappy, ForeignFiles.pagesV2, ForeignFiles.required] {
            for _ in 0..<600 {
                var damaged = bytes
                for _ in 0...Int.random(in: 0..<2, using: &random) {
                    damaged[Int.random(in: 4..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
                }
                do {
                    let file = try ParquetFile(bytes: damaged, name: "t", naiveTimestamps: .utc)
                    _ = try file.read(columns: file.schema.fields.map(\.name))
                } catch is MalformedFile {}
            }
        }
    }
}
