import Columns

/// `extract` and `date_trunc`, in UTC.
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
            }
        return Vector(.float64(result), isConstant: false, operand.validity)
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
        let result: [Int64] =
            switch unit {
            case .second: floored(operand.int64, to: Calendar.second, from: 0)
            case .minute: floored(operand.int64, to: Calendar.minute, from: 0)
            case .hour: floored(operand.int64, to: Calendar.hour, from: 0)
            case .day: floored(operand.int64, to: Calendar.day, from: 0)
            // Weeks begin on Monday; 1969-12-29 was one.
            case .week: floored(operand.int64, to: 7 * Calendar.day, from: -3 * Calendar.day)
            case .month: truncatedDate(operand.int64) { Calendar.Date(year: $0.year, month: $0.month, day: 1) }
            case .quarter:
                truncatedDate(operand.int64) {
                    Calendar.Date(year: $0.year, month: ($0.month - 1) / 3 * 3 + 1, day: 1)
                }
            case .year: truncatedDate(operand.int64) { Calendar.Date(year: $0.year, month: 1, day: 1) }
            }
        // Before PostgreSQL's first timestamp, or past the least Int64.
        let inputs = operand.int64.values
        let isOutside = { (row: Int) in result[row] < Calendar.earliest || result[row] > inputs[row] }
        if result.indices.contains(where: isOutside) { validity.fail(Masks.pack(result.count, isOutside)) }
        return Vector(.int64(result), isConstant: false, validity)
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
