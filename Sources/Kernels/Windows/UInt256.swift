/// An unsigned 256-bit integer with the few operations that sums of squares need; all wrap.
struct UInt256: Hashable, Sendable, BitwiseCopyable {
    var high: UInt128
    var low: UInt128

    static let zero = UInt256(high: 0, low: 0)

    @inline(__always)
    init(high: UInt128, low: UInt128) {
        self.high = high
        self.low = low
    }

    /// - Precondition: the shift is less than 256.
    @inline(__always)
    init(_ value: UInt128, shiftedLeft shift: Int) {
        if shift == 0 {
            self.init(high: 0, low: value)
        } else if shift < 128 {
            let up = UInt128(truncatingIfNeeded: shift)
            self.init(high: value &>> (128 &- up), low: value &<< up)
        } else {
            self.init(high: value &<< UInt128(truncatingIfNeeded: shift &- 128), low: 0)
        }
    }

    @inline(__always)
    init(square value: UInt128) {
        let (high, low) = (UInt64(truncatingIfNeeded: value &>> 64), UInt64(truncatingIfNeeded: value))
        let crossed = UInt128(high) &* UInt128(low)
        self.init(high: UInt128(high) &* UInt128(high), low: UInt128(low) &* UInt128(low))
        self &+= UInt256(crossed, shiftedLeft: 65)
    }

    @inline(__always)
    static func &+= (left: inout UInt256, right: UInt256) {
        let (low, carry) = left.low.addingReportingOverflow(right.low)
        left.low = low
        left.high = left.high &+ right.high &+ (carry ? 1 : 0)
    }

    @inline(__always)
    static func &- (left: UInt256, right: UInt256) -> UInt256 {
        let (low, borrow) = left.low.subtractingReportingOverflow(right.low)
        return UInt256(high: left.high &- right.high &- (borrow ? 1 : 0), low: low)
    }

    @inline(__always)
    func multiplied(by factor: UInt64) -> UInt256 {
        let factor = UInt128(factor)
        let bottom = (low & UInt128(UInt64.max)) &* factor
        let middle = (low &>> 64) &* factor
        var product = UInt256(high: high &* factor, low: bottom)
        product &+= UInt256(middle, shiftedLeft: 64)
        return product
    }

    /// - Parameter exponent: the lowest bit stands for two to this power.
    @inline(__always)
    func leadingBits(exponent: Int) -> LeadingBits {
        if high == 0 { return LeadingBits(isNegative: false, magnitude: low, exponent: exponent) }
        let shift = UInt128(truncatingIfNeeded: high.leadingZeroBitCount)
        let magnitude = shift == 0 ? high : high &<< shift | low &>> (128 &- shift)
        return LeadingBits(
            isNegative: false,
            magnitude: magnitude,
            exponent: exponent &+ 128 &- Int(truncatingIfNeeded: shift),
            isTruncated: low &<< shift != 0
        )
    }
}
