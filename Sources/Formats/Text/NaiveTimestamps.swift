import TimeZones

/// What timestamps mean that name no time zone, column by column.
public struct NaiveTimestamps: Hashable, Sendable {
    /// What is done with such a timestamp.
    public enum Rule: Hashable, Sendable {
        /// Reading one is an error.
        case refuse
        /// It is taken as UTC.
        case utc
        /// It is the wall clock of a zone, read as PostgreSQL reads it: a time that a clock skips is taken with the
        /// offset before the change, one that it shows twice with the offset after.
        case zone(TimeZoneRules)

        /// The instant of a wall clock's time, both in microseconds since 1970; `nil` where it is refused.
        @inline(__always)
        func instant(wall: Int64) -> Int64? {
            switch self {
            case .utc: wall
            case .refuse: nil
            case .zone(let rules): rules.utc(wall: wall)
            }
        }
    }

    /// What holds for a column that `columns` does not name.
    public var rule: Rule
    public var columns: [String: Rule]

    public init(_ rule: Rule, columns: [String: Rule] = [:]) {
        self.rule = rule
        self.columns = columns
    }

    public static let refuse = NaiveTimestamps(.refuse)
    public static let utc = NaiveTimestamps(.utc)

    public func rule(for column: String) -> Rule { columns[column] ?? rule }
}
