/// The bytes that end a plain cell, in file order: delimiters, quotes, carriage returns and line feeds.
///
/// Sixty-four bytes at a time are compared into a word of one bit each, so that finding the end of a cell is counting
/// zeros. A loop over a cell's bytes ends after another number of steps each time, which costs more than the steps.
struct CSVSpecials {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let delimiter: SIMD16<UInt8>
    /// The file position of the word's lowest bit.
    private var start: Int
    private var word: UInt64

    /// The special bytes from `position` on.
    @inline(__always)
    init(_ bytes: UnsafeBufferPointer<UInt8>, delimiter: UInt8, from position: Int) {
        self.bytes = bytes
        self.delimiter = SIMD16(repeating: delimiter)
        start = position
        word = 0
        word = bits(at: position)
    }

    /// The position of the next special byte, or the end of the file.
    @inline(__always)
    mutating func next() -> Int {
        while word == 0 {
            start &+= 64
            if start >= bytes.count { return bytes.count }
            word = bits(at: start)
        }
        let position = start &+ word.trailingZeroBitCount
        word &= word &- 1
        return position
    }

    /// Goes on from `position`, which is not before the last one returned.
    @inline(__always)
    mutating func skip(to position: Int) { self = CSVSpecials(bytes, delimiter: delimiter[0], from: position) }

    /// One bit for each of 64 bytes, those past the end of the file being zero.
    @inline(__always)
    private func bits(at position: Int) -> UInt64 {
        guard let base = bytes.baseAddress, position &+ 64 <= bytes.count else { return lastBits(at: position) }
        let block = UnsafeRawPointer(base + position)
        return bits(block) | bits(block + 16) &<< 16 | bits(block + 32) &<< 32 | bits(block + 48) &<< 48
    }

    @inline(never)
    private func lastBits(at position: Int) -> UInt64 {
        var result: UInt64 = 0
        for offset in 0..<max(0, min(64, bytes.count - position)) {
            let byte = bytes[position + offset]
            let isSpecial =
                byte == delimiter[0] || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\r")
                || byte == UInt8(ascii: "\n")
            if isSpecial { result |= 1 << UInt64(offset) }
        }
        return result
    }

    @inline(__always)
    private func bits(_ block: UnsafeRawPointer) -> UInt64 {
        let bytes = block.loadUnaligned(as: SIMD16<UInt8>.self)
        // With the types spelled out: inferred ones compare through generic code, byte by byte.
        let quote = SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
        let carriageReturn = SIMD16<UInt8>(repeating: UInt8(ascii: "\r"))
        let lineFeed = SIMD16<UInt8>(repeating: UInt8(ascii: "\n"))
        let isSpecial: SIMDMask<SIMD16<Int8>> =
            (bytes .== delimiter) .| (bytes .== quote) .| (bytes .== carriageReturn) .| (bytes .== lineFeed)
        // Each byte's own bit, and then their sum in the top byte of a product: no two add up.
        let marks = unsafeBitCast(isSpecial, to: SIMD2<UInt64>.self)
        let low = ((marks[0] & 0x8040_2010_0804_0201) &* 0x0101_0101_0101_0101) &>> 56
        let high = ((marks[1] & 0x8040_2010_0804_0201) &* 0x0101_0101_0101_0101) &>> 56
        return low | high &<< 8
    }
}
