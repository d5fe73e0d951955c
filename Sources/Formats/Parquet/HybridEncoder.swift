import Columns

/// The RLE/bit-packed hybrid of levels and dictionary indices (parquet-format, Encodings.md).
enum HybridEncoder {
    static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A run of one value, in as many bytes as `width` bits need.
    static func appendRun(of value: UInt32, count: Int, width: Int, to bytes: inout [UInt8]) {
        appendVarint(count << 1, to: &bytes)
        for byte in 0..<(width + 7) / 8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))) }
    }

    /// One-bit levels of a range of rows: a single run when they are all equal, bit-packed otherwise.
    static func appendLevels(_ validity: Bitmap?, rows: Range<Int>, validCount: Int, to bytes: inout [UInt8]) {
        guard let validity, validCount > 0, validCount < rows.count else {
            return appendRun(of: validCount > 0 ? 1 : 0, count: rows.count, width: 1, to: &bytes)
        }
        let groups = (rows.count + 7) / 8
        appendVarint(groups << 1 | 1, to: &bytes)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let count = min(64, rows.upperBound - row)
            let bits = validity.bits(at: row, count: count).littleEndian
            withUnsafeBytes(of: bits) { bytes.append(contentsOf: $0.prefix((count + 7) / 8)) }
            row += count
        }
    }

    /// Indices of `width` bits: runs of eight or more equal ones as runs, the others bit-packed in groups of eight.
    static func append(_ values: UnsafeBufferPointer<UInt32>, width: Int, to bytes: inout [UInt8]) {
        var position = 0
        while position < values.count {
            let run = runLength(values, position)
            if run >= 8 {
                appendRun(of: values[position], count: run, width: width, to: &bytes)
                position += run
                continue
            }
            var end = position + 8
            while end < values.count, !startsRun(values, end) { end += 8 }
            let groups = (end - position) / 8
            appendVarint(groups << 1 | 1, to: &bytes)
            let packed = UnsafeBufferPointer(rebasing: values[position..<min(end, values.count)])
            pack(packed, byteCount: groups * width, width: width, to: &bytes)
            position = end
        }
    }

    private static func runLength(_ values: UnsafeBufferPointer<UInt32>, _ start: Int) -> Int {
        let value = values[start]
        var end = start &+ 1
        while end < values.count, values[end] == value { end &+= 1 }
        return end &- start
    }

    private static func startsRun(_ values: UnsafeBufferPointer<UInt32>, _ start: Int) -> Bool {
        guard start &+ 8 <= values.count else { return false }
        let value = values[start]
        for position in start &+ 1..<start &+ 8 where values[position] != value { return false }
        return true
    }

    /// Packs values into `byteCount` bytes, least significant bit first, with zeros after the last.
    private static func pack(
        _ values: UnsafeBufferPointer<UInt32>,
        byteCount: Int,
        width: Int,
        to bytes: inout [UInt8]
    ) {
        let wordCount = byteCount / 8 + 1
        let words = [UInt64](unsafeUninitializedCapacity: wordCount) { words, initializedCount in
            var buffer: UInt64 = 0
            var filled = 0
            var next = 0
            for value in values {
                let value = UInt64(value)
                buffer |= value &<< UInt64(truncatingIfNeeded: filled)
                filled &+= width
                if filled >= 64 {
                    words[next] = buffer.littleEndian
                    next &+= 1
                    filled &-= 64
                    // What did not fit; nothing of the value is left where it ended with the word.
                    buffer = value &>> UInt64(truncatingIfNeeded: width &- filled)
                }
            }
            while next < wordCount {
                words[next] = buffer.littleEndian
                buffer = 0
                next &+= 1
            }
            initializedCount = wordCount
        }
        words.withUnsafeBytes { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) }
    }
}

extension Bitmap {
    /// Up to 64 bits from `row` on, the first one lowest.
    func bits(at row: Int, count: Int) -> UInt64 {
        let shift = UInt64(row & 63)
        var result = words[row >> 6] >> shift
        if Int(shift) + count > 64 { result |= words[row >> 6 + 1] << (64 - shift) }
        return count == 64 ? result : result & ((1 << UInt64(count)) - 1)
    }

    /// The number of one bits among `rows`.
    func setCount(in rows: Range<Int>) -> Int {
        var total = 0
        var row = rows.lowerBound
        while row < rows.upperBound {
            let count = Swift.min(64, rows.upperBound - row)
            total += bits(at: row, count: count).nonzeroBitCount
            row += count
        }
        return total
    }
}
