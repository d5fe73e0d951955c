import Columns

/// How one top-level field of a Parquet schema is read.
struct ParquetColumn {
    /// What the stored values are turned into.
    enum Decoding: Hashable {
        case bool
        case int32(isSigned: Bool)
        case int64
        case float
        case double
        case string
        case bytes
        case timestamp(unitsPerSecond: Int)
        /// A list of floats; the level at which a row is an empty list, and at which an element is a value.
        case vector(emptyLevel: Int)
    }

    enum Reading {
        case decoded(Decoding, leafType: ParquetType)
        /// The reason the column cannot be read.
        case refused(String)
    }

    let name: String
    /// The position of its first leaf among the chunks of a row group.
    let leaf: Int
    let maxDefinition: Int
    let maxRepetition: Int
    let reading: Reading
}

extension ParquetColumn {
    /// The top-level columns of a schema tree in depth-first order.
    ///
    /// Returns `nil` where the tree is not well formed.
    static func columns(of schema: [ParquetSchemaElement], naive: NaiveTimestamps) -> [ParquetColumn]? {
        guard let root = schema.first, root.childCount >= 0 else { return nil }
        var columns: [ParquetColumn] = []
        var node = 1
        var leaf = 0
        for _ in 0..<min(root.childCount, schema.count) {
            guard node < schema.count, let (end, leaves) = subtree(schema, node) else { return nil }
            columns.append(column(schema[node..<end], leaf: leaf, naive))
            node = end
            leaf += leaves
        }
        return node == schema.count && columns.count == root.childCount ? columns : nil
    }

    /// The node after a subtree, and the number of its leaves.
    private static func subtree(_ schema: [ParquetSchemaElement], _ start: Int) -> (end: Int, leaves: Int)? {
        var node = start
        var open = 1
        var leaves = 0
        while open > 0 {
            guard node < schema.count else { return nil }
            let children = schema[node].childCount
            guard children >= 0, children <= schema.count else { return nil }
            open += children - 1
            if children == 0 { leaves += 1 }
            node += 1
        }
        return (node, leaves)
    }

    private static func column(
        _ nodes: ArraySlice<ParquetSchemaElement>,
        leaf: Int,
        _ naive: NaiveTimestamps
    ) -> ParquetColumn {
        let first = nodes.startIndex
        let field = nodes[first]
        let optional = field.repetition == .optional ? 1 : 0
        func refused(_ reason: String) -> ParquetColumn {
            ParquetColumn(name: field.name, leaf: leaf, maxDefinition: 0, maxRepetition: 0, reading: .refused(reason))
        }
        guard field.repetition != .repeated else { return refused("it is a repeated field") }
        if field.childCount == 0 {
            switch decoding(field, naive) {
            case .decoded(let decoding, let type):
                return ParquetColumn(
                    name: field.name,
                    leaf: leaf,
                    maxDefinition: optional,
                    maxRepetition: 0,
                    reading: .decoded(decoding, leafType: type)
                )
            case .refused(let reason): return refused(reason)
            }
        }
        guard field.logicalType == .list, nodes.count == 3, nodes[first + 1].repetition == .repeated,
            nodes[first + 1].childCount == 1, nodes[first + 2].repetition != .repeated
        else { return refused("it is a nested group; only lists of float can be read, as vectors") }
        let element = nodes[first + 2]
        guard element.type == .float, element.logicalType == nil else {
            return refused("it is a list, and its elements are not float")
        }
        return ParquetColumn(
            name: field.name,
            leaf: leaf,
            maxDefinition: optional + 1 + (element.repetition == .optional ? 1 : 0),
            maxRepetition: 1,
            reading: .decoded(.vector(emptyLevel: optional), leafType: .float)
        )
    }

    private static func decoding(_ field: ParquetSchemaElement, _ naive: NaiveTimestamps) -> Reading {
        if case .other(let name) = field.logicalType { return .refused("its type is \(name), which is not read") }
        guard let type = field.type else { return .refused("it has no physical type") }
        switch (type, field.logicalType) {
        case (.boolean, nil): return .decoded(.bool, leafType: type)
        case (.int32, nil): return .decoded(.int32(isSigned: true), leafType: type)
        case (.int32, .integer(_, let isSigned)): return .decoded(.int32(isSigned: isSigned), leafType: type)
        case (.int64, nil), (.int64, .integer(_, true)): return .decoded(.int64, leafType: type)
        case (.int64, .integer(_, false)):
            return .refused("its type is uint64, which int64 cannot hold; cast it to int64")
        case (.int64, .timestamp(let units, let isUTC)):
            guard isUTC || naive == .utc else {
                return .refused("its timestamps have no time zone; write them as UTC, or declare a time zone")
            }
            return .decoded(.timestamp(unitsPerSecond: units), leafType: type)
        case (.float, nil): return .decoded(.float, leafType: type)
        case (.double, nil): return .decoded(.double, leafType: type)
        case (.byteArray, nil): return .decoded(.bytes, leafType: type)
        case (.byteArray, .string): return .decoded(.string, leafType: type)
        case (.int96, _): return .refused("its type is INT96, which is not read; write timestamps as INT64")
        case (.fixedLengthByteArray, _): return .refused("its type is FIXED_LEN_BYTE_ARRAY, which is not read")
        default: return .refused("its logical type does not fit its physical type")
        }
    }
}
