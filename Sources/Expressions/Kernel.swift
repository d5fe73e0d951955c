import Columns

/// One operation on whole vectors: chooses the typed loop once for a batch.
struct Kernel {
    let operation: Operation
    /// The type of the result.
    let type: ValueType
    let operandTypes: [ValueType]
    let rows: Int

    init(_ operation: Operation, _ type: ValueType, _ operandTypes: [ValueType], rows: Int) {
        self.operation = operation
        self.type = type
        self.operandTypes = operandTypes
        self.rows = rows
    }

    /// - Precondition: there is one operand for each operand type, and no operand is longer than `rows`.
    func evaluate(_ operands: [Vector]) -> Vector {
        switch operation {
        case .column, .constant: preconditionFailure("columns and constants are not computed")
        case .extract(let field): extract(field, operands[0])
        case .truncate(let unit): truncate(unit, operands[0])
        case .apply(let function): apply(function, operands)
        }
    }

    private func apply(_ function: Function, _ operands: [Vector]) -> Vector {
        switch function {
        case .add, .subtract, .multiply, .divide, .remainder: arithmetic(function, operands[0], operands[1])
        case .negate, .absolute: signed(function, operands[0])
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            comparison(function, operands[0], operands[1])
        case .distinct, .notDistinct: distinction(function, operands[0], operands[1])
        case .and, .or: logic(function, operands)
        case .not: negation(operands[0])
        case .isNull, .isNotNull, .isTrue, .isNotTrue, .isFalse, .isNotFalse: test(function, operands[0])
        case .choose: choose(operands)
        case .coalesce: coalesce(operands)
        case .greatest, .least: extreme(function, operands)
        case .cast: cast(operands[0])
        case .sign, .round, .truncate, .floor, .ceiling, .squareRoot, .exponential, .naturalLogarithm,
            .decimalLogarithm, .sine, .cosine, .tangent:
            mathematical(function, operands[0])
        case .power: power(operands[0], operands[1])
        case .lower, .upper, .length, .trim: textual(function, operands[0])
        case .substring: substring(operands)
        case .replace: replace(operands)
        case .concatenate: concatenate(operands[0], operands[1])
        case .startsWith, .like: match(function, operands[0], operands[1])
        }
    }
}
