/// A JSON value that loses nothing: numbers keep their text, objects their order.
///
/// RFC 8259. Foundation's decoders turn every number into a `Double`, which would round int64 values and hide the width of
/// a float; the parity of served values depends on neither happening.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number as written, for example `1.50`.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    /// One name and value of an object.
    public struct Member: Hashable, Sendable {
        public var name: String
        public var value: JSON

        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    public static func int(_ value: some BinaryInteger) -> JSON { .number(String(value)) }

    /// The shortest text that reads back as the same double; NaN and the infinities as strings, as protobuf's JSON does.
    public static func double(_ value: Double) -> JSON {
        value.isFinite ? .number(value.description) : .string(nonFinite(value.isNaN, value < 0))
    }

    /// The shortest text that reads back as the same float.
    public static func float(_ value: Float) -> JSON {
        value.isFinite ? .number(value.description) : .string(nonFinite(value.isNaN, value < 0))
    }

    private static func nonFinite(_ isNaN: Bool, _ isNegative: Bool) -> String {
        isNaN ? "NaN" : isNegative ? "-Infinity" : "Infinity"
    }

    public static func object(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(members.map { Member($0.key, $0.value) })
    }

    /// The member called `name` of an object, or `nil`.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var int: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }
}

// MARK: - Writing

extension JSON {
    /// The value as UTF-8 text.
    ///
    /// - Parameter canonical: whether object members are sorted by name, byte by byte, so that equal values give equal
    ///   bytes. No white space is written in either form.
    public func encoded(canonical: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        write(into: &output, canonical: canonical)
        return output
    }

    public var text: String { String(decoding: encoded(), as: UTF8.self) }

    private func write(into output: inout [UInt8], canonical: Bool) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): output.append(contentsOf: text.utf8)
        case .string(let text): Self.writeString(text, into: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                element.write(into: &output, canonical: canonical)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            let ordered = canonical ? members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } : members
            output.append(UInt8(ascii: "{"))
            for (position, member) in ordered.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                Self.writeString(member.name, into: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(into: &output, canonical: canonical)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends a quoted string, escaping what RFC 8259 section 7 requires and nothing else.
    public static func writeString(_ text: String, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x0A: output.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output.append(contentsOf: "\\u00".utf8)
                output.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
