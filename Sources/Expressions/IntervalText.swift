/// Reads the text of an interval: `10 minutes`, `1.5h`, `1 day 02:30:00`, `-90 s`.
///
/// A week is 7 days, a day 24 hours, a year 12 months. Months stand beside the rest, since they have no fixed length.
enum IntervalText {
    struct Malformed: Error {
        let message: String
    }

    private static let units: [String: Int64] = [
        "us": 1, "usec": 1, "usecs": 1, "microsecond": 1, "microseconds": 1,
        "ms": 1000, "msec": 1000, "msecs": 1000, "millisecond": 1000, "milliseconds": 1000,
        "s": 1_000_000, "sec": 1_000_000, "secs": 1_000_000, "second": 1_000_000, "seconds": 1_000_000,
        "m": 60_000_000, "min": 60_000_000, "mins": 60_000_000, "minute": 60_000_000, "minutes": 60_000_000,
        "h": 3_600_000_000, "hr": 3_600_000_000, "hrs": 3_600_000_000, "hour": 3_600_000_000, "hours": 3_600_000_000,
        "d": 86_400_000_000, "day": 86_400_000_000, "days": 86_400_000_000,
        "w": 604_800_000_000, "week": 604_800_000_000, "weeks": 604_800_000_000,
    ]

    private static let calendarUnits: [String: Int64] = [
        "mon": 1, "mons": 1, "month": 1, "months": 1, "y": 12, "yr": 12, "yrs": 12, "year": 12, "years": 12,
        "decade": 120, "decades": 120, "century": 1200, "centuries": 1200,
    ]

    struct Span {
        var months: Int64 = 0
        var microseconds: Int64 = 0
    }

    static func span(_ text: String) throws(Malformed) -> Span {
        var rest = Array(text.utf8)[...]
        var total = Span()
        var isEmpty = true
        skipSpaces(&rest)
        while !rest.isEmpty {
            let part = try part(&rest, text)
            let (sum, overflow) = total.microseconds.addingReportingOverflow(part.microseconds)
            total.months += part.months
            guard !overflow, Int32(exactly: total.months) != nil else {
                throw Malformed(message: "interval '\(text)' is out of range")
            }
            total.microseconds = sum
            isEmpty = false
            skipSpaces(&rest)
        }
        if isEmpty { throw malformed(text) }
        return total
    }

    private static func part(_ rest: inout ArraySlice<UInt8>, _ text: String) throws(Malformed) -> Span {
        var negative = false
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            negative = rest.removeFirst() == UInt8(ascii: "-")
        }
        let whole = digits(&rest)
        if rest.first == UInt8(ascii: ":"), !whole.isEmpty {
            let span = try clock(hours: whole, &rest, text)
            return Span(microseconds: negative ? -span : span)
        }
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = digits(&rest)
        }
        if whole.isEmpty && fraction.isEmpty { throw malformed(text) }
        skipSpaces(&rest)
        let name = String(decoding: rest.prefix { (0x61...0x7A).contains($0 | 0x20) }, as: UTF8.self).lowercased()
        rest = rest.dropFirst(name.utf8.count)
        if let months = calendarUnits[name] {
            guard fraction.allSatisfy({ $0 == UInt8(ascii: "0") }) else {
                throw Malformed(
                    message:
                        "interval '\(text)': a fraction of months or years has no fixed length; write it in days or smaller units"
                )
            }
            guard let count = whole.isEmpty ? 0 : number(whole).flatMap({ Int32(exactly: $0) }) else {
                throw Malformed(message: "interval '\(text)' is out of range")
            }
            return Span(months: (negative ? -1 : 1) * Int64(count) * months)
        }
        guard let unit = units[name] else {
            let hint =
                Suggestion.nearest(to: name, among: Array(units.keys) + calendarUnits.keys).map {
                    "; did you mean '\($0)'?"
                } ?? ""
            throw Malformed(
                message: name.isEmpty ? malformed(text).message : "interval '\(text)' has no unit '\(name)'\(hint)"
            )
        }
        guard let count = whole.isEmpty ? 0 : number(whole), fraction.count <= 15 else {
            throw Malformed(message: "interval '\(text)' is out of range")
        }
        let (scaled, overflow) = count.multipliedReportingOverflow(by: unit)
        // Exact: the fraction is at most 15 digits, and the unit below 2^40.
        var scale: Int128 = 1
        for _ in fraction { scale *= 10 }
        let part = fraction.isEmpty ? 0 : (Int128(number(fraction) ?? 0) * Int128(unit) * 2 + scale) / (scale * 2)
        let (sum, carry) = scaled.addingReportingOverflow(Int64(truncatingIfNeeded: part))
        if overflow || carry { throw Malformed(message: "interval '\(text)' is out of range") }
        return Span(microseconds: negative ? -sum : sum)
    }

    /// The rest of `HH:MM[:SS[.ffffff]]`.
    private static func clock(
        hours: ArraySlice<UInt8>,
        _ rest: inout ArraySlice<UInt8>,
        _ text: String
    ) throws(Malformed) -> Int64 {
        rest.removeFirst()
        let minutes = digits(&rest)
        var seconds: ArraySlice<UInt8> = []
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ":") {
            rest.removeFirst()
            seconds = digits(&rest)
            if seconds.isEmpty { throw malformed(text) }
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                fraction = digits(&rest)
            }
        }
        guard let hour = number(hours), let minute = number(minutes),
            let second = seconds.isEmpty ? 0 : number(seconds),
            hour < 1_000_000_000, minute < 60, second < 60, fraction.count <= 6
        else { throw malformed(text) }
        var micro = fraction.isEmpty ? 0 : number(fraction) ?? 0
        for _ in fraction.count..<6 { micro *= 10 }
        return (hour * 3600 + minute * 60 + second) * 1_000_000 + micro
    }

    private static func malformed(_ text: String) -> Malformed {
        Malformed(message: "'\(text)' is not an interval; write it as '10 minutes', '1 day 6 hours' or '00:30:00'")
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix(while: Lexer.isDigit)
        rest = rest.dropFirst(digits.count)
        return digits
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? { Int64(String(decoding: digits, as: UTF8.self)) }

    private static func skipSpaces(_ rest: inout ArraySlice<UInt8>) { rest = rest.drop(while: Lexer.isSpace) }
}
