import Columns

/// Values of a column that a reader looks for.
public struct ColumnRange: Hashable, Sendable {
    public var column: String
    /// The least value wanted, of the column's type; `nil` for no bound.
    public var lower: Scalar?
    /// The greatest value wanted, of the column's type; `nil` for no bound.
    public var upper: Scalar?

    public init(_ column: String, from lower: Scalar? = nil, through upper: Scalar? = nil) {
        self.column = column
        self.lower = lower
        self.upper = upper
    }
}

extension ParquetFile {
    /// The row groups that may hold a row whose values lie in all of the ranges, ascending.
    ///
    /// Goes by the file's statistics, and keeps a row group whenever these do not rule it out: where they are missing or
    /// in an order that the file leaves open, for a column that the file does not have, for a bound of another type than
    /// the column's. Null lies in no range that has a bound. NaN counts as greater than every number, as PostgreSQL has
    /// it, so that a range without an upper bound may always hold it; −0.0 and 0.0 are equal.
    ///
    /// - Complexity: O(row groups × ranges); no page is read.
    public func rowGroups(mayContain ranges: [ColumnRange]) -> [Int] {
        footer.rowGroups.indices.filter { rowGroup in
            rowCount(rowGroup: rowGroup) > 0 && ranges.allSatisfy { mayContain($0, rowGroup: rowGroup) }
        }
    }

    private func mayContain(_ range: ColumnRange, rowGroup: Int) -> Bool {
        guard range.lower != nil || range.upper != nil, let column = columns[range.column],
            case .decoded(let decoding) = column.reading, column.maxRepetition == 0,
            column.leaf < footer.rowGroups[rowGroup].chunks.count
        else { return true }
        let chunk = footer.rowGroups[rowGroup].chunks[column.leaf]
        if chunk.statistics.nullCount == footer.rowGroups[rowGroup].rowCount { return false }
        var (minimum, maximum) = bounds(rowGroup: rowGroup, column, decoding)
        if decoding.isZoned {
            minimum = minimum.map { Self.shifted($0, by: -Self.largestOffset) }
            maximum = maximum.map { Self.shifted($0, by: Self.largestOffset) }
        }
        if let upper = range.upper, let minimum, upper.precedes(minimum) { return false }
        // Not-a-number is above every bound, and statistics do not count it.
        if decoding.isFloating, range.upper.map(\.isNaN) ?? true { return true }
        if let lower = range.lower, let maximum, maximum.precedes(lower) { return false }
        return true
    }

    /// No time zone is further from UTC: the time zone database has at most 26 hours.
    private static let largestOffset: Int64 = 26 * 3_600_000_000

    private static func shifted(_ value: Scalar, by offset: Int64) -> Scalar {
        guard case .timestamp(let instant) = value else { return value }
        let (sum, isOver) = instant.addingReportingOverflow(offset)
        return .timestamp(isOver ? (offset < 0 ? .min : .max) : sum)
    }
}

extension Scalar {
    fileprivate var isNaN: Bool {
        switch self {
        case .float32(let value): value.isNaN
        case .float64(let value): value.isNaN
        default: false
        }
    }
}
