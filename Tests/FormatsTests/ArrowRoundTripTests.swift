import Columns
import Formats
import Testing

private let compressions = ArrowOptions.Compression.allCases

@Suite struct ArrowRoundTripTests {
    @Test(arguments: compressions, NullPattern.allCases)
    func everyTypeComesBack(_ compression: ArrowOptions.Compression, _ nulls: NullPattern) throws {
        for (rows, batchRows) in [(0, 10), (1, 1), (7, 3), (64, 64), (65, 64), (200, 70), (200, 1_000)] {
            let batch = randomBatch(rows: rows, nulls: nulls, isVaried: rows.isMultiple(of: 2), seed: UInt64(rows))
            for layout in [ArrowOptions.Layout.file, .stream] {
                let options = ArrowOptions(layout: layout, compression: compression, batchRows: batchRows)
                let file = try ArrowFile(bytes: Arrow.encode([batch], options: options), name: "t")
                #expect(file.isStream == (layout == .stream))
                #expect(file.rowCount == rows)
                #expect(file.batchCount == (rows + batchRows - 1) / batchRows)
                #expect(file.refusedColumns.isEmpty)
                let found = try file.read()
                let fault = difference(found, batch)
                #expect(fault == nil, "\(rows) rows in batches of \(batchRows), \(layout)")
            }
        }
    }

    @Test func bytesDoNotDependOnHowRowsArrive() throws {
        let batch = randomBatch(rows: 150, nulls: .some, isVaried: true, seed: 1)
        let parts = [0..<1, 1..<1, 1..<64, 64..<150].map { rows in
            RecordBatch(
                schema: batch.schema,
                columns: batch.columns.map { column in Column(column.type, rows.map { column[$0] }) },
                rowCount: rows.count
            )
        }
        for compression in compressions {
            let options = ArrowOptions(compression: compression, batchRows: 40, metadata: [("k", "v")])
            #expect(try Arrow.encode(parts, options: options) == Arrow.encode([batch], options: options))
        }
    }

    @Test func readsOnlyWhatIsAskedFor() throws {
        let batch = randomBatch(rows: 100, nulls: .some, isVaried: true, seed: 2)
        let file = try ArrowFile(bytes: Arrow.encode([batch], options: ArrowOptions(batchRows: 30)), name: "t")
        let names = ["a timestamp", "a bool", "a string"]
        let found = try file.read(columns: names)
        #expect(found.schema.fields.map(\.name) == names)
        for name in names { #expect(found[name] == batch[name]) }
        let second = try file.read(batch: 1, columns: ["a int64"])
        #expect(second["a int64"] == Column(.int64, (30..<60).map { batch.columns[1][$0] }))
        #expect(try file.read(batch: 3).rowCount == 10)
        #expect(try file.read(columns: []).rowCount == 100)
        let error = #expect(throws: MalformedFile.self) { try file.read(columns: ["absent"]) }
        #expect(error?.detail.hasPrefix("no column 'absent'; the file has 'a bool', 'a int64'") == true)
    }

    @Test func metadataAndLayoutCanBeSeen() throws {
        let batch = RecordBatch([
            "s": Column(.string, [.string("ä"), .null]), "t": Column(.timestamp, [.timestamp(1), .timestamp(2)]),
            "v": Column(.vector(dimension: 2), [.null, .vector([1, 2])]),
        ])
        let options = ArrowOptions(compression: .zstd, batchRows: 1, metadata: [("b", "2"), ("a", ""), ("ü", "𝄞")])
        let bytes = try Arrow.encode([batch], options: options)
        let file = try ArrowFile(bytes: bytes, name: "t")
        #expect(file.metadata.map(\.0) == ["b", "a", "ü"])
        #expect(file.metadata.map(\.1) == ["2", "", "𝄞"])
        let layout = file.layout
        #expect(layout.columns.map(\.name) == ["s", "t", "v"])
        #expect(
            layout.columns.map(\.type) == ["large_string", "timestamp[us, tz=UTC]", "fixed_size_list<float>[2]"]
        )
        #expect(layout.columns.allSatisfy { $0.isNullable && !$0.isDictionary && $0.entryCount == nil })
        #expect(layout.batches.map(\.rowCount) == [1, 1])
        #expect(layout.batches.allSatisfy { $0.compression == .zstd && $0.bodyBytes > 0 && $0.bodyBytes % 64 == 0 })
        #expect(layout.batches.map(\.offset) == layout.batches.map(\.offset).sorted())
    }

    @Test func bodiesBeginAtMultiplesOf64() throws {
        let value = 0x0123_4567_89AB_CDEF
        let batch = RecordBatch(["x": Column(.int64, [.int64(Int64(value))])])
        let mark = withUnsafeBytes(of: value.littleEndian) { Array($0) }
        for layout in [ArrowOptions.Layout.file, .stream] {
            for name in ["", "a", "abcdefghijklmnop"] {
                let named = RecordBatch(schema: Schema([Field(name, .int64)]), columns: batch.columns, rowCount: 1)
                let bytes = try Arrow.encode([named], options: ArrowOptions(layout: layout, compression: .none))
                let place = (0..<bytes.count - 8).first { Array(bytes[$0..<$0 + 8]) == mark }
                #expect(place.map { $0 % 64 } == 0)
                #expect(try ArrowFile(bytes: bytes, name: "t").read() == named)
            }
        }
    }

    @Test func longStringsAndNoColumnsComeBack() throws {
        let long = String(repeating: "naïve ", count: 10_000)
        let batch = RecordBatch(["s": Column(.string, [.string(long), .null, .string(""), .string(long)])])
        for compression in compressions {
            let bytes = try Arrow.encode([batch], options: ArrowOptions(compression: compression, batchRows: 2))
            #expect(try ArrowFile(bytes: bytes, name: "t").read() == batch)
        }
        let nothing = RecordBatch(schema: Schema([]), columns: [], rowCount: 3)
        #expect(try ArrowFile(bytes: Arrow.encode([nothing]), name: "t").read() == nothing)
    }

    @Test func whatTheSinkThrowsEndsTheCall() throws {
        struct Full: Error {}
        var room = 2
        let schema = Schema([Field("x", .int64)])
        let batch = RecordBatch(["x": Column(.int64, [.int64(1)])])
        var writer = try ArrowWriter(schema: schema, options: ArrowOptions(batchRows: 1)) { _ in
            room -= 1
            if room < 0 { throw Full() }
        }
        #expect(throws: Full.self) { try writer.append(batch) }
    }
}
