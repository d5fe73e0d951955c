/// The rule at the end of a zone's file, for the years after its listed changes: `EST5EDT,M3.2.0,M11.1.0`.
///
/// POSIX.1 `TZ`, with the hours from -167 to 167 of RFC 8536.
struct RecurringRule {
    /// Seconds east of UTC of standard time.
    let offset: Int
    let daylight: Daylight?

    struct Daylight {
        /// Seconds east of UTC.
        let offset: Int
        let start: Day
        let end: Day

        /// The changes that a year has, each with the offset from then on, ascending.
        func changes(in year: Int, standard: Int) -> [(instant: Int, offset: Int)] {
            // Each is told by the clock that it changes.
            [(start.second(in: year) - standard, offset), (end.second(in: year) - offset, standard)]
                .sorted { $0.0 < $1.0 }
        }
    }

    /// A day of the year and the second on it.
    struct Day {
        enum Form {
            /// The day 1 to 365, never counting 29 February.
            case julian(Int)
            /// The day 0 to 365.
            case ordinal(Int)
            /// The week, 5 being the last, and the weekday, 0 being Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }

        let form: Form
        let second: Int

        /// The second since 1970 by the wall clock.
        func second(in year: Int) -> Int {
            let newYear = daysSinceEpoch(year: year, month: 1, day: 1)
            let day: Int
            switch form {
            case .julian(let number):
                let isLeap = daysSinceEpoch(year: year + 1, month: 1, day: 1) - newYear == 366
                day = newYear + number - 1 + (isLeap && number >= 60 ? 1 : 0)
            case .ordinal(let number): day = newYear + number
            case .weekday(let month, let week, let weekday):
                let first = daysSinceEpoch(year: year, month: month, day: 1)
                let next = daysSinceEpoch(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)
                // 1970-01-01 was a Thursday.
                let firstWeekday = ((first + 4) % 7 + 7) % 7
                var found = first + (weekday - firstWeekday + 7) % 7 + 7 * (week - 1)
                while found >= next { found -= 7 }
                day = found
            }
            return day * 86_400 + second
        }
    }

    /// `nil` where the text is not such a rule.
    init?(_ text: Substring) {
        var rest = text
        guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
        offset = -west
        guard !rest.isEmpty else {
            daylight = nil
            return
        }
        guard Self.skipName(&rest) else { return nil }
        var ahead = offset + 3_600
        if let first = rest.first, first != "," {
            guard let west = Self.time(&rest) else { return nil }
            ahead = -west
        }
        guard let start = Self.day(&rest), let end = Self.day(&rest), rest.isEmpty else { return nil }
        daylight = Daylight(offset: ahead, start: start, end: end)
    }

    private static func skipName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let close = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: close)...]
            return true
        }
        let name = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    private static func number(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard digits.count <= 3, let number = Int(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        return number
    }

    /// Reads `[+-]h[:m[:s]]` as seconds.
    private static func time(_ rest: inout Substring) -> Int? {
        var sign = 1
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        guard let hours = number(&rest), hours <= 167 else { return nil }
        var result = hours * 3_600
        for unit in [60, 1] {
            guard rest.first == ":" else { break }
            rest = rest.dropFirst()
            guard let count = number(&rest), count < 60 else { return nil }
            result += count * unit
        }
        return sign * result
    }

    /// Reads `,day[/time]`.
    private static func day(_ rest: inout Substring) -> Day? {
        guard rest.first == "," else { return nil }
        rest = rest.dropFirst()
        let form: Day.Form
        switch rest.first {
        case "J":
            rest = rest.dropFirst()
            guard let day = number(&rest), (1...365).contains(day) else { return nil }
            form = .julian(day)
        case "M":
            rest = rest.dropFirst()
            var numbers: [Int] = []
            for place in 0..<3 {
                if place > 0 {
                    guard rest.first == "." else { return nil }
                    rest = rest.dropFirst()
                }
                guard let part = number(&rest) else { return nil }
                numbers.append(part)
            }
            guard (1...12).contains(numbers[0]), (1...5).contains(numbers[1]), (0...6).contains(numbers[2]) else {
                return nil
            }
            form = .weekday(month: numbers[0], week: numbers[1], weekday: numbers[2])
        default:
            guard let day = number(&rest), (0...365).contains(day) else { return nil }
            form = .ordinal(day)
        }
        // Two in the morning where no time is given.
        guard rest.first == "/" else { return Day(form: form, second: 7_200) }
        rest = rest.dropFirst()
        return time(&rest).map { Day(form: form, second: $0) }
    }

    /// The year of a second since 1970, in UTC.
    static func year(of second: Int) -> Int {
        let day = second >= 0 ? second / 86_400 : (second + 1) / 86_400 - 1
        var year = 1970 + day / 366
        while daysSinceEpoch(year: year + 1, month: 1, day: 1) <= day { year += 1 }
        while daysSinceEpoch(year: year, month: 1, day: 1) > day { year -= 1 }
        return year
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar, by the count of leap days in the years before.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        // Shifted by whole cycles of 400 years, so that quotients round down for all years.
        let past = year - 1 + 400_000
        let leapDays = past / 4 - past / 100 + past / 400
        return past * 365 + leapDays - (401_969 * 365 + 401_969 / 4 - 401_969 / 100 + 401_969 / 400)
            + daysBefore[month - 1] + (isLeap && month > 2 ? 1 : 0) + day - 1
    }
}
