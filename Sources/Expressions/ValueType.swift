import Columns

/// The type of a value inside an expression: that of a column, or one that only the language has.
enum ValueType: Hashable, Sendable {
    case data(DataType)
    /// A span of time in microseconds; a day is 24 hours.
    case interval
    /// Months beside microseconds: an interval whose length depends on where it is added.
    ///
    /// Only the checker knows it: it becomes a pair of an int64 and an interval before planning.
    case calendarInterval
    /// What a time zone's clocks show, in microseconds as if it were UTC: PostgreSQL's `timestamp without time zone`.
    case wallTime
    /// The type of the bare literal `null`, which takes any other.
    case null

    static let bool = ValueType.data(.bool)
    static let int64 = ValueType.data(.int64)
    static let float32 = ValueType.data(.float32)
    static let float64 = ValueType.data(.float64)
    static let string = ValueType.data(.string)
    static let bytes = ValueType.data(.bytes)
    static let timestamp = ValueType.data(.timestamp)

    /// Reads a type's name as PostgreSQL or a definition spells it, `nil` when it is neither.
    init?(spelling: String) {
        switch spelling {
        case "bool", "boolean": self = .bool
        case "int64", "bigint", "int8": self = .int64
        case "float32", "real", "float4": self = .float32
        case "float64", "double precision", "float8": self = .float64
        case "string", "text": self = .string
        case "bytes", "bytea": self = .bytes
        case "timestamp", "timestamptz": self = .timestamp
        case "interval": self = .interval
        default: return nil
        }
    }

    static let spellings = [
        "bool", "boolean", "int64", "bigint", "int8", "float32", "real", "float4", "float64", "double precision",
        "float8", "string", "text", "bytes", "bytea", "timestamp", "timestamptz", "interval",
    ]

    var isNumeric: Bool { self == .int64 || isFloat }
    var isInterval: Bool { self == .interval || self == .calendarInterval }
    var isFloat: Bool { self == .float32 || self == .float64 }

    /// Whether `=`, `<` and the like are defined.
    var isComparable: Bool {
        switch self {
        case .data(.vector), .calendarInterval, .null: false
        default: true
        }
    }

    /// The spelling after a cast suggested in a message.
    var castSpelling: String {
        switch self {
        case .data(let type): type.description
        case .interval: "interval"
        case .calendarInterval: "interval with months"
        case .wallTime: "timestamp without time zone"
        case .null: "null"
        }
    }
}

extension ValueType: CustomStringConvertible {
    var description: String { castSpelling }
}
