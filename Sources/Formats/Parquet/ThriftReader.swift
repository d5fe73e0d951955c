/// Reads the Thrift compact protocol from untrusted bytes: every read is checked against the end.
struct ThriftReader {
    /// A byte that breaks the protocol.
    struct Fault: Error {
        let position: Int
        let detail: String
    }

    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private var depth = 0

    /// - Parameter position: where in `bytes` the first struct begins.
    init(_ bytes: UnsafeRawBufferPointer, position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    private func fault(_ detail: String) -> Fault { Fault(position: position, detail: detail) }

    private mutating func byte() throws(Fault) -> UInt8 {
        guard position < bytes.count else { throw fault("the metadata is cut short") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func varint() throws(Fault) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || next <= 1 else { throw fault("an integer is over 64 bits") }
            result |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return result }
            shift += 7
        }
    }

    private mutating func zigzag() throws(Fault) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// Reads the fields of a struct, giving each one's id and type to `body`, which reads or skips the value.
    mutating func structure(_ body: (inout ThriftReader, Int, ThriftType) throws(Fault) -> Void) throws(Fault) {
        guard depth < 32 else { throw fault("the metadata is nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        var field = 0
        while true {
            let header = try byte()
            if header == 0 { return }
            guard let type = ThriftType(rawValue: header & 0x0F), type != .stop else {
                throw fault("unknown type \(header & 0x0F)")
            }
            let step = Int(header >> 4)
            if step == 0 {
                let next = try zigzag()
                guard let id = Int16(exactly: next) else { throw fault("field id \(next)") }
                field = Int(id)
            } else {
                field += step
            }
            try body(&self, field, type)
        }
    }

    mutating func integer(_ type: ThriftType) throws(Fault) -> Int {
        switch type {
        case .int16, .int32, .int64: Int(try zigzag())
        case .byte: Int(Int8(bitPattern: try byte()))
        default: throw fault("expected an integer, found type \(type.rawValue)")
        }
    }

    func bool(_ type: ThriftType) throws(Fault) -> Bool {
        switch type {
        case .true: true
        case .false: false
        default: throw fault("expected a bool, found type \(type.rawValue)")
        }
    }

    mutating func binary(_ type: ThriftType) throws(Fault) -> [UInt8] {
        guard type == .binary else { throw fault("expected bytes, found type \(type.rawValue)") }
        return Array(try slice())
    }

    mutating func string(_ type: ThriftType) throws(Fault) -> String {
        guard type == .binary else { throw fault("expected text, found type \(type.rawValue)") }
        let text = try slice().assumingMemoryBound(to: UInt8.self)
        guard isUTF8(text) else { throw fault("text is not valid UTF-8") }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func slice() throws(Fault) -> UnsafeRawBufferPointer {
        let count = try varint()
        guard count <= bytes.count - position else { throw fault("\(count) bytes run past the end") }
        defer { position += Int(count) }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
    }

    /// Reads a list, calling `body` for each element with its type.
    mutating func list(
        _ type: ThriftType,
        _ body: (inout ThriftReader, ThriftType) throws(Fault) -> Void
    ) throws(Fault) {
        guard type == .list || type == .set else { throw fault("expected a list, found type \(type.rawValue)") }
        let header = try byte()
        let count = header >> 4 == 15 ? try varint() : UInt64(header >> 4)
        guard let element = ThriftType(rawValue: header & 0x0F), element != .stop else {
            throw fault("unknown type \(header & 0x0F)")
        }
        // Each element takes at least one byte.
        guard count <= bytes.count - position else { throw fault("a list of \(count) runs past the end") }
        for _ in 0..<count { try body(&self, element) }
    }

    mutating func skip(_ type: ThriftType) throws(Fault) {
        switch type {
        case .stop, .true, .false: break
        case .byte: _ = try byte()
        case .int16, .int32, .int64: _ = try varint()
        case .double: for _ in 0..<8 { _ = try byte() }
        case .binary: _ = try slice()
        case .list, .set:
            try list(type) { (reader, element) throws(Fault) in try reader.skipElement(element) }
        case .map:
            let count = try varint()
            if count == 0 { return }
            guard count <= bytes.count - position else { throw fault("a map of \(count) runs past the end") }
            let types = try byte()
            guard let key = ThriftType(rawValue: types >> 4), let value = ThriftType(rawValue: types & 0x0F),
                key != .stop, value != .stop
            else { throw fault("unknown type in a map") }
            for _ in 0..<count {
                try skipElement(key)
                try skipElement(value)
            }
        case .structure:
            try structure { (reader, _, type) throws(Fault) in try reader.skip(type) }
        }
    }

    /// Inside a container a bool takes a byte.
    private mutating func skipElement(_ type: ThriftType) throws(Fault) {
        guard depth < 32 else { throw fault("the metadata is nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        switch type {
        case .true, .false: _ = try byte()
        default: try skip(type)
        }
    }
}
