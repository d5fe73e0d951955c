import Columns
import Formats
import Testing

@Suite struct ParquetTests {
    @Test(arguments: NullPattern.allCases, [0, 1, 7, 64, 300])
    func everyTypeRoundTrips(nulls: NullPattern, rows: Int) throws {
        for isVaried in [false, true] {
            let batch = randomBatch(rows: rows, nulls: nulls, isVaried: isVaried, seed: UInt64(rows))
            for compression in ParquetOptions.Compression.allCases {
                let options = ParquetOptions(compression: compression, rowGroupRows: 128)
                let file = try ParquetFile(bytes: Parquet.encode([batch], options: options), name: "t.parquet")
                #expect(file.rowCount == rows)
                #expect(file.rowGroupCount == (rows + 127) / 128)
                #expect(try difference(file.read(), batch) == nil)
            }
        }
    }

    @Test func bitsOfFloatsAreKept() throws {
        let doubles = [0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_0001, 0x8000_0000_0000_0000, 1] as [UInt64]
        let column = PrimitiveColumn(doubles.map { Double(bitPattern: $0) })
        let file = try ParquetFile(bytes: Parquet.encode([RecordBatch(["d": .float64(column)])]), name: "t")
        guard case .float64(let read)? = try file.read()["d"] else { throw TestFault() }
        #expect(read.values.map(\.bitPattern) == doubles)
    }

    private struct TestFault: Error {}

    @Test func theBytesDoNotDependOnTheBatches() throws {
        let batch = randomBatch(rows: 200, nulls: .some, isVaried: true, seed: 1)
        let options = ParquetOptions(rowGroupRows: 60)
        let whole = try Parquet.encode([batch], options: options)
        #expect(try Parquet.encode([batch], options: options) == whole)
        let file = try ParquetFile(bytes: whole, name: "t")
        // Row groups of 60 are cut anew into batches of 60, 60, 60 and 20, and written in groups of 60 again.
        let parts = try (0..<file.rowGroupCount).map { try file.read(rowGroup: $0) }
        #expect(try Parquet.encode(parts, options: options) == whole)
        let small = try ParquetFile(bytes: Parquet.encode([batch], options: ParquetOptions(rowGroupRows: 7)), name: "t")
        let sevens = try (0..<small.rowGroupCount).map { try small.read(rowGroup: $0) }
        #expect(try Parquet.encode(sevens, options: options) == whole)
    }

    @Test func readsOnlyTheColumnsAskedFor() throws {
        let batch = RecordBatch([
            "a": Column(.int64, [.int64(1), .null]), "b": Column(.string, [.string("x"), .string("y")]),
        ])
        let file = try ParquetFile(bytes: Parquet.encode([batch]), name: "t.parquet")
        let read = try file.read(columns: ["b"])
        #expect(read == RecordBatch(["b": Column(.string, [.string("x"), .string("y")])]))
        #expect(try file.read(rowGroup: 0, columns: ["b", "a"]).schema.fields.map(\.name) == ["b", "a"])
        let error = #expect(throws: MalformedFile.self) { try file.read(columns: ["c"]) }
        #expect(
            error?.description == "'t.parquet' cannot be read as Parquet: no column 'c'; the file has 'a', 'b'"
        )
    }

    @Test func metadataAndSortingAreKept() throws {
        let batch = RecordBatch([
            "k": Column(.int64, [.int64(1), .int64(2)]), "v": Column(.vector(dimension: 2), [.null, .null]),
        ])
        let metadata = [("z", "1"), ("a", "ü"), ("lockstep.lock", "sha256:00")]
        let options = ParquetOptions(sortedBy: ["v", "k"], metadata: metadata)
        let file = try ParquetFile(bytes: Parquet.encode([batch], options: options), name: "t")
        #expect(file.metadata.map(\.0) == ["z", "a", "lockstep.lock"])
        #expect(file.metadata.map(\.1) == ["1", "ü", "sha256:00"])
        #expect(file.createdBy == "lockstep version 1.0.0")
        #expect(file.sortedBy(rowGroup: 0) == ["v", "k"])
        #expect(try file.read() == batch)
    }

    @Test func statisticsLeaveOutNaNAndWidenZero() throws {
        let batch = RecordBatch([
            "f": Column(.float64, [.float64(.nan), .float64(0), .null]),
            "g": Column(.float32, [.float32(-0.0), .float32(-2), .float32(.nan)]),
            "n": Column(.float64, [.float64(.nan), .null, .null]),
            "i": Column(.int64, [.int64(.min), .int64(5), .null]),
            "s": Column(.string, [.string("é"), .string("z"), .string("")]),
            "l": Column(.string, [.string(String(repeating: "x", count: 65)), .string("a"), .null]),
            "b": Column(.bool, [.bool(true), .null, .bool(true)]),
        ])
        let file = try ParquetFile(bytes: Parquet.encode([batch]), name: "t")
        func statistics(_ name: String) -> ParquetStatistics? { file.statistics(rowGroup: 0, column: name) }
        #expect(statistics("f")?.minimum?.isIdentical(to: .float64(-0.0)) == true)
        #expect(statistics("f")?.maximum?.isIdentical(to: .float64(0)) == true)
        #expect(statistics("f")?.nullCount == 1)
        #expect(statistics("g")?.minimum == .float32(-2))
        #expect(statistics("g")?.maximum?.isIdentical(to: .float32(0)) == true)
        #expect(statistics("n")?.minimum == nil)
        #expect(statistics("i")?.minimum == .int64(.min))
        #expect(statistics("i")?.maximum == .int64(5))
        #expect(statistics("s")?.minimum == .string(""))
        #expect(statistics("s")?.maximum == .string("é"))
        #expect(statistics("l")?.minimum == .string("a"))
        #expect(statistics("l")?.maximum == .string(String(repeating: "x", count: 63) + "y"))
        #expect(statistics("b")?.minimum == .bool(true))
    }

    @Test func longStringsAndLargeDictionariesRoundTrip() throws {
        let long = String(repeating: "0123456789", count: 7_000)
        var values: [Scalar] = [.string(long), .null, .string(""), .string(long)]
        // More distinct values than the sample of the dictionary, each of them twice.
        for index in 0..<3_000 { values.append(.string("value \(index % 1_500)")) }
        let integers = values.indices.map { $0 % 3 == 0 ? Scalar.null : .int64(Int64($0 / 40)) }
        let batch = RecordBatch(["s": Column(.string, values), "i": Column(.int64, integers)])
        let file = try ParquetFile(bytes: Parquet.encode([batch]), name: "t")
        #expect(try file.read() == batch)
    }

    @Test func aChangedPageFailsItsChecksum() throws {
        let batch = RecordBatch(["d": Column(.float64, (0..<100).map { .float64(Double($0) * 0.37) })])
        var bytes = try Parquet.encode([batch], options: ParquetOptions(compression: .none))
        bytes[200] ^= 1
        let file = try ParquetFile(bytes: bytes, name: "t.parquet")
        let error = #expect(throws: MalformedFile.self) { try file.read() }
        #expect(error?.detail == "column 'd': the checksum of a page does not match its bytes; the file is damaged")
        #expect(error?.offset == 4)
    }

    @Test func damageThrowsAndNeverTraps() throws {
        let batch = randomBatch(rows: 40, nulls: .some, isVaried: false, seed: 9)
        var random = SeededGenerator(seed: 10)
        for compression in ParquetOptions.Compression.allCases {
            let bytes = try Parquet.encode([batch], options: ParquetOptions(compression: compression, rowGroupRows: 25))
            for _ in 0..<60 {
                let length = Int.random(in: 0..<bytes.count, using: &random)
                #expect(throws: MalformedFile.self) {
                    _ = try ParquetFile(bytes: Array(bytes[..<length]), name: "t").read()
                }
            }
            for round in 0..<500 {
                var damaged = bytes
                // Every other round spares the data, so that the footer is damaged.
                let low = round % 2 == 0 ? 0 : bytes.count - 2_000
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    damaged[Int.random(in: max(0, low)..<bytes.count, using: &random)] ^= 1 << UInt8(random.next() % 8)
                }
                do {
                    _ = try ParquetFile(bytes: damaged, name: "t").read()
                } catch is MalformedFile {}
            }
        }
    }

    @Test func decodersHoldWithoutChecksums() throws {
        let rows = 0..<30
        let batch = RecordBatch([
            "s": Column(.string, rows.map { $0 % 5 == 0 ? .null : .string("v\($0 % 3)") }),
            "i": Column(.int64, rows.map { $0 % 7 == 0 ? .null : .int64(Int64($0)) }),
            "v": Column(.vector(dimension: 2), rows.map { $0 % 6 == 0 ? .null : .vector([Float($0), 1]) }),
            "b": Column(.bool, rows.map { $0 % 4 == 0 ? .null : .bool($0 % 3 == 0) }),
        ])
        var random = SeededGenerator(seed: 11)
        for compression in ParquetOptions.Compression.allCases {
            let options = ParquetOptions(compression: compression, pageChecksums: false)
            let bytes = try Parquet.encode([batch], options: options)
            #expect(try ParquetFile(bytes: bytes, name: "t").read() == batch)
            for _ in 0..<1_500 {
                var damaged = bytes
                for _ in 0...Int.random(in: 0..<2, using: &random) {
                    let position = Int.random(in: 4..<bytes.count * 2 / 3, using: &random)
                    damaged[position] = UInt8(truncatingIfNeeded: random.next())
                }
                do {
                    _ = try ParquetFile(bytes: damaged, name: "t").read()
                } catch is MalformedFile {}
            }
        }
    }
}
