/// Reads RFC 3339 and ISO 8601 timestamps: a date, then optionally a time, a fraction and an offset.
///
/// Without an offset the text is UTC. Digits of a fraction past the microsecond are rounded. PostgreSQL's other
/// spellings (`Jan 1 2013`, `epoch`, `infinity`) are not read.
enum TimestampText {
    static func microseconds(_ text: ArraySlice<UInt8>) -> Int64? {
        var reader = Reader(rest: text.trimmed())
        guard let year = reader.number(digits: 4...6), reader.take("-"), let month = reader.number(digits: 1...2),
            reader.take("-"), let day = reader.number(digits: 1...2), (1...12).contains(month), year > 0,
            (1...Calendar.length(ofMonth: month, year: year)).contains(day)
        else { return nil }
        var microseconds: Int64 = 0
        var offset: Int64 = 0
        if reader.take("T") || reader.take("t") || reader.takeSpaces() {
            guard let hour = reader.number(digits: 1...2), reader.take(":"), let minute = reader.number(digits: 2...2)
            else { return nil }
            var second: Int64 = 0
            var fraction: Int64 = 0
            if reader.take(":") {
                guard let value = reader.number(digits: 2...2) else { return nil }
                second = value
                if reader.take(".") { fraction = reader.fraction() }
            }
            // Midnight may be written 24:00:00, and a leap second is the first of the next minute.
            guard minute < 60, second <= 60, hour < 24 || (hour == 24 && minute == 0 && second == 0 && fraction == 0)
            else { return nil }
            microseconds = ((hour * 60 + minute) * 60 + second) * Calendar.second + fraction
            guard let value = reader.offset() else { return nil }
            offset = value
        }
        guard reader.rest.isEmpty else { return nil }
        let days = Calendar.days(year: year, month: month, day: day)
        let (midnight, overflow) = days.multipliedReportingOverflow(by: Calendar.day)
        let (result, carry) = midnight.addingReportingOverflow(microseconds - offset)
        return overflow || carry ? nil : result
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: UnicodeScalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func takeSpaces() -> Bool {
            let spaces = rest.prefix { $0 == UInt8(ascii: " ") }.count
            rest = rest.dropFirst(spaces)
            return spaces > 0
        }

        mutating func number(digits: ClosedRange<Int>) -> Int64? {
            let run = rest.prefix(while: Lexer.isDigit)
            guard digits.contains(run.count) else { return nil }
            rest = rest.dropFirst(run.count)
            return run.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }

        /// Microseconds of a decimal fraction, rounded half to even past six digits.
        mutating func fraction() -> Int64 {
            let run = rest.prefix(while: Lexer.isDigit)
            rest = rest.dropFirst(run.count)
            var value: Int64 = 0
            for place in 0..<6 {
                value = value * 10 + (place < run.count ? Int64(run[run.startIndex + place] - UInt8(ascii: "0")) : 0)
            }
            let past = run.dropFirst(6)
            guard let next = past.first, next >= UInt8(ascii: "5") else { return value }
            let isTie = next == UInt8(ascii: "5") && past.dropFirst().allSatisfy { $0 == UInt8(ascii: "0") }
            return isTie ? value + value % 2 : value + 1
        }

        /// Microseconds east of UTC: `Z`, `±HH`, `±HHMM` or `±HH:MM`; zero where the text ends.
        mutating func offset() -> Int64? {
            _ = takeSpaces()
            if rest.isEmpty || take("Z") || take("z") { return 0 }
            let sign: Int64
            if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
            let run = rest.prefix(while: Lexer.isDigit).count
            guard run == 2 || run == 4, var hours = number(digits: 2...4) else { return nil }
            var minutes: Int64 = 0
            if run == 4 {
                minutes = hours % 100
                hours /= 100
            } else if take(":") {
                guard let value = number(digits: 2...2) else { return nil }
                minutes = value
            }
            guard hours < 16, minutes < 60 else { return nil }
            return sign * (hours * 60 + minutes) * Calendar.minute
        }
    }
}

extension ArraySlice<UInt8> {
    /// Without the white space at both ends.
    func trimmed() -> ArraySlice<UInt8> {
        var rest = drop(while: Lexer.isSpace)
        while let last = rest.last, Lexer.isSpace(last) { rest.removeLast() }
        return rest
    }
}
