import Columns

/// Three-valued `and`, `or`, `not`, and the tests that are never null.
extension Kernel {
    /// Connects operands by `and` or `or`.
    ///
    /// `and` is false where any operand is false, else undefined where any is, else null where any is, else true. `or`
    /// mirrors it. Undefined operands give way to a deciding one on either side.
    func logic(_ function: Function, _ operands: [Vector]) -> Vector {
        let isOr = function == .or
        let all = Masks.all(true, rows: rows)
        // With `or` the deciding value is true, with `and` false.
        var decided = Masks.all(false, rows: rows)
        var validity = Validity()
        for operand in operands {
            let bits = operand.bits(rows)
            let deciding = isOr ? bits : Masks.not(bits)
            decided = Masks.or(decided, operand.validMask(rows).map { Masks.and(deciding, $0) } ?? deciding)
            validity.join(operand, rows: rows)
        }
        if let valid = validity.valid { validity.valid = Masks.or(valid, decided) }
        if let invalid = validity.invalid { validity.invalid = Masks.andNot(invalid, decided) }
        return Vector(.bool(isOr ? decided : Masks.andNot(all, decided)), isConstant: false, validity)
    }

    func negation(_ operand: Vector) -> Vector {
        Vector(.bool(Masks.not(operand.bits(rows))), isConstant: false, operand.validity)
    }

    func test(_ function: Function, _ operand: Vector) -> Vector {
        let all = Masks.all(true, rows: rows)
        let valid = operand.validMask(rows) ?? all
        let bits: Mask =
            switch function {
            case .isNull: Masks.not(valid)
            case .isNotNull: valid
            case .isTrue: Masks.and(operand.bits(rows), valid)
            case .isNotTrue: Masks.not(Masks.and(operand.bits(rows), valid))
            case .isFalse: Masks.andNot(valid, operand.bits(rows))
            default: Masks.not(Masks.andNot(valid, operand.bits(rows)))
            }
        let invalid = operand.invalidMask(rows)
        return Vector(.bool(bits), isConstant: false, Validity(valid: invalid.map(Masks.not), invalid: invalid))
    }
}
