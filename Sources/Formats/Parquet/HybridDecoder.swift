/// Reads the RLE/bit-packed hybrid from untrusted bytes (parquet-format, Encodings.md).
struct HybridDecoder {
    private let bytes: UnsafeRawBufferPointer
    private let width: Int
    private var position = 0

    enum Run {
        case repeated(value: UInt32, count: Int)
        /// `count` values, whole groups of eight, packed from byte `start` on.
        case packed(start: Int, count: Int)
    }

    /// - Parameter width: bits of a value, at most 32.
    init(_ bytes: UnsafeRawBufferPointer, width: Int) {
        self.bytes = bytes
        self.width = width
    }

    /// The next run, or `nil` where the bytes end or break the encoding.
    mutating func nextRun() -> Run? {
        var header: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count, shift <= 28 else { return nil }
            let byte = bytes[position]
            position += 1
            header |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        let length = Int(header >> 1)
        if header & 1 == 1 {
            // The last group may be cut off after the bytes that hold values.
            let start = position
            let size = min(length * width, bytes.count - position)
            position += size
            return .packed(start: start, count: width == 0 ? length * 8 : min(length * 8, size * 8 / width))
        }
        let size = (width + 7) / 8
        guard size <= bytes.count - position else { return nil }
        var value: UInt32 = 0
        for byte in 0..<size { value |= UInt32(bytes[position + byte]) << UInt32(8 * byte) }
        position += size
        return .repeated(value: value, count: length)
    }

    /// Decodes exactly `target.count` values; false where there are fewer.
    mutating func decode(into target: UnsafeMutableBufferPointer<UInt32>) -> Bool {
        var filled = 0
        while filled < target.count {
            guard let run = nextRun() else { return false }
            switch run {
            case .repeated(let value, let count):
                let end = filled &+ min(count, target.count &- filled)
                guard count > 0 else { return false }
                while filled < end {
                    target[filled] = value
                    filled &+= 1
                }
            case .packed(let start, let count):
                guard count > 0 else { return false }
                let taken = min(count, target.count &- filled)
                unpack(from: start, count: taken, into: UnsafeMutableBufferPointer(rebasing: target[filled...]))
                filled &+= taken
            }
        }
        return true
    }

    /// Decodes `count` levels of at most 8 bits.
    mutating func levels(count: Int) -> ParquetLevels? {
        if count == 0 { return .constant(0, count: 0) }
        guard let first = nextRun() else { return nil }
        if case .repeated(let value, let length) = first, length >= count {
            return UInt8(exactly: value).map { .constant($0, count: count) }
        }
        var levels: [UInt8] = []
        levels.reserveCapacity(count)
        var run = first
        while true {
            let left = count - levels.count
            switch run {
            case .repeated(let value, let length):
                guard let level = UInt8(exactly: value), length > 0 else { return nil }
                levels.append(contentsOf: repeatElement(level, count: min(length, left)))
            case .packed(let start, let length):
                guard length > 0 else { return nil }
                let mask = UInt8(truncatingIfNeeded: (1 << width) - 1)
                for index in 0..<min(length, left) {
                    let bit = index &* width
                    let byte = start &+ bit &>> 3
                    var window = UInt16(bytes[byte])
                    if byte &+ 1 < bytes.count { window |= UInt16(bytes[byte &+ 1]) &<< 8 }
                    levels.append(UInt8(truncatingIfNeeded: window &>> UInt16(bit & 7)) & mask)
                }
            }
            if levels.count == count { return .each(levels) }
            guard let next = nextRun() else { return nil }
            run = next
        }
    }

    private func unpack(from start: Int, count: Int, into target: UnsafeMutableBufferPointer<UInt32>) {
        let mask: UInt64 = (1 &<< UInt64(width)) &- 1
        guard let base = bytes.baseAddress, width > 0 else {
            for index in 0..<count { target[index] = 0 }
            return
        }
        // A value and its shift span at most 39 bits, so that one eight-byte load holds it, while eight bytes are left.
        var index = 0
        var bit = 0
        let lastLoad = bytes.count &- 8
        while index < count {
            let byte = start &+ bit &>> 3
            if byte > lastLoad { break }
            let word = base.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
            target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
            bit &+= width
            index &+= 1
        }
        while index < count {
            var word: UInt64 = 0
            let first = start &+ bit &>> 3
            for offset in 0..<5 where first &+ offset < bytes.count {
                word |= UInt64(bytes[first &+ offset]) &<< UInt64(8 &* offset)
            }
            target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
            bit &+= width
            index &+= 1
        }
    }
}

/// The definition or repetition levels of a page.
enum ParquetLevels {
    case constant(UInt8, count: Int)
    case each([UInt8])

    func count(of level: UInt8) -> Int {
        switch self {
        case .constant(let value, let count): value == level ? count : 0
        case .each(let levels): levels.reduce(0) { $0 &+ ($1 == level ? 1 : 0) }
        }
    }

    /// One level for each position.
    var expanded: [UInt8] {
        switch self {
        case .constant(let value, let count): [UInt8](repeating: value, count: count)
        case .each(let levels): levels
        }
    }
}
