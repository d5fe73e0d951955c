/// Exact running sums of a key's values and their squares, in fixed point.
///
/// The values of one key seldom span more than some sixty powers of two, and then 128-bit integers in units of the least
/// significant bit hold every sum exactly, and 256-bit integers every sum of squares. The sum of any range of rows is
/// then one subtraction, for as many windows as there may be. (This is what made seven windows cheap: sliding long
/// accumulators cost an addition and a removal for each row and window, and sixty digits to read each result.)
struct RunningSums {
    /// The sum of the values before each place, in units of 2^exponent.
    private(set) var sums: [Int128] = []
    private(set) var squares: [UInt256] = []
    private(set) var exponent = 0

    /// - Returns: whether the sums fit; NaN and infinities never do.
    mutating func load(_ values: [Double], withSquares: Bool) -> Bool {
        var greatest: UInt64 = 0
        var least = UInt64.max
        for value in values {
            let bits = value.magnitude.bitPattern
            greatest = max(greatest, bits)
            // Zero wraps around, and so plays no part.
            least = min(least, bits &- 1)
        }
        guard greatest < Double.infinity.bitPattern else { return false }
        let top = max(1, Int(greatest >> 52))
        let bottom = greatest == 0 ? 1 : max(1, Int((least &+ 1) >> 52))
        // Every |value| is below 2^(top - bottom + 53), in units of the least one's last bit.
        guard RunningSums.fit(valueBits: top - bottom + 53, count: values.count) else { return false }
        exponent = bottom - 1075
        reset(values.count, withSquares: withSquares)
        var sum: Int128 = 0
        var square = UInt256.zero
        for value in values {
            let bits = value.bitPattern
            let field = Int(truncatingIfNeeded: bits &>> 52) & 0x7ff
            let fraction = bits & 0xf_ffff_ffff_ffff
            let significand = field == 0 ? fraction : fraction | 1 &<< 52
            // Zeros may lie below the bottom; there is nothing in them to shift.
            let shift = max(max(field, 1) &- bottom, 0)
            let magnitude = Int128(significand) &<< Int128(truncatingIfNeeded: shift)
            sum &+= value.sign == .minus ? 0 &- magnitude : magnitude
            sums.append(sum)
            if withSquares {
                square &+= UInt256(UInt128(significand) &* UInt128(significand), shiftedLeft: 2 &* shift)
                squares.append(square)
            }
        }
        return true
    }

    mutating func load(_ values: [Int64], withSquares: Bool) -> Bool {
        guard RunningSums.fit(valueBits: 64, count: values.count) else { return false }
        exponent = 0
        reset(values.count, withSquares: withSquares)
        var sum: Int128 = 0
        var square = UInt256.zero
        for value in values {
            sum &+= Int128(value)
            sums.append(sum)
            if withSquares {
                square &+= UInt256(UInt128(value.magnitude) &* UInt128(value.magnitude), shiftedLeft: 0)
                squares.append(square)
            }
        }
        return true
    }

    /// With values below 2^b and n < 2^k, (Σx)² and n Σx² are below 2^(2 (b + k)), and must stay below 2^256.
    private static func fit(valueBits: Int, count: Int) -> Bool {
        valueBits + Int.bitWidth - count.leadingZeroBitCount <= 126
    }

    private mutating func reset(_ count: Int, withSquares: Bool) {
        sums.removeAll(keepingCapacity: true)
        sums.reserveCapacity(count + 1)
        sums.append(0)
        squares.removeAll(keepingCapacity: true)
        if withSquares {
            squares.reserveCapacity(count + 1)
            squares.append(.zero)
        }
    }

    /// The sum of the values at places `start..<end`.
    @inline(__always)
    func sum(_ start: Int, _ end: Int) -> Int128 { sums[end] &- sums[start] }

    @inline(__always)
    func square(_ start: Int, _ end: Int) -> UInt256 { squares[end] &- squares[start] }
}
