import Columns

/// `extract`, `date_part` and `date_trunc` on the calendar of the operand: UTC, or a wall clock's.
extension Kernel {
    func extract(_ field: TimeField, _ operand: Vector) -> Vector {
        let input = operand.int64
        let result: [Double] =
            switch field {
            case .epoch: Elementwise.map(input, rows: rows, Self.seconds)
            case .year:
                Elementwise.map(input, rows: rows) {
                    // There is no year 0: before 1 comes 1 BC, which is -1.
                    let year = Calendar.date(Calendar.days($0)).year
                    return Double(year > 0 ? year : year - 1)
                }
            case .month: Elementwise.map(input, rows: rows) { Double(Calendar.date(Calendar.days($0)).month) }
            case .day: Elementwise.map(input, rows: rows) { Double(Calendar.date(Calendar.days($0)).day) }
            case .hour: Elementwise.map(input, rows: rows) { Double(Calendar.time($0) / Calendar.hour) }
            case .minute: Elementwise.map(input, rows: rows) { Double(Calendar.time($0) / Calendar.minute % 60) }
            case .second: Elementwise.map(input, rows: rows) { Double(Calendar.time($0) % Calendar.minute) / 1e6 }
            case .dow: Elementwise.map(input, rows: rows) { Double(Self.weekday($0)) }
            case .isodow: Elementwise.map(input, rows: rows) { Double((Self.weekday($0) + 6) % 7 + 1) }
            case .doy:
                Elementwise.map(input, rows: rows) {
                    let days = Calendar.days($0)
                    return Double(days - Calendar.days(year: Calendar.date(days).year, month: 1, day: 1) + 1)
                }
            case .quarter:
                Elementwise.map(input, rows: rows) { Double((Calendar.date(Calendar.days($0)).month + 2) / 3) }
            case .decade: years(input) { $0 >= 0 ? $0 / 10 : -((9 - $0) / 10) }
            case .century: years(input) { $0 > 0 ? ($0 + 99) / 100 : -((100 - $0) / 100) }
            case .millennium: years(input) { $0 > 0 ? ($0 + 999) / 1000 : -((1000 - $0) / 1000) }
            case .milliseconds: Elementwise.map(input, rows: rows) { Double(Calendar.time($0) % Calendar.minute) / 1e3 }
            case .microseconds: Elementwise.map(input, rows: rows) { Double(Calendar.time($0) % Calendar.minute) }
            case .week:
                Elementwise.map(input, rows: rows) {
                    let thursday = Self.thursday($0)
                    let year = Calendar.date(thursday).year
                    return Double((thursday - Calendar.days(year: year, month: 1, day: 1)) / 7 + 1)
                }
            case .isoyear:
                Elementwise.map(input, rows: rows) {
                    let year = Calendar.date(Self.thursday($0)).year
                    return Double(year > 0 ? year : year - 1)
                }
            case .julian: Elementwise.map(input, rows: rows, Self.julian)
            }
        return Vector(.float64(result), isConstant: false, operand.validity)
    }

    /// The fields that `date_part` reckons with more than one rounding.
    func part(_ field: TimeField, _ operand: Vector) -> Vector {
        let input = operand.int64
        let result: [Double] =
            switch field {
            case .epoch: Elementwise.map(input, rows: rows) { Double($0) / 1e6 }
            case .second:
                Elementwise.map(input, rows: rows) {
                    let time = Calendar.time($0) % Calendar.minute
                    return Double(time / Calendar.second) + Double(time % Calendar.second) / 1e6
                }
            case .milliseconds:
                Elementwise.map(input, rows: rows) {
                    let time = Calendar.time($0) % Calendar.minute
                    return Double(time / Calendar.second) * 1e3 + Double(time % Calendar.second) / 1e3
                }
            case .julian:
                Elementwise.map(input, rows: rows) {
                    let time = Calendar.time($0)
                    let seconds = Double(time / Calendar.second) + Double(time % Calendar.second) / 1e6
                    return Double(Calendar.days($0) + Self.firstJulianDay) + seconds / 86_400
                }
            default: preconditionFailure("\(field.rawValue) is one for extract")
            }
        return Vector(.float64(result), isConstant: false, operand.validity)
    }

    @inline(__always)
    private func years(_ input: Operand<Int64>, _ transform: (Int64) -> Int64) -> [Double] {
        Elementwise.map(input, rows: rows) { Double(transform(Calendar.date(Calendar.days($0)).year)) }
    }

    /// The Thursday of the same week, which is in the year that the week belongs to (ISO 8601).
    @inline(__always)
    private static func thursday(_ timestamp: Int64) -> Int64 {
        Calendar.days(timestamp) &- (weekday(timestamp) &+ 6) % 7 &+ 3
    }

    /// The Julian day of 1970-01-01.
    private static let firstJulianDay: Int64 = 2_440_588

    /// Julian days with their fraction, correctly rounded.
    private static func julian(_ timestamp: Int64) -> Double {
        let total = Int128(timestamp) + Int128(firstJulianDay) * Int128(Calendar.day)
        let magnitude = total.magnitude
        let sign: Double = total < 0 ? -1 : 1
        if magnitude <= 1 << 53 { return sign * Double(UInt64(magnitude)) / Double(Calendar.day) }
        // Above 2^76 and below 2^126: the low bit may take in the remainder without moving a rounding.
        let (quotient, remainder) = (magnitude << 60).quotientAndRemainder(dividingBy: UInt128(Calendar.day))
        return sign * Double(quotient | (remainder == 0 ? 0 : 1)) * 0x1p-60
    }

    /// Days since Sunday.
    @inline(__always)
    private static func weekday(_ timestamp: Int64) -> Int64 {
        // 1970-01-01 was a Thursday.
        let days = Calendar.days(timestamp) &+ 4
        return days &- Calendar.floorDivide(days, 7) &* 7
    }

    /// Microseconds in seconds, correctly rounded.
    @inline(__always)
    private static func seconds(_ microseconds: Int64) -> Double {
        let magnitude = microseconds.magnitude
        // Below 2^53 both sides of the division are exact, so its one rounding is the right one.
        if magnitude <= 1 << 53 { return Double(microseconds) / 1e6 }
        return wideSeconds(magnitude) * (microseconds < 0 ? -1 : 1)
    }

    /// The quotient in binary, to three bits more than a Double holds, the last one standing for all that follow.
    private static func wideSeconds(_ microseconds: UInt64) -> Double {
        let (quotient, remainder) = (UInt128(microseconds) << 22).quotientAndRemainder(dividingBy: 1_000_000)
        // The quotient is below 2^67 and above 2^55: its low bit may take in the remainder without moving a rounding.
        let sticky = quotient | (remainder == 0 ? 0 : 1)
        return Double(sticky) * 0x1p-22
    }

    func truncate(_ unit: TimeUnit, _ operand: Vector) -> Vector {
        var validity = operand.validity
        let result = truncated(operand.int64, to: unit)
        // Before PostgreSQL's first timestamp, or past the least Int64.
        let inputs = operand.int64.values
        let isOutside = { (row: Int) in result[row] < Calendar.earliest || result[row] > inputs[row] }
        if result.indices.contains(where: isOutside) { validity.fail(Masks.pack(result.count, isOutside)) }
        return Vector(.int64(result), isConstant: false, validity)
    }

    /// The start of the unit, wrapped where it is out of range.
    func truncated(_ input: Operand<Int64>, to unit: TimeUnit) -> [Int64] {
        switch unit {
        case .microseconds: Elementwise.map(input, rows: rows) { $0 }
        case .milliseconds: floored(input, to: 1000, from: 0)
        case .second: floored(input, to: Calendar.second, from: 0)
        case .minute: floored(input, to: Calendar.minute, from: 0)
        case .hour: floored(input, to: Calendar.hour, from: 0)
        case .day: floored(input, to: Calendar.day, from: 0)
        // Weeks begin on Monday; 1969-12-29 was one.
        case .week: floored(input, to: 7 * Calendar.day, from: -3 * Calendar.day)
        case .month: truncatedDate(input) { Calendar.Date(year: $0.year, month: $0.month, day: 1) }
        case .quarter:
            truncatedDate(input) {
                Calendar.Date(year: $0.year, month: ($0.month - 1) / 3 * 3 + 1, day: 1)
            }
        case .year: truncatedDate(input) { Calendar.Date(year: $0.year, month: 1, day: 1) }
        case .decade:
            truncatedYear(input) { $0 > 0 ? $0 / 10 * 10 : -((9 - $0) / 10) * 10 }
        // Centuries and millennia begin with the year 1.
        case .century:
            truncatedYear(input) { $0 > 0 ? ($0 + 99) / 100 * 100 - 99 : -((100 - $0) / 100) * 100 + 1 }
        case .millennium:
            truncatedYear(input) { $0 > 0 ? ($0 + 999) / 1000 * 1000 - 999 : -((1000 - $0) / 1000) * 1000 + 1 }
        }
    }

    @inline(__always)
    private func truncatedYear(_ input: Operand<Int64>, _ truncate: (Int64) -> Int64) -> [Int64] {
        truncatedDate(input) { Calendar.Date(year: truncate($0.year), month: 1, day: 1) }
    }

    private func floored(_ input: Operand<Int64>, to unit: Int64, from origin: Int64) -> [Int64] {
        Elementwise.map(input, rows: rows) { timestamp in
            let past = timestamp % unit &- origin % unit
            return timestamp &- (past < 0 ? past &+ unit : past) % unit
        }
    }

    @inline(__always)
    private func truncatedDate(_ input: Operand<Int64>, _ truncate: (Calendar.Date) -> Calendar.Date) -> [Int64] {
        Elementwise.map(input, rows: rows) {
            let date = truncate(Calendar.date(Calendar.days($0)))
            return Calendar.days(year: date.year, month: date.month, day: date.day) &* Calendar.day
        }
    }
}
