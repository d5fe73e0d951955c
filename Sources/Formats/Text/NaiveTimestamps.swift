/// What to do with a timestamp that names no time zone.
public enum NaiveTimestamps: Hashable, Sendable {
    /// Reading one is an error.
    case refuse
    /// It is taken as UTC.
    case utc
}
