import Columns

extension Column {
    /// The bytes that the values take in memory.
    var byteCount: Int {
        switch self {
        case .bool(let column): column.count
        case .int64(let column), .timestamp(let column): 8 * column.count
        case .float32(let column): 4 * column.count
        case .float64(let column): 8 * column.count
        case .string(let column), .bytes(let column): column.data.count + 8 * column.offsets.count
        case .vector(let column): 4 * column.values.count
        }
    }
}
