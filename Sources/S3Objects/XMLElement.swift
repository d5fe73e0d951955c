/// An element of the XML that S3 answers with: text or elements, no mixture, attributes left out.
struct XMLElement: Hashable, Sendable {
    /// Without a namespace prefix.
    let name: String
    private(set) var text = ""
    private(set) var children: [XMLElement] = []

    /// The text of the first element of this name.
    subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    /// The elements of this name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// Reads a document; `nil` if it is not well-formed.
    init?(document: [UInt8]) {
        var reader = XMLReader(document)
        guard let element = reader.document() else { return nil }
        self = element
    }

    fileprivate init(name: String) { self.name = name }

    fileprivate mutating func append(_ text: String) { self.text += text }

    fileprivate mutating func append(_ child: XMLElement) { children.append(child) }
}

/// Reads what S3 and its like write: elements, character data, CDATA, comments and a declaration.
///
/// There are the five entities and numeric references, and no other, so nothing can be expanded.
private struct XMLReader {
    /// Answers nest no deeper than four.
    private static let deepest = 32

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() -> XMLElement? {
        skipProlog()
        guard let root = element(depth: 0) else { return nil }
        skipProlog()
        return position == bytes.count ? root : nil
    }

    private mutating func skipProlog() {
        while true {
            skipSpaces()
            if take("\u{FEFF}") { continue }
            if take("<?") { if !skip(past: "?>") { return } else { continue } }
            if take("<!--") { if !skip(past: "-->") { return } else { continue } }
            return
        }
    }

    private mutating func element(depth: Int) -> XMLElement? {
        guard depth < Self.deepest, take("<"), let qualified = name() else { return nil }
        var element = XMLElement(name: Self.local(qualified))
        // Attributes: S3 has none but name spaces.
        while position < bytes.count, bytes[position] != UInt8(ascii: ">"), bytes[position] != UInt8(ascii: "/") {
            if bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'") {
                let quote = String(decoding: [bytes[position]], as: UTF8.self)
                position += 1
                guard skip(past: quote) else { return nil }
            } else {
                position += 1
            }
        }
        if take("/>") { return element }
        guard take(">") else { return nil }
        while position < bytes.count {
            if take("</") {
                guard name() == qualified else { return nil }
                skipSpaces()
                return take(">") ? element : nil
            } else if take("<!--") {
                guard skip(past: "-->") else { return nil }
            } else if take("<![CDATA[") {
                let start = position
                guard skip(past: "]]>") else { return nil }
                element.append(String(decoding: bytes[start..<position - 3], as: UTF8.self))
            } else if bytes[position] == UInt8(ascii: "<") {
                guard let child = self.element(depth: depth + 1) else { return nil }
                element.append(child)
            } else {
                guard let text = characters() else { return nil }
                element.append(text)
            }
        }
        return nil
    }

    private mutating func characters() -> String? {
        var output: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            guard bytes[position] == UInt8(ascii: "&") else {
                output.append(bytes[position])
                position += 1
                continue
            }
            let start = position + 1
            guard skip(past: ";"), position - start <= 12 else { return nil }
            guard let text = Self.entity(String(decoding: bytes[start..<position - 1], as: UTF8.self)) else {
                return nil
            }
            output += Array(text.utf8)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func entity(_ name: String) -> String? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHexadecimal = name.hasPrefix("#x") || name.hasPrefix("#X")
            let number = UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
            return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
        }
    }

    private mutating func name() -> String? {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "/"),
                UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "="):
                return start == position ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
            default: position += 1
            }
        }
        return nil
    }

    private static func local(_ name: String) -> String {
        name.firstIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
    }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    private mutating func skip(past text: String) -> Bool {
        while position < bytes.count {
            if take(text) { return true }
            position += 1
        }
        return false
    }

    private mutating func skipSpaces() {
        while position < bytes.count, [0x20, 0x09, 0x0D, 0x0A].contains(bytes[position]) { position += 1 }
    }
}
