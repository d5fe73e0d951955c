import Columns

/// A Parquet file open for reading: its schema, and columns on demand.
///
/// Reads flat columns of booleans, integers up to 64 bits, floats, doubles, byte arrays and timestamps, and lists of
/// float as vectors; PLAIN, dictionary and RLE encodings; data pages v1 and v2; uncompressed, LZ4_RAW and SNAPPY.
/// Everything else is refused by name, a column only when it is asked for. The file is mapped and never trusted: damage
/// throws `MalformedFile`, and page checksums are verified where the file has them.
public struct ParquetFile: Sendable {
    /// The columns that can be read.
    ///
    /// Those that cannot are in `refusedColumns`.
    public let schema: Schema
    /// Columns of the file that are not read, with the reason.
    public let refusedColumns: [String: String]
    public let rowCount: Int
    public var rowGroupCount: Int { footer.rowGroups.count }
    /// The file's own pairs, in file order.
    public let metadata: [(String, String)]
    /// The program that says it wrote the file.
    public var createdBy: String? { footer.createdBy }

    let bytes: FileBytes
    let footer: ParquetFooter
    let columns: [String: ParquetColumn]

    /// More rows than this are taken for damage: 16 Mi, and 64 for each byte of the file.
    private static func rowLimit(_ fileSize: Int) -> Int { 1 << 24 + 64 * fileSize }
    /// The most bytes that one column may expand to: 1 GiB, and 64 for each byte of the file.
    private static func expansionLimit(_ fileSize: Int) -> Int { 1 << 30 + 64 * fileSize }

    /// - Parameters:
    ///   - name: what errors call the bytes.
    ///   - naiveTimestamps: what timestamps without a time zone mean.
    /// - Throws: `MalformedFile`.
    public init(bytes: [UInt8], name: String, naiveTimestamps: NaiveTimestamps = .refuse) throws {
        try self.init(FileBytes(bytes, name: name), naiveTimestamps)
    }

    /// - Throws: `FileError`, `MalformedFile`.
    public init(path: String, naiveTimestamps: NaiveTimestamps = .refuse) throws {
        try self.init(FileBytes(path: path), naiveTimestamps)
    }

    init(_ bytes: FileBytes, _ naive: NaiveTimestamps) throws {
        func fault(_ detail: String, at offset: Int? = nil) -> MalformedFile {
            MalformedFile(.malformed, file: bytes.name, format: "Parquet", offset: offset, detail)
        }
        let footer = try bytes.withBytes { try ParquetFile.footer($0, name: bytes.name) }
        guard let columns = ParquetColumn.columns(of: footer.schema, naive: naive) else {
            throw fault("its schema is not a tree of columns")
        }
        let limit = Self.rowLimit(bytes.count)
        var rowCount = 0
        for group in footer.rowGroups {
            guard group.rowCount >= 0, group.rowCount <= limit else {
                throw fault("a row group of \(group.rowCount) rows in \(bytes.count) bytes")
            }
            rowCount += group.rowCount
        }
        guard rowCount <= limit else { throw fault("\(rowCount) rows in \(bytes.count) bytes") }
        guard rowCount == footer.rowCount else {
            throw fault("its row groups have \(rowCount) rows, its footer says \(footer.rowCount)")
        }
        var dimensions: [String: Int] = [:]
        var metadata: [(String, String)] = []
        for (key, value) in footer.metadata {
            if key.hasPrefix(ParquetWriter.dimensionPrefix) {
                dimensions[String(key.dropFirst(ParquetWriter.dimensionPrefix.count))] = Int(value)
            } else {
                metadata.append((key, value))
            }
        }
        var fields: [Field] = []
        var refused: [String: String] = [:]
        var byName: [String: ParquetColumn] = [:]
        for column in columns {
            guard byName[column.name] == nil, refused[column.name] == nil else {
                throw fault("it has two columns called '\(column.name)'")
            }
            switch column.reading {
            case .refused(let reason): refused[column.name] = reason
            case .decoded(let decoding, _):
                switch try Self.type(decoding, column, dimensions[column.name], footer, bytes) {
                case .some(let type):
                    fields.append(Field(column.name, type))
                    byName[column.name] = column
                case nil: refused[column.name] = "it is a list, and has no row to tell the length of its vectors"
                }
            }
        }
        self.bytes = bytes
        self.footer = footer
        self.columns = byName
        self.schema = Schema(fields)
        self.refusedColumns = refused
        self.metadata = metadata
        self.rowCount = rowCount
    }

    private static func footer(_ bytes: UnsafeRawBufferPointer, name: String) throws(MalformedFile) -> ParquetFooter {
        func fault(_ detail: String, at offset: Int? = nil) -> MalformedFile {
            MalformedFile(.malformed, file: name, format: "Parquet", offset: offset, detail)
        }
        guard bytes.count >= 12, bytes.starts(with: "PAR1".utf8) else {
            throw fault("it does not begin with PAR1", at: 0)
        }
        let magic = bytes.count - 4
        guard bytes[magic...].elementsEqual("PAR1".utf8) else {
            if bytes[magic...].elementsEqual("PARE".utf8) {
                throw MalformedFile(.unsupported, file: name, format: "Parquet", "its footer is encrypted")
            }
            throw fault("it does not end with PAR1; it may be cut short", at: magic)
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: magic - 4, as: UInt32.self)))
        guard length <= magic - 8 else { throw fault("a footer of \(length) bytes does not fit", at: magic - 4) }
        let start = magic - 4 - length
        var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: bytes[..<(magic - 4)]), position: start)
        do throws(ThriftReader.Fault) {
            return try ParquetFooter(&reader)
        } catch {
            throw fault("footer: \(error.detail)", at: error.position)
        }
    }

    /// The type of a column; `nil` for lists that hold no vector to measure.
    private static func type(
        _ decoding: ParquetColumn.Decoding,
        _ column: ParquetColumn,
        _ dimension: Int?,
        _ footer: ParquetFooter,
        _ bytes: FileBytes
    ) throws -> DataType? {
        switch decoding {
        case .bool: return .bool
        case .int32, .int64: return .int64
        case .float: return .float32
        case .double: return .float64
        case .string: return .string
        case .bytes: return .bytes
        case .timestamp: return .timestamp
        case .vector(let emptyLevel):
            if let dimension {
                guard dimension > 0, dimension <= 1 << 24 else { return nil }
                return .vector(dimension: dimension)
            }
            let length = try bytes.withBytes { raw in
                try firstListLength(raw, bytes.name, column, emptyLevel: emptyLevel, footer)
            }
            return length.map { .vector(dimension: $0) }
        }
    }

    /// The length of the first list that is neither null nor empty.
    private static func firstListLength(
        _ bytes: UnsafeRawBufferPointer,
        _ name: String,
        _ column: ParquetColumn,
        emptyLevel: Int,
        _ footer: ParquetFooter
    ) throws(MalformedFile) -> Int? {
        for group in footer.rowGroups where column.leaf < group.chunks.count {
            var cursor = try ParquetPageCursor(bytes, file: name, column: column, chunk: group.chunks[column.leaf])
            var length = 0
            try cursor.forEachPage { (_, _, _) throws(MalformedFile) in
            } _: { page throws(MalformedFile) in
                for (repeated, level) in zip(page.repetition.expanded, page.definition.expanded) {
                    if repeated == 0, length > 0 { return false }
                    if level > emptyLevel { length += 1 }
                }
                return true
            }
            if length > 0 { return length }
        }
        return nil
    }
}

extension ParquetFile {
    /// Reads one row group.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    /// - Throws: `MalformedFile` for damage, and for columns that are missing or not read.
    /// - Precondition: the row group exists, and no column is named twice.
    public func read(rowGroup: Int, columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        precondition(footer.rowGroups.indices.contains(rowGroup), "no row group \(rowGroup) of \(rowGroupCount)")
        return try read(footer.rowGroups[rowGroup...rowGroup], columns)
    }

    /// Reads all row groups into one batch.
    ///
    /// - Parameter columns: the columns wanted, in this order; `nil` for all of the file's.
    public func read(columns: [String]? = nil) throws(MalformedFile) -> RecordBatch {
        try read(footer.rowGroups[...], columns)
    }

    private func read(_ groups: ArraySlice<ParquetRowGroup>, _ names: [String]?) throws(MalformedFile) -> RecordBatch {
        if names == nil, let (name, reason) = refusedColumns.min(by: { $0.key < $1.key }) {
            throw refusal("column '\(name)': \(reason); or name the columns to read")
        }
        var fields: [Field] = []
        var result: [Column] = []
        let rowCount = groups.reduce(0) { $0 + $1.rowCount }
        for name in names ?? schema.fields.map(\.name) {
            if let reason = refusedColumns[name] { throw refusal("column '\(name)': \(reason)") }
            guard let column = columns[name], let type = schema.type(of: name),
                case .decoded(let decoding, let leafType) = column.reading
            else {
                let present = schema.fields.map { "'\($0.name)'" }.joined(separator: ", ")
                throw refusal("no column '\(name)'; the file has \(present)")
            }
            var sink = sink(decoding, column, type)
            for group in groups { try read(column, leafType, group, &sink) }
            fields.append(Field(name, type))
            result.append(sink.finish())
        }
        return RecordBatch(schema: Schema(fields), columns: result, rowCount: rowCount)
    }

    private func refusal(_ detail: String) -> MalformedFile {
        MalformedFile(.unsupported, file: bytes.name, format: "Parquet", detail)
    }

    private func sink(_ decoding: ParquetColumn.Decoding, _ column: ParquetColumn, _ type: DataType) -> any ParquetSink
    {
        let isOptional = column.maxDefinition > 0
        let limit = Self.expansionLimit(bytes.count)
        return switch decoding {
        case .bool: ParquetBoolSink(isOptional: isOptional)
        case .int32(isSigned: true): ParquetFixedSink<ParquetInt32>(isOptional: isOptional)
        case .int32(isSigned: false): ParquetFixedSink<ParquetUInt32>(isOptional: isOptional)
        case .int64: ParquetFixedSink<ParquetInt64>(isOptional: isOptional)
        case .float: ParquetFixedSink<ParquetFloat>(isOptional: isOptional)
        case .double: ParquetFixedSink<ParquetDouble>(isOptional: isOptional)
        case .timestamp(1_000): ParquetFixedSink<ParquetMilliseconds>(isOptional: isOptional)
        case .timestamp(1_000_000): ParquetFixedSink<ParquetMicroseconds>(isOptional: isOptional)
        case .timestamp: ParquetFixedSink<ParquetNanoseconds>(isOptional: isOptional)
        case .string: ParquetBinarySink(isOptional: isOptional, isText: true, limit: limit)
        case .bytes: ParquetBinarySink(isOptional: isOptional, isText: false, limit: limit)
        case .vector(let emptyLevel):
            ParquetVectorSink(
                dimension: type.vectorDimension,
                emptyLevel: emptyLevel,
                valueLevel: column.maxDefinition,
                limit: limit / 4
            )
        }
    }

    private func read(
        _ column: ParquetColumn,
        _ leafType: ParquetType,
        _ group: ParquetRowGroup,
        _ sink: inout any ParquetSink
    ) throws(MalformedFile) {
        func fault(_ detail: String) -> MalformedFile {
            MalformedFile(.malformed, file: bytes.name, format: "Parquet", "column '\(column.name)': \(detail)")
        }
        guard column.leaf < group.chunks.count else { throw fault("a row group lacks it") }
        let chunk = group.chunks[column.leaf]
        guard chunk.type == leafType, chunk.path.first == column.name else {
            throw fault("its column chunk is of another column or type")
        }
        guard column.maxRepetition > 0 || chunk.valueCount == group.rowCount else {
            throw fault("\(chunk.valueCount) values for \(group.rowCount) rows")
        }
        let limit = Self.expansionLimit(bytes.count) / 4
        guard chunk.valueCount <= limit else { throw fault("\(chunk.valueCount) values in \(bytes.count) bytes") }
        let rowsBefore = sink.rowCount
        let outcome = bytes.withBytes { raw in
            Result<Void, MalformedFile> { () throws(MalformedFile) in
                var cursor = try ParquetPageCursor(raw, file: bytes.name, column: column, chunk: chunk)
                let pages = cursor
                func checked(_ offset: Int, _ body: () throws(ParquetValueFault) -> Void) throws(MalformedFile) {
                    do throws(ParquetValueFault) { try body() } catch {
                        throw pages.fault(error.detail, at: offset, error.reason)
                    }
                }
                try cursor.forEachPage { (content, count, offset) throws(MalformedFile) in
                    try checked(offset) { () throws(ParquetValueFault) in
                        try sink.setDictionary(content, count: count)
                    }
                } _: { page throws(MalformedFile) in
                    try checked(page.offset) { () throws(ParquetValueFault) in try sink.append(page) }
                    guard sink.rowCount - rowsBefore <= group.rowCount else {
                        throw pages.fault("more rows than the \(group.rowCount) of its row group", at: page.offset)
                    }
                    return true
                }
            }
        }
        try outcome.get()
        do throws(ParquetValueFault) {
            try sink.endChunk()
        } catch {
            throw fault(error.detail)
        }
        guard sink.rowCount - rowsBefore == group.rowCount else {
            throw fault("\(sink.rowCount - rowsBefore) rows in a row group of \(group.rowCount)")
        }
    }
}

extension DataType {
    fileprivate var vectorDimension: Int {
        if case .vector(let dimension) = self { dimension } else { 1 }
    }
}
