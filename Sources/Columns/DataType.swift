/// The logical type of a column.
///
/// Null is not part of the type: every column may hold nulls. Null and NaN are different values.
public enum DataType: Hashable, Sendable {
    case bool
    case int64
    case float32
    case float64
    /// UTF-8 text.
    case string
    case bytes
    /// Microseconds since 1970-01-01T00:00:00Z, UTC.
    case timestamp
    /// A row-major vector of `Float` with a fixed number of elements.
    case vector(dimension: Int)

    /// Reads the spelling used in definitions, for example `float64` or `vector<float32, 8>`.
    ///
    /// Returns `nil` for an unknown spelling or a dimension that is not from 1 to `maximumDimension`.
    public init?(_ spelling: some StringProtocol) {
        switch spelling {
        case "bool": self = .bool
        case "int64": self = .int64
        case "float32": self = .float32
        case "float64": self = .float64
        case "string": self = .string
        case "bytes": self = .bytes
        case "timestamp": self = .timestamp
        default:
            guard spelling.hasPrefix("vector<float32,"), spelling.hasSuffix(">") else { return nil }
            let digits = spelling.dropFirst("vector<float32,".count).dropLast().drop { $0 == " " }
            guard digits.first != "+", let dimension = Int(digits),
                (1...Self.maximumDimension).contains(dimension)
            else { return nil }
            self = .vector(dimension: dimension)
        }
    }

    /// No vector has more elements, so that a missing one cannot take a machine's memory.
    public static let maximumDimension = 65_536

    /// Whether values compare exactly and can so identify an entity.
    public var isKey: Bool {
        switch self {
        case .bool, .int64, .string, .bytes, .timestamp: true
        case .float32, .float64, .vector: false
        }
    }

    /// Whether arithmetic is defined on the type.
    public var isNumeric: Bool {
        switch self {
        case .int64, .float32, .float64: true
        default: false
        }
    }
}

extension DataType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .bool: "bool"
        case .int64: "int64"
        case .float32: "float32"
        case .float64: "float64"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "timestamp"
        case .vector(let dimension): "vector<float32, \(dimension)>"
        }
    }

    /// The spellings a definition may use, for error messages.
    public static let spellings = "bool, int64, float32, float64, string, bytes, timestamp, vector<float32, N>"
}
