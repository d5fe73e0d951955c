/// One typed column of a batch.
///
/// Kernels switch on the case once for each batch and work on the typed storage inside.
public enum Column: Hashable, Sendable {
    case bool(PrimitiveColumn<Bool>)
    case int64(PrimitiveColumn<Int64>)
    case float32(PrimitiveColumn<Float>)
    case float64(PrimitiveColumn<Double>)
    case string(BinaryColumn)
    case bytes(BinaryColumn)
    /// Microseconds since 1970-01-01T00:00:00Z.
    case timestamp(PrimitiveColumn<Int64>)
    case vector(VectorColumn)

    public var type: DataType {
        switch self {
        case .bool: .bool
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        case .string: .string
        case .bytes: .bytes
        case .timestamp: .timestamp
        case .vector(let column): .vector(dimension: column.dimension)
        }
    }

    public var count: Int {
        switch self {
        case .bool(let column): column.count
        case .int64(let column), .timestamp(let column): column.count
        case .float32(let column): column.count
        case .float64(let column): column.count
        case .string(let column), .bytes(let column): column.count
        case .vector(let column): column.count
        }
    }

    /// `nil` when no row is null.
    public var validity: Bitmap? {
        switch self {
        case .bool(let column): column.validity
        case .int64(let column), .timestamp(let column): column.validity
        case .float32(let column): column.validity
        case .float64(let column): column.validity
        case .string(let column), .bytes(let column): column.validity
        case .vector(let column): column.validity
        }
    }

    public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }

    public func isValid(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }

    /// The value of one row.
    ///
    /// For control paths and row-at-a-time callers, not for kernels.
    public subscript(row: Int) -> Scalar {
        guard isValid(row) else { return .null }
        return switch self {
        case .bool(let column): .bool(column.values[row])
        case .int64(let column): .int64(column.values[row])
        case .float32(let column): .float32(column.values[row])
        case .float64(let column): .float64(column.values[row])
        case .string(let column): .string(String(decoding: column.data[column.range(row)], as: UTF8.self))
        case .bytes(let column): .bytes(Array(column.data[column.range(row)]))
        case .timestamp(let column): .timestamp(column.values[row])
        case .vector(let column): .vector(Array(column.values[row * column.dimension..<(row + 1) * column.dimension]))
        }
    }

    /// A column of `count` nulls.
    public static func nulls(_ type: DataType, count: Int) -> Column {
        var builder = ColumnBuilder(type)
        for _ in 0..<count { builder.appendNull() }
        return builder.finish()
    }
}
