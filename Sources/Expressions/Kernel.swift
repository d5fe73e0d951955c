import Columns
import TimeZones

/// One operation on whole vectors: chooses the typed loop once for a batch.
struct Kernel {
    let operation: Operation
    /// The type of the result.
    let type: ValueType
    let operandTypes: [ValueType]
    let rows: Int
    /// The rows whose results are read, where only some are: functions that cost much leave the others out.
    let needed: Mask?

    init(
        _ operation: Operation,
        _ type: ValueType,
        _ operandTypes: [ValueType],
        rows: Int,
        needed: Mask? = nil
    ) {
        self.needed = needed
        self.operation = operation
        self.type = type
        self.operandTypes = operandTypes
        self.rows = rows
    }

    /// - Precondition: there is one operand for each operand type, and no operand is longer than `rows`.
    func evaluate(_ operands: [Vector]) -> Vector {
        switch operation {
        case .column, .constant, .window: preconditionFailure("columns, constants and windows are not computed")
        case .extract(let field): extract(field, operands[0])
        case .part(let field): part(field, operands[0])
        case .truncate(let unit): truncate(unit, operands[0])
        case .truncateInZone(let unit, let zone): truncate(unit, operands[0], in: zone)
        case .atTimeZone(let zone): shifted(operands[0], in: zone)
        case .external(let function): external(function, operands[0])
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
            .decimalLogarithm, .cubeRoot, .naturalLogarithmOnePlus:
            mathematical(function, operands[0])
        case .sine, .cosine, .tangent, .cotangent, .arcSine, .arcCosine, .arcTangent, .hyperbolicSine,
            .hyperbolicCosine, .hyperbolicTangent, .areaHyperbolicSine, .areaHyperbolicCosine, .areaHyperbolicTangent:
            trigonometric(function, operands[0])
        case .power: power(operands[0], operands[1])
        case .arcTangent2: arcTangent(operands[0], operands[1])
        case .lower, .upper, .length, .byteLength, .reverse: textual(function, operands[0])
        case .trim, .trimStart, .trimEnd: trim(function, operands)
        case .substring: substring(operands)
        case .left, .right: end(function, operands[0], operands[1])
        case .splitPart: splitPart(operands)
        case .place: place(operands[0], operands[1])
        case .join: join(operands)
        case .repeat: repeated(operands[0], operands[1])
        case .padStart, .padEnd: pad(function, operands)
        case .likeEscape: likeEscape(operands[0], operands[1])
        case .addMonths: addMonths(operands[0], operands[1])
        case .monthCount: monthCount(operands[0])
        case .dot, .cosineSimilarity: product(function, operands[0], operands[1])
        case .norm: norm(operands[0])
        case .element: element(operands[0], operands[1])
        case .hashBucket: hashBucket(operands[0], operands[1])
        case .calendar: preconditionFailure("intervals with months are taken apart by the checker")
        case .replace: replace(operands)
        case .concatenate: concatenate(operands[0], operands[1])
        case .startsWith, .like: match(function, operands[0], operands[1])
        }
    }
}
