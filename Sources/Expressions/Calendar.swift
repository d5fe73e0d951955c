/// The proleptic Gregorian calendar over microseconds since 1970-01-01T00:00:00Z.
enum Calendar {
    static let second: Int64 = 1_000_000
    static let minute: Int64 = 60 * second
    static let hour: Int64 = 60 * minute
    static let day: Int64 = 24 * hour

    /// The first timestamp PostgreSQL has: 4714-11-24 BC (Julian day 0).
    ///
    /// The last one is past the greatest Int64 here.
    static let earliest: Int64 = -210_866_803_200_000_000

    struct Date {
        /// Astronomical: the year before 1 is 0.
        var year: Int64
        var month: Int64
        var day: Int64
    }

    @inline(__always)
    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return quotient &- (value % divisor < 0 ? 1 : 0)
    }

    @inline(__always)
    static func days(_ timestamp: Int64) -> Int64 { floorDivide(timestamp, day) }

    /// Microseconds since midnight.
    @inline(__always)
    static func time(_ timestamp: Int64) -> Int64 { timestamp &- days(timestamp) &* day }

    /// The date of a day counted from 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day ends one, in eras of 400 years of 146 097 days.
    @inline(__always)
    static func date(_ days: Int64) -> Date {
        let shifted = days &+ 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let marchMonth = (5 &* dayOfYear &+ 2) / 153
        let month = marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        return Date(year: year, month: month, day: dayOfYear &- (153 &* marchMonth &+ 2) / 5 &+ 1)
    }

    /// Days from 1970-01-01 to a date.
    @inline(__always)
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year &- 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
