import Columns
import Formats
import Glibc
import Testing

@Suite struct TableReaderTests {
    private static let names = ["t.csv", "t.tsv", "t.parquet", "t.arrow", "t.feather", "t.ipc", "t.arrows"]

    @Test(arguments: names) func whatIsWrittenIsReadInBatches(name: String) throws {
        try withTables { directory in
            let path = "\(directory)/\(name)"
            let first = randomBatch(rows: 300, nulls: .some, isVaried: true, seed: 1)
            let second = randomBatch(rows: 211, nulls: .runs, isVaried: false, seed: 2)
            var writer = try TableWriter(
                path: path,
                schema: first.schema,
                parquet: ParquetOptions(rowGroupRows: 100),
                arrow: name == "t.arrows" ? nil : ArrowOptions(batchRows: 100)
            )
            try writer.append(first)
            try writer.append(second)
            #expect(writer.rowCount == 511)
            let size = try writer.finish()
            #expect(size == fileSize(path))
            var reader = try TableReader(path: path, schema: first.schema)
            #expect(reader.schema == first.schema)
            #expect(reader.rowCount == (reader.format == .csv ? nil : 511))
            var row = 0
            while let batch = try reader.next() {
                #expect(batch.rowCount > 0)
                if reader.format != .csv, name != "t.arrows" { #expect(batch.rowCount <= 100) }
                for (place, column) in batch.columns.enumerated() {
                    for (offset, wanted) in expected(first, second, column: place, from: row, batch.rowCount)
                        .enumerated()
                    {
                        #expect(column[offset].isIdentical(to: wanted))
                    }
                }
                row += batch.rowCount
            }
            #expect(row == 511)
            #expect(try reader.next() == nil)
        }
    }

    private func expected(
        _ first: RecordBatch,
        _ second: RecordBatch,
        column: Int,
        from row: Int,
        _ count: Int
    ) -> [Scalar] {
        (row..<row + count).map { row in
            row < first.rowCount ? first.columns[column][row] : second.columns[column][row - first.rowCount]
        }
    }

    @Test(arguments: names) func emptyTablesKeepTheirSchema(name: String) throws {
        try withTables { directory in
            let batch = randomBatch(rows: 0, nulls: .none, isVaried: false, seed: 1)
            let path = "\(directory)/\(name)"
            try writeTable(batch, to: path)
            // A vector's length cannot be told from no rows, nor any CSV type.
            #expect(try readTable(path: path, schema: batch.schema) == batch)
            var reader = try TableReader(path: path, schema: batch.schema)
            #expect(try reader.next() == nil)
        }
    }

    @Test func columnsComeInTheOrderAskedFor() throws {
        try withTables { directory in
            let batch = randomBatch(rows: 20, nulls: .some, isVaried: false, seed: 3)
            for name in Self.names {
                let path = "\(directory)/\(name)"
                try writeTable(batch, to: path)
                var reader = try TableReader(
                    path: path,
                    columns: ["a string", "a int64"],
                    types: ["a int64": .int64, "a string": .string, "not there": .bool]
                )
                let found = try #require(try reader.next())
                #expect(found.schema.fields.map(\.name) == ["a string", "a int64"])
                #expect(found["a int64"] == batch["a int64"])
                #expect(found["a string"] == batch["a string"])
                #expect(throws: (any Error).self) { _ = try TableReader(path: path, columns: ["nowhere"]) }
                let twice = #expect(throws: TableError.self) {
                    _ = try TableReader(path: path, columns: ["a bool", "a bool"])
                }
                #expect(twice?.description.contains("'a bool' is asked for twice") == true)
            }
        }
    }

    @Test func anotherTypeIsRefusedUnlessNoValueCanChange() throws {
        try withTables { directory in
            let batch = RecordBatch([
                "age": Column(.int64, [.int64(7), .null]), "name": Column(.string, [.string("x"), .null]),
                "share": Column(.float32, [.float32(0.1), .null]),
            ])
            for name in ["t.parquet", "t.arrow"] {
                let path = "\(directory)/\(name)"
                try writeTable(batch, to: path)
                let error = #expect(throws: TableError.self) {
                    try readTable(path: path, schema: Schema([Field("age", .string)]))
                }
                let text = error?.description ?? ""
                for part in [path, "'age'", "int64", "string"] { #expect(text.contains(part), "\(text)") }
                let wide = try readTable(path: path, schema: Schema([Field("share", .float64), Field("name", .bytes)]))
                #expect(wide["share"] == Column(.float64, [.float64(Double(Float(0.1))), .null]))
                #expect(wide["name"] == Column(.bytes, [.bytes([120]), .null]))
            }
        }
    }

    @Test func refusedColumnsAreNamedAndTheOthersRead() throws {
        let bytes = ForeignFiles.snappy
        let error = #expect(throws: TableError.self) {
            _ = try TableReader(bytes: bytes, name: "t.parquet", format: .parquet)
        }
        #expect(error?.description.contains("'naive'") == true)
        let some = try readTable(
            bytes: bytes,
            name: "t.parquet",
            format: .parquet,
            schema: Schema([Field("d", .float64)])
        )
        #expect(some.rowCount == 40)
    }

    @Test func csvTypesAreInferredForTheColumnsAskedFor() throws {
        let text = "zip;n;when\n01234;1;2024-01-01T00:00:00Z\n99999;2;\n"
        let options = CSVOptions(delimiter: UInt8(ascii: ";"))
        let batch = try readTable(bytes: Array(text.utf8), name: "t.csv", format: .csv, options: options)
        #expect(batch.schema == Schema([Field("zip", .string), Field("n", .int64), Field("when", .timestamp)]))
        let wanted = Schema([Field("n", .float64)])
        let typed = try readTable(
            bytes: Array(text.utf8),
            name: "t.csv",
            format: .csv,
            schema: wanted,
            options: options
        )
        #expect(typed == RecordBatch(["n": Column(.float64, [.float64(1), .float64(2)])]))
    }

    @Test func theExtensionNamesTheFormat() throws {
        let known: [String: TableFormat] = [
            "a.CSV": .csv, "a.tsv": .csv, "b/a.parquet": .parquet, "a.arrow": .arrow, "a.Feather": .arrow,
            "a.ipc": .arrow, "a.arrows": .arrow,
        ]
        for (path, format) in known { #expect(TableFormat(path: path) == format) }
        #expect(CSVOptions(path: "a.tsv").delimiter == UInt8(ascii: "\t"))
        #expect(CSVOptions(path: "a.csv").delimiter == UInt8(ascii: ","))
        #expect(ArrowOptions(path: "a.arrows").layout == .stream)
        #expect(ArrowOptions(path: "a.feather").layout == .file)
        let error = #expect(throws: TableError.self) { _ = try TableReader(path: "a.txt") }
        #expect(error?.description.contains(".parquet") == true)
        #expect(throws: TableError.self) { _ = try TableWriter(path: "a.txt", schema: Schema([])) }
    }

    @Test func zonesAreKnownByName() throws {
        #expect(try NaiveTimestamps(zone: "UTC") == .utc)
        #expect(try NaiveTimestamps(zone: "America/New_York").rule != .utc)
        #expect(throws: (any Error).self) { try NaiveTimestamps(zone: "Nowhere/Nothing") }
    }
}

@Suite struct TableWriterTests {
    @Test func aWriterThatIsDroppedLeavesNothing() throws {
        try withTables { directory in
            let batch = RecordBatch(["t": Column(.timestamp, [.timestamp(0)])])
            for name in ["t.csv", "t.parquet", "t.arrow"] {
                let path = "\(directory)/\(name)"
                do {
                    var writer = try TableWriter(path: path, schema: batch.schema)
                    try writer.append(batch)
                }
                #expect(entries(directory).isEmpty)
            }
        }
    }

    /// What stands under the name already says how the new file stands there.
    @Test func linksAreFollowedModesKeptAndDevicesRefused() throws {
        try withTables { directory in
            let batch = RecordBatch(["a": .int64(PrimitiveColumn([1]))])
            let target = "\(directory)/target.csv"
            try write(Array("old".utf8), to: target)
            #expect(chmod(target, 0o600) == 0)
            #expect(symlink("target.csv", "\(directory)/link.csv") == 0)
            try writeTable(batch, to: "\(directory)/link.csv")
            #expect(try readTable(path: target) == batch)
            var status = stat()
            #expect(lstat("\(directory)/link.csv", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
            #expect(lstat(target, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(mkfifo("\(directory)/pipe.csv", 0o600) == 0)
            #expect(throws: FileError.self) { try writeTable(batch, to: "\(directory)/pipe.csv") }
            #expect(lstat("\(directory)/pipe.csv", &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
            #expect(throws: FileError.self) { try writeTable(batch, to: directory, format: .csv) }
            #expect(entries(directory) == ["link.csv", "pipe.csv", "target.csv"])
        }
    }

    @Test func aFailureKeepsTheOldFile() throws {
        try withTables { directory in
            let path = "\(directory)/t.csv"
            let good = RecordBatch(["t": Column(.timestamp, [.timestamp(0)])])
            try writeTable(good, to: path)
            let bad = RecordBatch(["t": Column(.timestamp, [.timestamp(.max)])])
            #expect(throws: UnwritableValue.self) {
                var writer = try TableWriter(path: path, schema: bad.schema)
                try writer.append(good)
                try writer.append(bad)
                try writer.finish()
            }
            #expect(entries(directory) == ["t.csv"])
            #expect(try readTable(path: path) == good)
        }
    }

    @Test func sortedByNamesColumnsOfTheTable() throws {
        try withTables { directory in
            let schema = Schema([Field("a", .int64)])
            let options = ParquetOptions(sortedBy: ["b"])
            let error = #expect(throws: TableError.self) {
                _ = try TableWriter(path: "\(directory)/t.parquet", schema: schema, parquet: options)
            }
            #expect(error?.description.contains("no column 'b'") == true)
            #expect(entries(directory).isEmpty)
        }
    }
}

@Suite struct TableDescriptionTests {
    @Test(arguments: ["t.csv", "t.parquet", "t.arrow", "t.arrows"]) func saysWhatTheFileHolds(name: String) throws {
        try withTables { directory in
            let path = "\(directory)/\(name)"
            let batch = RecordBatch([
                "n": Column(.int64, (0..<250).map { $0 % 5 == 0 ? .null : .int64(Int64($0)) }),
                "s": Column(.string, (0..<250).map { .string("row \($0)") }),
            ])
            try writeTable(
                batch,
                to: path,
                parquet: ParquetOptions(rowGroupRows: 100, sortedBy: ["n"], metadata: [("k", "v")])
            )
            let description = try TableDescription(path: path, rows: 3)
            #expect(description.byteCount == fileSize(path))
            #expect(description.rowCount == 250)
            #expect(description.columns.map(\.name) == ["n", "s"])
            #expect(description.columns.map(\.type) == [.int64, .string])
            #expect(description.columns.allSatisfy { $0.remark == nil })
            #expect(description.firstRows.rowCount == 3)
            #expect(
                description.firstRows["s"] == Column(.string, [.string("row 0"), .string("row 1"), .string("row 2")])
            )
            let narrow = try TableDescription(path: path, columns: ["s"], rows: 0)
            #expect(narrow.columns.map(\.name) == ["s"])
            #expect(narrow.firstRows.rowCount == 0)
            #expect(throws: TableError.self) { try TableDescription(path: path, columns: ["x"], rows: 0) }
            guard description.format == .parquet else { return }
            #expect(description.parts.map(\.rowCount) == [100, 100, 50])
            #expect(description.parts[0].sortedBy == ["n"])
            #expect(description.parts[1].chunks[0].minimum == .int64(101))
            #expect(description.metadata.contains { $0 == ("k", "v") })
            #expect(description.createdBy?.hasPrefix("lockstep") == true)
        }
    }

    /// One value that cannot be read takes its column's rows from a description, and nothing else.
    @Test func aValueThatCannotBeReadIsNamed() throws {
        try withTables { directory in
            let path = "\(directory)/t.arrow"
            try write(ForeignArrow.uint64AboveInt64, to: path)
            let file = try TableDescription(path: path, rows: 5)
            #expect(file.firstRows.schema.fields.map(\.name) == ["a"])
            #expect(file.firstRows.rowCount == 2)
            #expect(file.columns.map { $0.remark == nil } == [true, false])
            #expect(file.columns.last?.remark?.contains("18446744073709551615") == true)
        }
    }

    @Test func naiveTimestampsNeedNoZoneToBeDescribed() throws {
        try withTables { directory in
            let csv = "\(directory)/t.csv"
            try write(Array("n,t\n1,2024-01-01 10:00:00\n".utf8), to: csv)
            let described = try TableDescription(path: csv, rows: 1)
            #expect(described.columns.map(\.type) == [.int64, .string])
            #expect(described.columns[1].remark?.contains("--timezone") == true)
            var options = CSVOptions()
            options.naiveTimestamps = .utc
            #expect(try TableDescription(path: csv, rows: 1, options: options).columns[1].type == .timestamp)
            let parquet = "\(directory)/t.parquet"
            try write(ForeignFiles.snappy, to: parquet)
            let foreign = try TableDescription(path: parquet, rows: 2)
            let naive = try #require(foreign.columns.first { $0.name == "naive" })
            #expect(naive.type == nil && naive.remark?.contains("time zone") == true)
            #expect(foreign.firstRows.schema.type(of: "naive") == nil)
            #expect(foreign.firstRows.rowCount == 2)
            // A nested column goes by its top-level name.
            let vector = try TableDescription(path: parquet, columns: ["v", "i32"], rows: 2)
            #expect(vector.columns.map(\.name) == ["v.list.element", "i32"])
            #expect(vector.firstRows.schema.fields.map(\.name) == ["v", "i32"])
        }
    }
}

private func withTables(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/tables-XXXXXX".utf8CString)
    let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer {
        for name in entries(directory) { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
    try body(directory)
}

private func entries(_ directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

private func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : -1
}

private func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}
