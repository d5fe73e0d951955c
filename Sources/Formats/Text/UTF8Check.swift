/// Whether bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or values past U+10FFFF.
func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { firstInvalidUTF8(bytes) == nil }

/// The position of the first byte that does not belong to a well-formed sequence, or `nil`.
///
/// - Complexity: O(n), eight bytes at a time over ASCII.
func firstInvalidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    let count = bytes.count
    let raw = UnsafeRawPointer(base)
    var position = 0
    while position < count {
        if position &+ 8 <= count,
            raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            position &+= 8
            continue
        }
        let lead = base[position]
        if lead < 0x80 {
            position &+= 1
            continue
        }
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { low = 0xA0 }
            if lead == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { low = 0x90 }
            if lead == 0xF4 { high = 0x8F }
        default: return position
        }
        guard position &+ length <= count else { return position }
        let second = base[position &+ 1]
        guard second >= low, second <= high else { return position }
        for next in 2..<4 where next < length {
            guard base[position &+ next] & 0xC0 == 0x80 else { return position }
        }
        position &+= length
    }
    return nil
}

/// The first row at or after `start` whose text is not well-formed UTF-8, or `nil`.
///
/// Checks the rows' bytes in one pass: if they are well formed together and no row begins inside a sequence, each
/// row is well formed. Only otherwise is each row checked alone.
func firstRowOfInvalidUTF8(offsets: [Int], data: [UInt8], from start: Int) -> Int? {
    data.withUnsafeBufferPointer { bytes in
        var isSuspect = !isUTF8(UnsafeBufferPointer(rebasing: bytes[offsets[start]...]))
        for row in start..<offsets.count - 1 where offsets[row] < bytes.count {
            isSuspect = isSuspect || bytes[offsets[row]] & 0xC0 == 0x80
        }
        return isSuspect ? firstInvalidRow(offsets, bytes, from: start) : nil
    }
}

private func firstInvalidRow(_ offsets: [Int], _ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    (start..<offsets.count - 1).first { row in
        !isUTF8(UnsafeBufferPointer(rebasing: bytes[offsets[row]..<offsets[row + 1]]))
    }
}
