import Columns
import Testing

@testable import Formats

@Suite struct ParquetEncodingReadingTests {
    private let rows = 0..<40

    private func column(_ type: DataType, _ value: (Int) -> Scalar) -> Column { Column(type, rows.map(value)) }
    private func optional(_ row: Int, _ value: Scalar) -> Scalar { row % 7 == 3 ? .null : value }

    private func read(_ assembly: ParquetAssembly) throws -> Column? {
        try ParquetFile(bytes: assembly.bytes, name: "t.parquet").read()["c"]
    }

    @Test(arguments: [ForeignFiles.encodings, ForeignFiles.encodingsV2])
    func readsEveryEncodingWithoutADictionary(bytes: [UInt8]) throws {
        let batch = try ParquetFile(bytes: bytes, name: "t").read()
        #expect(
            batch["i32"]
                == column(.int64) { optional($0, .int64(Int64($0 % 2 == 1 ? Int32.min + Int32($0) : Int32.max))) }
        )
        #expect(batch["i64"] == column(.int64) { .int64($0 % 2 == 1 ? .min : .max - Int64($0)) })
        #expect(
            batch["len"]
                == column(.string) { optional($0, .string(String(repeating: "é", count: $0 % 5) + "\($0)")) }
        )
        #expect(batch["pre"] == column(.string) { .string("prefix \($0 / 10) and \($0)") })
        #expect(batch["fix"] == column(.bytes) { optional($0, .bytes([1, 2, UInt8($0)])) })
        #expect(batch["sf"] == column(.float32) { optional($0, .float32(Float($0) / 8 - 1)) })
        #expect(batch["si"] == column(.int64) { .int64(Int64($0) * -1_000_003) })
        #expect(batch["sl"] == column(.int64) { optional($0, .int64(Int64($0) * -1_000_003_000_003)) })
        #expect(batch["sx"] == column(.bytes) { .bytes([UInt8(255 - $0), 0, 0, UInt8($0), 9]) })
        #expect(batch["b"] == column(.bool) { optional($0, .bool($0 / 9 % 2 == 0)) })
        guard case .float64(let doubles)? = batch["sd"] else { throw Missing() }
        let expected = rows.map {
            [-0.0, .nan, -.infinity].indices.contains($0) ? [-0.0, .nan, -.infinity][$0] : Double($0) / 3
        }
        #expect(doubles.values.map(\.bitPattern) == expected.map(\.bitPattern))
    }

    private struct Missing: Error {}

    @Test(arguments: [ForeignFiles.codecGzip, ForeignFiles.codecZstd, ForeignFiles.codecLz4])
    func readsEveryCodec(bytes: [UInt8]) throws {
        let batch = try ParquetFile(bytes: bytes, name: "t").read()
        #expect(batch["i"] == column(.int64) { optional($0, .int64(Int64($0 / 3))) })
        #expect(batch["s"] == column(.string) { .string("text \($0 % 4)") })
        #expect(batch["d"] == column(.float64) { .float64(Double($0) / 4) })
    }

    @Test func readsWhatDuckDBWrites() throws {
        let file = try ParquetFile(bytes: ForeignFiles.duckdb, name: "t")
        let batch = try file.read()
        #expect(batch["i"] == column(.int64) { .int64(Int64($0)) })
        #expect(batch["s"] == column(.string) { optional($0, .string("s\($0 % 5)")) })
        #expect(batch["d"] == column(.float64) { .float64(Double($0) / 4) })
        #expect(batch["b"] == column(.bool) { .bool($0 % 3 == 0) })
        #expect(batch["t"] == column(.timestamp) { .timestamp(1_577_836_800_000_000 + Int64($0) * 60_000_000) })
        #expect(batch["v"] == column(.vector(dimension: 2)) { .vector([Float($0), 0.5]) })
        #expect(batch["u"] == column(.int64) { .int64(Int64($0)) })
        let decimals = rows.map { row -> Scalar in
            let cents = row * 500 - 5_000
            return .string("\(cents < 0 ? "-" : "")\(abs(cents) / 100).\(abs(cents) % 100 / 10)\(abs(cents) % 10)")
        }
        #expect(batch["e"] == Column(.string, decimals))
    }

    @Test func readsWhatPolarsWrites() throws {
        let file = try ParquetFile(bytes: ForeignFiles.polars, name: "t")
        let batch = try file.read()
        #expect(file.rowGroupCount == 3)
        #expect(batch["i"] == column(.int64) { optional($0, .int64(Int64($0))) })
        #expect(batch["s"] == column(.string) { .string("s\($0 % 5)") })
        #expect(batch["f"] == column(.float32) { .float32(Float($0) / 4) })
        #expect(batch["b"] == column(.bool) { .bool($0 % 3 == 0) })
        #expect(batch["t"] == column(.timestamp) { .timestamp(1_577_836_800_000_000 + Int64($0) * 60_000_000) })
        #expect(batch["v"] == column(.vector(dimension: 2)) { .vector([Float($0), 0.5]) })
    }

    @Test func readsAFileWithoutRows() throws {
        let batch = try ParquetFile(bytes: ForeignFiles.empty, name: "t").read()
        #expect(batch == RecordBatch(["k": Column(.int64, []), "s": Column(.string, [])]))
    }

    @Test func readsBitPackedLevelsMostSignificantBitFirst() throws {
        var assembly = ParquetAssembly(.int32, rowCount: 10, repetition: .optional)
        // Rows 0, 2, 3, 9 have values.
        assembly.append(
            .data,
            .plain,
            count: 10,
            levels: .bitPacked,
            [0b1011_0000, 0b0100_0000] + plain([5, 6, 7, 8] as [Int32])
        )
        let expected: [Scalar] =
            [.int64(5), .null, .int64(6), .int64(7)] + Array(repeating: .null, count: 5) + [.int64(8)]
        #expect(try read(assembly) == Column(.int64, expected))
    }

    @Test func aDictionaryMayGiveWayToPlainAndNeedsNoOffset() throws {
        var assembly = ParquetAssembly(.int64, rowCount: 11)
        assembly.append(.dictionary, .plain, count: 3, plain([10, 20, 30] as [Int64]))
        // Width 2: a run of four 2s, then a packed group of eight of which four are taken.
        assembly.append(.data, .rleDictionary, count: 8, [2, 8, 2, 3, 0b10_01_00_00, 0b0])
        assembly.append(.index, .plain, count: 0, [1, 2, 3])
        assembly.append(.data, .plain, count: 0, [])
        assembly.append(.data, .plain, count: 3, plain([-1, .min, .max] as [Int64]))
        let expected: [Int64] = [30, 30, 30, 30, 10, 10, 20, 30, -1, .min, .max]
        #expect(try read(assembly) == .int64(PrimitiveColumn(expected)))
    }

    @Test func indicesWithoutWidthAreTheFirstEntry() throws {
        var assembly = ParquetAssembly(.byteArray, rowCount: 3)
        assembly.append(.dictionary, .plainDictionary, count: 1, plain([2] as [UInt32]) + Array("ab".utf8))
        assembly.append(.data, .plainDictionary, count: 3, [0, 6])
        #expect(try read(assembly) == Column(.bytes, Array(repeating: .bytes(Array("ab".utf8)), count: 3)))
    }

    @Test func badIndicesAndMissingDictionariesAreErrors() throws {
        var assembly = ParquetAssembly(.int64, rowCount: 1)
        assembly.append(.data, .rleDictionary, count: 1, [1, 2, 0])
        let missing = #expect(throws: MalformedFile.self) { try read(assembly) }
        #expect(missing?.detail == "column 'c': a page uses a dictionary that the chunk does not have")
        assembly.pages = []
        assembly.append(.dictionary, .plain, count: 1, plain([1] as [Int64]))
        assembly.append(.data, .rleDictionary, count: 1, [1, 2, 1])
        let past = #expect(throws: MalformedFile.self) { try read(assembly) }
        #expect(past?.detail == "column 'c': an index is past the end of the dictionary")
        #expect(past?.file == "t.parquet")
        #expect((past?.offset ?? 0) > 4)
    }

    @Test func deltaBlocksMayHaveAnyLegalSize() throws {
        // 256 values a block in 2 miniblocks, 66 values: the first is 7, the others each 3 more, with no width at all.
        var assembly = ParquetAssembly(.int32, rowCount: 66)
        assembly.append(.data, .deltaBinaryPacked, count: 66, [0x80, 0x02, 2, 66, 14, 6, 0, 0])
        #expect(try read(assembly) == .int64(PrimitiveColumn((0..<66).map { 7 + 3 * Int64($0) })))
        // Miniblocks of 16 are not legal.
        assembly.pages = []
        assembly.append(.data, .deltaBinaryPacked, count: 66, [0x80, 0x01, 8, 66, 14, 6] + [0, 0, 0, 0, 0, 0, 0, 0])
        #expect(throws: MalformedFile.self) { try read(assembly) }
    }

    @Test func readsTheOldLZ4InAllItsForms() throws {
        let values = (0..<500).map { Int64($0 / 10) }
        let content = plain(values)
        let halves = [Array(content[..<1_600]), Array(content[1_600...])]
        var hadoop: [UInt8] = []
        for half in halves {
            let block = LZ4.compressBlock(half)
            for size in [half.count, block.count] {
                hadoop += withUnsafeBytes(of: UInt32(size).bigEndian) { Array($0) }
            }
            hadoop += block
        }
        var frame = [UInt8](repeating: 0, count: LZ4.frameBound(content.count))
        let size = content.withUnsafeBytes { content in
            frame.withUnsafeMutableBytes { LZ4.compressFrame(content, into: $0) }
        }
        for stored in [hadoop, Array(frame[..<size]), LZ4.compressBlock(content)] {
            var assembly = ParquetAssembly(.int64, rowCount: 500)
            assembly.codec = .lz4Hadoop
            assembly.append(.data, .plain, count: 500, uncompressedSize: content.count, stored)
            #expect(try read(assembly) == .int64(PrimitiveColumn(values)))
        }
    }

    @Test func refusesCodecsAndTypesByName() throws {
        var assembly = ParquetAssembly(.int32, rowCount: 1)
        assembly.append(.data, .plain, count: 1, plain([1] as [Int32]))
        assembly.codec = .brotli
        #expect(
            try ParquetFile(bytes: assembly.bytes, name: "t").refusedColumns
                == ["c": "it is compressed with BROTLI, which is not read; write it with ZSTD or SNAPPY"]
        )
        assembly.codec = .uncompressed
        assembly.convertedType = 21
        #expect(
            try ParquetFile(bytes: assembly.bytes, name: "t").refusedColumns
                == ["c": "its type is INTERVAL, which is not read; cast it, or leave the column out"]
        )
    }

    @Test func sizesAreCheckedBeforeMemoryIsTaken() throws {
        for codec in [ParquetCodec.snappy, .gzip, .lz4Raw, .lz4Hadoop, .zstd] {
            var assembly = ParquetAssembly(.int64, rowCount: 1 << 20)
            assembly.codec = codec
            assembly.append(.data, .plain, count: 1 << 20, uncompressedSize: 2_000_000_000, [1, 2, 3, 4, 5, 6, 7, 8])
            let error = #expect(throws: MalformedFile.self) { try read(assembly) }
            #expect(error?.detail.contains("cannot decompress to 2000000000") == true)
        }
        let rows = ParquetAssembly(.int64, rowCount: 1 << 40)
        #expect(throws: MalformedFile.self) { try read(rows) }
    }

    @Test func manyEntriesAndLongStringsAreRead() throws {
        let count = 70_000
        var assembly = ParquetAssembly(.int32, rowCount: count)
        assembly.append(.dictionary, .plain, count: count, plain((0..<count).map { Int32($0 * 3) }))
        // 17 bits for each index, packed.
        var packed = [UInt8](repeating: 0, count: (count + 7) / 8 * 17)
        for index in 0..<count {
            for bit in 0..<17 where (count - 1 - index) >> bit & 1 == 1 {
                packed[(index * 17 + bit) / 8] |= 1 << UInt8((index * 17 + bit) % 8)
            }
        }
        var header: [UInt8] = [17]
        var run = (count + 7) / 8 * 2 + 1
        while run >= 128 {
            header.append(UInt8(run & 127 | 128))
            run >>= 7
        }
        assembly.append(.data, .rleDictionary, count: count, header + [UInt8(run)] + packed)
        #expect(try read(assembly) == .int64(PrimitiveColumn((0..<count).map { Int64(count - 1 - $0) * 3 })))

        let long = [UInt8](repeating: 97, count: 70_000)
        var strings = ParquetAssembly(.byteArray, rowCount: 2)
        strings.convertedType = 0
        strings.append(.data, .plain, count: 2, plain([70_000] as [UInt32]) + long + plain([0] as [UInt32]))
        #expect(try read(strings) == Column(.string, [.string(String(decoding: long, as: UTF8.self)), .string("")]))
    }
}
