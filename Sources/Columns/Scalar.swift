/// One value outside a column: an online cell, a literal, a request parameter.
public enum Scalar: Hashable, Sendable {
    case null
    case bool(Bool)
    case int64(Int64)
    case float32(Float)
    case float64(Double)
    case string(String)
    case bytes([UInt8])
    /// Microseconds since 1970-01-01T00:00:00Z.
    case timestamp(Int64)
    case vector([Float])

    /// `nil` for null, which belongs to every type.
    public var type: DataType? {
        switch self {
        case .null: nil
        case .bool: .bool
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        case .string: .string
        case .bytes: .bytes
        case .timestamp: .timestamp
        case .vector(let elements): .vector(dimension: elements.count)
        }
    }

    public var isNull: Bool { self == .null }

    /// Whether two values are the same to the bit, NaN being the same as any NaN.
    ///
    /// `==` follows IEEE 754 (NaN differs from itself, −0.0 equals 0.0); parity needs this one.
    public func isIdentical(to other: Scalar) -> Bool {
        switch (self, other) {
        case (.float32(let left), .float32(let right)):
            left.bitPattern == right.bitPattern || (left.isNaN && right.isNaN)
        case (.float64(let left), .float64(let right)):
            left.bitPattern == right.bitPattern || (left.isNaN && right.isNaN)
        case (.vector(let left), .vector(let right)):
            left.count == right.count
                && zip(left, right).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
        // By bytes: `==` takes a composed and a decomposed letter for the same text.
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        default: self == other
        }
    }
}
