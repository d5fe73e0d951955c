import Columns

/// Products, lengths and elements of vectors.
///
/// Elements are widened to float64, where the product of two of them is exact, and summed from the first to the last, so
/// that the result has the same bits everywhere.
extension Kernel {
    /// `dot(v, w)`, or `cosine_similarity(v, w) = dot(v, w) / (sqrt(dot(v, v)) * sqrt(dot(w, w)))`, which is undefined
    /// where a vector has no length.
    func product(_ function: Function, _ left: Vector, _ right: Vector) -> Vector {
        var validity = Validity.strict([left, right], rows: rows)
        let (lefts, rights) = (VectorOperand(left), VectorOperand(right))
        let dots = (0..<rows).map { lefts.dot(rights, $0) }
        if function == .dot { return Vector(.float64(dots), isConstant: false, validity) }
        let scales = (0..<rows).map { lefts.dot(lefts, $0).squareRoot() * rights.dot(rights, $0).squareRoot() }
        if scales.contains(0) { validity.fail(Masks.pack(rows) { scales[$0] == 0 }) }
        return Vector(.float64(zip(dots, scales).map { $0 / $1 }), isConstant: false, validity)
    }

    /// `norm(v) = sqrt(dot(v, v))`.
    func norm(_ operand: Vector) -> Vector {
        let input = VectorOperand(operand)
        let result = (0..<count(operand)).map { input.dot(input, $0).squareRoot() }
        return Vector(.float64(result), isConstant: false, operand.validity)
    }

    /// `element(v, i)`, the first being 1; past either end it is undefined.
    func element(_ operand: Vector, _ index: Vector) -> Vector {
        var validity = Validity.strict([operand, index], rows: rows)
        let (input, places) = (VectorOperand(operand), index.int64)
        let range = 1...Int64(input.column.dimension)
        let isOutside = { (row: Int) in !range.contains(places[row]) }
        let result = (0..<rows).map { row in
            isOutside(row) ? 0 : input.column.values[input.start(row) + Int(places[row] - 1)]
        }
        if (0..<rows).contains(where: isOutside) { validity.fail(Masks.pack(rows, isOutside)) }
        return Vector(.float32(result), isConstant: false, validity)
    }
}

private struct VectorOperand {
    let column: VectorColumn
    let isConstant: Bool

    init(_ vector: Vector) {
        guard case .vector(let column) = vector.storage else { preconditionFailure("the operand is not a vector") }
        self.column = column
        isConstant = vector.isConstant
    }

    @inline(__always)
    func start(_ row: Int) -> Int { isConstant ? 0 : row * column.dimension }

    func dot(_ other: VectorOperand, _ row: Int) -> Double {
        let (first, second) = (start(row), other.start(row))
        return column.values.withUnsafeBufferPointer { lefts in
            other.column.values.withUnsafeBufferPointer { rights in
                var sum = 0.0
                for place in 0..<column.dimension {
                    sum += Double(lefts[first &+ place]) * Double(rights[second &+ place])
                }
                return sum
            }
        }
    }
}
