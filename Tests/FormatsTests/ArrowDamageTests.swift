import Columns
import Formats
import FoundationEssentials
import Testing

@Suite struct ArrowDamageTests {
    /// Reads all that can be read; anything but `MalformedFile` is a failure, and so is a trap or a hang.
    ///
    /// - Returns: the error, if there was one.
    @discardableResult
    private func attempt(_ bytes: [UInt8]) throws -> MalformedFile? {
        do {
            let file = try ArrowFile(bytes: bytes, name: "damaged", naiveTimestamps: .utc)
            _ = file.layout
            let columns = file.schema.fields.map(\.name)
            _ = try file.read(columns: columns)
            if file.batchCount > 0 { _ = try file.read(batch: file.batchCount - 1, columns: columns) }
            return nil
        } catch let error as MalformedFile {
            #expect(error.file == "damaged")
            return error
        }
    }

    private func samples() throws -> [[UInt8]] {
        let batch = randomBatch(rows: 9, nulls: .some, isVaried: true, seed: 3)
        let own = try [ArrowOptions.Compression.none, .lz4, .zstd].flatMap { compression in
            try [ArrowOptions.Layout.file, .stream].map { layout in
                let options = ArrowOptions(layout: layout, compression: compression, batchRows: 5)
                return try Arrow.encode([batch], options: options)
            }
        }
        let foreign = [
            ForeignArrow.everyType, ForeignArrow.version4, ForeignArrow.legacyStream, ForeignArrow.deltaFile,
            ForeignArrow.deltaStream, ForeignArrow.replacedStream, ForeignArrow.hidden, ForeignArrow.polars,
        ]
        return own + foreign
    }

    @Test func everyTruncationIsAnError() throws {
        let batch = RecordBatch([
            "x": Column(.int64, [.int64(1), .null]), "s": Column(.string, [.string("a"), .null]),
        ])
        for layout in [ArrowOptions.Layout.file, .stream] {
            let bytes = try Arrow.encode([batch], options: ArrowOptions(layout: layout, batchRows: 1))
            #expect(try attempt(bytes) == nil)
            for length in 0..<bytes.count {
                let error = try attempt(Array(bytes[..<length]))
                // A stream may end between two messages, with or without the mark for its end.
                if layout == .stream, error == nil { continue }
                #expect(error?.reason == .malformed)
                #expect(error?.offset != nil)
            }
        }
    }

    @Test func damageThrowsAndNeverTraps() throws {
        let cases = ProcessInfo.processInfo.environment["LOCKSTEP_FUZZ_CASES"].flatMap { Int($0) } ?? 2_500
        let samples = try samples()
        for sample in samples { #expect(try attempt(sample) == nil) }
        var random = SeededGenerator(seed: 4)
        for index in 0..<cases {
            var bytes = samples[index % samples.count]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            case 1:
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            case 2:
                // A word of the metadata with a value at an edge.
                let place = Int.random(in: 0..<bytes.count / 4 - 1, using: &random) * 4
                let edges: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, 64, 0x10000]
                let edge = edges[Int.random(in: 0..<edges.count, using: &random)]
                withUnsafeBytes(of: edge.littleEndian) { bytes.replaceSubrange(place..<place + 4, with: $0) }
            default:
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
            try attempt(bytes)
        }
    }

    @Test func otherFormatsAreToldApart() throws {
        func detail(_ bytes: [UInt8]) throws -> String? { try attempt(bytes)?.description }
        #expect(
            try detail(Array("FEA1".utf8) + [UInt8](repeating: 0, count: 20))
                == "'damaged' cannot be read as Arrow at byte 0: it is Feather version 1; write it as Feather version 2"
        )
        #expect(
            try detail(Array("PAR1 and more that is no Arrow".utf8))?.contains("begins neither with ARROW1") == true
        )
        #expect(try detail([])?.contains("begins neither with ARROW1") == true)
        let bytes = try Arrow.encode([RecordBatch(["x": Column(.int64, [.int64(1)])])])
        #expect(try detail(bytes.dropLast(3))?.contains("it does not end with ARROW1; it may be cut short") == true)
    }

    @Test(arguments: [
        ("u64", "row 1: 9223372036854775808 is past the range of int64; cast it"),
        ("ns", "row 1: 1001 ns is no whole number of microseconds; round the column to microseconds"),
        ("time", "row 1: 5 ns is no whole number of microseconds; round the column to microseconds"),
        ("date64", "row 1: 5 ms is no whole number of days; write the column as timestamps"),
        ("s", "row 1: 4611686018427387904 s is past the range of microseconds"),
        ("date", "row 1: 2147483647 days is past the range of microseconds"),
        ("utf8", "row 1 is not valid UTF-8"),
        ("split", "row 0 is not valid UTF-8"),
        ("bin", "row 1 is not valid UTF-8"),
        ("list", "row 1 has 1 elements, the vectors before it 2"),
        ("hole", "row 1 has an element that is null; a vector has none"),
        ("dec", "row 1: 1000000000000000000000000000000 is past the range of int64"),
        ("dict", "an index is past the end of a dictionary of 2"),
        ("desc", "its offsets do not ascend"),
    ])
    func whatCannotBeReadIsNamed(_ column: String, _ detail: String) throws {
        let types: [String: DataType] = ["bin": .string, "dec": .int64]
        let file = try ArrowFile(bytes: ForeignArrow.unreadable, name: "t", naiveTimestamps: .utc, types: types)
        if let reason = file.refusedColumns[column] {
            // What a list holds is seen when the file is opened, to tell the length of its vectors.
            #expect(reason == "column '\(column)': \(detail)")
            return
        }
        let error = #expect(throws: MalformedFile.self) { try file.read(columns: [column]) }
        #expect(error?.detail == "column '\(column)': \(detail)")
        #expect(error?.offset != nil)
    }
}
