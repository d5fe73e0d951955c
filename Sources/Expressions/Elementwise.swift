/// Loops over whole operands; the closures are inlined, and what an operand looks like is decided before the loop.
enum Elementwise {
    /// Applies `transform` to every element.
    @inline(__always)
    static func map<Input: BitwiseCopyable, Output: BitwiseCopyable>(
        _ input: Operand<Input>,
        rows: Int,
        _ transform: (Input) -> Output
    ) -> [Output] {
        let rows = input.isConstant ? 1 : rows
        return input.values.withUnsafeBufferPointer { values in
            [Output](unsafeUninitializedCapacity: rows) { output, count in
                for row in 0..<rows { output[row] = transform(values[row]) }
                count = rows
            }
        }
    }

    /// Applies `transform` to every element, and marks as undefined the rows where `fails`.
    ///
    /// Failures are rare: the first pass only learns whether there are any.
    @inline(__always)
    static func map<Input: BitwiseCopyable, Output: BitwiseCopyable>(
        _ input: Operand<Input>,
        rows: Int,
        _ validity: inout Validity,
        _ transform: (Input) -> Output,
        fails: (Input, Output) -> Bool
    ) -> [Output] {
        let rows = input.isConstant ? 1 : rows
        var anyFails = false
        let result = input.values.withUnsafeBufferPointer { values in
            [Output](unsafeUninitializedCapacity: rows) { output, count in
                for row in 0..<rows {
                    let value = transform(values[row])
                    output[row] = value
                    anyFails = fails(values[row], value) || anyFails
                }
                count = rows
            }
        }
        if anyFails { validity.fail(Masks.pack(rows) { fails(input.values[$0], result[$0]) }) }
        return result
    }

    /// Applies `transform` to every pair of elements, and marks as undefined the rows where `fails`.
    @inline(__always)
    static func zip<Left: BitwiseCopyable, Right: BitwiseCopyable, Output: BitwiseCopyable>(
        _ left: Operand<Left>,
        _ right: Operand<Right>,
        rows: Int,
        _ validity: inout Validity,
        _ transform: (Left, Right) -> Output,
        fails: (Left, Right, Output) -> Bool
    ) -> [Output] {
        var anyFails = false
        let result = left.values.withUnsafeBufferPointer { lefts in
            right.values.withUnsafeBufferPointer { rights in
                [Output](unsafeUninitializedCapacity: rows) { output, count in
                    switch (left.isConstant, right.isConstant) {
                    case (true, _) where rows > 0:
                        let constant = lefts[0]
                        let step = right.isConstant ? 0 : 1
                        for row in 0..<rows {
                            let other = rights[row &* step]
                            let value = transform(constant, other)
                            output[row] = value
                            anyFails = fails(constant, other, value) || anyFails
                        }
                    case (_, true) where rows > 0:
                        let constant = rights[0]
                        for row in 0..<rows {
                            let value = transform(lefts[row], constant)
                            output[row] = value
                            anyFails = fails(lefts[row], constant, value) || anyFails
                        }
                    default:
                        for row in 0..<rows {
                            let value = transform(lefts[row], rights[row])
                            output[row] = value
                            anyFails = fails(lefts[row], rights[row], value) || anyFails
                        }
                    }
                    count = rows
                }
            }
        }
        if anyFails {
            let (leftStep, rightStep) = (left.isConstant ? 0 : 1, right.isConstant ? 0 : 1)
            validity.fail(
                Masks.pack(rows) { fails(left.values[$0 &* leftStep], right.values[$0 &* rightStep], result[$0]) }
            )
        }
        return result
    }

    /// The bits of a test on every pair of elements.
    @inline(__always)
    static func test<Value: BitwiseCopyable>(
        _ left: Operand<Value>,
        _ right: Operand<Value>,
        rows: Int,
        _ test: (Value, Value) -> Bool
    ) -> Mask {
        left.values.withUnsafeBufferPointer { lefts in
            right.values.withUnsafeBufferPointer { rights in
                switch (left.isConstant, right.isConstant) {
                case (true, _) where rows > 0:
                    let constant = lefts[0]
                    let step = right.isConstant ? 0 : 1
                    return Masks.pack(rows) { test(constant, rights[$0 &* step]) }
                case (_, true) where rows > 0:
                    let constant = rights[0]
                    return Masks.pack(rows) { test(lefts[$0], constant) }
                default: return Masks.pack(rows) { test(lefts[$0], rights[$0]) }
                }
            }
        }
    }
}
