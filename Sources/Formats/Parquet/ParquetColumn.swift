import Columns

/// How one top-level field of a Parquet schema is read.
struct ParquetColumn {
    enum Reading {
        case decoded(ParquetDecoding)
        /// The reason the column cannot be read.
        case refused(String)
    }

    let name: String
    /// The position of its first leaf among the chunks of a row group.
    let leaf: Int
    /// The leaf that is read.
    var element = ParquetSchemaElement()
    var maxDefinition = 0
    var maxRepetition = 0
    let reading: Reading
}

extension ParquetColumn {
    /// The top-level columns of a schema tree in depth-first order.
    ///
    /// Returns `nil` where the tree is not well formed.
    static func columns(
        of schema: [ParquetSchemaElement],
        naive: NaiveTimestamps,
        types: [String: DataType]
    ) -> [ParquetColumn]? {
        guard let root = schema.first, root.childCount >= 0 else { return nil }
        var columns: [ParquetColumn] = []
        var node = 1
        var leaf = 0
        for _ in 0..<min(root.childCount, schema.count) {
            guard node < schema.count, let (end, leaves) = subtree(schema, node) else { return nil }
            let name = schema[node].name
            columns.append(column(schema[node..<end], leaf: leaf, as: types[name], naive: naive.rule(for: name)))
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
        as requested: DataType?,
        naive: NaiveTimestamps.Rule
    ) -> ParquetColumn {
        let field = nodes[nodes.startIndex]
        let optional = field.repetition == .optional ? 1 : 0
        func refused(_ reason: String) -> ParquetColumn {
            ParquetColumn(name: field.name, leaf: leaf, reading: .refused(reason))
        }
        if field.childCount == 0, field.repetition != .repeated {
            switch ParquetDecoding.of(field, as: requested, naive: naive) {
            case .decoded(let decoding):
                return ParquetColumn(
                    name: field.name,
                    leaf: leaf,
                    element: field,
                    maxDefinition: optional,
                    reading: .decoded(decoding)
                )
            case .refused(let reason): return refused(reason)
            }
        }
        guard let element = listElement(nodes) else {
            let kind =
                switch field.logicalType {
                case .list: "a list of something other than plain values"
                case .other(let name): "a \(name)"
                default: "a struct"
                }
            return refused("it is \(kind), which is not read; only lists of float are, as vectors: flatten it")
        }
        guard element.type == .float, element.logicalType == nil else {
            let type = element.logicalType.map { "\($0)" } ?? element.type.map { "\($0)" } ?? "nothing"
            return refused("it is a list of \(type), which is not read; only lists of float are, as vectors: cast it")
        }
        var dimension: Int?
        switch requested {
        case nil: break
        case .vector(let length): dimension = length
        case .some(let type): return refused("it is a list, and \(type) is asked for; ask for a vector")
        }
        return ParquetColumn(
            name: field.name,
            leaf: leaf,
            element: element,
            maxDefinition: optional + 1 + (element.repetition == .optional ? 1 : 0),
            maxRepetition: 1,
            reading: .decoded(.vector(emptyLevel: optional, dimension: dimension))
        )
    }

    /// The leaf of a list of plain values, in any of its forms (LogicalTypes.md, "Lists"); `nil` for other groups.
    private static func listElement(_ nodes: ArraySlice<ParquetSchemaElement>) -> ParquetSchemaElement? {
        let first = nodes.startIndex
        let field = nodes[first]
        if field.repetition == .repeated { return nodes.count == 1 ? field : nil }
        guard field.logicalType == .list, field.childCount == 1, nodes.count <= 3,
            nodes[first + 1].repetition == .repeated
        else { return nil }
        let repeated = nodes[first + 1]
        if nodes.count == 2 { return repeated.childCount == 0 ? repeated : nil }
        // These names mark the older form, in which the group is itself the element: a struct.
        guard repeated.logicalType == nil, repeated.name != "array", repeated.name != "\(field.name)_tuple",
            nodes[first + 2].repetition != .repeated
        else { return nil }
        return nodes[first + 2]
    }
}
