import Columns

/// What is computed over the history rows of a window.
///
/// All but `countRows`, `first` and `last` leave nulls out. Over no rows counts are zero and everything else is null.
/// No function depends on the order in which rows are read: sums are exact until they are rounded once, and ties in
/// time are settled by (event time, known time, sequence).
public enum WindowFunction: Hashable, Sendable {
    /// `count(*)`: int64.
    case countRows
    /// `count(x)`: int64.
    case count
    /// Of int64: int64, undefined where it overflows. Of float32 and float64: float64, the correctly rounded exact sum.
    ///
    /// PostgreSQL's sum of real is real; the sum of float32 is float64 here because rounding it again would lose what
    /// the exact sum gained.
    case sum
    /// Float64: the exact mean, rounded once. It never overflows.
    case average
    /// The least value. As in PostgreSQL NaN is greater than every number; text orders by its bytes.
    case minimum
    /// The greatest value.
    case maximum
    /// Float64: PostgreSQL's `stddev_samp`, null for fewer than two values, within 2 ulp of the exact value.
    case standardDeviation
    /// The value of the least row by (event time, known time, sequence); a null is a value.
    case first
    /// The value of the greatest row by (event time, known time, sequence); a null is a value.
    case last
    /// Int64: the number of different values, exactly. NaN equals NaN, and −0.0 equals 0.0.
    case countDistinct
    /// The least value v for which at least `q n` of the n values are at most v: PostgreSQL's `percentile_disc`.
    ///
    /// Exact: its error is zero. `q n` is a product of doubles, as PostgreSQL's is.
    case quantile(Double)
}

/// One aggregate over a sliding window.
///
/// For a spine row (key, t) the window holds the history rows of the key for which `t - width < event_time <= t` and
/// `known_at <= t`: the old end is open.
public struct WindowAggregate: Hashable, Sendable {
    public var function: WindowFunction
    /// The position of its column; `nil` for `countRows`.
    public var column: Int?
    /// Microseconds, or `nil` for a window without an old end.
    public var width: Int64?
    /// The position of the filter that rows must pass, or `nil` when all rows count.
    public var filter: Int?

    public init(_ function: WindowFunction, column: Int? = nil, width: Int64?, filter: Int? = nil) {
        self.function = function
        self.column = column
        self.width = width
        self.filter = filter
    }
}

extension WindowFunction {
    /// The type of the result over a column of the given type; `nil` where the function is not defined on it.
    ///
    /// - Parameter type: `nil` for `countRows`, which takes no column.
    public func resultType(of type: DataType?) -> DataType? {
        guard let type else { return self == .countRows ? .int64 : nil }
        switch (self, type) {
        case (.countRows, _): return nil
        case (.count, _): return .int64
        case (.first, _), (.last, _): return type
        case (.sum, .int64): return .int64
        case (.sum, .float32), (.sum, .float64): return .float64
        case (.average, _), (.standardDeviation, _): return type.isNumeric ? .float64 : nil
        case (.minimum, .bool), (.maximum, .bool), (.quantile, .bool): return nil
        case (_, .vector), (.sum, _): return nil
        case (.countDistinct, _): return .int64
        case (.quantile, .string), (.quantile, .bytes): return nil
        case (.minimum, _), (.maximum, _), (.quantile, _): return type
        }
    }
}

extension WindowFunction: CustomStringConvertible {
    /// As the feature language spells it.
    public var description: String {
        switch self {
        case .countRows: "count(*)"
        case .count: "count"
        case .sum: "sum"
        case .average: "avg"
        case .minimum: "min"
        case .maximum: "max"
        case .standardDeviation: "stddev"
        case .first: "first"
        case .last: "last"
        case .countDistinct: "count_distinct"
        case .quantile(let fraction): "approx_quantile(\(fraction))"
        }
    }
}

/// Why windowed aggregates cannot be computed, or a stored state not be read.
public enum WindowError: Error, Hashable {
    case undefined(WindowFunction, DataType?)
    case noSuchColumn(Int, count: Int)
    case noSuchFilter(Int, count: Int)
    case widthNotPositive(Int64)
    case fractionOutOfRange(Double)
    /// Two states of different aggregates or types.
    case unequalStates(String, String)
    /// Bytes that no state is encoded as.
    case malformedState(offset: Int, expected: String)
}

extension WindowError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .undefined(let function, nil): "\(function) needs a column; name one, or use count(*)"
        case .undefined(.countRows, let type?):
            "count(*) takes no column, and was given one of type \(type); use count to count its values"
        case .undefined(let function, let type?):
            "\(function) is not defined on \(type); cast the column, or use count, first or last"
        case .noSuchColumn(let column, let count):
            "an aggregate reads column \(column) of \(count); number the columns from 0"
        case .noSuchFilter(let filter, let count):
            "an aggregate uses filter \(filter) of \(count); number the filters from 0"
        case .widthNotPositive(let width):
            "a window is \(width) µs wide, and a width is positive; leave it out for a window without an end"
        case .fractionOutOfRange(let fraction):
            "a quantile of \(fraction) was asked for, and a fraction lies from 0 to 1; divide a percentage by 100"
        case .unequalStates(let left, let right):
            "a state of \(left) cannot be merged with one of \(right); merge states of one aggregate and type"
        case .malformedState(let offset, let expected):
            "byte \(offset) of an aggregate state is not \(expected); the state is damaged: compute it again from history"
        }
    }
}
