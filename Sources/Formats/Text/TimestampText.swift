/// Timestamps as RFC 3339 text; values are microseconds since 1970-01-01T00:00:00Z.

/// Why a text is not a timestamp.
enum TimestampFault: Error {
    case malformed
    /// A valid date and time that names no offset.
    case naive
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
@inline(__always)
func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year &- 1 : year
    let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
    let yearOfEra = shifted &- era &* 400
    let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
}

/// The year, month and day of a day number; the inverse of `daysSinceEpoch` (civil_from_days).
func civilDate(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

/// Reads `YYYY-MM-DDThh:mm:ss[.f][Z|±hh:mm]`, with up to six fraction digits; a space may stand for the `T`.
///
/// A leap second `:60` is the first instant of the next minute, as in PostgreSQL.
@inline(__always)
func parseTimestamp(_ text: UnsafeBufferPointer<UInt8>, naive: NaiveTimestamps.Rule) throws(TimestampFault) -> Int64 {
    guard text.count >= 19 else { throw .malformed }
    var isWellFormed = true
    @inline(__always)
    func pair(_ position: Int) -> Int64 {
        let tens = text[position] &- 48
        let units = text[position &+ 1] &- 48
        isWellFormed = isWellFormed && tens < 10 && units < 10
        return Int64(tens) &* 10 &+ Int64(units)
    }
    let year = pair(0) &* 100 &+ pair(2)
    let month = pair(5)
    let day = pair(8)
    let hour = pair(11)
    let minute = pair(14)
    let second = pair(17)
    let separator = text[10]
    guard isWellFormed, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[13] == UInt8(ascii: ":"),
        text[16] == UInt8(ascii: ":"), separator | 0x20 == UInt8(ascii: "t") || separator == UInt8(ascii: " "),
        month >= 1, month <= 12, day >= 1, day <= lengthOfMonth(month, year: year), hour < 24, minute < 60, second <= 60
    else { throw .malformed }
    let days = daysSinceEpoch(year: year, month: month, day: day)
    var result = (days &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second) &* 1_000_000
    var position = 19
    if position < text.count, text[position] == UInt8(ascii: ".") {
        position &+= 1
        var scale: Int64 = 100_000
        let first = position
        while position < text.count, text[position] &- 48 < 10 {
            guard scale > 0 else { throw .malformed }
            result &+= Int64(text[position] &- 48) &* scale
            scale /= 10
            position &+= 1
        }
        guard position > first else { throw .malformed }
    }
    guard position < text.count else {
        guard let instant = naive.instant(wall: result) else { throw .naive }
        return instant
    }
    switch text[position] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"):
        guard position &+ 1 == text.count else { throw .malformed }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
        guard position &+ 6 == text.count, text[position &+ 3] == UInt8(ascii: ":") else { throw .malformed }
        let hours = pair(position &+ 1)
        let minutes = pair(position &+ 4)
        guard isWellFormed, hours < 24, minutes < 60 else { throw .malformed }
        let offset = (hours &* 3_600 &+ minutes &* 60) &* 1_000_000
        result = text[position] == UInt8(ascii: "+") ? result &- offset : result &+ offset
    default: throw .malformed
    }
    return result
}

@inline(__always)
private func lengthOfMonth(_ month: Int64, year: Int64) -> Int64 {
    if month == 2 { return year & 3 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return 30 &+ ((month &+ (month &>> 3)) & 1)
}

/// Appends RFC 3339 text in UTC with no fraction, milliseconds or microseconds, the fewest that lose nothing.
///
/// Returns false, and appends nothing, for an instant outside the years 0000 to 9999, which RFC 3339 cannot write.
func appendTimestampText(of value: Int64, to text: inout [UInt8]) -> Bool {
    guard value >= -62_167_219_200_000_000, value < 253_402_300_800_000_000 else { return false }
    let day = value >= 0 ? value / 86_400_000_000 : (value - 86_399_999_999) / 86_400_000_000
    let time = value - day * 86_400_000_000
    let date = civilDate(daysSinceEpoch: day)
    func append(_ number: Int64, digits: Int) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(truncatingIfNeeded: number / divisor % 10) + 48)
            divisor /= 10
        }
    }
    append(date.year, digits: 4)
    text.append(UInt8(ascii: "-"))
    append(date.month, digits: 2)
    text.append(UInt8(ascii: "-"))
    append(date.day, digits: 2)
    text.append(UInt8(ascii: "T"))
    append(time / 3_600_000_000, digits: 2)
    text.append(UInt8(ascii: ":"))
    append(time / 60_000_000 % 60, digits: 2)
    text.append(UInt8(ascii: ":"))
    append(time / 1_000_000 % 60, digits: 2)
    let fraction = time % 1_000_000
    if fraction != 0 {
        text.append(UInt8(ascii: "."))
        if fraction % 1_000 == 0 { append(fraction / 1_000, digits: 3) } else { append(fraction, digits: 6) }
    }
    text.append(UInt8(ascii: "Z"))
    return true
}
