/// Reads the RLE/bit-packed hybrid from untrusted bytes (parquet-format, Encodings.md).
///
/// It goes on where it stopped, so that a page can be read in parts.
struct HybridDecoder {
    private let bytes: UnsafeRawBufferPointer
    private let width: Int
    private var position = 0
    /// What is left of the current run: equal values, or values packed from a bit on.
    private var repeatedLeft = 0
    private var repeated: UInt32 = 0
    private var packedLeft = 0
    private var packedBit = 0

    /// - Parameter width: bits of a value, at most 32.
    init(_ bytes: UnsafeRawBufferPointer, width: Int) {
        self.bytes = bytes
        self.width = width
    }

    /// Takes up the next run; false where the bytes end or break the encoding.
    private mutating func startRun() -> Bool {
        while repeatedLeft == 0, packedLeft == 0 {
            var header = 0
            var shift = 0
            while true {
                guard position < bytes.count, shift <= 28 else { return false }
                let byte = bytes[position]
                position &+= 1
                header |= Int(byte & 0x7F) &<< shift
                if byte < 0x80 { break }
                shift &+= 7
            }
            let length = header >> 1
            if header & 1 == 1 {
                // The last group may be cut off after the bytes that hold values.
                let size = min(length &* width, bytes.count &- position)
                packedBit = position &* 8
                packedLeft = width == 0 ? length &* 8 : min(length &* 8, size &* 8 / width)
                position &+= size
                if packedLeft == 0, length > 0 { return false }
            } else {
                let size = (width &+ 7) / 8
                guard size <= bytes.count &- position else { return false }
                repeated = 0
                for byte in 0..<size { repeated |= UInt32(bytes[position &+ byte]) &<< UInt32(8 &* byte) }
                position &+= size
                repeatedLeft = length
            }
        }
        return true
    }

    /// Decodes exactly `count` values; false where there are fewer.
    mutating func decode(_ count: Int, into target: UnsafeMutablePointer<UInt32>) -> Bool {
        var filled = 0
        while filled < count {
            guard startRun() else { return false }
            if repeatedLeft > 0 {
                let taken = min(repeatedLeft, count &- filled)
                (target + filled).update(repeating: repeated, count: taken)
                repeatedLeft &-= taken
                filled &+= taken
            } else {
                let taken = min(packedLeft, count &- filled)
                BitPacking.unpack(bytes, bit: packedBit, width: width, count: taken, into: target + filled)
                packedLeft &-= taken
                packedBit &+= taken &* width
                filled &+= taken
            }
        }
        return true
    }

    /// Decodes exactly `count` values of one bit, packed; `nil` where there are fewer.
    mutating func bits(_ count: Int) -> ParquetBits? {
        var bits = ParquetBits(capacity: count)
        while bits.count < count {
            guard startRun() else { return nil }
            if repeatedLeft > 0 {
                let taken = min(repeatedLeft, count &- bits.count)
                guard repeated <= 1 else { return nil }
                bits.append(repeating: repeated == 1, count: taken)
                repeatedLeft &-= taken
            } else {
                let taken = min(packedLeft, count &- bits.count)
                bits.append(bytes, bit: packedBit, count: taken)
                packedLeft &-= taken
                packedBit &+= taken
            }
        }
        return bits
    }
}

/// Values of equal width, packed least significant bit first.
enum BitPacking {
    /// - Precondition: width is at most 32, and the values lie within `bytes`.
    static func unpack(
        _ bytes: UnsafeRawBufferPointer,
        bit start: Int,
        width: Int,
        count: Int,
        into target: UnsafeMutablePointer<UInt32>
    ) {
        guard width > 0, let base = bytes.baseAddress else { return target.update(repeating: 0, count: count) }
        let mask: UInt64 = (1 &<< UInt64(width)) &- 1
        var index = 0
        var bit = start
        // A value and its shift span at most 39 bits, so that one eight-byte load holds it, while eight bytes are left.
        let safeBits = (bytes.count &- 8) &* 8
        let safe = bit <= safeBits ? min(count, (safeBits &- bit) / width &+ 1) : 0
        while index < safe {
            let word = base.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
            target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: bit & 7) & mask)
            bit &+= width
            index &+= 1
        }
        while index < count {
            target[index] = UInt32(truncatingIfNeeded: word(bytes, bit: bit) & mask)
            bit &+= width
            index &+= 1
        }
    }

    /// The 64 bits from a bit on; those past the end are zero.
    @inline(__always)
    static func word(_ bytes: UnsafeRawBufferPointer, bit: Int) -> UInt64 {
        let byte = bit &>> 3
        let shift = UInt64(truncatingIfNeeded: bit & 7)
        if byte &+ 9 <= bytes.count, let base = bytes.baseAddress {
            let low = base.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
            let high = UInt64(base.load(fromByteOffset: byte &+ 8, as: UInt8.self))
            return low &>> shift | (high &<< 1) &<< (63 &- shift)
        }
        var low: UInt64 = 0
        var high: UInt64 = 0
        for offset in 0..<9 where byte &+ offset < bytes.count {
            let value = UInt64(bytes[byte &+ offset])
            if offset < 8 { low |= value &<< UInt64(8 &* offset) } else { high = value }
        }
        return low &>> shift | (high &<< 1) &<< (63 &- shift)
    }
}

/// A row of bits in words, least significant first.
struct ParquetBits {
    private(set) var words: [UInt64] = []
    private(set) var count = 0
    private(set) var setCount = 0

    init(capacity: Int) { words.reserveCapacity((capacity + 63) / 64) }

    /// Appends the low `added` bits of `bits`, at most 64 of them; bits above are zero.
    @inline(__always)
    mutating func append(_ bits: UInt64, count added: Int) {
        let shift = UInt64(truncatingIfNeeded: count & 63)
        if shift == 0 {
            words.append(bits)
        } else {
            words[count &>> 6] |= bits &<< shift
            if Int(shift) &+ added > 64 { words.append(bits &>> (64 &- shift)) }
        }
        setCount &+= bits.nonzeroBitCount
        count &+= added
    }

    mutating func append(repeating bit: Bool, count added: Int) {
        var left = added
        while left > 0 {
            let part = min(64, left)
            append(bit ? Self.mask(part) : 0, count: part)
            left &-= part
        }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer, bit start: Int, count added: Int) {
        var taken = 0
        while taken < added {
            let part = min(64, added &- taken)
            append(BitPacking.word(bytes, bit: start &+ taken) & Self.mask(part), count: part)
            taken &+= part
        }
    }

    static func mask(_ count: Int) -> UInt64 { count == 64 ? ~0 : (1 &<< UInt64(count)) &- 1 }
}
