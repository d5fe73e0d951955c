import Columns

extension Column {
    /// The rows of all columns, one column after the other.
    ///
    /// - Precondition: there is at least one column, and all have the same type.
    /// - Complexity: O(rows), plus the bytes copied.
    public static func concatenate(_ columns: [Column]) -> Column {
        guard let first = columns.first else { preconditionFailure("concatenating no columns leaves the type open") }
        for column in columns {
            precondition(column.type == first.type, "cannot append a \(column.type) column to a \(first.type) column")
        }
        if columns.count == 1 { return first }
        let validity = concatenateValidity(columns)
        switch first {
        case .bool:
            var values: [Bool] = []
            for case .bool(let column) in columns { values.append(contentsOf: column.values) }
            return .bool(PrimitiveColumn(values, validity: validity))
        case .int64:
            var values: [Int64] = []
            for case .int64(let column) in columns { values.append(contentsOf: column.values) }
            return .int64(PrimitiveColumn(values, validity: validity))
        case .float32:
            var values: [Float] = []
            for case .float32(let column) in columns { values.append(contentsOf: column.values) }
            return .float32(PrimitiveColumn(values, validity: validity))
        case .float64:
            var values: [Double] = []
            for case .float64(let column) in columns { values.append(contentsOf: column.values) }
            return .float64(PrimitiveColumn(values, validity: validity))
        case .timestamp:
            var values: [Int64] = []
            for case .timestamp(let column) in columns { values.append(contentsOf: column.values) }
            return .timestamp(PrimitiveColumn(values, validity: validity))
        case .string:
            var pieces: [BinaryColumn] = []
            for case .string(let column) in columns { pieces.append(column) }
            return .string(joined(pieces, validity))
        case .bytes:
            var pieces: [BinaryColumn] = []
            for case .bytes(let column) in columns { pieces.append(column) }
            return .bytes(joined(pieces, validity))
        case .vector(let column):
            var values: [Float] = []
            for case .vector(let column) in columns { values.append(contentsOf: column.values) }
            return .vector(VectorColumn(dimension: column.dimension, values: values, validity: validity))
        }
    }
}

private func joined(_ columns: [BinaryColumn], _ validity: Bitmap?) -> BinaryColumn {
    var offsets: [Int] = [0]
    offsets.reserveCapacity(columns.reduce(1) { $0 + $1.count })
    var data: [UInt8] = []
    data.reserveCapacity(columns.reduce(0) { $0 + $1.data.count })
    for column in columns {
        let start = data.count
        for end in column.offsets.dropFirst() { offsets.append(start &+ end) }
        data.append(contentsOf: column.data)
    }
    return BinaryColumn(offsets: offsets, data: data, validity: validity)
}
