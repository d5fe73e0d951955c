import Columns
import TimeZones

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
    static func int64(_ value: Int64) -> TypedNode { TypedNode(.constant(.int64(value)), .int64) }
    static func float64(_ value: Double) -> TypedNode { TypedNode(.constant(.float64(value)), .float64) }
    static func string(_ text: String) -> TypedNode { TypedNode(.constant(.string(Array(text.utf8))), .string) }
    static func interval(_ microseconds: Int64) -> TypedNode { TypedNode(.constant(.int64(microseconds)), .interval) }

    /// A pair of months and microseconds.
    static func calendar(_ months: TypedNode, _ microseconds: TypedNode) -> TypedNode {
        TypedNode(.calendar, .calendarInterval, [months, microseconds])
    }

    /// Months that were computed: PostgreSQL raises where they leave the range of an interval, whatever becomes of it.
    static func monthCount(_ function: Function, _ operands: [TypedNode]) -> TypedNode {
        TypedNode(.monthCount, .int64, [TypedNode(function, .int64, operands)])
    }

    /// The node converted to a type it is known to convert to.
    func converted(to type: ValueType) -> TypedNode {
        if self.type == type { return self }
        if self.type == .null {
            return type == .calendarInterval ? .calendar(.null(.int64), .null(.interval)) : .null(type)
        }
        if type == .calendarInterval {
            // Both parts of the pair are null where the interval is.
            let months = TypedNode(.choose, .int64, [TypedNode(.isNull, .bool, [self]), .null(.int64), .int64(0)])
            return .calendar(months, self)
        }
        return TypedNode(.cast, type, [self])
    }

    /// An interval as a span of microseconds, a month counting 30 days as where PostgreSQL compares; other nodes as
    /// they are.
    func spanned() -> TypedNode {
        guard type == .calendarInterval else { return self }
        let months = TypedNode(.multiply, .interval, [operands[0], .int64(30 * Calendar.day)])
        return TypedNode(.add, .interval, [months, operands[1]])
    }
}

enum Operation: Hashable, Sendable {
    case column(String)
    case constant(Constant)
    case apply(Function)
    case extract(TimeField)
    /// `date_part`, which PostgreSQL computes in float64 where `extract` is exact.
    case part(TimeField)
    case truncate(TimeUnit)
    case truncateInZone(TimeUnit, TimeZoneRules)
    /// Between a timestamp and the wall-clock time of a zone, the way the types say.
    case atTimeZone(TimeZoneRules)
    case external(ExternalFunction)
    /// Computed from history before the expression is: where it is evaluated, a column.
    indirect case window(WindowNode)
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
    case cubeRoot, naturalLogarithmOnePlus
    case sine, cosine, tangent, cotangent, arcSine, arcCosine, arcTangent, arcTangent2
    case hyperbolicSine, hyperbolicCosine, hyperbolicTangent
    case areaHyperbolicSine, areaHyperbolicCosine, areaHyperbolicTangent
    case lower, upper, length, byteLength, substring, left, right, trim, trimStart, trimEnd, replace, startsWith
    case splitPart, place, concatenate, join, like, likeEscape, `repeat`, reverse, padStart, padEnd
    case addMonths
    /// The months of an interval: themselves, where PostgreSQL's four bytes hold them.
    case monthCount
    case dot, norm, cosineSimilarity, element
    case hashBucket
    /// Months and microseconds; taken apart by whatever uses it, never computed.
    case calendar
}
