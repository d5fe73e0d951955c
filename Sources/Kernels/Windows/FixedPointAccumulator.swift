/// A long fixed-point number that any double, or any product of two, can be added to and taken from without error.
///
/// Digits of 32 bits stand in 64-bit words, so that carries wait: an addition touches the few digits it covers and
/// nothing else. Since nothing is ever rounded, the order of additions and removals leaves no trace.
/// (Kulisch's long accumulator; the carry-save digits are those of R. M. Neal, "Fast exact summation using small and
/// large superaccumulators", 2015.)
struct FixedPointAccumulator: Sendable {
    /// The lowest bit of the lowest digit stands for two to this power.
    let lowestExponent: Int
    private var digits: [Int64]
    /// Digits outside are zero.
    private var lower: Int
    private var upper = 0
    /// How many additions may have gone into a digit since carries were last passed on.
    private var pending = 0

    /// - Parameter bitCount: how many bits above the lowest exponent sums reach, without the sign.
    init(lowestExponent: Int, bitCount: Int) {
        self.lowestExponent = lowestExponent
        self.digits = [Int64](repeating: 0, count: bitCount / 32 + 2)
        self.lower = digits.count
    }

    /// The number of digits it has room for.
    var digitCount: Int { digits.count }

    /// Adds, or takes away, `magnitude` times two to the power `lowestExponent + offset`.
    @inline(__always)
    mutating func add(_ magnitude: UInt128, offset: Int, isNegative: Bool) {
        if magnitude == 0 { return }
        if pending == 1 &<< 30 { carry() }
        pending &+= 1
        var digit = offset &>> 5
        let shift = UInt128(truncatingIfNeeded: offset & 31)
        lower = min(lower, digit)
        // All ones for a negative number: (x ^ sign) - sign negates.
        let sign: Int64 = isNegative ? -1 : 0
        let first = Int64(truncatingIfNeeded: (magnitude &<< shift) & 0xffff_ffff)
        digits[digit] &+= (first ^ sign) &- sign
        var rest = magnitude &>> (32 &- shift)
        while rest != 0 {
            digit &+= 1
            digits[digit] &+= (Int64(truncatingIfNeeded: rest & 0xffff_ffff) ^ sign) &- sign
            rest &>>= 32
        }
        upper = max(upper, digit &+ 1)
    }

    mutating func add(_ other: FixedPointAccumulator) {
        var other = other
        other.carry()
        carry()
        guard other.lower < other.upper else { return }
        for digit in other.lower..<other.upper { digits[digit] &+= other.digits[digit] }
        lower = min(lower, other.lower)
        upper = max(upper, other.upper)
        pending &+= other.pending
    }

    mutating func removeAll() {
        if lower < upper { for digit in lower..<upper { digits[digit] = 0 } }
        lower = digits.count
        upper = 0
        pending = 0
    }

    /// Passes carries on, so that every digit but the top one lies in 0..<2^32.
    private mutating func carry() {
        guard lower < upper else { return }
        var carry: Int64 = 0
        for digit in lower..<upper {
            let sum = digits[digit] &+ carry
            // The very last digit keeps its sign.
            if digit == digits.count &- 1 {
                digits[digit] = sum
                carry = 0
            } else {
                digits[digit] = sum & 0xffff_ffff
                carry = sum &>> 32
            }
        }
        if carry != 0 {
            digits[upper] = carry
            upper &+= 1
        }
        pending = 1
    }

    /// The exact number, in the one form it has.
    func number() -> ExactNumber {
        guard lower < upper else { return ExactNumber(isNegative: false, digits: [], position: 0) }
        var result: [UInt32] = []
        result.reserveCapacity(upper - lower + 3)
        var carry: Int64 = 0
        for digit in lower..<upper {
            let sum = digits[digit] &+ carry
            result.append(UInt32(truncatingIfNeeded: sum))
            carry = sum &>> 32
        }
        // The rest of the carry, sign included.
        result.append(UInt32(truncatingIfNeeded: carry))
        result.append(UInt32(truncatingIfNeeded: carry &>> 32))
        let isNegative = carry < 0
        if isNegative {
            // Two's complement: invert and add one.
            var borrow: UInt64 = 1
            for position in result.indices {
                borrow += UInt64(~result[position])
                result[position] = UInt32(truncatingIfNeeded: borrow)
                borrow >>= 32
            }
        }
        return ExactNumber(isNegative: isNegative, digits: result, position: lower)
    }

    /// Adds an exact number whose digits have the weights of this accumulator's.
    ///
    /// - Precondition: the number has no digit past `digitCount - 1`.
    mutating func add(_ number: ExactNumber) {
        for (index, digit) in number.digits.enumerated() {
            add(UInt128(digit), offset: (number.position + index) * 32, isNegative: number.isNegative)
        }
    }
}

/// A whole number in sign and magnitude: 32-bit digits, lowest first, the first of them at a position.
///
/// There is no zero digit at either end, and zero is not negative: equal numbers are equal structures.
struct ExactNumber: Hashable, Sendable {
    let isNegative: Bool
    let digits: [UInt32]
    /// The weight of the first digit is 2^(32 × position).
    let position: Int

    /// Trims zero digits at both ends.
    init(isNegative: Bool, digits: [UInt32], position: Int) {
        guard let first = digits.firstIndex(where: { $0 != 0 }), let last = digits.lastIndex(where: { $0 != 0 }) else {
            (self.isNegative, self.digits, self.position) = (false, [], 0)
            return
        }
        self.isNegative = isNegative
        self.digits = last - first + 1 == digits.count ? digits : Array(digits[first...last])
        self.position = position + first
    }

    var isZero: Bool { digits.isEmpty }

    /// - Parameter exponent: the lowest bit of position 0 stands for two to this power.
    func leadingBits(exponent: Int) -> LeadingBits {
        var magnitude: UInt128 = 0
        // Five digits hold 128 bits whatever the top one is: take four and fill up from the fifth.
        let count = digits.count
        for index in 0..<4 {
            magnitude = magnitude << 32 | (index < count ? UInt128(digits[count - 1 - index]) : 0)
        }
        var isTruncated = count > 5
        let lowest = exponent + 32 * (position + count - 4)
        guard count > 4 else { return LeadingBits(isNegative: isNegative, magnitude: magnitude, exponent: lowest) }
        let shift = UInt128(magnitude.leadingZeroBitCount)
        let fifth = UInt128(digits[count - 5])
        magnitude = magnitude << shift | fifth >> (32 - shift)
        if (fifth << shift) & 0xffff_ffff != 0 { isTruncated = true }
        return LeadingBits(
            isNegative: isNegative,
            magnitude: magnitude,
            exponent: lowest - Int(shift),
            isTruncated: isTruncated
        )
    }

    func multiplied(by factor: UInt64) -> ExactNumber {
        let digits = [UInt32(truncatingIfNeeded: factor), UInt32(factor >> 32)]
        return product(with: ExactNumber(isNegative: false, digits: digits, position: 0))
    }

    func squared() -> ExactNumber { product(with: self) }

    private func product(with other: ExactNumber) -> ExactNumber {
        var result = [UInt32](repeating: 0, count: digits.count + other.digits.count)
        for (index, left) in digits.enumerated() {
            var carry: UInt64 = 0
            for (offset, right) in other.digits.enumerated() {
                carry += UInt64(left) * UInt64(right) + UInt64(result[index + offset])
                result[index + offset] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            result[index + other.digits.count] = UInt32(carry)
        }
        return ExactNumber(
            isNegative: isNegative != other.isNegative,
            digits: result,
            position: position + other.position
        )
    }

    /// This number less another.
    ///
    /// - Precondition: neither is negative and the other is not greater.
    func subtracting(_ other: ExactNumber) -> ExactNumber {
        if other.isZero { return self }
        let start = min(position, other.position)
        let end = max(position + digits.count, other.position + other.digits.count)
        var result: [UInt32] = []
        result.reserveCapacity(end - start)
        var borrow: Int64 = 0
        for place in start..<end {
            let difference = Int64(digit(at: place)) - Int64(other.digit(at: place)) + borrow
            result.append(UInt32(truncatingIfNeeded: difference))
            borrow = difference >> 32
        }
        return ExactNumber(isNegative: false, digits: result, position: start)
    }

    /// One more than the position of the highest bit.
    var bitWidth: Int {
        digits.last.map { 32 * (position + digits.count) - $0.leadingZeroBitCount } ?? 0
    }

    func isMultiple(ofPowerOfTwo exponent: Int) -> Bool {
        digits.first.map { 32 * position + $0.trailingZeroBitCount >= exponent } ?? true
    }

    /// Whether the magnitude is not below that of another number.
    func isAtLeast(_ other: ExactNumber) -> Bool {
        if bitWidth != other.bitWidth { return bitWidth > other.bitWidth }
        let start = min(position, other.position)
        for place in stride(from: position + digits.count - 1, through: start, by: -1)
        where digit(at: place) != other.digit(at: place) {
            return digit(at: place) > other.digit(at: place)
        }
        return true
    }

    private func digit(at place: Int) -> UInt32 {
        place >= position && place < position + digits.count ? digits[place - position] : 0
    }
}
