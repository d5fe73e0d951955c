/// The nearest `Double` to `digits × 10^exponent`, without big numbers.
///
/// D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51 (2021), algorithm 1: the
/// digits times a power of five of 128 bits has the bits of the result and tells when they are in doubt.
enum FloatRounding {
    /// Returns `nil` where the result is subnormal or infinite, or could not be told for certain.
    static func nearest(_ digits: UInt64, exponent: Int) -> Double? {
        guard digits != 0 else { return 0 }
        guard exponent >= PowersOfFive.least, exponent <= PowersOfFive.greatest else { return nil }
        let (high, low) = PowersOfFive.power(exponent)
        let zeros = digits.leadingZeroBitCount
        let scaled = digits &<< UInt64(zeros)
        var (upper, lower) = scaled.multipliedFullWidth(by: high)
        // All of the nine bits below those that count are set: a carry from the power's lower half could reach them.
        if upper & 0x1FF == 0x1FF {
            let (sum, isCarry) = lower.addingReportingOverflow(scaled.multipliedFullWidth(by: low).high)
            lower = sum
            if isCarry { upper &+= 1 }
        }
        if lower == .max, exponent < -27 || exponent > 55 { return nil }
        let top = Int(truncatingIfNeeded: upper &>> 63)
        let shift = UInt64(truncatingIfNeeded: top &+ 9)
        var significand = upper &>> shift
        // ⌊exponent × log2(10)⌋ in fixed point.
        var binary = (217_706 &* exponent) &>> 16 &+ 63 &+ top &- zeros &+ 1_023
        guard binary > 0 else { return nil }
        // Exactly between two doubles, which only small powers can give: round to even.
        if lower <= 1, exponent >= -4, exponent <= 23, significand & 3 == 1, significand &<< shift == upper {
            significand &= ~1
        }
        significand = (significand &+ significand & 1) &>> 1
        if significand >= 1 &<< 53 {
            significand = 1 &<< 52
            binary &+= 1
        }
        guard binary < 0x7FF else { return nil }
        let bits = UInt64(truncatingIfNeeded: binary) &<< 52 | significand & (1 &<< 52 &- 1)
        return Double(bitPattern: bits)
    }
}

/// The first 128 bits of powers of five, computed once: cut for positive exponents, and for negative ones rounded up
/// while that is exact enough to matter.
private enum PowersOfFive {
    static let least = -342
    static let greatest = 308

    static func power(_ exponent: Int) -> (high: UInt64, low: UInt64) {
        words.withUnsafeBufferPointer { words in
            let position = 2 &* (exponent &- least)
            return (words[position], words[position &+ 1])
        }
    }

    private static let words: [UInt64] = {
        var words = [UInt64](repeating: 0, count: 2 * (greatest - least + 1))
        func store(_ exponent: Int, _ value: UInt128) {
            words[2 * (exponent - least)] = UInt64(truncatingIfNeeded: value >> 64)
            words[2 * (exponent - least) + 1] = UInt64(truncatingIfNeeded: value)
        }
        // Little-endian limbs; 5^308 takes 716 bits.
        var power = [UInt64](repeating: 0, count: 12)
        power[0] = 1
        for exponent in 0...greatest {
            store(exponent, leadingBits(power))
            var carry: UInt64 = 0
            for limb in power.indices {
                let (high, low) = power[limb].multipliedFullWidth(by: 5)
                let (sum, isCarry) = low.addingReportingOverflow(carry)
                power[limb] = sum
                carry = high + (isCarry ? 1 : 0)
            }
        }
        // 2^1087 divided by five again and again, which leaves more than 128 bits of each quotient.
        var quotient = [UInt64](repeating: 0, count: 17)
        quotient[16] = 1 << 63
        for exponent in stride(from: -1, through: least, by: -1) {
            var remainder: UInt64 = 0
            for limb in quotient.indices.reversed() {
                (quotient[limb], remainder) = (5 as UInt64).dividingFullWidth((remainder, quotient[limb]))
            }
            store(exponent, leadingBits(quotient) + (exponent >= -27 ? 1 : 0))
        }
        return words
    }()

    /// The 128 bits from the first one bit on.
    private static func leadingBits(_ limbs: [UInt64]) -> UInt128 {
        guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return 0 }
        func limb(_ index: Int) -> UInt64 { index >= 0 ? limbs[index] : 0 }
        let shift = UInt64(limbs[top].leadingZeroBitCount)
        let high = limb(top) << shift | (shift == 0 ? 0 : limb(top - 1) >> (64 - shift))
        let low = limb(top - 1) << shift | (shift == 0 ? 0 : limb(top - 2) >> (64 - shift))
        return UInt128(high) << 64 | UInt128(low)
    }
}
