import Columns

/// Writes record batches as an Arrow IPC file or stream, one record batch at a time.
///
/// Every field is nullable. Strings are LargeUtf8 and bytes LargeBinary, whose 64-bit offsets hold any batch whatever
/// its size; timestamps are Timestamp(MICROSECOND, UTC), vectors FixedSizeList of Float32 with an element field
/// `item`. Bodies and their buffers begin at multiples of 64 bytes. The bytes follow from the schema, the options and
/// the rows alone: not from how the rows are divided into batches.
public struct ArrowWriter {
    public let schema: Schema
    private let options: ArrowOptions
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private let body: ArrowBodyWriter
    private var position = 0
    private var blocks: [Int64] = []
    private var pending: [ColumnAccumulator]
    private var pendingRows = 0

    /// - Parameter sink: takes the bytes in order; what it throws ends the call that wrote.
    /// - Precondition: batches have at least one row.
    public init(
        schema: Schema,
        options: ArrowOptions = ArrowOptions(),
        sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        precondition(options.batchRows > 0, "a batch has at least one row")
        self.schema = schema
        self.options = options
        self.sink = sink
        body = ArrowBodyWriter(options.compression)
        pending = schema.fields.map { ColumnAccumulator($0.type) }
        if options.layout == .file { try emit(Array("ARROW1\0\0".utf8)) }
        try emit(ArrowMetadata.schemaMessage(schema, options.metadata), bodyLength: 0)
    }

    /// Takes rows, and writes a record batch whenever one is full.
    ///
    /// - Throws: what the sink throws.
    /// - Precondition: the batch has the writer's schema.
    public mutating func append(_ batch: RecordBatch) throws {
        precondition(batch.schema == schema, "a batch of another schema is appended")
        var row = 0
        while row < batch.rowCount {
            let end = min(batch.rowCount, row + options.batchRows - pendingRows)
            if pendingRows == 0, end - row == options.batchRows {
                try write(batch.columns, rows: row..<end)
            } else {
                for (index, column) in batch.columns.enumerated() { pending[index].append(column, rows: row..<end) }
                pendingRows += end - row
                if pendingRows == options.batchRows { try flush() }
            }
            row = end
        }
    }

    /// Writes the remaining rows and what ends the file or stream.
    ///
    /// Nothing may be appended afterwards.
    public mutating func finish() throws {
        if pendingRows > 0 { try flush() }
        try emit([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        guard options.layout == .file else { return }
        var bytes = ArrowMetadata.footer(schema, options.metadata, blocks)
        withUnsafeBytes(of: Int32(bytes.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "ARROW1".utf8)
        try emit(bytes)
    }

    private mutating func flush() throws {
        let rows = 0..<pendingRows
        pendingRows = 0
        var columns: [Column] = []
        for index in pending.indices { columns.append(pending[index].finish()) }
        try write(columns, rows: rows)
    }

    private mutating func write(_ columns: [Column], rows: Range<Int>) throws {
        body.begin()
        for column in columns { body.append(column, rows: rows) }
        let start = position
        let metadata = ArrowMetadata.batchMessage(
            rowCount: rows.count,
            nodes: body.nodes,
            buffers: body.buffers,
            compression: options.compression,
            bodyLength: body.count
        )
        try emit(metadata, bodyLength: body.count)
        blocks += [Int64(start), Int64(position - start), Int64(body.count)]
        try body.withBytes(sink)
        position += body.count
    }

    private mutating func emit(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes(sink)
        position += bytes.count
    }

    /// Writes a message's metadata so that what follows begins at a multiple of 64 bytes, where a body follows.
    private mutating func emit(_ metadata: [UInt8], bodyLength: Int) throws {
        let alignment = bodyLength > 0 ? 64 : 8
        let end = position + 8 + metadata.count
        let padding = (alignment - end % alignment) % alignment
        var bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
        withUnsafeBytes(of: Int32(metadata.count + padding).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: metadata)
        bytes.append(contentsOf: repeatElement(0, count: padding))
        try emit(bytes)
    }
}

/// Arrow files and streams as byte arrays.
public enum Arrow {
    /// The batches as one file or stream.
    ///
    /// The same rows give the same bytes.
    ///
    /// - Precondition: there is at least one batch, and all have one schema.
    public static func encode(_ batches: [RecordBatch], options: ArrowOptions = ArrowOptions()) throws -> [UInt8] {
        precondition(!batches.isEmpty, "a file without batches has no schema")
        let output = Output()
        var writer = try ArrowWriter(schema: batches[0].schema, options: options) {
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
