/// A JSON value with one spelling, for files that are compared by eye and by digest.
///
/// Keys stand in the order of their UTF-8 bytes. An object outside arrays has one member a line, an array one element a
/// line; whatever is inside an element stands on that line without spaces, so that a line diff shows whole entries.
/// Strings escape the quotation mark, the backslash and control characters, nothing else (RFC 8785, section 3.2.2.2).
/// There are no fractions: a float has several spellings, and goes into identities by its bits.
public enum CanonicalJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([CanonicalJSON])
    case object([String: CanonicalJSON])
    /// One value that is spelled already, as an element of an array is: on one line, without spaces, keys in order.
    case encoded([UInt8])

    /// An object of the members that are not `nil`.
    public static func members(_ members: [String: CanonicalJSON?]) -> CanonicalJSON {
        .object(members.compactMapValues { $0 })
    }

    /// The text, in UTF-8, ending in a line feed.
    public var encoded: [UInt8] {
        var output: [UInt8] = []
        append(to: &output, indentation: 0)
        output.append(UInt8(ascii: "\n"))
        return output
    }

    private func append(to output: inout [UInt8], indentation: Int) {
        func newLine(_ indentation: Int) {
            output.append(UInt8(ascii: "\n"))
            output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indentation))
        }
        switch self {
        case .array(let elements) where !elements.isEmpty:
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                newLine(indentation + 2)
                element.appendCompact(to: &output)
            }
            newLine(indentation)
            output.append(UInt8(ascii: "]"))
        case .object(let members) where !members.isEmpty:
            output.append(UInt8(ascii: "{"))
            for (position, member) in Self.sorted(members).enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                newLine(indentation + 2)
                Self.append(member.key.utf8, to: &output)
                output.append(contentsOf: ": ".utf8)
                member.value.append(to: &output, indentation: indentation + 2)
            }
            newLine(indentation)
            output.append(UInt8(ascii: "}"))
        default:
            appendCompact(to: &output)
        }
    }

    private func appendCompact(to output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .string(let value): Self.append(value.utf8, to: &output)
        case .encoded(let bytes): output.append(contentsOf: bytes)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                element.appendCompact(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (position, member) in Self.sorted(members).enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                Self.append(member.key.utf8, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.appendCompact(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func sorted(_ members: [String: CanonicalJSON]) -> [(key: String, value: CanonicalJSON)] {
        members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// Appends a string in its spelling; `text` is UTF-8.
    public static func append(_ text: some Sequence<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        defer { output.append(UInt8(ascii: "\"")) }
        // Most strings have nothing to escape.
        let isPlain = text.withContiguousStorageIfAvailable { bytes in
            let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            if isPlain { output.append(contentsOf: bytes) }
            return isPlain
        }
        if isPlain == true { return }
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output.append(contentsOf: "\\u00".utf8)
                output.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: output.append(byte)
            }
        }
    }
}
