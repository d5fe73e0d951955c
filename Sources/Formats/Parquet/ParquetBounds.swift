import Columns

/// What a chunk's metadata says of its values.
struct ParquetWrittenStatistics {
    var nullCount = 0
    /// Known where a dictionary counted them.
    var distinctCount: Int?
    var bounds: ParquetBounds?
}

/// Bounds of a chunk's values, as statistics hold them: plain-encoded.
///
/// Parquet's rules (parquet.thrift, ColumnOrder): NaN is left out; a zero minimum is written −0.0 and a zero maximum
/// +0.0, so that either zero is inside; byte strings compare as unsigned bytes.
struct ParquetBounds {
    var minimum: [UInt8]
    var maximum: [UInt8]?
    /// Whether the bound is a value of the chunk, rather than a shorter string beyond one.
    var isMinimumExact = true
    var isMaximumExact = true

    /// Longer byte strings are cut, so that the footer stays small.
    static let longest = 64

    static func of(_ values: UnsafeBufferPointer<Int64>) -> ParquetBounds? {
        guard !values.isEmpty else { return nil }
        let (low, high) = extremes(values, low: .max, high: .min)
        return ParquetBounds(minimum: bytes(low), maximum: bytes(high))
    }

    static func of<Value: BinaryFloatingPoint>(_ values: UnsafeBufferPointer<Value>) -> ParquetBounds? {
        let (low, high) = extremes(values, low: .infinity, high: -.infinity)
        // Only NaN, or nothing, leaves the two as they began.
        guard low <= high else { return nil }
        return ParquetBounds(
            minimum: bytes(low == 0 ? -Value.zero : low),
            maximum: bytes(high == 0 ? Value.zero : high)
        )
    }

    /// Four lanes, or each comparison would wait for the one before it.
    @inline(__always)
    private static func extremes<Value: Comparable>(
        _ values: UnsafeBufferPointer<Value>,
        low: Value,
        high: Value
    ) -> (low: Value, high: Value) {
        var low = (low, low, low, low)
        var high = (high, high, high, high)
        @inline(__always)
        func widen(_ low: inout Value, _ high: inout Value, _ value: Value) {
            // In this form NaN changes nothing, and no branch is taken.
            low = value < low ? value : low
            high = value > high ? value : high
        }
        var position = 0
        while position &+ 4 <= values.count {
            widen(&low.0, &high.0, values[position])
            widen(&low.1, &high.1, values[position &+ 1])
            widen(&low.2, &high.2, values[position &+ 2])
            widen(&low.3, &high.3, values[position &+ 3])
            position &+= 4
        }
        while position < values.count {
            widen(&low.0, &high.0, values[position])
            position &+= 1
        }
        return (min(min(low.0, low.1), min(low.2, low.3)), max(max(high.0, high.1), max(high.2, high.3)))
    }

    private static func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    /// The bounds of `count` byte strings that stand at `range` in `data`.
    ///
    /// - Parameter isText: whether cut bounds must stay UTF-8.
    @inline(__always)
    static func of(
        _ data: UnsafeRawBufferPointer,
        count: Int,
        isText: Bool,
        range: (Int) -> Range<Int>
    ) -> ParquetBounds? {
        guard count > 0 else { return nil }
        var low = range(0)
        var high = low
        for position in 1..<max(1, count) {
            let next = range(position)
            if precedes(data, next, low) { low = next }
            if precedes(data, high, next) { high = next }
        }
        var bounds = ParquetBounds(minimum: Array(data[low]), maximum: Array(data[high]))
        if low.count > longest {
            bounds.minimum = cut(bounds.minimum, isText: isText)
            bounds.isMinimumExact = false
        }
        if high.count > longest {
            bounds.maximum = incremented(cut(Array(data[high]), isText: isText), isText: isText)
            bounds.isMaximumExact = false
        }
        return bounds
    }

    @inline(__always)
    private static func precedes(_ data: UnsafeRawBufferPointer, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        let count = min(left.count, right.count)
        for position in 0..<count {
            let a = data[left.lowerBound &+ position]
            let b = data[right.lowerBound &+ position]
            if a != b { return a < b }
        }
        return left.count < right.count
    }

    /// The first bytes of a string, text whole letters only.
    private static func cut(_ bytes: [UInt8], isText: Bool) -> [UInt8] {
        var end = longest
        while isText, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }

    /// The least string of at most this length that is greater than every continuation of `bytes`; `nil` where there is
    /// none.
    private static func incremented(_ bytes: [UInt8], isText: Bool) -> [UInt8]? {
        guard isText else {
            var result = bytes
            while let last = result.popLast() {
                if last < 0xFF { return result + [last + 1] }
            }
            return nil
        }
        // In UTF-8 the order of bytes is that of code points, so the next code point will do; surrogates are none.
        var scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
        while let last = scalars.popLast() {
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            if let next = Unicode.Scalar(next) {
                var text = String.UnicodeScalarView(scalars)
                text.append(next)
                return Array(String(text).utf8)
            }
        }
        return nil
    }
}
