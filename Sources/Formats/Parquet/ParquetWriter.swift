import Columns

/// Writes record batches as a Parquet file, one row group at a time.
///
/// Every column is optional. Strings are STRING, timestamps TIMESTAMP(MICROS, UTC), vectors three-level LISTs of
/// required floats. Pages are data pages v1 with CRC-32; a dictionary is used where it makes a chunk smaller. The bytes
/// follow from the schema, the options and the rows alone: not from how the rows are divided into batches.
public struct ParquetWriter {
    public let schema: Schema
    private let options: ParquetOptions
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var position = 0
    private var rowCount = 0
    private var rowGroups: [RowGroup] = []
    private var pending: [ColumnAccumulator]
    private var pendingRows = 0

    private struct RowGroup {
        var rowCount: Int
        var chunks: [Chunk] = []
    }

    private struct Chunk {
        var start: Int
        var dictionarySize: Int?
        var valueCount: Int
        var compressedSize: Int
        var uncompressedSize: Int
        var statistics: ParquetRawStatistics
    }

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
        self.sink = sink
        pending = schema.fields.map { ColumnAccumulator($0.type) }
        try emit(Array("PAR1".utf8))
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
        var bytes = footer()
        let length = UInt32(bytes.count)
        withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "PAR1".utf8)
        try emit(bytes)
    }

    private mutating func emit(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes(sink)
        position += bytes.count
    }

    private mutating func flush() throws {
        let rows = 0..<pendingRows
        pendingRows = 0
        var columns: [Column] = []
        for index in pending.indices { columns.append(pending[index].finish()) }
        try writeRowGroup(columns, rows: rows)
    }

    private mutating func writeRowGroup(_ columns: [Column], rows: Range<Int>) throws {
        var group = RowGroup(rowCount: rows.count)
        for (field, column) in zip(schema.fields, columns) {
            var writer = ParquetColumnWriter(options)
            try writer.write(column, rows: rows, name: field.name)
            let chunk = Chunk(
                start: position,
                dictionarySize: writer.pages.dictionarySize,
                valueCount: writer.valueCount,
                compressedSize: writer.pages.bytes.count,
                uncompressedSize: writer.pages.uncompressedSize,
                statistics: writer.statistics
            )
            try emit(writer.pages.bytes)
            group.chunks.append(chunk)
        }
        rowCount += rows.count
        rowGroups.append(group)
    }
}

extension ParquetWriter {
    private func footer() -> [UInt8] {
        var thrift = ThriftWriter()
        var metadata = options.metadata
        for field in schema.fields {
            if case .vector(let dimension) = field.type {
                metadata.append((Self.dimensionPrefix + field.name, String(dimension)))
            }
        }
        thrift.structureElement { thrift in
            thrift.int32(1, 2)
            writeSchema(&thrift)
            thrift.int64(3, rowCount)
            thrift.list(4, of: .structure, count: rowGroups.count)
            for (ordinal, group) in rowGroups.enumerated() { write(group, ordinal: ordinal, &thrift) }
            if !metadata.isEmpty {
                thrift.list(5, of: .structure, count: metadata.count)
                for (key, value) in metadata {
                    thrift.structureElement {
                        $0.string(1, key)
                        $0.string(2, value)
                    }
                }
            }
            thrift.string(6, "lockstep")
            // TypeDefinedOrder for each leaf: without it readers ignore the bounds.
            thrift.list(7, of: .structure, count: schema.count)
            for _ in schema.fields { thrift.structureElement { $0.structure(1) { _ in } } }
        }
        return thrift.bytes
    }

    private func writeSchema(_ thrift: inout ThriftWriter) {
        let nodeCount = schema.fields.reduce(1) { count, field in
            if case .vector = field.type { count + 3 } else { count + 1 }
        }
        thrift.list(2, of: .structure, count: nodeCount)
        thrift.structureElement {
            $0.string(4, "schema")
            $0.int32(5, schema.count)
        }
        for field in schema.fields {
            if case .vector = field.type {
                thrift.structureElement {
                    $0.int32(3, ParquetRepetition.optional.rawValue)
                    $0.string(4, field.name)
                    $0.int32(5, 1)
                    $0.int32(6, 3)
                    $0.structure(10) { $0.structure(3) { _ in } }
                }
                thrift.structureElement {
                    $0.int32(3, ParquetRepetition.repeated.rawValue)
                    $0.string(4, "list")
                    $0.int32(5, 1)
                }
                thrift.structureElement {
                    $0.int32(1, ParquetType.float.rawValue)
                    $0.int32(3, ParquetRepetition.required.rawValue)
                    $0.string(4, "element")
                }
                continue
            }
            thrift.structureElement {
                $0.int32(1, physicalType(field.type).rawValue)
                $0.int32(3, ParquetRepetition.optional.rawValue)
                $0.string(4, field.name)
                switch field.type {
                case .string:
                    $0.int32(6, 0)
                    $0.structure(10) { $0.structure(1) { _ in } }
                case .timestamp:
                    $0.int32(6, 10)
                    $0.structure(10) {
                        $0.structure(8) {
                            $0.bool(1, true)
                            $0.structure(2) { $0.structure(2) { _ in } }
                        }
                    }
                default: break
                }
            }
        }
    }

    private func physicalType(_ type: DataType) -> ParquetType {
        switch type {
        case .bool: .boolean
        case .int64, .timestamp: .int64
        case .float32, .vector: .float
        case .float64: .double
        case .string, .bytes: .byteArray
        }
    }

    private func write(_ group: RowGroup, ordinal: Int, _ thrift: inout ThriftWriter) {
        thrift.structureElement { thrift in
            thrift.list(1, of: .structure, count: group.chunks.count)
            for (field, chunk) in zip(schema.fields, group.chunks) { write(chunk, field, &thrift) }
            thrift.int64(2, group.chunks.reduce(0) { $0 + $1.uncompressedSize })
            thrift.int64(3, group.rowCount)
            if !options.sortedBy.isEmpty {
                thrift.list(4, of: .structure, count: options.sortedBy.count)
                for name in options.sortedBy {
                    thrift.structureElement {
                        $0.int32(1, schema.position(of: name) ?? 0)
                        $0.bool(2, false)
                        $0.bool(3, false)
                    }
                }
            }
            thrift.int64(5, group.chunks.first?.start ?? 4)
            thrift.int64(6, group.chunks.reduce(0) { $0 + $1.compressedSize })
            // The ordinal is a 16-bit field; files with more row groups leave it out.
            if ordinal <= Int16.max { thrift.int16(7, ordinal) }
        }
    }

    private func write(_ chunk: Chunk, _ field: Field, _ thrift: inout ThriftWriter) {
        thrift.structureElement { thrift in
            thrift.int64(2, chunk.start)
            thrift.structure(3) { thrift in
                thrift.int32(1, physicalType(field.type).rawValue)
                var encodings: [ParquetEncoding] = [.plain, .rle]
                if chunk.dictionarySize != nil { encodings.append(.rleDictionary) }
                thrift.list(2, of: .int32, count: encodings.count)
                for encoding in encodings { thrift.element(encoding.rawValue) }
                var path = [field.name]
                if case .vector = field.type { path += ["list", "element"] }
                thrift.list(3, of: .binary, count: path.count)
                for name in path { thrift.element(Array(name.utf8)) }
                let codec: ParquetCodec = options.compression == .lz4 ? .lz4Raw : .uncompressed
                thrift.int32(4, codec.rawValue)
                thrift.int64(5, chunk.valueCount)
                thrift.int64(6, chunk.uncompressedSize)
                thrift.int64(7, chunk.compressedSize)
                thrift.int64(9, chunk.start + (chunk.dictionarySize ?? 0))
                if chunk.dictionarySize != nil { thrift.int64(11, chunk.start) }
                thrift.structure(12) { thrift in
                    if let nullCount = chunk.statistics.nullCount { thrift.int64(3, nullCount) }
                    if let maximum = chunk.statistics.maximum { thrift.binary(5, maximum) }
                    if let minimum = chunk.statistics.minimum { thrift.binary(6, minimum) }
                }
            }
        }
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
