import Columns

extension BinEdges {
    /// The id of each value, as int64; a null stays null.
    ///
    /// float32 is widened exactly. int64 is converted to float64, rounding to nearest, ties to even, beyond 2^53; fitting
    /// does the same, so both sides see one value.
    ///
    /// - Parameter column: float64, float32 or int64.
    /// - Parameter offset: added to each id, for ids that are disjoint between features.
    /// - Throws: when the column is of another type.
    /// - Complexity: O(rows · edges) for up to 64 edges, which vectorises, else O(rows · log edges).
    public func encode(_ column: Column, offset: Int64 = 0) throws(BinError) -> Column {
        let values = try numericValues(column)
        var ids = encode(values, offset: offset)
        if let validity = column.validity {
            // A null row holds zero, so that equal columns have equal bytes.
            for row in ids.indices where !validity[row] { ids[row] = 0 }
        }
        return .int64(PrimitiveColumn(ids, validity: column.validity))
    }

    /// The id of each value.
    func encode(_ values: [Double], offset: Int64) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: values.count) { ids, written in
            values.withUnsafeBufferPointer { values in
                edges.withUnsafeBufferPointer { edges in
                    if edges.count <= BinEdges.countingLimit {
                        countEdges(edges, values, offset: offset, into: ids)
                    } else {
                        searchEdges(edges, values, offset: offset, into: ids)
                    }
                }
            }
            written = values.count
        }
    }

    /// Up to here comparing a value with every edge is faster than a binary search.
    static let countingLimit = 64
}

/// The values of a numeric column as float64; null rows hold zero.
func numericValues(_ column: Column) throws(BinError) -> [Double] {
    switch column {
    case .float64(let column): column.values
    case .float32(let column): column.values.map { Double($0) }
    case .int64(let column): column.values.map { Double($0) }
    case .bool, .string, .bytes, .timestamp, .vector: throw .unsupportedType(column.type)
    }
}

/// Counts, eight values at a time, the edges at or below each value.
private func countEdges(
    _ edges: UnsafeBufferPointer<Double>,
    _ values: UnsafeBufferPointer<Double>,
    offset: Int64,
    into ids: UnsafeMutableBufferPointer<Int64>
) {
    let nan = offset + Int64(edges.count) + 1
    let raw = UnsafeRawBufferPointer(values)
    let rawIds = UnsafeMutableRawBufferPointer(ids)
    let nans = SIMD8<Int64>(repeating: nan)
    var row = 0
    while row &+ 8 <= values.count {
        let value = raw.loadUnaligned(fromByteOffset: row &* 8, as: SIMD8<Double>.self)
        var count = SIMD8<Int64>(repeating: offset)
        for edge in edges {
            let isReached = SIMD8<Double>(repeating: edge) .<= value
            count.replace(with: count &+ 1, where: isReached)
        }
        // Only NaN differs from itself.
        count.replace(with: nans, where: value .!= value)
        rawIds.storeBytes(of: count, toByteOffset: row &* 8, as: SIMD8<Int64>.self)
        row &+= 8
    }
    while row < values.count {
        let value = values[row]
        var count = offset
        for edge in edges { count &+= edge <= value ? 1 : 0 }
        ids.initializeElement(at: row, to: value.isNaN ? nan : count)
        row &+= 1
    }
}

/// Searches the edges by halving, eight values in step.
///
/// Every value takes the same halvings, so nothing branches on data, and the eight searches do not wait for one another.
private func searchEdges(
    _ edges: UnsafeBufferPointer<Double>,
    _ values: UnsafeBufferPointer<Double>,
    offset: Int64,
    into ids: UnsafeMutableBufferPointer<Int64>
) {
    let nans = SIMD8<Int64>(repeating: offset + Int64(edges.count) + 1)
    let raw = UnsafeRawBufferPointer(values)
    let rawIds = UnsafeMutableRawBufferPointer(ids)
    var row = 0
    while row &+ 8 <= values.count {
        let value = raw.loadUnaligned(fromByteOffset: row &* 8, as: SIMD8<Double>.self)
        var lower = SIMD8<Int64>.zero
        var length = edges.count
        while length > 0 {
            let half = (length &+ 1) &>> 1
            let last = half &- 1
            let probe = SIMD8<Double>(
                edges[Int(truncatingIfNeeded: lower[0]) &+ last],
                edges[Int(truncatingIfNeeded: lower[1]) &+ last],
                edges[Int(truncatingIfNeeded: lower[2]) &+ last],
                edges[Int(truncatingIfNeeded: lower[3]) &+ last],
                edges[Int(truncatingIfNeeded: lower[4]) &+ last],
                edges[Int(truncatingIfNeeded: lower[5]) &+ last],
                edges[Int(truncatingIfNeeded: lower[6]) &+ last],
                edges[Int(truncatingIfNeeded: lower[7]) &+ last]
            )
            lower.replace(with: lower &+ Int64(half), where: probe .<= value)
            length &-= half
        }
        var id = lower &+ offset
        // Only NaN differs from itself.
        id.replace(with: nans, where: value .!= value)
        rawIds.storeBytes(of: id, toByteOffset: row &* 8, as: SIMD8<Int64>.self)
        row &+= 8
    }
    let tail = UnsafeBufferPointer(rebasing: values[row...])
    countEdges(edges, tail, offset: offset, into: UnsafeMutableBufferPointer(rebasing: ids[row...]))
}
