import Columns
import Kernels
import TimeZones

/// Writes a typed tree as bytes that depend on its meaning and on nothing else.
///
/// A node is its operation, its type, and the number of its operands followed by them. Every variable-length part
/// follows its length (64 bits, little-endian), so no two trees share their bytes.
struct CanonicalWriter {
    private(set) var bytes: [UInt8] = []

    static func bytes(of node: TypedNode) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.write(node)
        return writer.bytes
    }

    private mutating func write(_ node: TypedNode) {
        switch node.operation {
        case .column(let name):
            bytes.append(UInt8(ascii: "C"))
            write(name.utf8)
        case .constant(let constant):
            bytes.append(UInt8(ascii: "K"))
            write(constant)
        case .apply(let function):
            bytes.append(UInt8(ascii: "F"))
            write(function.rawValue.utf8)
        case .extract(let field):
            bytes.append(UInt8(ascii: "E"))
            write(field.rawValue.utf8)
        case .part(let field):
            bytes.append(UInt8(ascii: "P"))
            write(field.rawValue.utf8)
        case .truncate(let unit):
            bytes.append(UInt8(ascii: "T"))
            write(unit.rawValue.utf8)
        case .truncateInZone(let unit, let zone):
            bytes.append(UInt8(ascii: "U"))
            write(unit.rawValue.utf8)
            write(zone.name.utf8)
        case .atTimeZone(let zone):
            bytes.append(UInt8(ascii: "Z"))
            write(zone.name.utf8)
        case .external(let function):
            bytes.append(UInt8(ascii: "X"))
            write(function.name.utf8)
            write(function.argument.utf8)
            write(function.identity)
        case .window(let window): write(window)
        }
        write(node.type.description.utf8)
        write(UInt64(node.operands.count))
        for operand in node.operands { write(operand) }
    }

    private mutating func write(_ window: WindowNode) {
        bytes.append(UInt8(ascii: "W"))
        write(window.function.description.utf8)
        write(UInt64(bitPattern: window.width))
        for part in [window.argument, window.filter] {
            bytes.append(part == nil ? 0 : 1)
            if let part { write(part) }
        }
    }

    private mutating func write(_ constant: Constant) {
        switch constant {
        case .null: bytes.append(0)
        case .bool(let value): bytes += [1, value ? 1 : 0]
        case .int64(let value):
            bytes.append(2)
            write(UInt64(bitPattern: value))
        case .float64(let value):
            bytes.append(3)
            write(value.bitPattern)
        case .string(let value):
            bytes.append(4)
            write(value)
        }
    }

    private mutating func write(_ text: some Collection<UInt8>) {
        write(UInt64(text.count))
        bytes.append(contentsOf: text)
    }

    private mutating func write(_ word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
}
