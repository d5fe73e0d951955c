/// The leading 128 bits of an exact binary number, and whether anything nonzero stands below them.
///
/// That is enough to round the number, or its quotient by an integer, correctly: every exact sum of this folder ends
/// here, whichever way it was added up, so that all ways give the same bits.
struct LeadingBits {
    let isNegative: Bool
    /// Zero, or a number with its top bit set.
    let magnitude: UInt128
    /// The lowest bit of the magnitude stands for two to this power.
    let exponent: Int
    /// Whether bits that are not all zero were cut off below the magnitude.
    let isTruncated: Bool

    init(isNegative: Bool, magnitude: UInt128, exponent: Int, isTruncated: Bool = false) {
        let shift = magnitude.leadingZeroBitCount & 127
        self.isNegative = isNegative
        self.magnitude = magnitude &<< UInt128(truncatingIfNeeded: shift)
        self.exponent = exponent &- shift
        self.isTruncated = isTruncated
    }

    init(_ value: Int128, exponent: Int) {
        self.init(isNegative: value < 0, magnitude: value.magnitude, exponent: exponent)
    }

    /// The nearest double, ties to even; infinite where that is past the greatest finite one.
    ///
    /// A result of zero is +0.0, also where a negative number is rounded to it.
    @inline(__always)
    func rounded() -> Double {
        let high = UInt64(truncatingIfNeeded: magnitude &>> 64)
        // In [2^top, 2^(top + 1)).
        let top = exponent &+ 127
        guard top >= -1022, high != 0 else { return roundedSubnormal() }
        if top > 1023 { return isNegative ? -.infinity : .infinity }
        let hasTail = UInt64(truncatingIfNeeded: magnitude) != 0 || isTruncated
        var significand = high &>> 11
        let rest = high & 0x7ff
        if rest > 0x400 || (rest == 0x400 && (hasTail || significand & 1 != 0)) { significand &+= 1 }
        // The hidden bit, or a carry out of the significand, counts up the exponent field: infinity comes by itself.
        let bits = UInt64(truncatingIfNeeded: top &+ 1022) &<< 52 &+ significand
        return Double(bitPattern: bits | (isNegative ? 1 &<< 63 : 0))
    }

    private func roundedSubnormal() -> Double {
        // The last bit of the result stands for 2^-1074.
        let drop = -1074 - exponent
        if magnitude == 0 || drop > 128 { return 0 }
        let kept = drop == 128 ? 0 : magnitude >> UInt128(drop)
        let rest = magnitude << UInt128(128 - drop)
        let half: UInt128 = 1 << 127
        let roundsUp = rest > half || (rest == half && (isTruncated || kept & 1 != 0))
        let bits = UInt64(kept) + (roundsUp ? 1 : 0)
        return bits == 0 ? 0 : Double(bitPattern: bits | (isNegative ? 1 << 63 : 0))
    }

    /// The leading bits of the exact quotient.
    ///
    /// - Precondition: the divisor lies in 1..<2^63, so that at least 64 bits of the quotient are known.
    @inline(__always)
    func divided(by divisor: Int) -> LeadingBits {
        let divisor = UInt64(truncatingIfNeeded: divisor)
        let (high, highRest) = UInt64(truncatingIfNeeded: magnitude &>> 64).quotientAndRemainder(dividingBy: divisor)
        let (low, rest) = divisor.dividingFullWidth((highRest, UInt64(truncatingIfNeeded: magnitude)))
        return LeadingBits(
            isNegative: isNegative,
            magnitude: UInt128(high) &<< 64 | UInt128(low),
            exponent: exponent,
            isTruncated: isTruncated || rest != 0
        )
    }

    /// The nearest number with 53 significant bits, as `significand` in [1, 2] times two to the power `exponent`.
    ///
    /// - Precondition: the number is positive.
    @inline(__always)
    func roundedSignificand() -> (significand: Double, exponent: Int) {
        let fraction = LeadingBits(isNegative: false, magnitude: magnitude, exponent: -127, isTruncated: isTruncated)
        return (fraction.rounded(), exponent &+ 127)
    }
}

/// The sample standard deviation from its exact parts.
///
/// - Parameter numerator: `n Σx² − (Σx)²`, exact and not negative.
/// - Returns: the square root of `numerator / (n (n − 1))`, within 2 ulp of the exact value: the numerator, the quotient
///   and the root are each rounded once, with nothing over- or underflowing on the way.
@inline(__always)
func standardDeviation(numerator: LeadingBits, count: Int) -> Double {
    if numerator.magnitude == 0 { return 0 }
    var (significand, exponent) = numerator.roundedSignificand()
    if exponent & 1 != 0 {
        significand *= 2
        exponent &-= 1
    }
    let root = (significand / (Double(count) * Double(count &- 1))).squareRoot()
    let half = exponent / 2
    if (-900...900).contains(half) {
        return root * Double(bitPattern: UInt64(truncatingIfNeeded: half &+ 1023) &<< 52)
    }
    return Double(sign: .plus, exponent: half, significand: root)
}
