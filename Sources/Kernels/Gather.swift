import Columns

extension Column {
    /// The given rows, in the given order; row -1 gives null.
    ///
    /// A row may appear any number of times. Equal results have equal bytes: nulls hold zero, and validity is absent
    /// when no taken row is null.
    ///
    /// - Precondition: each row is -1 or a row of the column.
    /// - Complexity: O(`rows.count`), plus the bytes copied.
    public func take(_ rows: [Int]) -> Column {
        let validity = gatherValidity(validity, rows)
        return switch self {
        case .bool(let column): .bool(PrimitiveColumn(gather(column.values, rows, false), validity: validity))
        case .int64(let column): .int64(PrimitiveColumn(gather(column.values, rows, 0), validity: validity))
        case .float32(let column): .float32(PrimitiveColumn(gather(column.values, rows, 0), validity: validity))
        case .float64(let column): .float64(PrimitiveColumn(gather(column.values, rows, 0), validity: validity))
        case .string(let column): .string(gather(column, rows, validity))
        case .bytes(let column): .bytes(gather(column, rows, validity))
        case .timestamp(let column): .timestamp(PrimitiveColumn(gather(column.values, rows, 0), validity: validity))
        case .vector(let column): .vector(gather(column, rows, validity))
        }
    }

    /// The rows of a range.
    ///
    /// - Precondition: the range lies within the column.
    /// - Complexity: O(`rows.count`), plus the bytes copied.
    public func slice(_ rows: Range<Int>) -> Column {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) lie outside a column of \(count)")
        let validity = sliceValidity(validity, rows)
        return switch self {
        case .bool(let column): .bool(PrimitiveColumn(Array(column.values[rows]), validity: validity))
        case .int64(let column): .int64(PrimitiveColumn(Array(column.values[rows]), validity: validity))
        case .float32(let column): .float32(PrimitiveColumn(Array(column.values[rows]), validity: validity))
        case .float64(let column): .float64(PrimitiveColumn(Array(column.values[rows]), validity: validity))
        case .string(let column): .string(sliceRows(column, rows, validity))
        case .bytes(let column): .bytes(sliceRows(column, rows, validity))
        case .timestamp(let column): .timestamp(PrimitiveColumn(Array(column.values[rows]), validity: validity))
        case .vector(let column):
            .vector(
                VectorColumn(
                    dimension: column.dimension,
                    values: Array(
                        column.values[rows.lowerBound * column.dimension..<rows.upperBound * column.dimension]
                    ),
                    validity: validity
                )
            )
        }
    }
}

private func gather<Value: BitwiseCopyable>(_ values: [Value], _ rows: [Int], _ zero: Value) -> [Value] {
    var result: [Value] = []
    result.reserveCapacity(rows.count)
    for row in rows { result.append(row >= 0 ? values[row] : zero) }
    return result
}

func gather(_ column: BinaryColumn, _ rows: [Int], _ validity: Bitmap?) -> BinaryColumn {
    var offsets: [Int] = []
    offsets.reserveCapacity(rows.count + 1)
    offsets.append(0)
    var size = 0
    for row in rows {
        if row >= 0 { size &+= column.offsets[row + 1] &- column.offsets[row] }
        offsets.append(size)
    }
    var data: [UInt8] = []
    data.reserveCapacity(size)
    column.data.withUnsafeBufferPointer { source in
        for row in rows where row >= 0 { data.append(contentsOf: source[column.range(row)]) }
    }
    return BinaryColumn(offsets: offsets, data: data, validity: validity)
}

private func gather(_ column: VectorColumn, _ rows: [Int], _ validity: Bitmap?) -> VectorColumn {
    let dimension = column.dimension
    var values: [Float] = []
    values.reserveCapacity(rows.count * dimension)
    for row in rows {
        if row >= 0 {
            values.append(contentsOf: column.values[row * dimension..<(row + 1) * dimension])
        } else {
            values.append(contentsOf: repeatElement(0, count: dimension))
        }
    }
    return VectorColumn(dimension: dimension, values: values, validity: validity)
}

private func sliceRows(_ column: BinaryColumn, _ rows: Range<Int>, _ validity: Bitmap?) -> BinaryColumn {
    let start = column.offsets[rows.lowerBound]
    return BinaryColumn(
        offsets: column.offsets[rows.lowerBound...rows.upperBound].map { $0 - start },
        data: Array(column.data[start..<column.offsets[rows.upperBound]]),
        validity: validity
    )
}
