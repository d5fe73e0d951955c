import Columns

/// What a table file says of itself, whatever its format, and its first rows.
public struct TableDescription: Sendable {
    /// A column of the file; of one that is nested, a leaf.
    public struct Column: Hashable, Sendable {
        /// The name; of a leaf, the names from the top-level column down, joined by points.
        public let name: String
        /// What the column is read as; `nil` where it is not.
        public let type: DataType?
        /// The type in the format's own words: `INT64 TIMESTAMP(MICROS, UTC)`, `dictionary<values=string, …>`, `text`.
        public let fileType: String
        /// Why the column is not read, or is read as text where it looks like more.
        public let remark: String?
    }

    /// A row group of Parquet, or a record batch of Arrow.
    public struct Part: Hashable, Sendable {
        public let rowCount: Int
        /// As stored.
        public let byteCount: Int
        /// Before compression; `nil` where the file does not say.
        public let uncompressedByteCount: Int?
        /// The columns the rows are said to be sorted by, with `descending` and `nulls first` where they are so.
        public let sortedBy: [String]
        /// The compression of its data, where all of it has one; `nil` for a row group, whose chunks each have theirs.
        public let codec: String?
        /// Of a row group, its column chunks.
        public let chunks: [ParquetLayout.Chunk]
    }

    public let format: TableFormat
    /// The format and its variant: `CSV`, `Parquet 2`, `Arrow file`, `Arrow stream`.
    public let formatName: String
    public let byteCount: Int
    public let rowCount: Int
    public let createdBy: String?
    public let columns: [Column]
    /// Empty for CSV.
    public let parts: [Part]
    public let metadata: [(String, String)]
    /// The first rows of the columns that can be read.
    public let firstRows: RecordBatch

    /// Reads what a file says of itself, and its first rows.
    ///
    /// Columns that cannot be read do not hinder that.
    ///
    /// - Parameters:
    ///   - format: `nil` to go by the path's extension.
    ///   - names: the columns wanted, in this order; `nil` for all.
    ///   - rows: how many rows to read.
    ///   - options: as for `TableReader`.
    /// - Throws: `FileError`, `CSVError`, `MalformedFile`; `TableError` for an unknown extension, a column that is missing
    ///   or named twice.
    /// - Complexity: for CSV, whose types and rows have to be found, two passes over the file.
    public init(
        path: String,
        format: TableFormat? = nil,
        columns names: [String]? = nil,
        rows: Int,
        options: CSVOptions? = nil
    ) throws {
        guard let format = format ?? TableFormat(path: path) else { throw TableError.unknownFormat(path) }
        let options = options ?? CSVOptions(path: path)
        let bytes = try FileBytes(path: path)
        let found: Outline =
            switch format {
            case .csv: try Outline(csv: bytes, options)
            case .parquet: Outline(try ParquetFile(bytes, options.naiveTimestamps, [:]))
            case .arrow: Outline(try ArrowFile(bytes, options.naiveTimestamps, [:]))
            }
        let selected = try found.columns(names, in: path)
        var types: [String: DataType] = [:]
        for field in found.schema.fields where format == .csv { types[field.name] = field.type }
        let readable = (names ?? found.schema.fields.map(\.name)).filter { found.schema.type(of: $0) != nil }
        var (firstRows, faults) = (RecordBatch(schema: Schema([]), columns: [], rowCount: 0), [String: String]())
        do {
            var reader = try TableReader(bytes, format, readable, types, options)
            firstRows = try reader.first(rows)
        } catch let error as MalformedFile where error.reason == .unsupported {
            // A value that no type of ours holds, or columns too large together: each is read alone, and the others shown.
            var alone: [RecordBatch] = []
            for name in readable {
                do {
                    var reader = try TableReader(bytes, format, [name], types, options)
                    alone.append(try reader.first(rows))
                } catch let error as MalformedFile where error.reason == .unsupported {
                    let prefix = "column '\(name)': "
                    faults[name] = String(error.detail.dropFirst(error.detail.hasPrefix(prefix) ? prefix.count : 0))
                }
            }
            firstRows = RecordBatch(
                schema: Schema(alone.flatMap(\.schema.fields)),
                columns: alone.flatMap(\.columns),
                rowCount: alone.first?.rowCount ?? 0
            )
        }
        self.format = format
        formatName = found.formatName
        byteCount = bytes.count
        rowCount = found.rowCount
        createdBy = found.createdBy
        columns = selected.map { column in
            guard let fault = faults.first(where: { column.name == $0.key || column.name.hasPrefix($0.key + ".") })
            else { return column }
            return Column(name: column.name, type: column.type, fileType: column.fileType, remark: fault.value)
        }
        parts = found.parts
        metadata = found.metadata
        self.firstRows = firstRows
    }
}

extension TableReader {
    /// The next rows, fewer only at the end of the file.
    fileprivate mutating func first(_ count: Int) throws -> RecordBatch {
        var parts = schema.fields.map { ColumnAccumulator($0.type) }
        var rowCount = 0
        while rowCount < count, let batch = try next() {
            let taken = min(batch.rowCount, count - rowCount)
            for (place, column) in batch.columns.enumerated() { parts[place].append(column, rows: 0..<taken) }
            rowCount += taken
        }
        return RecordBatch(schema: schema, columns: parts.indices.map { parts[$0].finish() }, rowCount: rowCount)
    }
}
