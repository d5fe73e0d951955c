import Columns

/// One node of a checked expression: every name bound, every type known, every conversion explicit.
///
/// What can be said with fewer operations is: `between` is two comparisons, `in` a disjunction of equalities, `nullif`
/// and `case x when …` are searched cases.
struct TypedNode: Hashable, Sendable {
    let operation: Operation
    let type: ValueType
    let operands: [TypedNode]

    init(_ operation: Operation, _ type: ValueType, _ operands: [TypedNode] = []) {
        self.operation = operation
        self.type = type
        self.operands = operands
    }

    init(_ function: Function, _ type: ValueType, _ operands: [TypedNode]) {
        self.init(.apply(function), type, operands)
    }

    static func null(_ type: ValueType) -> TypedNode { TypedNode(.constant(.null), type) }

    /// The node converted to a type it is known to convert to.
    func converted(to type: ValueType) -> TypedNode {
        if self.type == type { return self }
        if self.type == .null { return .null(type) }
        return TypedNode(.cast, type, [self])
    }
}

enum Operation: Hashable, Sendable {
    case column(String)
    case constant(Constant)
    case apply(Function)
    case extract(TimeField)
    case truncate(TimeUnit)
}

/// A literal's value; the node holds its type.
enum Constant: Hashable, Sendable {
    case null
    case bool(Bool)
    /// An integer, or the microseconds of a timestamp or an interval.
    case int64(Int64)
    case float64(Double)
    case string([UInt8])
}

/// What a node does to its operands.
///
/// The raw values are part of the canonical bytes: never rename one.
enum Function: String, Hashable, Sendable {
    case add, subtract, multiply, divide, remainder, negate, absolute
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, distinct, notDistinct
    case and, or, not, isNull, isNotNull, isTrue, isNotTrue, isFalse, isNotFalse
    /// Condition, result, condition, result, …, and the result when no condition is true.
    case choose
    case coalesce, greatest, least
    case cast
    case sign, round, truncate, floor, ceiling, power, squareRoot, exponential, naturalLogarithm, decimalLogarithm
    case sine, cosine, tangent
    case lower, upper, length, substring, trim, replace, startsWith, concatenate, like
}
