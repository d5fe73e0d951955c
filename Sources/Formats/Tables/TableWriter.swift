import Columns

/// Writes a table file batch by batch, so that the path holds either its old content or the whole new one.
///
/// The bytes go to a temporary name in the same directory, are synced, and take the name when `finish` ends. A writer
/// that is dropped before leaves nothing.
public struct TableWriter: ~Copyable {
    public let format: TableFormat
    public let schema: Schema
    public private(set) var rowCount = 0
    /// Bytes written so far.
    public var byteCount: Int { output.byteCount }

    private let output: TableOutput
    // Of the three, the format's.
    private var csv: CSVWriter?
    private var parquet: ParquetWriter?
    private var arrow: ArrowWriter?

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - format: `nil` to go by the path's extension.
    ///   - arrow: `nil` for the stream form where the extension is `.arrows`, else the file form.
    ///   - csv: the delimiter; `nil` for that of the extension.
    /// - Throws: `FileError`; `TableError` for an unknown extension, or a column to be sorted by that is not there.
    /// - Precondition: row groups have at least one row; the delimiter is not a quote, a carriage return or a line feed.
    public init(
        path: String,
        format: TableFormat? = nil,
        schema: Schema,
        parquet: ParquetOptions = ParquetOptions(),
        arrow: ArrowOptions? = nil,
        csv: CSVOptions? = nil
    ) throws {
        guard let format = format ?? TableFormat(path: path) else { throw TableError.unknownFormat(path) }
        for name in parquet.sortedBy where schema.position(of: name) == nil {
            throw TableError.missingColumn(name, in: path, present: schema.fields.map(\.name))
        }
        let output = TableOutput(try NewFile(path: path))
        let delimiter = (csv ?? CSVOptions(path: path)).delimiter
        let arrowOptions = arrow ?? ArrowOptions(path: path)
        let parquetWriter =
            format == .parquet ? try ParquetWriter(schema: schema, options: parquet) { try output.write($0) } : nil
        let arrowWriter =
            format == .arrow ? try ArrowWriter(schema: schema, options: arrowOptions) { try output.write($0) } : nil
        self.format = format
        self.schema = schema
        self.output = output
        self.csv = format == .csv ? CSVWriter(schema: schema, delimiter: delimiter) : nil
        self.parquet = parquetWriter
        self.arrow = arrowWriter
    }

    /// Appends rows.
    ///
    /// - Throws: `UnwritableValue`, `FileError`; the writer is then to be dropped.
    /// - Precondition: the batch has the writer's schema.
    public mutating func append(_ batch: RecordBatch) throws {
        switch format {
        case .csv:
            try csv?.append(batch)
            try writeText()
        case .parquet: try parquet?.append(batch)
        case .arrow: try arrow?.append(batch)
        }
        rowCount += batch.rowCount
    }

    /// Writes what is left, syncs the file and gives it its name.
    ///
    /// - Returns: the size of the file in bytes.
    /// - Throws: `UnwritableValue`, `FileError`; the path then holds what it held before.
    @discardableResult
    public consuming func finish() throws -> Int {
        switch format {
        case .csv: try writeText()
        case .parquet: try parquet?.finish()
        case .arrow: try arrow?.finish()
        }
        try output.commit()
        return output.byteCount
    }

    private mutating func writeText() throws {
        guard let text = csv?.takeBytes(), !text.isEmpty else { return }
        try text.withUnsafeBytes { try output.write($0) }
    }
}

/// The new file, shared between a table's writer and the sink of its encoder.
private final class TableOutput {
    private var file: NewFile?
    private(set) var byteCount = 0

    init(_ file: consuming NewFile) { self.file = consume file }

    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try file?.write(bytes)
        byteCount += bytes.count
    }

    func commit() throws(FileError) { try file.take()?.commit() }
}
