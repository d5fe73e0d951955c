import Columns

/// The FlatBuffers metadata of what is written.
enum ArrowMetadata {
    private typealias Builder = FlatBufferBuilder

    private static let version: Builder.Value = .int16(4)

    static func schemaMessage(_ schema: Schema, _ metadata: [(String, String)]) -> [UInt8] {
        var builder = Builder()
        let content = self.schema(schema, metadata, &builder)
        return message(kind: 1, content, bodyLength: 0, &builder)
    }

    /// - Parameters:
    ///   - nodes: length and null count of each array.
    ///   - buffers: place and length of each buffer.
    static func batchMessage(
        rowCount: Int,
        nodes: [Int64],
        buffers: [Int64],
        compression: ArrowOptions.Compression,
        bodyLength: Int
    ) -> [UInt8] {
        var builder = Builder()
        var fields: [(slot: Int, value: Builder.Value)] = [(0, .int64(Int64(rowCount)))]
        switch compression {
        case .none: break
        case .lz4: fields.append((3, .offset(builder.table([(0, .int8(0)), (1, .int8(0))]))))
        case .zstd: fields.append((3, .offset(builder.table([(0, .int8(1)), (1, .int8(0))]))))
        }
        fields.append((1, .offset(builder.vector(words: nodes, each: 2))))
        fields.append((2, .offset(builder.vector(words: buffers, each: 2))))
        let content = builder.table(fields)
        return message(kind: 3, content, bodyLength: bodyLength, &builder)
    }

    /// - Parameter blocks: place, metadata length and body length of each record batch.
    static func footer(_ schema: Schema, _ metadata: [(String, String)], _ blocks: [Int64]) -> [UInt8] {
        var builder = Builder()
        let content = self.schema(schema, metadata, &builder)
        let dictionaries = builder.vector(words: [], each: 3)
        let batches = builder.vector(words: blocks, each: 3)
        let root = builder.table([
            (0, version), (1, .offset(content)), (2, .offset(dictionaries)), (3, .offset(batches)),
        ])
        return builder.finish(root)
    }

    private static func message(
        kind: UInt8,
        _ content: Builder.Offset,
        bodyLength: Int,
        _ builder: inout Builder
    ) -> [UInt8] {
        let root = builder.table([
            (0, version), (1, .int8(kind)), (2, .offset(content)), (3, .int64(Int64(bodyLength))),
        ])
        return builder.finish(root)
    }

    private static func schema(
        _ schema: Schema,
        _ metadata: [(String, String)],
        _ builder: inout Builder
    ) -> Builder.Offset {
        let fields = schema.fields.map { field(named: $0.name, $0.type, &builder) }
        var slots: [(slot: Int, value: Builder.Value)] = [(0, .int16(0)), (1, .offset(builder.vector(fields)))]
        if !metadata.isEmpty {
            let pairs = metadata.map { key, value in
                let (key, value) = (builder.string(key), builder.string(value))
                return builder.table([(0, .offset(key)), (1, .offset(value))])
            }
            slots.append((2, .offset(builder.vector(pairs))))
        }
        return builder.table(slots)
    }

    private static func field(named name: String, _ type: DataType, _ builder: inout Builder) -> Builder.Offset {
        var children: [Builder.Offset] = []
        // The member of the union of types, and its table.
        let id: UInt8
        let table: Builder.Offset
        switch type {
        case .bool: (id, table) = (6, builder.table([]))
        case .int64: (id, table) = (2, builder.table([(0, .int32(64)), (1, .bool(true))]))
        case .float32: (id, table) = (3, builder.table([(0, .int16(1))]))
        case .float64: (id, table) = (3, builder.table([(0, .int16(2))]))
        case .string: (id, table) = (20, builder.table([]))
        case .bytes: (id, table) = (19, builder.table([]))
        case .timestamp:
            let zone = builder.string("UTC")
            (id, table) = (10, builder.table([(0, .int16(ArrowTimeUnit.microsecond.rawValue)), (1, .offset(zone))]))
        case .vector(let dimension):
            children = [field(named: "item", .float32, &builder)]
            (id, table) = (16, builder.table([(0, .int32(Int32(dimension)))]))
        }
        let name = builder.string(name)
        let childVector = builder.vector(children)
        return builder.table([
            (0, .offset(name)), (1, .bool(true)), (2, .int8(id)), (3, .offset(table)), (5, .offset(childVector)),
        ])
    }
}
