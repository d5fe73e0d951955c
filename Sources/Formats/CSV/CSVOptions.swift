/// How a CSV file is spelled.
public struct CSVOptions: Hashable, Sendable {
    /// The byte between cells; not a quote, a carriage return or a line feed.
    public var delimiter: UInt8
    /// Spellings that mean null where they stand unquoted, beside the empty cell.
    public var nullSpellings: [String]
    /// What a timestamp without a time zone means.
    public var naiveTimestamps: NaiveTimestamps

    public init(
        delimiter: UInt8 = UInt8(ascii: ","),
        nullSpellings: [String] = [],
        naiveTimestamps: NaiveTimestamps = .refuse
    ) {
        self.delimiter = delimiter
        self.nullSpellings = nullSpellings
        self.naiveTimestamps = naiveTimestamps
    }
}
