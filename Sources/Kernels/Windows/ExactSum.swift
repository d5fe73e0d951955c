/// The exact sum of any doubles and integers, rounded only when it is read.
///
/// Because nothing is rounded on the way, values can be removed again and sums merged, and neither order nor grouping
/// changes a bit of the result. What a sum is:
/// - the correctly rounded exact sum (nearest, ties to even) of finite values, as Python's `math.fsum`;
/// - NaN where a value is NaN, or where +∞ and −∞ meet; else the infinity among the values;
/// - `nil` where finite values sum to more than the greatest double, where PostgreSQL raises an overflow;
/// - +0.0 where it is zero, whatever the signs of the zeros.
///
/// Room is for 2^63 values.
public struct ExactSum: Sendable {
    static let lowestExponent = -1074

    /// In units of 2^-1074, the least positive double.
    private(set) var finite = FixedPointAccumulator(lowestExponent: lowestExponent, bitCount: 1074 + 1024 + 64)
    /// The number of values, the infinite and NaN ones included.
    public private(set) var count = 0
    private(set) var nanCount = 0
    private(set) var positiveInfinityCount = 0
    private(set) var negativeInfinityCount = 0

    public init() {}

    @inline(__always)
    public mutating func add(_ value: Double) { accumulate(value, times: 1) }

    /// Takes a value away that was added before.
    @inline(__always)
    public mutating func remove(_ value: Double) { accumulate(value, times: -1) }

    @inline(__always)
    private mutating func accumulate(_ value: Double, times: Int) {
        count &+= times
        let bits = value.bitPattern
        let field = Int(truncatingIfNeeded: bits &>> 52) & 0x7ff
        let fraction = bits & 0xf_ffff_ffff_ffff
        if field == 0x7ff {
            if fraction != 0 {
                nanCount &+= times
            } else if value > 0 {
                positiveInfinityCount &+= times
            } else {
                negativeInfinityCount &+= times
            }
            return
        }
        finite.add(
            UInt128(field == 0 ? fraction : fraction | 1 &<< 52),
            offset: max(field, 1) &- 1,
            isNegative: (value.sign == .minus) != (times < 0)
        )
    }

    public mutating func add(_ value: Int64) {
        count &+= 1
        finite.add(UInt128(value.magnitude), offset: -ExactSum.lowestExponent, isNegative: value < 0)
    }

    public mutating func remove(_ value: Int64) {
        count &-= 1
        finite.add(UInt128(value.magnitude), offset: -ExactSum.lowestExponent, isNegative: value >= 0)
    }

    /// Adds the values of another sum.
    public mutating func merge(_ other: ExactSum) {
        finite.add(other.finite)
        count &+= other.count
        nanCount &+= other.nanCount
        positiveInfinityCount &+= other.positiveInfinityCount
        negativeInfinityCount &+= other.negativeInfinityCount
    }

    mutating func removeAll() {
        finite.removeAll()
        (count, nanCount, positiveInfinityCount, negativeInfinityCount) = (0, 0, 0, 0)
    }

    /// The number of values that are neither infinite nor NaN.
    var finiteCount: Int { count - nanCount - positiveInfinityCount - negativeInfinityCount }

    /// NaN or an infinity where the values do not have a finite sum.
    var nonFinite: Double? {
        if nanCount > 0 || (positiveInfinityCount > 0 && negativeInfinityCount > 0) { return .nan }
        if positiveInfinityCount > 0 { return .infinity }
        return negativeInfinityCount > 0 ? -.infinity : nil
    }

    var leadingBits: LeadingBits { finite.number().leadingBits(exponent: ExactSum.lowestExponent) }

    /// The correctly rounded sum; `nil` where it overflows.
    public var value: Double? {
        if let nonFinite { return nonFinite }
        let sum = leadingBits.rounded()
        return sum.isFinite ? sum : nil
    }

    /// The exact mean, rounded once, which never overflows; `nil` where there are no values.
    public var mean: Double? {
        if count == 0 { return nil }
        return nonFinite ?? leadingBits.divided(by: count).rounded()
    }

    /// The sum of integers; `nil` where it overflows.
    ///
    /// - Precondition: only integers were added.
    public var integer: Int64? {
        let number = finite.number()
        precondition(
            nonFinite == nil && number.isMultiple(ofPowerOfTwo: -ExactSum.lowestExponent),
            "a sum of doubles is read as an integer"
        )
        let leading = number.leadingBits(exponent: ExactSum.lowestExponent)
        if leading.magnitude == 0 { return 0 }
        guard leading.exponent + 127 < 64 else { return nil }
        let magnitude = UInt64(leading.magnitude >> UInt128(-leading.exponent))
        if number.isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int64(exactly: magnitude)
    }
}

/// The exact sums of values and of their squares, from which the standard deviation follows.
///
/// Values can be removed and moments merged without a trace, as with `ExactSum`.
public struct ExactMoments: Sendable {
    static let lowestExponent = 2 * ExactSum.lowestExponent

    public private(set) var sum = ExactSum()
    /// In units of 2^-2148.
    private(set) var squares = FixedPointAccumulator(lowestExponent: lowestExponent, bitCount: 2148 + 2048 + 64)

    public init() {}

    public mutating func add(_ value: Double) {
        sum.add(value)
        accumulateSquare(value, isNegative: false)
    }

    public mutating func remove(_ value: Double) {
        sum.remove(value)
        accumulateSquare(value, isNegative: true)
    }

    public mutating func add(_ value: Int64) {
        sum.add(value)
        squares.add(square(value.magnitude), offset: -ExactMoments.lowestExponent, isNegative: false)
    }

    public mutating func remove(_ value: Int64) {
        sum.remove(value)
        squares.add(square(value.magnitude), offset: -ExactMoments.lowestExponent, isNegative: true)
    }

    public mutating func merge(_ other: ExactMoments) {
        sum.merge(other.sum)
        squares.add(other.squares)
    }

    mutating func removeAll() {
        sum.removeAll()
        squares.removeAll()
    }

    @inline(__always)
    private mutating func accumulateSquare(_ value: Double, isNegative: Bool) {
        let bits = value.bitPattern
        let field = Int(truncatingIfNeeded: bits &>> 52) & 0x7ff
        guard field != 0x7ff else { return }
        let fraction = bits & 0xf_ffff_ffff_ffff
        let significand = field == 0 ? fraction : fraction | 1 &<< 52
        squares.add(square(significand), offset: 2 &* (max(field, 1) &- 1), isNegative: isNegative)
    }

    @inline(__always)
    private func square(_ value: UInt64) -> UInt128 { UInt128(value) &* UInt128(value) }

    /// The sample standard deviation, within 2 ulp: PostgreSQL's `stddev_samp`.
    ///
    /// - Returns: `nil` for fewer than two values; NaN where one is NaN or infinite; infinite where the result is past
    ///   the greatest double.
    public var standardDeviation: Double? {
        guard sum.count > 1 else { return nil }
        if sum.nonFinite != nil { return .nan }
        let numerator = squares.number().multiplied(by: UInt64(sum.count))
            .subtracting(sum.finite.number().squared())
        return Kernels.standardDeviation(
            numerator: numerator.leadingBits(exponent: ExactMoments.lowestExponent),
            count: sum.count
        )
    }

    init(sum: ExactSum, squares: ExactNumber) {
        self.sum = sum
        self.squares.add(squares)
    }
}

extension ExactSum {
    init(
        finite number: ExactNumber,
        count: Int,
        nanCount: Int,
        positiveInfinityCount: Int,
        negativeInfinityCount: Int
    ) {
        finite.add(number)
        self.count = count
        self.nanCount = nanCount
        self.positiveInfinityCount = positiveInfinityCount
        self.negativeInfinityCount = negativeInfinityCount
    }
}

extension ExactSum: Hashable {
    /// Whether two sums hold equally many values and the same exact number, however they came about.
    public static func == (left: ExactSum, right: ExactSum) -> Bool {
        left.count == right.count && left.nanCount == right.nanCount
            && left.positiveInfinityCount == right.positiveInfinityCount
            && left.negativeInfinityCount == right.negativeInfinityCount
            && left.finite.number() == right.finite.number()
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(finite.number())
    }
}

extension ExactMoments: Hashable {
    public static func == (left: ExactMoments, right: ExactMoments) -> Bool {
        left.sum == right.sum && left.squares.number() == right.squares.number()
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(sum)
        hasher.combine(squares.number())
    }
}
