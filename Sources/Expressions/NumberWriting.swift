extension NumberText {
    /// Writes the shortest digits that read back as the same number, laid out as PostgreSQL does (`extra_float_digits`
    /// 1): with an exponent below 1e-4 and from 1e15 on.
    static func append(_ value: Double, to output: inout TextWriter) {
        if appendSpecial(value, to: &output) { return }
        var decimal = Decimal(value.magnitude.description)
        let (significand, exponent) = (value.magnitude.wideSignificand, Int(value.magnitude.unitExponent))
        if decimal.isMidway(between: significand, exponent) { decimal = Decimal(value.magnitude, below: 17) }
        decimal.append(to: &output, isNegative: value.sign == .minus, plainBelow: 15)
    }

    /// As for float64, with an exponent from 1e6 on.
    static func append(_ value: Float, to output: inout TextWriter) {
        if appendSpecial(Double(value), to: &output) { return }
        var decimal = Decimal(value.magnitude.description)
        let (significand, exponent) = (value.magnitude.wideSignificand, Int(value.magnitude.unitExponent))
        if decimal.isMidway(between: significand, exponent) { decimal = Decimal(value.magnitude, below: 9) }
        decimal.append(to: &output, isNegative: value.sign == .minus, plainBelow: 6)
    }

    private static func appendSpecial(_ value: Double, to output: inout TextWriter) -> Bool {
        if value.isNaN {
            output.append("NaN".utf8)
        } else if value.isInfinite {
            output.append(value < 0 ? "-Infinity".utf8 : "Infinity".utf8)
        } else if value == 0 {
            output.append(value.sign == .minus ? "-0".utf8 : "0".utf8)
        } else {
            return false
        }
        return true
    }
}

extension BinaryFloatingPoint {
    /// The significand as an integer.
    fileprivate var wideSignificand: UInt64 { UInt64(self / ulp) }
    /// The power of two that the integer is multiplied by.
    fileprivate var unitExponent: Exponent { ulp.exponent }
}

/// Decimal digits with the first one before the point, and a power of ten.
private struct Decimal {
    var digits: [UInt8] = []
    var exponent = 0

    /// Reads a description of a finite positive number.
    init(_ text: String) {
        var seen = false
        var pointAt: Int?
        var shift = 0
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: ".") {
                pointAt = digits.count
            } else if byte | 0x20 == UInt8(ascii: "e") {
                shift = Int(String(decoding: bytes[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte - UInt8(ascii: "0"))
                seen = true
            }
        }
        precondition(seen, "'\(text)' has no digits")
        exponent = (pointAt ?? digits.count) - 1 + shift
        let zeros = digits.prefix { $0 == 0 }.count
        digits.removeFirst(zeros)
        exponent -= zeros
        while digits.last == 0 { digits.removeLast() }
    }

    /// The fewest digits, at most `limit`, that read back as the number and do not lie midway to a neighbour.
    init<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ value: Number, below limit: Int) {
        let exact = ExactDecimal(value.wideSignificand, Int(value.unitExponent))
        var best = Decimal(digits: exact.digits, exponent: exact.digits.count - 1 + exact.exponent)
        for count in 1...limit {
            let rounded = best.rounded(to: count)
            let text = rounded.digits.map(String.init).joined() + "e\(rounded.exponent - rounded.digits.count + 1)"
            if Number(text) == value, !rounded.isMidway(between: value.wideSignificand, Int(value.unitExponent)) {
                self = rounded
                return
            }
        }
        best.digits.removeLast(max(0, best.digits.count - limit))
        self = best
    }

    private init(digits: [UInt8], exponent: Int) {
        self.digits = digits
        self.exponent = exponent
    }

    /// To nearest; exact ties, which no shortest text needs, go up.
    private func rounded(to count: Int) -> Decimal {
        guard digits.count > count else { return self }
        var result = Decimal(digits: Array(digits[..<count]), exponent: exponent)
        if digits[count] >= 5 {
            var place = count - 1
            while place >= 0, result.digits[place] == 9 {
                result.digits[place] = 0
                place -= 1
            }
            if place < 0 {
                result.digits.insert(1, at: 0)
                result.digits.removeLast()
                result.exponent += 1
            } else {
                result.digits[place] += 1
            }
        }
        while result.digits.last == 0 { result.digits.removeLast() }
        return result
    }

    /// Whether the decimal is exactly half way from `significand × 2^exponent` to one of its neighbours.
    ///
    /// Such text reads back only by the rule that ties go to even, and PostgreSQL does not write it. With at most 17
    /// digits it can only be an integer or have one or two places.
    func isMidway(between significand: UInt64, _ exponent: Int) -> Bool {
        let power = self.exponent - (digits.count - 1)
        guard power >= -3, power <= 27, digits.count <= 17 else { return false }
        var decimal = digits.reduce(UInt128(0)) { $0 * 10 + UInt128($1) }
        var twos = power
        for _ in 0..<max(power, 0) {
            let (product, overflow) = decimal.multipliedReportingOverflow(by: 5)
            if overflow { return false }
            decimal = product
        }
        let shift = decimal.trailingZeroBitCount
        decimal >>= UInt128(shift)
        twos += shift
        // Below a power of two the neighbour is half as far.
        let isPower = significand & (significand - 1) == 0
        let below =
            isPower ? (UInt128(significand) * 4 - 1, exponent - 2) : (UInt128(significand) * 2 - 1, exponent - 1)
        for (numerator, unit) in [(UInt128(significand) * 2 + 1, exponent - 1), below] {
            var numerator = numerator
            for _ in 0..<max(-power, 0) { numerator *= 5 }
            if numerator == decimal, unit == twos { return true }
        }
        return false
    }

    func append(to output: inout TextWriter, isNegative: Bool, plainBelow limit: Int) {
        if isNegative { output.append(UInt8(ascii: "-")) }
        let zero = UInt8(ascii: "0")
        let point = UInt8(ascii: ".")
        if exponent < -4 || exponent >= limit {
            output.append(digits[0] + zero)
            if digits.count > 1 {
                output.append(point)
                for digit in digits[1...] { output.append(digit + zero) }
            }
            output.append(UInt8(ascii: "e"))
            output.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            if exponent.magnitude < 10 { output.append(zero) }
            output.append(String(exponent.magnitude).utf8)
        } else if exponent < 0 {
            output.append(zero)
            output.append(point)
            for _ in 1..<(-exponent) { output.append(zero) }
            for digit in digits { output.append(digit + zero) }
        } else {
            for place in 0...max(exponent, digits.count - 1) {
                if place == exponent + 1 { output.append(point) }
                output.append((place < digits.count ? digits[place] : 0) + zero)
            }
        }
    }
}

/// All decimal digits of `significand × 2^exponent`, for the few numbers that need them.
private struct ExactDecimal {
    /// Most significant first, without leading zeros.
    private(set) var digits: [UInt8]
    private(set) var exponent = 0

    init(_ significand: UInt64, _ binary: Int) {
        var reversed = String(significand).utf8.reversed().map { $0 - UInt8(ascii: "0") }
        for _ in 0..<max(binary, 0) { Self.multiply(&reversed, by: 2) }
        // Half is five tenths.
        for _ in 0..<max(-binary, 0) {
            Self.multiply(&reversed, by: 5)
            exponent -= 1
        }
        digits = reversed.reversed()
    }

    private static func multiply(_ reversed: inout [UInt8], by factor: UInt8) {
        var carry: UInt8 = 0
        for index in reversed.indices {
            let value = reversed[index] * factor + carry
            reversed[index] = value % 10
            carry = value / 10
        }
        if carry > 0 { reversed.append(carry) }
    }
}
