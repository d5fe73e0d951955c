/// Timestamps, wall-clock times and intervals.
extension RandomExpressions {
    static let fields = [
        "epoch", "year", "month", "day", "hour", "minute", "second", "dow", "isodow", "doy", "week", "isoyear",
        "quarter",
        "decade", "century", "millennium", "milliseconds", "microseconds", "julian",
    ]

    private static let units = [
        "microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
        "century", "millennium",
    ]

    private static let zones = [
        "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC",
    ]

    mutating func zoned(_ moment: Twin) -> Twin { Twin("(@ at time zone '\(pick(Self.zones))')", [moment]) }

    mutating func timestamp(_ depth: Int) -> Twin {
        switch roll(12) {
        case 0:
            return Twin(grouped("@ + @"), [expression(.timestamp, depth: depth), expression(.interval, depth: depth)])
        case 1:
            return Twin(grouped("@ - @"), [expression(.timestamp, depth: depth), expression(.interval, depth: depth)])
        case 2:
            return Twin(grouped("@ + @"), [expression(.interval, depth: depth), expression(.timestamp, depth: depth)])
        case 3, 4:
            return Twin(grouped("@ \(pick(["+", "-"])) @"), [expression(.timestamp, depth: depth), months(depth)])
        case 5: return Twin(grouped("@ + @"), [months(depth), expression(.timestamp, depth: depth)])
        case 6, 7:
            let zone = pick(Self.zones)
            return Twin(grouped("@ at time zone '\(zone)'"), [expression(.wall, depth: depth)])
        case 8, 9:
            let form = "date_trunc('\(pick(Self.units))', @, '\(pick(Self.zones))')"
            return Twin(form, [expression(.timestamp, depth: depth)])
        default: return Twin("date_trunc('\(pick(Self.units))', @)", [expression(.timestamp, depth: depth)])
        }
    }

    mutating func wall(_ depth: Int) -> Twin {
        switch roll(6) {
        case 0:
            return Twin(
                grouped("@ \(pick(["+", "-"])) @"),
                [expression(.wall, depth: depth), expression(.interval, depth: depth)]
            )
        case 1: return Twin(grouped("@ + @"), [expression(.wall, depth: depth), months(depth)])
        case 2: return Twin("date_trunc('\(pick(Self.units))', @)", [expression(.wall, depth: depth)])
        default:
            let moment = expression(.timestamp, depth: depth)
            return zoned(moment)
        }
    }

    /// An interval with months.
    mutating func months(_ depth: Int) -> Twin {
        let text = pick([
            "1 month", "-1 month", "11 months", "3 years", "-2 years 3 months", "1 mon 1000000 us", "5 decades",
            "1 century",
            "13 months -86400000000 us",
        ])
        let plain = literal("interval '\(text)'", "interval '\(text)'")
        switch depth > 0 ? roll(9) : 8 {
        case 0: return Twin("(@ * (@ % 5))", [plain, expression(.int64, depth: depth - 1)])
        case 1: return Twin("((@ % 5) * @)", [expression(.int64, depth: depth - 1), plain])
        case 2: return Twin("(@ \(pick(["+", "-"])) @)", [plain, expression(.interval, depth: depth - 1)])
        case 3: return Twin("(@ + @)", [plain, months(0)])
        case 4: return Twin("(- @)", [plain])
        case 5:
            let parts = [expression(.bool, depth: depth - 1), plain, expression(.interval, depth: depth - 1)]
            return Twin("case when @ then @ else @ end", parts)
        case 6: return Twin("coalesce(@, @)", [expression(.interval, depth: depth - 1), plain])
        case 7: return Twin("nullif(@, @)", [plain, months(0)])
        default: return plain
        }
    }

    /// PostgreSQL keeps days apart from the time and rounds each when it multiplies, so only literals are scaled.
    mutating func interval(_ depth: Int) -> Twin {
        switch roll(8) {
        case 5: return Twin(grouped("@ / @"), [leaf(.interval), number(depth)])
        case 0: return Twin(grouped("@ \(pick(["+", "-"])) @"), [leaf(.interval), leaf(.interval)])
        case 1: return Twin(grouped("@ * @"), [leaf(.interval), number(depth)])
        case 2: return Twin(grouped("@ * @"), [number(depth), leaf(.interval)])
        case 3: return Twin("(-@)", [leaf(.interval)])
        case 4: return Twin("(@ - @)", [expression(.timestamp, depth: depth), expression(.timestamp, depth: depth)])
        case 7: return Twin("(@ - @)", [expression(.wall, depth: depth), expression(.wall, depth: depth)])
        default: return leaf(.interval)
        }
    }
}
