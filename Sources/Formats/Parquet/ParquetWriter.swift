import Columns

/// Writes record batches as a Parquet file, one row group at a time.
///
/// Every column is optional. Strings are STRING, timestamps TIMESTAMP(MICROS, UTC), vectors three-level LISTs of
/// required floats. Pages are data pages v1 with CRC-32, given to the sink as they are made; a dictionary is used where
/// it makes a chunk clearly smaller. The bytes follow from the schema, the options and the rows alone: not from how the
/// rows are divided into batches.
public struct ParquetWriter {
    public let schema: Schema
    private let options: ParquetOptions
    private var columnWriter: ParquetColumnWriter
    private var rowGroups: [ParquetWrittenRowGroup] = []
    private var pending: [ColumnAccumulator]
    private var pendingRows = 0

    /// The metadata key of a vector column's dimension, before the name of the column.
    static let dimensionPrefix = "lockstep.dimension."

    /// - Parameter sink: takes the file's bytes in order; what it throws ends the call that wrote.
    /// - Precondition: row groups have at least one row, and `sortedBy` names columns of the schema.
    public init(
        schema: Schema,
        options: ParquetOptions = ParquetOptions(),
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        precondition(options.rowGroupRows > 0, "a row group has at least one row")
        for name in options.sortedBy {
            precondition(schema.position(of: name) != nil, "no column '\(name)' to be sorted by")
        }
        self.schema = schema
        self.options = options
        pending = schema.fields.map { ColumnAccumulator($0.type) }
        columnWriter = ParquetColumnWriter(ParquetPages(options, sink: sink))
        try columnWriter.append(Array("PAR1".utf8))
    }

    /// Takes rows, and writes a row group whenever one is full.
    ///
    /// - Throws: what the sink throws, and `UnwritableValue` for a byte string over 2 GB.
    /// - Precondition: the batch has the writer's schema.
    public mutating func append(_ batch: RecordBatch) throws {
        precondition(batch.schema == schema, "a batch of another schema is appended")
        var row = 0
        while row < batch.rowCount {
            let end = min(batch.rowCount, row + options.rowGroupRows - pendingRows)
            if pendingRows == 0, end - row == options.rowGroupRows {
                try writeRowGroup(batch.columns, rows: row..<end)
            } else {
                for (index, column) in batch.columns.enumerated() { pending[index].append(column, rows: row..<end) }
                pendingRows += end - row
                if pendingRows == options.rowGroupRows { try flush() }
            }
            row = end
        }
    }

    /// Writes the remaining rows and the footer.
    ///
    /// Nothing may be appended afterwards.
    public mutating func finish() throws {
        if pendingRows > 0 { try flush() }
        var bytes = ParquetFooterWriter(schema: schema, options: options, rowGroups: rowGroups).bytes()
        let length = UInt32(bytes.count)
        withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "PAR1".utf8)
        try columnWriter.append(bytes)
    }

    private mutating func flush() throws {
        let rows = 0..<pendingRows
        pendingRows = 0
        var columns: [Column] = []
        for index in pending.indices { columns.append(pending[index].finish()) }
        try writeRowGroup(columns, rows: rows)
    }

    private mutating func writeRowGroup(_ columns: [Column], rows: Range<Int>) throws {
        var group = ParquetWrittenRowGroup(rowCount: rows.count)
        for (field, column) in zip(schema.fields, columns) {
            group.chunks.append(try columnWriter.write(column, rows: rows, name: field.name))
        }
        rowGroups.append(group)
    }
}

/// Parquet files as byte arrays.
public enum Parquet {
    /// The batches as one file.
    ///
    /// The same rows give the same bytes.
    ///
    /// - Precondition: there is at least one batch, and all have one schema.
    public static func encode(
        _ batches: [RecordBatch],
        options: ParquetOptions = ParquetOptions()
    ) throws -> [UInt8] {
        precondition(!batches.isEmpty, "a file without batches has no schema")
        let output = Output()
        var writer = try ParquetWriter(schema: batches[0].schema, options: options) {
            output.bytes.append(contentsOf: $0)
        }
        for batch in batches { try writer.append(batch) }
        try writer.finish()
        return output.bytes
    }

    private final class Output {
        var bytes: [UInt8] = []
    }
}
