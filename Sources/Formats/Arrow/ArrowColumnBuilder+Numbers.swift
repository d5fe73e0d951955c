import Columns

extension ArrowColumnBuilder {
    mutating func appendBools(_ memory: ArrowMemory, _ valid: ArrowValidity) throws(ArrowFault) {
        if memory.length == 0 { return }
        let bits = try ArrowBits(memory, 1)
        let first = bools.count
        bools.append(contentsOf: repeatElement(false, count: memory.length))
        bools.withUnsafeMutableBufferPointer { bools in
            for row in stride(from: 0, to: memory.length, by: 64) {
                let part = min(64, memory.length &- row)
                var word = bits.word(at: row, count: part)
                if let valid = valid.bits { word &= valid.word(at: row, count: part) }
                for place in 0..<part {
                    bools[first &+ row &+ place] = word &>> UInt64(truncatingIfNeeded: place) & 1 != 0
                }
            }
        }
    }

    mutating func appendNumbers(_ memory: ArrowMemory, _ valid: ArrowValidity) throws(ArrowFault) {
        let bytes = try memory.values(1, width: decoding.field.type.width ?? 1)
        if decoding.target == .type(.float64) {
            appendDoubles(bytes, valid)
            Self.clear(&doubles, valid, zero: 0)
        } else if decoding.target == .type(.float32) {
            if decoding.field.type == .float(bits: 16) {
                _ = Self.convert(bytes, valid, to: &floats, zero: 0) { (bits: UInt16) in
                    (Float(Float16(bitPattern: UInt16(littleEndian: bits))), true)
                }
            } else {
                Self.copy(bytes, count: valid.count, to: &floats, zero: 0)
            }
            Self.clear(&floats, valid, zero: 0)
        } else {
            try appendIntegers(bytes, valid, at: memory.buffers[1].position)
            Self.clear(&words, valid, zero: 0)
        }
    }

    private mutating func appendDoubles(_ bytes: UnsafeRawBufferPointer, _ valid: ArrowValidity) {
        switch decoding.field.type {
        case .float(bits: 16):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (bits: UInt16) in
                (Double(Float16(bitPattern: UInt16(littleEndian: bits))), true)
            }
        case .float(bits: 32):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: Float) in (Double(value), true) }
        case .int(8, true):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: Int8) in (Double(value), true) }
        case .int(8, false):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: UInt8) in (Double(value), true) }
        case .int(16, true):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: Int16) in (Double(value), true) }
        case .int(16, false):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: UInt16) in (Double(value), true) }
        case .int(32, true):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: Int32) in (Double(value), true) }
        case .int(32, false):
            _ = Self.convert(bytes, valid, to: &doubles, zero: 0) { (value: UInt32) in (Double(value), true) }
        default: Self.copy(bytes, count: valid.count, to: &doubles, zero: 0)
        }
    }

    private mutating func appendIntegers(
        _ bytes: UnsafeRawBufferPointer,
        _ valid: ArrowValidity,
        at position: Int?
    ) throws(ArrowFault) {
        switch decoding.field.type {
        case .int(8, true):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: Int8) in (Int64(value), true) }
        case .int(8, false):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: UInt8) in (Int64(value), true) }
        case .int(16, true):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: Int16) in (Int64(value), true) }
        case .int(16, false):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: UInt16) in (Int64(value), true) }
        case .int(32, true):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: Int32) in (Int64(value), true) }
        case .int(32, false):
            _ = Self.convert(bytes, valid, to: &words, zero: 0) { (value: UInt32) in (Int64(value), true) }
        case .int(64, false):
            let faulty = Self.convert(bytes, valid, to: &words, zero: 0) { (value: UInt64) in
                (Int64(bitPattern: value), value <= UInt64(Int64.max))
            }
            if let faulty {
                let value = bytes.loadUnaligned(fromByteOffset: 8 * faulty, as: UInt64.self)
                throw .unsupported("row \(count + faulty): \(value) is past the range of int64; cast it", at: position)
            }
        default: Self.copy(bytes, count: valid.count, to: &words, zero: 0)
        }
    }
}
