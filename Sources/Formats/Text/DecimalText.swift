/// Appends a decimal: an integer of any width and the number of its digits that stand after the point.
///
/// Exactly `scale` digits follow the point; with a scale of zero there is no point, and with a negative one there are as
/// many zeros at the end.
///
/// - Precondition: there is at least one byte.
func appendDecimalText(
    twosComplement bytes: UnsafeRawBufferPointer,
    isBigEndian: Bool,
    scale: Int,
    to text: inout [UInt8]
) {
    precondition(!bytes.isEmpty, "an integer has at least one byte")
    // 32-bit limbs, the least significant first, of the magnitude.
    let isNegative = bytes[isBigEndian ? 0 : bytes.count - 1] >= 0x80
    var limbs = [UInt32](repeating: isNegative ? ~0 : 0, count: (bytes.count + 3) / 4)
    for place in 0..<bytes.count {
        let byte = UInt32(bytes[isBigEndian ? bytes.count - 1 - place : place])
        let shift = UInt32(place & 3) * 8
        limbs[place >> 2] = limbs[place >> 2] & ~(0xFF << shift) | byte << shift
    }
    if isNegative {
        var carry: UInt64 = 1
        for index in limbs.indices {
            let sum = UInt64(~limbs[index]) + carry
            limbs[index] = UInt32(truncatingIfNeeded: sum)
            carry = sum >> 32
        }
    }
    // Digits from the last, nine for each division.
    var digits: [UInt8] = []
    while let top = limbs.last {
        if top == 0 {
            limbs.removeLast()
            continue
        }
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            let value = remainder << 32 | UInt64(limbs[index])
            limbs[index] = UInt32(truncatingIfNeeded: value / 1_000_000_000)
            remainder = value % 1_000_000_000
        }
        for _ in 0..<9 {
            digits.append(UInt8(truncatingIfNeeded: remainder % 10) + 48)
            remainder /= 10
        }
    }
    while digits.last == 48 { digits.removeLast() }
    let isZero = digits.isEmpty
    while digits.count <= max(0, scale) { digits.append(48) }
    if isNegative { text.append(UInt8(ascii: "-")) }
    for place in digits.indices.reversed() {
        text.append(digits[place])
        if scale > 0, place == scale { text.append(UInt8(ascii: ".")) }
    }
    if scale < 0, !isZero { text.append(contentsOf: repeatElement(48, count: -scale)) }
}
