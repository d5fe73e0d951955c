/// A length of time in whole microseconds, written `90s`, `10m`, `3h`, `7d` or a sum such as `1h30m`.
public struct TimeSpan: Hashable, Sendable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    private static let units: [(suffix: String, microseconds: Int64)] = [
        ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1),
    ]

    /// Reads a sum of `<digits><unit>` terms; units are d, h, m, s, ms and us.
    ///
    /// Returns `nil` for anything else, including a negative length or one past 292,000 years.
    public init?(_ text: String) {
        var total: Int64 = 0
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let amount = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let suffix = rest.prefix { $0.isLetter }
            guard let unit = Self.units.first(where: { $0.suffix == suffix }) else { return nil }
            rest = rest.dropFirst(suffix.count)
            let (term, termOverflow) = amount.multipliedReportingOverflow(by: unit.microseconds)
            let (sum, sumOverflow) = total.addingReportingOverflow(term)
            guard !termOverflow, !sumOverflow else { return nil }
            total = sum
        }
        self.microseconds = total
    }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.microseconds < right.microseconds }
}

extension TimeSpan: CustomStringConvertible {
    /// The shortest sum of units, for example `3h` or `1h30m`.
    public var description: String {
        guard microseconds != 0 else { return "0s" }
        var rest = microseconds
        var text = ""
        for unit in Self.units where rest >= unit.microseconds {
            text += "\(rest / unit.microseconds)\(unit.suffix)"
            rest %= unit.microseconds
        }
        return text
    }
}
