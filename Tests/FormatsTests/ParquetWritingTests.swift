import Columns
import Testing

@testable import Formats

/// What the bytes of a written file say beyond its values; other programs read such files in the interoperability tests.
@Suite struct ParquetWritingTests {
    private func file(_ batch: RecordBatch, _ options: ParquetOptions = ParquetOptions()) throws -> ParquetFile {
        try ParquetFile(bytes: Parquet.encode([batch], options: options), name: "t")
    }

    private func strings(_ values: [String?]) -> RecordBatch { RecordBatch(["s": .string(BinaryColumn(values))]) }

    @Test(arguments: [
        // Cut at a letter, and the last letter of the maximum replaced by the next.
        (String(repeating: "é", count: 40), String(repeating: "é", count: 32), String(repeating: "é", count: 31) + "ê"),
        ("x" + String(repeating: "é", count: 40), "x" + String(repeating: "é", count: 31), nil),
        // The code point after U+D7FF is U+E000; the surrogates between are none.
        (
            String(repeating: "x", count: 61) + "\u{D7FF}zz", String(repeating: "x", count: 61) + "\u{D7FF}",
            String(repeating: "x", count: 61) + "\u{E000}"
        ),
        // After the last code point there is none, so the letter before it is replaced.
        (
            String(repeating: "a", count: 60) + "\u{10FFFF}z", String(repeating: "a", count: 60) + "\u{10FFFF}",
            String(repeating: "a", count: 59) + "b"
        ),
    ])
    func boundsOfLongTextAreCutToLetters(text: String, minimum: String, maximum: String?) throws {
        let statistics = try file(strings([text, nil])).statistics(rowGroup: 0, column: "s")
        #expect(statistics?.minimum == .string(minimum))
        let expected = maximum ?? "x" + String(repeating: "é", count: 30) + "ê"
        #expect(statistics?.maximum == .string(expected))
        #expect(minimum <= text && text < expected)
    }

    @Test func boundsThatNothingExceedsAreLeftOut() throws {
        let last = String(repeating: "\u{10FFFF}", count: 17)
        #expect(try file(strings([last])).statistics(rowGroup: 0, column: "s")?.maximum == nil)
        #expect(try file(strings([last])).statistics(rowGroup: 0, column: "s")?.minimum != nil)
        let bytes = RecordBatch(["b": Column(.bytes, [.bytes([UInt8](repeating: 0xFF, count: 65))])])
        #expect(try file(bytes).statistics(rowGroup: 0, column: "b")?.maximum == nil)
        let mixed = RecordBatch(["b": Column(.bytes, [.bytes([7] + [UInt8](repeating: 0xFF, count: 64))])])
        #expect(try file(mixed).statistics(rowGroup: 0, column: "b")?.maximum == .bytes([8]))
    }

    @Test func boundsOfRandomTextHoldForEveryRow() throws {
        var random = SeededGenerator(seed: 21)
        for _ in 0..<200 {
            let letters: [Unicode.Scalar] = ["a", "\u{7F}", "é", "\u{7FF}", "\u{D7FF}", "\u{FFFF}", "\u{10FFFF}"]
            let values = (0..<3).map { _ in
                var text = String.UnicodeScalarView()
                for _ in 0..<Int.random(in: 10...40, using: &random) {
                    text.append(letters[Int.random(in: 0..<letters.count, using: &random)])
                }
                return String(text)
            }
            let statistics = try file(strings(values)).statistics(rowGroup: 0, column: "s")
            for value in values {
                let bytes = Array(value.utf8)
                guard case .string(let minimum)? = statistics?.minimum else { return #expect(Bool(false)) }
                #expect(!bytes.lexicographicallyPrecedes(minimum.utf8))
                if case .string(let maximum)? = statistics?.maximum {
                    #expect(!maximum.utf8.lexicographicallyPrecedes(bytes))
                }
            }
        }
    }

    /// Each entry of a dictionary counted once, whatever the seed of its hash.
    @Test func aDictionaryIsUsedWhereItPays() throws {
        func size(_ value: (Int) -> Int64) throws -> Int {
            let column = PrimitiveColumn((0..<20_000).map(value))
            return try Parquet.encode(
                [RecordBatch(["i": .int64(column)])],
                options: ParquetOptions(compression: .none)
            ).count
        }
        let distinct = try size { Int64($0) &* 0x1234_5678_9ABC }
        #expect(distinct > 160_000)
        // Seven values: three bits each. Every value ten times in a row. A panel: all of 3 000 entities again and again.
        #expect(try size { Int64($0 % 7) &* 0x1234_5678_9ABC } < 9_000)
        #expect(try size { Int64($0 / 10) &* 0x1234_5678_9ABC } < 50_000)
        #expect(try size { Int64($0 % 3_000) &* 0x1234_5678_9ABC } < 60_000)
        // Nine in ten are different: a dictionary would be about as large as the values.
        #expect(try size { Int64($0 - $0 % 10 / 9) &* 0x1234_5678_9ABC } > 160_000)
    }

    @Test func dictionariesLargerThanSixteenBitsReadBack() throws {
        let count = 180_000
        let column = Column.int64(PrimitiveColumn((0..<count).map { Int64($0 * 7 % 66_001) }))
        let batch = RecordBatch(["i": column])
        let bytes = try Parquet.encode([batch], options: ParquetOptions(compression: .none, rowGroupRows: count))
        #expect(bytes.count < 1_000_000)
        #expect(try ParquetFile(bytes: bytes, name: "t").read() == batch)
    }

    @Test func columnsOfNullsHaveNoDictionaryAndNoBounds() throws {
        for type in allTypes {
            let batch = RecordBatch(["n": .nulls(type, count: 100)])
            let bytes = try Parquet.encode([batch], options: ParquetOptions(compression: .none))
            // A page of levels alone: nothing but a run of zeros.
            #expect(bytes.count < 400)
            let file = try ParquetFile(bytes: bytes, name: "t")
            #expect(try file.read() == batch)
            guard let statistics = file.statistics(rowGroup: 0, column: "n") else { continue }
            #expect(statistics.nullCount == 100)
            #expect(statistics.minimum == nil && statistics.maximum == nil)
        }
    }

    @Test func aFileWithoutColumnsKeepsItsRows() throws {
        let batch = RecordBatch(schema: Schema([]), columns: [], rowCount: 5)
        #expect(try file(batch).rowCount == 5)
    }

    @Test func whatTheSinkThrowsComesOut() throws {
        struct Full: Error {}
        let batch = RecordBatch(["i": Column(.int64, [.int64(1)])])
        var writer = try ParquetWriter(schema: batch.schema) { if $0.count > 4 { throw Full() } }
        try writer.append(batch)
        #expect(throws: Full.self) { try writer.finish() }
    }

    @Test(arguments: [1, 2, 7, 12, 17, 20])
    func indicesOfEveryWidthAreWhatTheDecoderReads(width: Int) {
        var random = SeededGenerator(seed: UInt64(width))
        for count in [1, 7, 8, 9, 63, 64, 65, 500] {
            // Runs and single values in turn.
            var values: [UInt32] = []
            while values.count < count {
                let value = UInt32(truncatingIfNeeded: random.next()) & (1 << UInt32(width) - 1)
                values += [UInt32](
                    repeating: value,
                    count: Bool.random(using: &random) ? 1 : Int(random.next() % 20) + 1
                )
            }
            values = Array(values[..<count])
            var bytes: [UInt8] = []
            values.withUnsafeBufferPointer { HybridEncoder.append($0, width: width, to: &bytes) }
            #expect(decoded(bytes, width: width, count: count) == values)
        }
    }

    /// Encodings.md, word by word.
    private func decoded(_ bytes: [UInt8], width: Int, count: Int) -> [UInt32] {
        var values: [UInt32] = []
        var position = 0
        while values.count < count {
            var header = 0
            var shift = 0
            repeat {
                header |= Int(bytes[position] & 0x7F) << shift
                shift += 7
                position += 1
            } while bytes[position - 1] & 0x80 != 0
            if header & 1 == 0 {
                var value: UInt32 = 0
                for byte in 0..<(width + 7) / 8 { value |= UInt32(bytes[position + byte]) << UInt32(8 * byte) }
                position += (width + 7) / 8
                values += [UInt32](repeating: value, count: header >> 1)
            } else {
                for index in 0..<(header >> 1) * 8 {
                    var value: UInt32 = 0
                    for bit in 0..<width {
                        let place = index * width + bit
                        if bytes[position + place / 8] >> UInt8(place % 8) & 1 != 0 { value |= 1 << UInt32(bit) }
                    }
                    values.append(value)
                }
                position += (header >> 1) * width
            }
        }
        #expect(position == bytes.count)
        #expect(values[count...].allSatisfy { $0 == 0 })
        return Array(values[..<count])
    }

    @Test func checksumsAreThoseOfGzip() {
        func checksum(_ text: String) -> UInt32 { Array(text.utf8).withUnsafeBytes { CRC32.checksum($0) } }
        // The check value of CRC-32/ISO-HDLC.
        #expect(checksum("123456789") == 0xCBF4_3926)
        #expect(checksum("") == 0)
    }

    @Test func longRowsAndGroupsDoNotDependOnTheBatches() throws {
        var random = SeededGenerator(seed: 5)
        let columns = allTypes.map { randomColumn($0, rows: 500, nulls: .some, isVaried: false, &random) }
        let schema = Schema(allTypes.map { Field("\($0)", $0) })
        let batch = RecordBatch(schema: schema, columns: columns, rowCount: 500)
        for compression in ParquetOptions.Compression.allCases {
            let options = ParquetOptions(compression: compression, rowGroupRows: 130)
            let whole = try Parquet.encode([batch], options: options)
            let file = try ParquetFile(bytes: whole, name: "t")
            #expect(
                try Parquet.encode((0..<file.rowGroupCount).map { try file.read(rowGroup: $0) }, options: options)
                    == whole
            )
        }
    }
}
