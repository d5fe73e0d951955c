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
        // As wide as the elements, so that the loop stays one of vectors.
        var anyFails: UInt64 = 0
        let result = input.values.withUnsafeBufferPointer { values in
            [Output](unsafeUninitializedCapacity: rows) { output, count in
                for row in 0..<rows {
                    let value = transform(values[row])
                    output[row] = value
                    anyFails |= fails(values[row], value) ? 1 : 0
                }
                count = rows
            }
        }
        if anyFails != 0 { validity.fail(Masks.pack(rows) { fails(input.values[$0], result[$0]) }) }
        return result
    }

    /// As above, but only for the rows that are needed where only some are.
    @inline(__always)
    static func map<Input: BitwiseCopyable>(
        _ input: Operand<Input>,
        rows: Int,
        needed: Mask?,
        _ validity: inout Validity,
        _ transform: (Input) -> Double,
        fails: (Input, Double) -> Bool
    ) -> [Double] {
        guard let needed, !input.isConstant else { return map(input, rows: rows, &validity, transform, fails: fails) }
        var failures: Mask = []
        let result = input.values.withUnsafeBufferPointer { values in
            [Double](unsafeUninitializedCapacity: rows) { output, count in
                output.initialize(repeating: 0)
                for word in needed.indices {
                    let start = word << 6
                    var bits = needed[word]
                    if rows &- start < 64 { bits &= (1 << UInt64(rows &- start)) &- 1 }
                    var failed: UInt64 = 0
                    while bits != 0 {
                        let row = start &+ bits.trailingZeroBitCount
                        let value = transform(values[row])
                        output[row] = value
                        if fails(values[row], value) { failed |= bits & (0 &- bits) }
                        bits &= bits &- 1
                    }
                    if failed != 0 {
                        if failures.isEmpty { failures = Masks.all(false, rows: rows) }
                        failures[word] = failed
                    }
                }
                count = rows
            }
        }
        if !failures.isEmpty { validity.fail(failures) }
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
        // As wide as the elements, so that the loop stays one of vectors.
        var anyFails: UInt64 = 0
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
                            anyFails |= fails(constant, other, value) ? 1 : 0
                        }
                    case (_, true) where rows > 0:
                        let constant = rights[0]
                        for row in 0..<rows {
                            let value = transform(lefts[row], constant)
                            output[row] = value
                            anyFails |= fails(lefts[row], constant, value) ? 1 : 0
                        }
                    default:
                        for row in 0..<rows {
                            let value = transform(lefts[row], rights[row])
                            output[row] = value
                            anyFails |= fails(lefts[row], rights[row], value) ? 1 : 0
                        }
                    }
                    count = rows
                }
            }
        }
        if anyFails != 0 {
            let (leftStep, rightStep) = (left.isConstant ? 0 : 1, right.isConstant ? 0 : 1)
            validity.fail(
                Masks.pack(rows) { fails(left.values[$0 &* leftStep], right.values[$0 &* rightStep], result[$0]) }
            )
        }
        return result
    }

    /// As above, where a result alone tells most of the rows that cannot fail.
    ///
    /// The operation and the first test then are loops of vectors; asking `fails` for every row takes three times as
    /// long. Rows that are null or not needed are not asked, so that the zeros that stand there are no suspects.
    @inline(__always)
    static func zip<Value: BitwiseCopyable>(
        _ left: Operand<Value>,
        _ right: Operand<Value>,
        rows: Int,
        needed: Mask?,
        _ validity: inout Validity,
        _ transform: (Value, Value) -> Value,
        suspects: (Value) -> Bool,
        fails: (Value, Value, Value) -> Bool
    ) -> [Value] {
        left.values.withUnsafeBufferPointer { lefts in
            right.values.withUnsafeBufferPointer { rights in
                let result = [Value](unsafeUninitializedCapacity: rows) { output, count in
                    switch (left.isConstant, right.isConstant) {
                    case (true, _) where rows > 0:
                        let constant = lefts[0]
                        let step = right.isConstant ? 0 : 1
                        for row in 0..<rows { output[row] = transform(constant, rights[row &* step]) }
                    case (_, true) where rows > 0:
                        let constant = rights[0]
                        for row in 0..<rows { output[row] = transform(lefts[row], constant) }
                    default:
                        for row in 0..<rows { output[row] = transform(lefts[row], rights[row]) }
                    }
                    count = rows
                }
                let (leftStep, rightStep) = (left.isConstant ? 0 : 1, right.isConstant ? 0 : 1)
                result.withUnsafeBufferPointer { results in
                    var suspected = Masks.pack(rows) { suspects(results[$0]) }
                    if let valid = validity.valid { suspected = Masks.and(suspected, valid) }
                    if let needed { suspected = Masks.and(suspected, needed) }
                    var anyFails = false
                    for word in suspected.indices where suspected[word] != 0 {
                        var bits = suspected[word]
                        while bits != 0 {
                            let row = word << 6 &+ bits.trailingZeroBitCount
                            if !fails(lefts[row &* leftStep], rights[row &* rightStep], results[row]) {
                                suspected[word] &= ~(bits & (0 &- bits))
                            }
                            bits &= bits &- 1
                        }
                        anyFails = anyFails || suspected[word] != 0
                    }
                    if anyFails { validity.fail(suspected) }
                }
                return result
            }
        }
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
