import Columns
import Formats
import FoundationEssentials

/// Why a JSON value is not a value of the type that is declared for it.
public struct ValueError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Feature values as JSON, losing nothing: the same text reads back as the same bits.
///
/// Floats are written with the fewest digits that identify them among their own width; NaN and the infinities are strings,
/// bytes base64, timestamps RFC 3339 (an instant outside the years 0000 to 9999 is its number of microseconds), vectors
/// lists of numbers.
public enum ValueCoding {
    public static func json(_ value: Scalar) -> JSON {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int64(let value): .int(value)
        case .float32(let value): .float(value)
        case .float64(let value): .double(value)
        case .string(let value): .string(value)
        case .bytes(let value): .string(Data(value).base64EncodedString())
        case .timestamp(let value): instant(value)
        case .vector(let elements): .array(elements.map(JSON.float))
        }
    }

    public static func instant(_ value: Int64) -> JSON { Instant.text(value).map(JSON.string) ?? .int(value) }

    /// Reads a value of a declared type.
    ///
    /// - Parameters:
    ///   - subject: what it is, for the error: `join key 'origin'`.
    ///   - naive: what a timestamp without an offset means.
    public static func scalar(
        _ json: JSON,
        type: DataType,
        subject: String,
        naive: NaiveTimestamps.Rule = .refuse
    ) throws(ValueError) -> Scalar {
        if json == .null { return .null }
        let value: Scalar? =
            switch type {
            case .bool: json.bool.map(Scalar.bool)
            case .int64: json.int.map(Scalar.int64)
            case .float32: float(json).map(Scalar.float32)
            case .float64: double(json).map(Scalar.float64)
            case .string: json.string.map(Scalar.string)
            case .bytes: json.string.flatMap { Data(base64Encoded: $0) }.map { .bytes(Array($0)) }
            case .timestamp: (json.string.flatMap { Instant.parse($0, naive: naive) } ?? json.int).map(Scalar.timestamp)
            case .vector(let dimension): vector(json, dimension: dimension)
            }
        guard let value else {
            if type == .timestamp, let text = json.string, Instant.parse(text, naive: .utc) != nil {
                throw ValueError(
                    "\(subject) is '\(text)', which has no time zone; append Z or an offset, or declare the column's"
                )
            }
            throw ValueError("\(subject) is \(json.text.prefix(60)), expected \(type)")
        }
        return value
    }

    private static func double(_ json: JSON) -> Double? {
        switch json {
        // A number too great for the type is no infinity: that has a spelling of its own.
        case .number(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    private static func float(_ json: JSON) -> Float? {
        switch json {
        case .number(let text): Float(text).flatMap { $0.isFinite ? $0 : nil }
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    private static func vector(_ json: JSON, dimension: Int) -> Scalar? {
        guard let elements = json.array?.map(float), elements.count == dimension else { return nil }
        let floats = elements.compactMap { $0 }
        return floats.count == dimension ? .vector(floats) : nil
    }

    /// The text of the type without losing the declared one: values of a column from JSON.
    public static func column(
        _ values: [JSON],
        type: DataType,
        subject: String,
        naive: NaiveTimestamps.Rule = .refuse
    ) throws(ValueError) -> Column {
        var builder = ColumnBuilder(type)
        for (row, value) in values.enumerated() {
            builder.append(try scalar(value, type: type, subject: "\(subject), row \(row + 1),", naive: naive))
        }
        return builder.finish()
    }
}
