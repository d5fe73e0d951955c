import Columns
import TimeZones

/// Time zones, and months added to timestamps.
extension Kernel {
    /// `at time zone`: from a timestamp to what the zone's clocks show, or back.
    func shifted(_ operand: Vector, in zone: TimeZoneRules) -> Vector {
        var validity = operand.validity
        let isWall = operandTypes[0] == .wallTime
        let result = Elementwise.map(operand.int64, rows: rows, &validity) {
            isWall ? zone.utc(wall: $0) : zone.wall(utc: $0)
        } fails: { input, result in
            Self.isOutside(result, from: input)
        }
        return Vector(.int64(result), isConstant: false, validity)
    }

    /// Before PostgreSQL's first timestamp, or wrapped.
    @inline(__always)
    private static func isOutside(_ result: Int64, from input: Int64) -> Bool {
        let distance = result.subtractingReportingOverflow(input)
        return result < Calendar.earliest || distance.overflow
    }

    /// `date_trunc` on a zone's clocks.
    ///
    /// From the day on, the result is the first instant that shows the truncated time; within a day it keeps the offset
    /// of the operand, so that a time that is shown twice stays in its hour.
    func truncate(_ unit: TimeUnit, _ operand: Vector, in zone: TimeZoneRules) -> Vector {
        var validity = operand.validity
        let input = operand.int64
        let walls = Elementwise.map(input, rows: rows) { zone.wall(utc: $0) }
        let truncated = truncated(Operand(values: walls, isConstant: operand.isConstant), to: unit)
        let keepsOffset: Bool =
            switch unit {
            case .microseconds, .milliseconds, .second, .minute, .hour: true
            default: false
            }
        var result = truncated
        for row in result.indices {
            result[row] =
                keepsOffset ? result[row] &- (walls[row] &- input.values[row]) : zone.utc(wall: result[row])
        }
        let values = result
        let isOutside = { (row: Int) in
            truncated[row] > walls[row] || walls[row].subtractingReportingOverflow(input.values[row]).overflow
                || Self.isOutside(values[row], from: truncated[row])
        }
        if values.indices.contains(where: isOutside) { validity.fail(Masks.pack(values.count, isOutside)) }
        return Vector(.int64(values), isConstant: false, validity)
    }

    /// The same day of a month that many months later, or the last day of it where it is shorter.
    func addMonths(_ moment: Vector, _ months: Vector) -> Vector {
        var validity = Validity.strict([moment, months], rows: rows)
        let result = Elementwise.zip(moment.int64, months.int64, rows: rows, &validity) { moment, months in
            Self.moved(moment, months) ?? 0
        } fails: { moment, months, _ in
            Self.moved(moment, months) == nil
        }
        return Vector(.int64(result), isConstant: false, validity)
    }

    func monthCount(_ months: Vector) -> Vector {
        var validity = months.validity
        let result = Elementwise.map(months.int64, rows: rows, &validity) {
            $0
        } fails: { months, _ in
            Int32(exactly: months) == nil
        }
        return Vector(.int64(result), isConstant: false, validity)
    }

    private static func moved(_ moment: Int64, _ months: Int64) -> Int64? {
        guard Int32(exactly: months) != nil else { return nil }
        let date = Calendar.date(Calendar.days(moment))
        let total = date.year * 12 + date.month - 1 + months
        let year = Calendar.floorDivide(total, 12)
        let month = total - year * 12 + 1
        let day = min(date.day, Calendar.length(ofMonth: month, year: year))
        let (midnight, overflow) = Calendar.days(year: year, month: month, day: day)
            .multipliedReportingOverflow(by: Calendar.day)
        let (result, carry) = midnight.addingReportingOverflow(Calendar.time(moment))
        return overflow || carry || result < Calendar.earliest ? nil : result
    }
}
