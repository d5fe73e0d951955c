extension TimestampText {
    /// Writes a timestamp as PostgreSQL does with `DateStyle` ISO in UTC: `2013-01-01 00:00:00.5+00`.
    ///
    /// A wall-clock time has no offset. Years before 1 are followed by `BC`.
    static func append(_ timestamp: Int64, isWall: Bool, to output: inout TextWriter) {
        let date = Calendar.date(Calendar.days(timestamp))
        let time = Calendar.time(timestamp)
        let isBeforeChrist = date.year <= 0
        append(isBeforeChrist ? 1 - date.year : date.year, digits: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        append(date.month, digits: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        append(date.day, digits: 2, to: &output)
        output.append(UInt8(ascii: " "))
        append(time / Calendar.hour, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(time / Calendar.minute % 60, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        append(time / Calendar.second % 60, digits: 2, to: &output)
        var fraction = time % Calendar.second
        if fraction > 0 {
            var digits = 6
            while fraction % 10 == 0 {
                fraction /= 10
                digits -= 1
            }
            output.append(UInt8(ascii: "."))
            append(fraction, digits: digits, to: &output)
        }
        if !isWall { output.append("+00".utf8) }
        if isBeforeChrist { output.append(" BC".utf8) }
    }

    private static func append(_ value: Int64, digits: Int, to output: inout TextWriter) {
        let text = String(value).utf8
        for _ in 0..<max(0, digits - text.count) { output.append(UInt8(ascii: "0")) }
        output.append(text)
    }
}
