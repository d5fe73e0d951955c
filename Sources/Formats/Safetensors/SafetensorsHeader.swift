/// The JSON of a safetensors header: only the shapes that the format allows are read.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        let dtype: String
        let shape: [Int]
        let begin: Int
        let end: Int
    }

    struct Fault: Error {
        let position: Int
        let detail: String
    }

    private(set) var entries: [Entry] = []
    private(set) var metadata: [(key: String, value: String)] = []
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) throws(Fault) {
        self.bytes = bytes
        position = bytes.startIndex
        let isText = bytes.withUnsafeBufferPointer { isUTF8($0) }
        guard isText else { throw fault("the header is not valid UTF-8") }
        guard bytes.first == UInt8(ascii: "{") else { throw fault("the header does not begin with {") }
        var names: Set<String> = []
        try object { (header, name) throws(Fault) in
            guard names.insert(name).inserted else { throw header.fault("'\(name)' stands twice") }
            if name == "__metadata__" { try header.readMetadata() } else { try header.readTensor(name) }
        }
        while position < bytes.endIndex {
            guard bytes[position] == UInt8(ascii: " ") else { throw fault("text after the header's object") }
            position += 1
        }
    }

    private func fault(_ detail: String) -> Fault { Fault(position: position, detail: detail) }

    private mutating func readMetadata() throws(Fault) {
        var keys: Set<String> = []
        try object { (header, key) throws(Fault) in
            guard keys.insert(key).inserted else { throw header.fault("metadata '\(key)' stands twice") }
            header.metadata.append((key, try header.string()))
        }
    }

    private mutating func readTensor(_ name: String) throws(Fault) {
        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?
        try object { (header, key) throws(Fault) in
            switch key {
            case "dtype" where dtype == nil: dtype = try header.string()
            case "shape" where shape == nil: shape = try header.integers()
            case "data_offsets" where offsets == nil: offsets = try header.integers()
            default: throw header.fault("unexpected member '\(key)' of tensor '\(name)'")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw fault("tensor '\(name)' needs dtype, shape and two data_offsets")
        }
        entries.append(Entry(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1]))
    }

    private mutating func skipSpace() {
        while position < bytes.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// Moves past `byte` if it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.endIndex, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(Fault) {
        guard take(byte) else { throw fault("expected '\(Character(UnicodeScalar(byte)))'") }
    }

    /// Reads an object, calling `body` after each name and colon.
    private mutating func object(_ body: (inout SafetensorsHeader, String) throws(Fault) -> Void) throws(Fault) {
        try expect(UInt8(ascii: "{"))
        if take(UInt8(ascii: "}")) { return }
        repeat {
            let name = try string()
            try expect(UInt8(ascii: ":"))
            try body(&self, name)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    private mutating func integers() throws(Fault) -> [Int] {
        var result: [Int] = []
        try expect(UInt8(ascii: "["))
        if take(UInt8(ascii: "]")) { return result }
        repeat {
            skipSpace()
            let start = position
            while position < bytes.endIndex, bytes[position] &- 48 < 10 { position += 1 }
            let digits = bytes[start..<position]
            guard digits.count == 1 || digits.first != UInt8(ascii: "0"),
                let value = Int(String(decoding: digits, as: UTF8.self))
            else { throw fault("expected a whole number from zero to \(Int.max)") }
            result.append(value)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return result
    }

    private mutating func string() throws(Fault) -> String {
        try expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while true {
            guard position < bytes.endIndex else { throw fault("a string never ends") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(&text)
            case 0..<0x20: throw fault("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(_ text: inout [UInt8]) throws(Fault) {
        guard position < bytes.endIndex else { throw fault("a string never ends") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if code >= 0xD800, code < 0xDC00 {
                guard position + 1 < bytes.endIndex, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                else { throw fault("half of a surrogate pair") }
                position += 2
                let low = try codeUnit()
                guard low >= 0xDC00, low < 0xE000 else { throw fault("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { throw fault("half of a surrogate pair") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw fault("an unknown escape")
        }
    }

    private mutating func codeUnit() throws(Fault) -> UInt32 {
        guard bytes.endIndex - position >= 4 else { throw fault("a string never ends") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue, bytes[position] < 0x80 else {
                throw fault("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
