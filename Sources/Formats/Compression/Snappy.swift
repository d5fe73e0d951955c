/// Raw Snappy blocks (google/snappy, format_description.txt), decompression only.
enum Snappy {
    /// Decompresses into exactly `count` bytes.
    ///
    /// Returns false for damaged bytes or another length.
    static func decompress(
        _ block: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        guard let (declared, bodyStart) = length(block), declared == count, count <= content.count,
            let output = content.baseAddress, let input = block.baseAddress
        else { return count == 0 && length(block)?.declared == 0 }
        let end = block.count
        var position = bodyStart
        var written = 0
        while position < end {
            let tag = block[position]
            position &+= 1
            var length = Int(tag &>> 2) &+ 1
            if tag & 3 == 0 {
                if length > 60 {
                    let extra = length &- 60
                    guard end &- position >= extra else { return false }
                    length = 1
                    for byte in 0..<extra { length &+= Int(block[position &+ byte]) &<< (8 &* byte) }
                    position &+= extra
                }
                guard length <= end &- position, length <= count &- written else { return false }
                (output + written).copyMemory(from: input + position, byteCount: length)
                position &+= length
                written &+= length
                continue
            }
            let distance: Int
            switch tag & 3 {
            case 1:
                guard position < end else { return false }
                length = Int(tag &>> 2 & 7) &+ 4
                distance = Int(tag &>> 5) &<< 8 | Int(block[position])
                position &+= 1
            case 2:
                guard end &- position >= 2 else { return false }
                distance = Int(input.loadUnaligned(fromByteOffset: position, as: UInt16.self).littleEndian)
                position &+= 2
            default:
                guard end &- position >= 4 else { return false }
                distance = Int(input.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian)
                position &+= 4
            }
            guard distance > 0, distance <= written, length <= count &- written else { return false }
            let target = output + written
            if distance >= length {
                target.copyMemory(from: target - distance, byteCount: length)
            } else {
                // The copy overlaps what it writes: the last `distance` bytes repeat.
                for byte in 0..<length {
                    target.storeBytes(
                        of: (target - distance).load(fromByteOffset: byte, as: UInt8.self),
                        toByteOffset: byte,
                        as: UInt8.self
                    )
                }
            }
            written &+= length
        }
        return written == count
    }

    /// The content length a block declares, and where its body begins.
    private static func length(_ block: UnsafeRawBufferPointer) -> (declared: Int, bodyStart: Int)? {
        var value = 0
        for position in 0..<min(5, block.count) {
            value |= Int(block[position] & 0x7F) << (7 * position)
            if block[position] < 0x80 { return (value, position + 1) }
        }
        return nil
    }
}
