#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A second, as signatures and S3 write it.
struct SigningTime: Hashable, Sendable {
    /// Since 1970 UTC.
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    static func now(offset: Int) -> SigningTime { SigningTime(seconds: time(nil) + offset) }

    /// `20130524T000000Z`.
    var stamp: String {
        let time = fields
        return day + "T" + Self.padded(time.tm_hour) + Self.padded(time.tm_min) + Self.padded(time.tm_sec) + "Z"
    }

    /// `20130524`.
    var day: String {
        let time = fields
        return "\(time.tm_year + 1900)" + Self.padded(time.tm_mon + 1) + Self.padded(time.tm_mday)
    }

    private var fields: tm {
        var (seconds, time) = (time_t(seconds), tm())
        gmtime_r(&seconds, &time)
        return time
    }

    private static func padded(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Reads the `Date` header of an answer, `Fri, 24 May 2013 00:00:00 GMT`; `nil` for anything else.
    init?(httpDate text: String) {
        let words = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count == 6, words[5] == "GMT", let day = Int32(words[1]), let year = Int32(words[3]),
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        self.init(year, Int32(month), day, clock: words[4])
    }

    /// Reads the times in lists, `2013-05-24T00:00:00.000Z`, without the fraction; `nil` for anything else.
    init?(timestamp text: String) {
        let parts = text.split(separator: "T")
        guard parts.count == 2, parts[1].hasSuffix("Z") else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int32($0) }
        guard date.count == 3 else { return nil }
        self.init(date[0], date[1] - 1, date[2], clock: parts[1].dropLast().prefix { $0 != "." })
    }

    private init?(_ year: Int32, _ month: Int32, _ day: Int32, clock: Substring) {
        let clock = clock.split(separator: ":").compactMap { Int32($0) }
        guard clock.count == 3 else { return nil }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (year - 1900, month, day)
        (time.tm_hour, time.tm_min, time.tm_sec) = (clock[0], clock[1], clock[2])
        seconds = timegm(&time)
    }
}
