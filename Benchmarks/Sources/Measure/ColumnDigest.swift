import Columns

/// A column as one number that NumPy computes as quickly.
///
/// It is the sum, modulo 2^64, of each row's bits times an odd number that follows from the row's position. Null rows count
/// as zero, beside the number of them.
public struct ColumnDigest {
    private var sum: UInt64 = 0
    private var position: UInt64 = 0

    private mutating func add(_ bits: UInt64) {
        sum &+= bits &* (2 &* position &+ 1)
        position &+= 1
    }

    private mutating func add(_ column: Column) {
        switch column {
        case .bool(let column): for value in column.values { add(value ? 1 : 0) }
        case .int64(let column), .timestamp(let column): for value in column.values { add(UInt64(bitPattern: value)) }
        case .float32(let column): for value in column.values { add(UInt64(value.bitPattern)) }
        case .float64(let column): for value in column.values { add(value.bitPattern) }
        case .string(let column), .bytes(let column):
            // The length of each row and the sum of its bytes, so that rows cannot trade bytes.
            for row in 0..<column.count {
                let bytes = column.data[column.range(row)]
                add(UInt64(bytes.count) &<< 32 &+ bytes.reduce(0) { $0 &+ UInt64($1) })
            }
        case .vector(let column): for value in column.values { add(UInt64(value.bitPattern)) }
        }
    }

    /// The digest of a column that is in parts: its nulls, and the sum over its rows.
    public static func text(_ parts: [Column]) -> String {
        var digest = ColumnDigest()
        for part in parts { digest.add(part) }
        return "\(parts.reduce(0) { $0 + $1.nullCount }) \(digest.sum)"
    }
}
