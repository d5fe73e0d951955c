import Objects

/// Reads JSON from its front, value by value, without building a tree: a manifest has an entry for every file.
///
/// Only what manifests have is understood as a number: whole numbers of 64 bits.
struct JSONCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// How deep objects and arrays may stand in one another.
    private static let depthLimit = 32
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    func fault(_ reason: String) -> SnapshotError { .malformedManifest(reason: "\(reason) at byte \(position)") }

    /// Checks that nothing but white space is left.
    mutating func finish() throws(SnapshotError) {
        skipSpace()
        guard position == bytes.count else { throw fault("something follows the JSON") }
    }

    /// Hands each member's name to `body`, which reads its value or skips it.
    mutating func object(_ body: (inout JSONCursor, JSONName) throws(SnapshotError) -> Void) throws(SnapshotError) {
        try open("{")
        if take("}") { return close() }
        repeat {
            let name = try name()
            guard take(":") else { throw fault("':' is missing") }
            try body(&self, name)
        } while take(",")
        guard take("}") else { throw fault("'}' is missing") }
        close()
    }

    /// Calls `body` in front of each element, which it reads or skips.
    mutating func array(_ body: (inout JSONCursor) throws(SnapshotError) -> Void) throws(SnapshotError) {
        try open("[")
        if take("]") { return close() }
        repeat { try body(&self) } while take(",")
        guard take("]") else { throw fault("']' is missing") }
        close()
    }

    mutating func string() throws(SnapshotError) -> String {
        guard let text = String(validating: try stringBytes(), as: UTF8.self) else {
            throw fault("a string is not UTF-8")
        }
        return text
    }

    /// The bytes of a string, which are UTF-8.
    mutating func utf8() throws(SnapshotError) -> [UInt8] {
        let bytes = try stringBytes()
        guard bytes.isUTF8 else { throw fault("a string is not UTF-8") }
        return bytes
    }

    mutating func digest() throws(SnapshotError) -> Digest {
        // Most of a manifest is digests, none of which has an escape.
        if let plain = plainString(), let digest = Digest(utf8: plain) {
            position += plain.count + 2
            return digest
        }
        let text = try string()
        guard let digest = Digest(text) else { throw fault("'\(text)' is not a digest") }
        return digest
    }

    private mutating func name() throws(SnapshotError) -> JSONName {
        if let plain = plainString() {
            position += plain.count + 2
            return JSONName(bytes: plain)
        }
        // An escaped name is none that is known; its value is passed over.
        _ = try utf8()
        return JSONName(bytes: UnsafeBufferPointer(rebasing: bytes[..<0]))
    }

    /// The string that follows, where it stands without escapes and control characters; nothing is passed over.
    private mutating func plainString() -> UnsafeBufferPointer<UInt8>? {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
        var end = position + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            guard bytes[end] >= 0x20, bytes[end] < 0x80, bytes[end] != UInt8(ascii: "\\") else { return nil }
            end += 1
        }
        guard end < bytes.count else { return nil }
        return UnsafeBufferPointer(rebasing: bytes[position + 1..<end])
    }

    mutating func integer() throws(SnapshotError) -> Int {
        skipSpace()
        let start = position
        while position < bytes.count, bytes[position] == UInt8(ascii: "-") || isDigit(bytes[position]) { position += 1 }
        guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)),
            position == bytes.count || !".eE".utf8.contains(bytes[position])
        else { throw fault("a whole number is expected") }
        return number
    }

    mutating func skip() throws(SnapshotError) {
        skipSpace()
        guard position < bytes.count else { throw fault("a value is missing") }
        switch bytes[position] {
        case UInt8(ascii: "{"): try object { (cursor, _) throws(SnapshotError) in try cursor.skip() }
        case UInt8(ascii: "["): try array { (cursor) throws(SnapshotError) in try cursor.skip() }
        case UInt8(ascii: "\""): _ = try stringBytes()
        default:
            let start = position
            while position < bytes.count, !", ]}\n\r\t".utf8.contains(bytes[position]) { position += 1 }
            let word = String(decoding: bytes[start..<position], as: UTF8.self)
            guard ["true", "false", "null"].contains(word) || Double(word) != nil else {
                throw fault("'\(word)' is no value")
            }
        }
    }

    // MARK: Characters

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func open(_ character: Unicode.Scalar) throws(SnapshotError) {
        guard take(character) else { throw fault("'\(character)' is expected") }
        depth += 1
        guard depth <= Self.depthLimit else { throw fault("values are nested too deeply") }
    }

    private mutating func close() { depth -= 1 }

    private mutating func stringBytes() throws(SnapshotError) -> [UInt8] {
        guard take("\"") else { throw fault("a string is expected") }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
            guard bytes[position] >= 0x20 else { throw fault("a string holds a control character") }
            position += 1
        }
        var text = Array(bytes[start..<position])
        while true {
            guard position < bytes.count else { throw fault("a string does not end") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"): text += try escaped()
            case ..<0x20: throw fault("a string holds a control character")
            default: text.append(byte)
            }
        }
    }

    private mutating func escaped() throws(SnapshotError) -> [UInt8] {
        guard position < bytes.count else { throw fault("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                position += 2
                units.append(try unit())
            }
            guard let text = String(validating: units, as: UTF16.self) else { throw fault("an escape is no character") }
            return Array(text.utf8)
        default: throw fault("an escape is unknown")
        }
    }

    private mutating func unit() throws(SnapshotError) -> UInt16 {
        let end = position + 4
        guard end <= bytes.count, bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-"),
            let unit = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw fault("an escape is not four digits") }
        position = end
        return unit
    }
}

/// The name of a member, to be compared in a `switch`; valid while the JSON is.
struct JSONName {
    fileprivate let bytes: UnsafeBufferPointer<UInt8>

    static func ~= (pattern: StaticString, name: JSONName) -> Bool {
        pattern.utf8CodeUnitCount == name.bytes.count
            && pattern.withUTF8Buffer { pattern in zip(pattern, name.bytes).allSatisfy { $0 == $1 } }
    }
}

extension [UInt8] {
    /// Whether it is text in UTF-8.
    var isUTF8: Bool {
        var all: UInt8 = 0
        for byte in self { all |= byte }
        return all < 0x80 || String(validating: self, as: UTF8.self) != nil
    }
}
