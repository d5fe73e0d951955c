public import FoundationEssentials

/// A value sent with a statement in PostgreSQL's binary format.
///
/// Each case has the SQL type in its description; write a cast in the statement (`$1::smallint`) for any other type.
/// `null` has no type of its own: the server infers it from where it stands.
public enum Parameter: Sendable, Equatable {
    case null
    /// `boolean`
    case bool(Bool)
    /// `bigint`
    case int64(Int64)
    /// `double precision`; NaN payloads and -0.0 are kept.
    case double(Double)
    /// `text`. The server refuses U+0000.
    case text(String)
    /// `bytea`
    case bytes([UInt8])
    /// `timestamp with time zone`: microseconds since 1970 UTC; `Int64.max` and `.min` are `infinity` and `-infinity`.
    case timestamp(Int64)
    /// `jsonb`, from JSON text.
    case json(String)
    /// `uuid`
    case uuid(UUID)
    /// `boolean[]`
    case boolArray([Bool])
    /// `bigint[]`
    case int64Array([Int64])
    /// `double precision[]`
    case doubleArray([Double])
    /// `text[]`
    case textArray([String])
    /// `bytea[]`
    case bytesArray([[UInt8]])
    /// `timestamp with time zone[]`, as `timestamp`.
    case timestampArray([Int64])

    var type: UInt32 {
        switch self {
        case .null: TypeIdentifier.inferred
        case .bool: TypeIdentifier.bool
        case .int64: TypeIdentifier.int8
        case .double: TypeIdentifier.float8
        case .text: TypeIdentifier.text
        case .bytes: TypeIdentifier.bytea
        case .timestamp: TypeIdentifier.timestamptz
        case .json: TypeIdentifier.jsonb
        case .uuid: TypeIdentifier.uuid
        case .boolArray: TypeIdentifier.boolArray
        case .int64Array: TypeIdentifier.int8Array
        case .doubleArray: TypeIdentifier.float8Array
        case .textArray: TypeIdentifier.textArray
        case .bytesArray: TypeIdentifier.byteaArray
        case .timestampArray: TypeIdentifier.timestamptzArray
        }
    }

    /// Appends the binary value, without its length; nothing for null.
    func encode(into bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int64(let value): BinaryFormat.append(value, to: &bytes)
        case .double(let value): BinaryFormat.append(value, to: &bytes)
        case .text(let value): bytes.append(contentsOf: value.utf8)
        case .bytes(let value): bytes.append(contentsOf: value)
        case .timestamp(let value): BinaryFormat.append(BinaryFormat.serverTimestamp(value), to: &bytes)
        case .json(let value):
            bytes.append(1)  // the only version of the jsonb wire format
            bytes.append(contentsOf: value.utf8)
        case .uuid(let value): withUnsafeBytes(of: value.uuid) { bytes.append(contentsOf: $0) }
        case .boolArray(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.bool, to: &bytes) { $1.append($0 ? 1 : 0) }
        case .int64Array(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.int8, to: &bytes) { BinaryFormat.append($0, to: &$1) }
        case .doubleArray(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.float8, to: &bytes) { BinaryFormat.append($0, to: &$1) }
        case .textArray(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.text, to: &bytes) { $1.append(contentsOf: $0.utf8) }
        case .bytesArray(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.bytea, to: &bytes) { $1.append(contentsOf: $0) }
        case .timestampArray(let values):
            BinaryFormat.appendArray(values, of: TypeIdentifier.timestamptz, to: &bytes) {
                BinaryFormat.append(BinaryFormat.serverTimestamp($0), to: &$1)
            }
        }
    }
}
