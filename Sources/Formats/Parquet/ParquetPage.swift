/// One data page, decompressed.
struct ParquetPage {
    /// Where its header begins in the file.
    let offset: Int
    let valueCount: Int
    let encoding: ParquetEncoding
    /// The definition level of a value.
    let maxDefinition: UInt8
    let definition: ParquetLevels
    let repetition: ParquetLevels
    let values: UnsafeRawBufferPointer
}

/// The definition or repetition levels of a page.
enum ParquetLevels {
    /// All are equal.
    case constant(UInt8)
    /// Levels of a flat column, 0 or 1.
    case bits(ParquetBits)
    case each([UInt8])

    /// One level for each position.
    func expanded(_ count: Int) -> [UInt8] {
        switch self {
        case .constant(let level): [UInt8](repeating: level, count: count)
        case .each(let levels): levels
        case .bits(let bits): (0..<count).map { UInt8(bits.words[$0 >> 6] >> UInt64($0 & 63) & 1) }
        }
    }

    /// Decodes the hybrid, or `nil` where it is cut short or a level is over `maximum`.
    init?(_ bytes: UnsafeRawBufferPointer, maximum: Int, count: Int, isFlat: Bool) {
        let width = Self.width(maximum)
        var decoder = HybridDecoder(bytes, width: width)
        if isFlat {
            guard let bits = decoder.bits(count) else { return nil }
            self = bits.setCount == count ? .constant(1) : bits.setCount == 0 ? .constant(0) : .bits(bits)
            return
        }
        var isWhole = false
        let levels = [UInt8](unsafeUninitializedCapacity: count) { target, written in
            isWhole = Self.narrow(&decoder, count, maximum, target)
            written = isWhole ? count : 0
        }
        guard isWhole else { return nil }
        self = .each(levels)
    }

    private static func narrow(
        _ decoder: inout HybridDecoder,
        _ count: Int,
        _ maximum: Int,
        _ target: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1_024) { block in
            guard let base = block.baseAddress else { return false }
            var position = 0
            while position < count {
                let taken = min(1_024, count &- position)
                guard decoder.decode(taken, into: base) else { return false }
                for index in 0..<taken {
                    guard base[index] <= maximum else { return false }
                    target[position &+ index] = UInt8(truncatingIfNeeded: base[index])
                }
                position &+= taken
            }
            return true
        }
    }

    /// Decodes the deprecated BIT_PACKED form, most significant bit first; `nil` as above.
    init?(bitPacked bytes: UnsafeRawBufferPointer, maximum: Int, count: Int, isFlat: Bool) {
        let width = Self.width(maximum)
        guard bytes.count >= Self.bitPackedSize(maximum: maximum, count: count) else { return nil }
        var levels: [UInt8] = []
        levels.reserveCapacity(count)
        for bit in stride(from: 0, to: count * width, by: width) {
            var level: UInt8 = 0
            for place in bit..<bit + width { level = level << 1 | bytes[place >> 3] >> UInt8(7 - place & 7) & 1 }
            guard level <= maximum else { return nil }
            levels.append(level)
        }
        guard isFlat else {
            self = .each(levels)
            return
        }
        var bits = ParquetBits(capacity: count)
        for level in levels { bits.append(UInt64(level), count: 1) }
        self = bits.setCount == count ? .constant(1) : bits.setCount == 0 ? .constant(0) : .bits(bits)
    }

    static func bitPackedSize(maximum: Int, count: Int) -> Int { (count * width(maximum) + 7) / 8 }

    private static func width(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }
}

/// Memory that is used again from page to page, and never filled before it is written.
final class ParquetScratch {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit { memory.deallocate() }

    /// Room for at least `count` bytes; what was there is lost.
    func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if memory.count < max(count, 1) {
            memory.deallocate()
            memory = .allocate(byteCount: max(count, 1), alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }
}
