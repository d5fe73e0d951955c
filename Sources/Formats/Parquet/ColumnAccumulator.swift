import Columns

/// Joins ranges of rows of one column.
struct ColumnAccumulator {
    let type: DataType
    private var bools: [Bool] = []
    private var words: [Int64] = []
    private var floats: [Float] = []
    private var doubles: [Double] = []
    private var offsets = [0]
    private var data: [UInt8] = []
    private var validity = ValidityBits()

    init(_ type: DataType) { self.type = type }

    /// - Precondition: the column is of the accumulator's type.
    mutating func append(_ column: Column, rows: Range<Int>) {
        precondition(column.type == type, "a column of type \(column.type) is appended to one of type \(type)")
        switch column {
        case .bool(let column): bools.append(contentsOf: column.values[rows])
        case .int64(let column), .timestamp(let column): words.append(contentsOf: column.values[rows])
        case .float32(let column): floats.append(contentsOf: column.values[rows])
        case .float64(let column): doubles.append(contentsOf: column.values[rows])
        case .string(let column), .bytes(let column):
            let shift = data.count - column.offsets[rows.lowerBound]
            data.append(contentsOf: column.data[column.offsets[rows.lowerBound]..<column.offsets[rows.upperBound]])
            for row in rows { offsets.append(column.offsets[row + 1] + shift) }
        case .vector(let column):
            let dimension = column.dimension
            floats.append(contentsOf: column.values[rows.lowerBound * dimension..<rows.upperBound * dimension])
        }
        guard let bits = column.validity else { return validity.append(repeating: true, count: rows.count) }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let count = min(64, rows.upperBound - row)
            validity.append(bits: bits.bits(at: row, count: count), count: count)
            row += count
        }
    }

    /// The rows so far; the accumulator is empty afterwards.
    mutating func finish() -> Column {
        defer { self = ColumnAccumulator(type) }
        let validity = validity.finish()
        return switch type {
        case .bool: .bool(PrimitiveColumn(bools, validity: validity))
        case .int64: .int64(PrimitiveColumn(words, validity: validity))
        case .timestamp: .timestamp(PrimitiveColumn(words, validity: validity))
        case .float32: .float32(PrimitiveColumn(floats, validity: validity))
        case .float64: .float64(PrimitiveColumn(doubles, validity: validity))
        case .string: .string(BinaryColumn(offsets: offsets, data: data, validity: validity))
        case .bytes: .bytes(BinaryColumn(offsets: offsets, data: data, validity: validity))
        case .vector(let dimension): .vector(VectorColumn(dimension: dimension, values: floats, validity: validity))
        }
    }
}
