import Columns

/// `case` and `coalesce`: for each row one of several vectors, and nothing from the others.
extension Kernel {
    func choose(_ operands: [Vector]) -> Vector {
        var remaining = Masks.all(true, rows: rows)
        var undefined: Mask?
        var choices: [(take: Mask, vector: Vector)] = []
        for index in stride(from: 0, to: operands.count - 1, by: 2) {
            let condition = operands[index]
            let bits = condition.bits(rows)
            let isTrue = condition.validMask(rows).map { Masks.and(bits, $0) } ?? bits
            if let invalid = condition.invalidMask(rows) {
                let reached = Masks.and(remaining, invalid)
                undefined = undefined.map { Masks.or($0, reached) } ?? reached
                remaining = Masks.andNot(remaining, reached)
            }
            choices.append((Masks.and(remaining, isTrue), operands[index + 1]))
            remaining = Masks.andNot(remaining, isTrue)
        }
        choices.append((remaining, operands[operands.count - 1]))
        return chosen(choices, undefined: undefined)
    }

    func coalesce(_ operands: [Vector]) -> Vector {
        var remaining = Masks.all(true, rows: rows)
        var choices: [(take: Mask, vector: Vector)] = []
        for operand in operands {
            guard let valid = operand.validMask(rows) else {
                choices.append((remaining, operand))
                return chosen(choices, undefined: nil)
            }
            let settled = operand.invalidMask(rows).map { Masks.or(valid, $0) } ?? valid
            choices.append((Masks.and(remaining, settled), operand))
            remaining = Masks.andNot(remaining, settled)
        }
        choices.append((remaining, Vector(.null, type)))
        return chosen(choices, undefined: nil)
    }

    /// The vector that holds, row by row, the values of the choice that takes the row.
    ///
    /// Each row is taken at most once; a row nobody takes is `undefined`.
    private func chosen(_ choices: [(take: Mask, vector: Vector)], undefined: Mask?) -> Vector {
        var nulls: Mask?
        var invalid = undefined
        for (take, vector) in choices {
            if let valid = vector.validMask(rows) {
                let mask = Masks.andNot(take, valid)
                nulls = nulls.map { Masks.or($0, mask) } ?? mask
            }
            if let mask = vector.invalidMask(rows) {
                let taken = Masks.and(take, mask)
                invalid = invalid.map { Masks.or($0, taken) } ?? taken
            }
        }
        if let undefined { nulls = nulls.map { Masks.or($0, undefined) } ?? undefined }
        return Vector(merged(choices), isConstant: false, Validity(valid: nulls.map(Masks.not), invalid: invalid))
    }

    /// The values alone.
    func merged(_ choices: [(take: Mask, vector: Vector)]) -> Vector.Storage {
        switch choices[0].vector.storage {
        case .bool:
            var bits = Masks.all(false, rows: rows)
            for (take, vector) in choices { bits = Masks.or(bits, Masks.and(take, vector.bits(rows))) }
            return .bool(bits)
        case .int64: return .int64(blend(choices.map { ($0.take, $0.vector.int64, $0.vector.isNullConstant) }, zero: 0))
        case .float32:
            return .float32(blend(choices.map { ($0.take, $0.vector.float32, $0.vector.isNullConstant) }, zero: 0))
        case .float64:
            return .float64(blend(choices.map { ($0.take, $0.vector.float64, $0.vector.isNullConstant) }, zero: 0))
        case .text: return .text(interleaved(choices.map { ($0.take, $0.vector.text) }))
        case .vector: return .vector(gathered(choices))
        }
    }

    @inline(__always)
    private func blend<Value: BitwiseCopyable>(
        _ choices: [(take: Mask, values: Operand<Value>, isNull: Bool)],
        zero: Value
    ) -> [Value] {
        // Values under nulls are unspecified, so the last choice that has values can stand for all that are null. Its
        // values are copied whole and the others written over them: half of what taking each row by its bit costs.
        let base = choices.lastIndex { !$0.isNull && !$0.values.isConstant }
        let others = choices.indices.filter { $0 != base && !choices[$0].isNull }
        if let base, others.isEmpty { return choices[base].values.values }
        return [Value](unsafeUninitializedCapacity: rows) { output, count in
            if let base {
                choices[base].values.values.withUnsafeBufferPointer { values in
                    _ = output.initialize(from: values[..<rows])
                }
            } else {
                output.initialize(repeating: zero)
            }
            for index in others {
                let (take, operand, _) = choices[index]
                let step = operand.isConstant ? 0 : 1
                operand.values.withUnsafeBufferPointer { values in
                    for word in take.indices {
                        let start = word << 6
                        let length = min(64, rows &- start)
                        var bits = take[word]
                        if bits == 0 { continue }
                        if bits == ~0, length == 64 {
                            for row in start..<start &+ 64 { output[row] = values[row &* step] }
                            continue
                        }
                        if length < 64 { bits &= (1 << UInt64(length)) &- 1 }
                        while bits != 0 {
                            let row = start &+ bits.trailingZeroBitCount
                            output[row] = values[row &* step]
                            bits &= bits &- 1
                        }
                    }
                }
            }
            count = rows
        }
    }

    private func interleaved(_ choices: [(take: Mask, text: TextOperand)]) -> Vector.Text {
        var output = TextWriter(rows: rows)
        for row in 0..<rows {
            for (take, text) in choices where Masks.bit(take, row) {
                output.append(text.slice(row))
                break
            }
            output.endRow()
        }
        return output.text
    }

    private func gathered(_ choices: [(take: Mask, vector: Vector)]) -> VectorColumn {
        var dimension = 1
        var values: [Float] = []
        for row in 0..<rows {
            var taken: ArraySlice<Float> = []
            for (take, vector) in choices {
                guard case .vector(let column) = vector.storage else {
                    preconditionFailure("the operand is not a vector")
                }
                dimension = column.dimension
                let position = vector.isConstant ? 0 : row
                if Masks.bit(take, row) { taken = column.values[position * dimension..<(position + 1) * dimension] }
            }
            values += taken
            values += repeatElement(0, count: dimension - taken.count)
        }
        return VectorColumn(dimension: dimension, values: values)
    }
}
