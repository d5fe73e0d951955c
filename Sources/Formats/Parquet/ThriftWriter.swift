/// Writes the Thrift compact protocol, as far as Parquet's metadata needs it.
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    private var lastField: [Int] = [0]

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    private mutating func header(_ field: Int, _ type: ThriftType) {
        let step = field - lastField[lastField.count - 1]
        if step > 0, step <= 15 {
            bytes.append(UInt8(step << 4) | type.rawValue)
        } else {
            bytes.append(type.rawValue)
            zigzag(Int64(field))
        }
        lastField[lastField.count - 1] = field
    }

    mutating func bool(_ field: Int, _ value: Bool) { header(field, value ? .true : .false) }

    mutating func int16(_ field: Int, _ value: Int) {
        header(field, .int16)
        zigzag(Int64(value))
    }

    mutating func int32(_ field: Int, _ value: Int) {
        header(field, .int32)
        zigzag(Int64(value))
    }

    mutating func int64(_ field: Int, _ value: Int) {
        header(field, .int64)
        zigzag(Int64(value))
    }

    mutating func binary(_ field: Int, _ value: some Collection<UInt8>) {
        header(field, .binary)
        element(value)
    }

    mutating func string(_ field: Int, _ value: String) { binary(field, Array(value.utf8)) }

    /// Writes a struct field whose members `body` writes.
    mutating func structure(_ field: Int, _ body: (inout ThriftWriter) -> Void) {
        header(field, .structure)
        structureElement(body)
    }

    /// Opens a list field; its `count` elements are written next.
    mutating func list(_ field: Int, of type: ThriftType, count: Int) {
        header(field, .list)
        if count < 15 {
            bytes.append(UInt8(count << 4) | type.rawValue)
        } else {
            bytes.append(0xF0 | type.rawValue)
            varint(UInt64(count))
        }
    }

    /// A struct as a list element, or the outermost struct.
    mutating func structureElement(_ body: (inout ThriftWriter) -> Void) {
        lastField.append(0)
        body(&self)
        lastField.removeLast()
        bytes.append(ThriftType.stop.rawValue)
    }

    /// A string as a list element.
    mutating func element(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// An enumerator as a list element.
    mutating func element(_ value: Int) { zigzag(Int64(value)) }
}

/// The type codes of the compact protocol.
enum ThriftType: UInt8 {
    case stop = 0
    case `true` = 1
    case `false` = 2
    case byte = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
}
