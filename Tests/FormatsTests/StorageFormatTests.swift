import Columns
import Testing

@testable import Formats

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct LZ4Tests {
    private func samples() -> [[UInt8]] {
        var random = SeededGenerator(seed: 2)
        return [
            [], [7], Array(repeating: 3, count: 70_000),
            (0..<10_000).map { _ in UInt8(truncatingIfNeeded: random.next()) },
            (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) },
        ]
    }

    private func frame(_ content: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: LZ4.frameBound(content.count)) { frame, count in
            count = content.withUnsafeBytes { LZ4.compressFrame($0, into: UnsafeMutableRawBufferPointer(frame)) }
        }
    }

    private func content(_ frame: [UInt8], count: Int) -> [UInt8]? {
        var isWhole = false
        let content = [UInt8](unsafeUninitializedCapacity: count) { content, written in
            isWhole = frame.withUnsafeBytes {
                LZ4.decompressFrame($0, into: UnsafeMutableRawBufferPointer(content), count: count)
            }
            written = isWhole ? count : 0
        }
        return isWhole ? content : nil
    }

    @Test func framesAndBlocksRoundTrip() throws {
        for sample in samples() {
            #expect(content(frame(sample), count: sample.count) == sample)
            #expect(try LZ4.decompressBlock(LZ4.compressBlock(sample), count: sample.count) == sample)
        }
    }

    @Test func framesOfAnotherLengthAreRefused() {
        let frame = frame(Array(repeating: 0, count: 1_000))
        #expect(content(frame, count: 999) == nil)
        #expect(content(frame, count: 1_001) == nil)
    }

    @Test func damageIsSeen() throws {
        let sample = (0..<3_000).map { UInt8(truncatingIfNeeded: $0 / 5) }
        let frame = frame(sample)
        for length in 0..<frame.count { #expect(content(Array(frame[..<length]), count: sample.count) == nil) }
        #expect(content(frame + [0], count: sample.count) == nil)
        var random = SeededGenerator(seed: 4)
        for _ in 0..<500 {
            var damaged = frame
            damaged[Int.random(in: 0..<frame.count, using: &random)] ^= 1 << UInt8(random.next() % 8)
            // Frames carry no checksum here: damage may go unseen, but never out of bounds.
            if let content = content(damaged, count: sample.count) { #expect(content.count == sample.count) }
        }
        #expect(throws: MalformedFile.self) { try LZ4.decompressBlock([1, 2, 3], count: 100) }
        #expect(throws: MalformedFile.self) { try LZ4.decompressBlock([], count: 1 << 40) }
        #expect(throws: MalformedFile.self) { try LZ4.decompressBlock([0], count: -1) }
    }
}

@Suite struct SafetensorsTests {
    private let sample = Safetensors(
        [
            .init(name: "b", shape: [2, 2], [1, -0.0, .infinity, 0.5] as [Float]),
            .init(name: "a", shape: [], [3.25] as [Double]),
            .init(name: "empty", shape: [0, 4], [] as [Int64]),
            .init(name: "naïve \"x\"\n", dtype: .uint8, shape: [3], bytes: [1, 2, 3]),
        ],
        metadata: ["semantics": "1", "a": "\u{1}𝄞"]
    )

    @Test func roundTripsWithTypedValues() throws {
        let read = try Safetensors(bytes: sample.encode())
        #expect(Set(read.tensors) == Set(sample.tensors))
        #expect(read.metadata == sample.metadata)
        #expect(read["b"]?.floats == [1, -0.0, .infinity, 0.5])
        #expect(read["a"]?.doubles == [3.25])
        #expect(read["empty"]?.integers == [])
        #expect(read["b"]?.doubles == nil)
        #expect(read["c"] == nil)
    }

    @Test func theBytesDoNotDependOnTheOrder() {
        let reversed = Safetensors(sample.tensors.reversed(), metadata: sample.metadata)
        #expect(reversed.encode() == sample.encode())
    }

    @Test func writesTheDocumentedBytes() {
        let file = Safetensors([.init(name: "x", dtype: .uint8, shape: [2], bytes: [9, 8])]).encode()
        let header = #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.count % 8) % 8)
        #expect(file == [UInt8(padded.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8) + [9, 8])
    }

    @Test(arguments: [
        #"["x"]"#, #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,3]}}"#,
        #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        #"{"x":{"dtype":"U8","shape":[-1],"data_offsets":[0,2]}}"#,
        #"{"x":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}"#,
        #"{"x":{"dtype":"U9","shape":[2],"data_offsets":[0,2]}}"#,
        #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"x":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}"#,
        #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"y":1}}"#, #"{"x":{"dtype":"U8","shape":[2]}}"#,
        #"{"x":{"dtype":"U8","shape":[4611686018427387904,4],"data_offsets":[0,2]}}"#, #"{} x"#, #"{"#,
        #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
        #"{"\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
        #" {"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        #"{"__metadata__":{"a":1},"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
    ])
    func refuses(header: String) {
        let text = Array(header.utf8)
        let bytes = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + [1, 2]
        #expect(throws: MalformedFile.self) { try Safetensors(bytes: bytes) }
    }

    @Test func damageThrowsAndNeverTraps() throws {
        let bytes = sample.encode()
        for length in 0..<bytes.count {
            #expect(throws: MalformedFile.self) { try Safetensors(bytes: Array(bytes[..<length])) }
        }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            _ = try? Safetensors(bytes: damaged)
        }
    }
}

@Suite struct TableTests {
    /// A directory of its own for each test.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/formats-tests.XXXXXX".utf8CString)
        _ = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkdtemp($0) } }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in names(path) { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        try body(path)
    }

    private func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    @Test func theExtensionNamesTheFormat() {
        #expect(TableFormat(path: "a/b.CSV") == .csv)
        #expect(TableFormat(path: "x.tar.parquet") == .parquet)
        #expect(TableFormat(path: "a.csv/b") == nil)
        #expect(TableFormat(path: ".csv") == nil)
    }

    @Test func tablesAreWrittenAndReadByExtension() throws {
        try withDirectory { directory in
            let batch = randomBatch(rows: 30, nulls: .some, isVaried: false, seed: 6)
            for name in ["t.csv", "t.parquet"] {
                let path = "\(directory)/\(name)"
                try writeTable(batch, to: path)
                #expect(try difference(readTable(path: path, schema: batch.schema), batch) == nil)
                try writeTable(batch, to: path)
            }
            #expect(names(directory) == ["t.csv", "t.parquet"])
            #expect(try csvHeader(path: "\(directory)/t.csv") == batch.schema.fields.map(\.name))
            #expect(throws: TableError.self) { try readTable(path: "\(directory)/t.txt") }
            #expect(throws: FileError.self) { try readTable(path: "\(directory)/none.csv") }
            #expect(throws: FileError.self) { try readTable(path: directory, format: .csv) }
            #expect(throws: FileError.self) { try writeTable(batch, to: "\(directory)/none/t.csv") }
            let other = Schema([Field(batch.schema[0].name, .string)])
            #expect(throws: TableError.self) { try readTable(path: "\(directory)/t.parquet", schema: other) }
        }
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        try withDirectory { directory in
            let path = "\(directory)/t.csv"
            let good = RecordBatch(["t": Column(.timestamp, [.timestamp(0)])])
            try writeTable(good, to: path)
            let bad = RecordBatch(["t": Column(.timestamp, [.timestamp(.max)])])
            #expect(throws: UnwritableValue.self) { try writeTable(bad, to: path) }
            #expect(names(directory) == ["t.csv"])
            #expect(try readTable(path: path) == good)
        }
    }
}
