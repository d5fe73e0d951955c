/// One node of a parsed expression: what was written, before names and types are known.
struct Syntax: Sendable {
    indirect enum Form: Sendable {
        /// A column, and whether its name was quoted.
        case column(String, isQuoted: Bool)
        case integer(String)
        case decimal(String)
        case string(String)
        case boolean(Bool)
        case null
        /// `timestamp '…'` or `interval '…'`.
        case typed(ValueType, String)
        case negate(Syntax)
        case not(Syntax)
        case binary(BinaryOperator, Syntax, Syntax)
        case all([Syntax])
        case any([Syntax])
        case isNull(Syntax, negated: Bool)
        case isBoolean(Syntax, Bool, negated: Bool)
        case isUnknown(Syntax, negated: Bool)
        case distinct(Syntax, Syntax, negated: Bool)
        case membership(Syntax, [Syntax], negated: Bool)
        case between(Syntax, Syntax, Syntax, isSymmetric: Bool, negated: Bool)
        case like(Syntax, Syntax, escape: Syntax?, ignoresCase: Bool, negated: Bool)
        case choice(operand: Syntax?, branches: [Branch], otherwise: Syntax?)
        case cast(Syntax, ValueType)
        case call(String, [Syntax])
        case extract(TimeField, Syntax)
        case atTimeZone(Syntax, Syntax)
        case window(Window)
    }

    /// An aggregate over the rows of a window, such as `sum(amount) filter (where isPaid) over 7d`.
    struct Window: Sendable {
        let name: String
        /// None for `count(*)`.
        let arguments: [Syntax]
        let filter: Syntax?
        /// Microseconds, positive.
        let width: Int64
    }

    struct Branch: Sendable {
        let condition: Syntax
        let result: Syntax
    }

    let form: Form
    /// UTF-8 offset a message about this node points at: an operator's own place, else the first byte.
    let position: Int
    /// Levels of nodes, this one included; bounded, so that recursion over a tree cannot exhaust the stack.
    let depth: Int

    static let maximumDepth = 200
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case power = "^"
    case concatenate = "||"
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
}

/// A part of a timestamp that `extract` gives.
enum TimeField: String, CaseIterable, Hashable, Sendable {
    case epoch, year, month, day, hour, minute, second, dow, isodow, doy
    case week, isoyear, quarter, decade, century, millennium, milliseconds, microseconds, julian
}

/// What `date_trunc` cuts to.
enum TimeUnit: String, CaseIterable, Hashable, Sendable {
    case microseconds, milliseconds
    case second, minute, hour, day, week, month, quarter, year
    case decade, century, millennium
}
