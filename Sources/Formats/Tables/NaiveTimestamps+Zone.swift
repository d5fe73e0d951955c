import TimeZones

extension NaiveTimestamps {
    /// Timestamps without a time zone as the wall clock of a named zone, in all columns.
    ///
    /// - Parameter name: a name of the time zone database, such as `America/New_York`, or `UTC`.
    /// - Throws: `TimeZoneError` for a name that is not there.
    public init(zone name: String) throws {
        self.init(name == "UTC" ? .utc : .zone(try TimeZoneRules.named(name)))
    }
}
