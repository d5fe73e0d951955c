import Columns

/// `= <> < <= > >=`, `is distinct from`, `greatest` and `least`.
///
/// NaN equals NaN and is greater than every other number; −0.0 equals 0.0; false is less than true; strings compare by
/// their bytes.
extension Kernel {
    func comparison(_ function: Function, _ left: Vector, _ right: Vector) -> Vector {
        Vector(.bool(relation(function, left, right)), isConstant: false, .strict([left, right], rows: rows))
    }

    func distinction(_ function: Function, _ left: Vector, _ right: Vector) -> Vector {
        var validity = Validity()
        var same = relation(.equal, left, right)
        let (leftValid, rightValid) = (left.validMask(rows), right.validMask(rows))
        if leftValid != nil || rightValid != nil {
            let all = Masks.all(true, rows: rows)
            let (left, right) = (leftValid ?? all, rightValid ?? all)
            let bothNull = Masks.not(Masks.or(left, right))
            same = Masks.or(Masks.and(same, Masks.and(left, right)), bothNull)
        }
        for operand in [left, right] {
            if let mask = operand.invalidMask(rows) {
                validity.invalid = validity.invalid.map { Masks.or($0, mask) } ?? mask
            }
        }
        validity.valid = validity.invalid.map(Masks.not)
        return Vector(.bool(function == .distinct ? Masks.not(same) : same), isConstant: false, validity)
    }

    /// The bits of a relation between values, whether or not they are null.
    private func relation(_ function: Function, _ left: Vector, _ right: Vector) -> Mask {
        switch function {
        case .notEqual: return Masks.not(relation(.equal, left, right))
        case .greater: return relation(.less, right, left)
        case .greaterOrEqual: return relation(.lessOrEqual, right, left)
        default: break
        }
        switch left.storage {
        case .bool: return boolean(function, left.bits(rows), right.bits(rows))
        case .int64:
            return switch function {
            case .equal: Elementwise.test(left.int64, right.int64, rows: rows) { $0 == $1 }
            case .less: Elementwise.test(left.int64, right.int64, rows: rows) { $0 < $1 }
            default: Elementwise.test(left.int64, right.int64, rows: rows) { $0 <= $1 }
            }
        case .float32: return floating(function, left.float32, right.float32)
        case .float64: return floating(function, left.float64, right.float64)
        case .text:
            let (left, right) = (left.text, right.text)
            return switch function {
            case .equal: Masks.pack(rows) { Self.order(left, right, $0) == 0 }
            case .less: Masks.pack(rows) { Self.order(left, right, $0) < 0 }
            default: Masks.pack(rows) { Self.order(left, right, $0) <= 0 }
            }
        case .vector: preconditionFailure("vectors are not compared")
        }
    }

    private func boolean(_ function: Function, _ left: Mask, _ right: Mask) -> Mask {
        switch function {
        case .equal: Masks.combine(left, right) { ~($0 ^ $1) }
        case .less: Masks.combine(left, right) { ~$0 & $1 }
        default: Masks.combine(left, right) { ~$0 | $1 }
        }
    }

    @inline(__always)
    private func floating<Float: BinaryFloatingPoint & BitwiseCopyable>(
        _ function: Function,
        _ left: Operand<Float>,
        _ right: Operand<Float>
    ) -> Mask {
        switch function {
        case .equal: Elementwise.test(left, right, rows: rows) { ($0 == $1) || ($0 != $0 && $1 != $1) }
        // Beside a number that is not NaN one test is enough; `!(a <= b)` is true where a is NaN.
        case .less where left.isConstant && left.values[0] == left.values[0]:
            Elementwise.test(right, left, rows: rows) { !($0 <= $1) }
        case .less where right.isConstant && right.values[0] == right.values[0]:
            Elementwise.test(left, right, rows: rows) { $0 < $1 }
        case .less: Elementwise.test(left, right, rows: rows) { $0 < $1 || ($1 != $1 && $0 == $0) }
        case .lessOrEqual where right.isConstant && right.values[0] == right.values[0]:
            Elementwise.test(left, right, rows: rows) { $0 <= $1 }
        case .lessOrEqual where left.isConstant && left.values[0] == left.values[0]:
            Elementwise.test(right, left, rows: rows) { !($0 < $1) }
        default: Elementwise.test(left, right, rows: rows) { $0 <= $1 || $1 != $1 }
        }
    }

    /// Negative, zero or positive as the left bytes sort before, with or after the right.
    private static func order(_ left: TextOperand, _ right: TextOperand, _ row: Int) -> Int {
        let (a, b) = (left.range(row), right.range(row))
        return left.text.data.withUnsafeBufferPointer { lefts in
            right.text.data.withUnsafeBufferPointer { rights in
                var offset = 0
                let shared = min(a.count, b.count)
                while offset < shared {
                    let (x, y) = (lefts[a.lowerBound &+ offset], rights[b.lowerBound &+ offset])
                    if x != y { return x < y ? -1 : 1 }
                    offset &+= 1
                }
                return a.count &- b.count
            }
        }
    }

    // MARK: Greatest and least

    /// The extreme of the values that are not null; of equal ones the first.
    func extreme(_ function: Function, _ operands: [Vector]) -> Vector {
        var best = operands[0]
        for operand in operands.dropFirst() {
            let all = Masks.all(true, rows: rows)
            let replaces = function == .greatest ? relation(.less, best, operand) : relation(.less, operand, best)
            let (bestValid, valid) = (best.validMask(rows), operand.validMask(rows))
            let wins = Masks.and(valid ?? all, bestValid.map { Masks.or(replaces, Masks.not($0)) } ?? replaces)
            var validity = Validity(valid: bestValid.flatMap { best in valid.map { Masks.or(best, $0) } })
            for mask in [best.invalidMask(rows), operand.invalidMask(rows)] {
                if let mask { validity.invalid = validity.invalid.map { Masks.or($0, mask) } ?? mask }
            }
            if let invalid = validity.invalid { validity.valid = Masks.andNot(validity.valid ?? all, invalid) }
            best = Vector(
                merged([(Masks.not(wins), best), (wins, operand)]),
                isConstant: false,
                validity
            )
        }
        return best
    }
}
