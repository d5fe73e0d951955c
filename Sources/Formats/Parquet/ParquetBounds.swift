import Columns

/// Smallest and largest values of a chunk, as statistics hold them.
///
/// Parquet's rules (parquet.thrift, ColumnOrder): NaN is left out; a zero minimum is written −0.0 and a zero maximum
/// +0.0, so that either zero is inside; byte strings compare as unsigned bytes.
enum ParquetBounds {
    /// Longer byte strings get no bounds, so that the footer stays small.
    static let longest = 64

    static func of(_ values: ArraySlice<Int64>) -> (minimum: [UInt8], maximum: [UInt8])? {
        guard var low = values.first else { return nil }
        var high = low
        for value in values {
            low = min(low, value)
            high = max(high, value)
        }
        return (bytes(low), bytes(high))
    }

    static func of<Value: BinaryFloatingPoint>(_ values: ArraySlice<Value>) -> (minimum: [UInt8], maximum: [UInt8])? {
        var low = Value.infinity
        var high = -Value.infinity
        var isFound = false
        for value in values where value == value {
            isFound = true
            if value < low { low = value }
            if value > high { high = value }
        }
        guard isFound else { return nil }
        return (bytes(low == 0 ? -Value.zero : low), bytes(high == 0 ? Value.zero : high))
    }

    /// - Parameter rows: the rows that are not null.
    static func of(_ column: BinaryColumn, _ rows: [Int]) -> (minimum: [UInt8], maximum: [UInt8])? {
        guard let first = rows.first else { return nil }
        return column.data.withUnsafeBytes { data in
            var low = column.range(first)
            var high = low
            for row in rows {
                let range = column.range(row)
                if precedes(data, range, low) { low = range }
                if precedes(data, high, range) { high = range }
            }
            guard low.count <= longest, high.count <= longest else { return nil }
            return (Array(data[low]), Array(data[high]))
        }
    }

    @inline(__always)
    private static func precedes(_ data: UnsafeRawBufferPointer, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        let count = min(left.count, right.count)
        for position in 0..<count {
            let a = data[left.lowerBound &+ position]
            let b = data[right.lowerBound &+ position]
            if a != b { return a < b }
        }
        return left.count < right.count
    }

    private static func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
