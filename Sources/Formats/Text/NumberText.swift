/// Numbers as decimal text, read exactly: the result is the nearest representable value, or `nil`.

/// Reads the last `count` bytes before `end`, one to eight of them, as decimal digits.
///
/// Eight digits are checked and summed in one word, in pairs, fours and eights: no loop whose end a processor must guess.
///
/// - Precondition: the eight bytes before `end` can be read, whatever they hold.
@inline(__always)
func parseShortDigits(before end: UnsafePointer<UInt8>, count: Int) -> Int64? {
    let shift = UInt64(truncatingIfNeeded: (8 &- count) &* 8)
    let word = UInt64(littleEndian: UnsafeRawPointer(end - 8).loadUnaligned(as: UInt64.self))
    // The digits' values, with zeros in place of what stands before the text.
    let digits = ((word ^ 0x3030_3030_3030_3030) &>> shift) &<< shift
    guard (digits | (digits &+ 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 == 0 else { return nil }
    let pairs = (digits &* 10 &+ digits &>> 8) & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* 100 &+ pairs &>> 16) & 0x0000_FFFF_0000_FFFF
    return Int64(truncatingIfNeeded: (fours &* 10_000 &+ fours &>> 32) & 0xFFFF_FFFF)
}

/// Reads an optional sign and decimal digits; `nil` for anything else and past the range of `Int64`.
@inline(__always)
func parseInt64(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    let count = text.count
    guard count > 0 else { return nil }
    let isNegative = text[0] == UInt8(ascii: "-")
    var position = isNegative || text[0] == UInt8(ascii: "+") ? 1 : 0
    guard position < count else { return nil }
    var magnitude: UInt64 = 0
    if count &- position <= 18 {
        while position < count {
            let digit = text[position] &- 48
            guard digit < 10 else { return nil }
            magnitude = magnitude &* 10 &+ UInt64(digit)
            position &+= 1
        }
        return isNegative ? 0 &- Int64(bitPattern: magnitude) : Int64(bitPattern: magnitude)
    }
    return parseLongInt64(text, from: position, isNegative: isNegative)
}

private func parseLongInt64(_ text: UnsafeBufferPointer<UInt8>, from start: Int, isNegative: Bool) -> Int64? {
    var value: Int64 = 0
    for position in start..<text.count {
        let digit = text[position] &- 48
        guard digit < 10 else { return nil }
        let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
        let step = isNegative ? -Int64(digit) : Int64(digit)
        let (sum, tooFar) = product.addingReportingOverflow(step)
        guard !tooBig, !tooFar else { return nil }
        value = sum
    }
    return value
}

/// A decimal literal taken apart: `±digits × 10^exponent`, the digits being exact when there are at most 19.
private struct Decimal {
    var isNegative = false
    var digits: UInt64 = 0
    var exponent = 0
    var isExact = true

    /// Reads `[sign] digits [. digits] [e [sign] digits]` with at least one digit before the exponent.
    @inline(__always)
    init?(_ text: UnsafeBufferPointer<UInt8>) {
        let count = text.count
        var position = 0
        if position < count, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
            isNegative = text[0] == UInt8(ascii: "-")
            position = 1
        }
        var significant = 0
        var seen = 0
        var fraction = 0
        var inFraction = false
        while position < count {
            let digit = text[position] &- 48
            if digit < 10 {
                seen &+= 1
                if significant < 19 {
                    digits = digits &* 10 &+ UInt64(digit)
                    if digits != 0 { significant &+= 1 }
                    if inFraction { fraction &+= 1 }
                } else {
                    if digit != 0 { isExact = false }
                    if !inFraction { exponent &+= 1 }
                }
            } else if text[position] == UInt8(ascii: "."), !inFraction {
                inFraction = true
            } else {
                break
            }
            position &+= 1
        }
        guard seen > 0 else { return nil }
        exponent &-= fraction
        guard position < count else { return }
        guard text[position] | 0x20 == UInt8(ascii: "e") else { return nil }
        position &+= 1
        var isExponentNegative = false
        if position < count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
            isExponentNegative = text[position] == UInt8(ascii: "-")
            position &+= 1
        }
        guard position < count else { return nil }
        var power = 0
        while position < count {
            let digit = text[position] &- 48
            guard digit < 10 else { return nil }
            // Past a million the value is zero or out of range whatever the digits; stop counting, keep checking.
            if power < 1_000_000 { power = power &* 10 &+ Int(digit) }
            position &+= 1
        }
        exponent &+= isExponentNegative ? 0 &- power : power
    }
}

private let exactPowersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

/// Reads a decimal literal or a name of a special value, correctly rounded.
///
/// The names are `NaN`, `Infinity` and `inf`, in any case, signed. The result is `nil` for other text and for a finite
/// literal past the range of `Double`. Values below the smallest subnormal round to zero.
///
/// Digits up to 2^53 and powers of ten up to 22 are exact in `Double`, so that one multiplication or division rounds
/// once (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990). Other literals of up to 19 digits take
/// `FloatRounding`; what is left, the standard library's correctly rounded conversion.
@inline(__always)
func parseDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    guard let decimal = Decimal(text) else { return parseSpecial(text) }
    if let magnitude = decimal.clingerMagnitude { return decimal.isNegative ? -magnitude : magnitude }
    return parseHardDouble(decimal, text)
}

@inline(never)
private func parseHardDouble(_ decimal: Decimal, _ text: UnsafeBufferPointer<UInt8>) -> Double? {
    if decimal.isExact, let magnitude = FloatRounding.nearest(decimal.digits, exponent: decimal.exponent) {
        return decimal.isNegative ? -magnitude : magnitude
    }
    guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
    return value
}

extension Decimal {
    /// The magnitude where one operation on exact doubles gives it.
    @inline(__always)
    fileprivate var clingerMagnitude: Double? {
        guard isExact, digits <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
        let digits = Double(Int64(bitPattern: digits))
        return exactPowersOfTen.withUnsafeBufferPointer { powers in
            exponent < 0 ? digits / powers[0 &- exponent] : digits * powers[exponent]
        }
    }
}

/// As `parseDouble`, rounding once, to `Float`.
@inline(__always)
func parseFloat(_ text: UnsafeBufferPointer<UInt8>) -> Float? {
    guard let decimal = Decimal(text) else { return parseSpecial(text).map { Float($0) } }
    let known =
        decimal.clingerMagnitude
        ?? (decimal.isExact ? FloatRounding.nearest(decimal.digits, exponent: decimal.exponent) : nil)
    if let magnitude = known {
        // Rounding twice errs only where the first result is exactly between two floats.
        let isBetween = magnitude.bitPattern & 0x1FFF_FFFF == 0x1000_0000
        if magnitude == 0 || (!isBetween && magnitude >= 0x1p-126 && magnitude < 0x1p127) {
            return Float(decimal.isNegative ? -magnitude : magnitude)
        }
    }
    guard let value = Float(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
    return value
}

private func parseSpecial(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "nan", "+nan", "-nan": .nan
    case "inf", "infinity", "+inf", "+infinity": .infinity
    case "-inf", "-infinity": -.infinity
    default: nil
    }
}

/// Reads `true`, `t`, `1`, `false`, `f` or `0`, the words in any case.
@inline(__always)
func parseBool(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
    if text.count == 1 {
        switch text[0] {
        case UInt8(ascii: "1"), UInt8(ascii: "t"), UInt8(ascii: "T"): return true
        case UInt8(ascii: "0"), UInt8(ascii: "f"), UInt8(ascii: "F"): return false
        default: return nil
        }
    }
    if equalsIgnoringCase(text, "true") { return true }
    if equalsIgnoringCase(text, "false") { return false }
    return nil
}

@inline(__always)
private func equalsIgnoringCase(_ text: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    let letters = word.utf8Start
    for position in 0..<text.count where text[position] | 0x20 != letters[position] { return false }
    return true
}

/// Appends the shortest decimal text that reads back as the same value.
///
/// Not-a-number is `NaN`; infinities are `Infinity` and `-Infinity`, as PostgreSQL writes them.
func appendText(of value: Double, to text: inout [UInt8]) {
    if value.isFinite {
        text.append(contentsOf: value.description.utf8)
    } else {
        text.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8)
    }
}

/// As for `Double`, with the fewest digits that identify the `Float`.
func appendText(of value: Float, to text: inout [UInt8]) {
    if value.isFinite {
        text.append(contentsOf: value.description.utf8)
    } else {
        text.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8)
    }
}

/// Appends decimal digits, with a sign where negative.
func appendText(of value: Int64, to text: inout [UInt8]) {
    if value < 0 { text.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = text.count
    repeat {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
        text.append(UInt8(truncatingIfNeeded: digit) &+ 48)
        rest = quotient
    } while rest != 0
    text[start...].reverse()
}
