/// DELTA_BINARY_PACKED integers (parquet-format, Encodings.md), read from untrusted bytes.
enum DeltaDecoder {
    /// Decodes exactly `count` integers and returns the bytes that they take.
    ///
    /// Sums wrap around, as the format has it. Blocks and miniblocks may have any size that the format allows.
    static func decode<Value: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        into target: UnsafeMutablePointer<Value>
    ) throws(ParquetValueFault) -> Int {
        if count == 0, bytes.isEmpty { return 0 }
        var position = 0
        let blockSize = try varint(bytes, &position)
        let miniblocks = try varint(bytes, &position)
        let total = try varint(bytes, &position)
        var value = try zigzag(bytes, &position)
        guard blockSize > 0, blockSize <= 1 << 24, blockSize % 128 == 0, miniblocks > 0, blockSize % miniblocks == 0,
            blockSize / miniblocks % 32 == 0
        else {
            throw ParquetValueFault(detail: "delta blocks of \(blockSize) values in \(miniblocks) parts are not legal")
        }
        guard total == UInt64(count) else {
            throw ParquetValueFault(detail: "\(total) delta-encoded values, where \(count) are expected")
        }
        guard count > 0 else { return position }
        let perMiniblock = Int(blockSize / miniblocks)
        target[0] = Value(truncatingIfNeeded: value)
        var filled = 1
        while filled < count {
            let least = try zigzag(bytes, &position)
            let widths = position
            position += Int(miniblocks)
            guard position <= bytes.count else { throw .cutShort }
            for miniblock in 0..<Int(miniblocks) where filled < count {
                let width = Int(bytes[widths &+ miniblock])
                let taken = min(perMiniblock, count &- filled)
                guard width <= 64, (taken &* width &+ 7) / 8 <= bytes.count &- position else { throw .cutShort }
                if width == 0 {
                    for index in filled..<filled &+ taken {
                        value &+= least
                        target[index] = Value(truncatingIfNeeded: value)
                    }
                } else {
                    let mask = ParquetBits.mask(width)
                    var bit = position &* 8
                    for index in filled..<filled &+ taken {
                        let delta = BitPacking.word(bytes, bit: bit) & mask
                        value = value &+ least &+ Int64(bitPattern: delta)
                        target[index] = Value(truncatingIfNeeded: value)
                        bit &+= width
                    }
                }
                filled &+= taken
                // The last miniblock is padded to its full size, though not by every writer.
                position = min(bytes.count, position &+ perMiniblock &* width / 8)
            }
        }
        return position
    }

    private static func varint(
        _ bytes: UnsafeRawBufferPointer,
        _ position: inout Int
    ) throws(ParquetValueFault) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count, shift < 64 else { throw .cutShort }
            let byte = bytes[position]
            position &+= 1
            result |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return result }
            shift &+= 7
        }
    }

    private static func zigzag(
        _ bytes: UnsafeRawBufferPointer,
        _ position: inout Int
    ) throws(ParquetValueFault) -> Int64 {
        let raw = try varint(bytes, &position)
        return Int64(bitPattern: raw &>> 1) ^ (0 &- Int64(bitPattern: raw & 1))
    }
}
