/// A whole number of 5120 bits in two's complement, slow and plain: the twin of the exact sums.
struct TwinInteger: Equatable, Comparable {
    private var words: [UInt64]
    private static let wordCount = 80

    init(_ value: Int) {
        words = [UInt64](repeating: value < 0 ? .max : 0, count: TwinInteger.wordCount)
        words[0] = UInt64(bitPattern: Int64(value))
    }

    /// A finite double in units of 2^-1074.
    init(_ value: Double) {
        self.init(0)
        let field = Int(value.exponentBitPattern)
        words[0] = field == 0 ? value.significandBitPattern : value.significandBitPattern + (1 << 52)
        self = shifted(by: max(field - 1, 0))
        if value.sign == .minus { self = -self }
    }

    var isNegative: Bool { words[TwinInteger.wordCount - 1] >> 63 == 1 }

    static func + (left: TwinInteger, right: TwinInteger) -> TwinInteger {
        var result = TwinInteger(0)
        var carry = false
        for word in left.words.indices {
            let (sum, first) = left.words[word].addingReportingOverflow(right.words[word])
            let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
            result.words[word] = total
            carry = first || second
        }
        return result
    }

    static prefix func - (value: TwinInteger) -> TwinInteger {
        var result = value
        for word in result.words.indices { result.words[word] = ~result.words[word] }
        return result + TwinInteger(1)
    }

    static func - (left: TwinInteger, right: TwinInteger) -> TwinInteger { left + -right }

    static func * (left: TwinInteger, right: TwinInteger) -> TwinInteger {
        let (a, b) = (left.isNegative ? -left : left, right.isNegative ? -right : right)
        var result = TwinInteger(0)
        for (i, x) in a.words.enumerated() where x != 0 {
            var carry: UInt64 = 0
            for j in 0..<(TwinInteger.wordCount - i) {
                let (high, low) = x.multipliedFullWidth(by: b.words[j])
                let (sum, first) = result.words[i + j].addingReportingOverflow(low)
                let (total, second) = sum.addingReportingOverflow(carry)
                result.words[i + j] = total
                carry = high + (first ? 1 : 0) + (second ? 1 : 0)
            }
        }
        return left.isNegative != right.isNegative ? -result : result
    }

    func shifted(by count: Int) -> TwinInteger {
        var result = TwinInteger(0)
        for word in (count / 64)..<TwinInteger.wordCount {
            result.words[word] = words[word - count / 64] << UInt64(count % 64)
            if count % 64 != 0, word > count / 64 {
                result.words[word] |= words[word - count / 64 - 1] >> UInt64(64 - count % 64)
            }
        }
        return result
    }

    static func < (left: TwinInteger, right: TwinInteger) -> Bool { (left - right).isNegative }
}

extension TwinInteger {
    /// Whether `candidate` is the double nearest to this number over `divisor`, in units of 2^-1074, ties to even; `nil`
    /// stands for overflow.
    func rounds(to candidate: Double?, dividedBy divisor: Int = 1) -> Bool {
        let twice = shifted(by: 1)
        // Twice the number half way between the greatest double and what would be next.
        let limit = TwinInteger(1).shifted(by: 1074 + 1024 + 1) - TwinInteger(1).shifted(by: 1074 + 971)
        let magnitude = isNegative ? -twice : twice
        guard let candidate else { return magnitude >= limit * TwinInteger(divisor) }
        guard candidate.isFinite else { return false }
        if candidate.isZero, candidate.sign == .minus { return false }
        func half(_ neighbour: Double) -> TwinInteger {
            if neighbour.isInfinite { return neighbour > 0 ? limit : -limit }
            return TwinInteger(candidate) + TwinInteger(neighbour)
        }
        let lower = half(candidate.nextDown) * TwinInteger(divisor)
        let upper = half(candidate.nextUp) * TwinInteger(divisor)
        let isEven = candidate.significandBitPattern & 1 == 0
        return isEven ? lower <= twice && twice <= upper : lower < twice && twice < upper
    }
}
