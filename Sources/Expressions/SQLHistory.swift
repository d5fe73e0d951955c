import Columns
import Kernels

/// Where the windows of an expression find their history, in SQL.
///
/// The rendered text is part of a query over a spine: `select <text> from spine s`. The history table has the source's
/// columns and those that history adds: `__event_time`, `__known_at` and `__sequence`.
public struct SQLHistory: Hashable, Sendable {
    /// The table's name, as the query must write it.
    public var table: String
    /// Column names of the history that find a row's entity, each with what holds it in the spine, as the query must write
    /// it: `s."user"`.
    public var keys: [(column: String, spine: String)]
    /// The spine row's time, as the query must write it: `s.event_timestamp`.
    public var time: String

    public init(table: String, keys: [(column: String, spine: String)], time: String) {
        self.table = table
        self.keys = keys
        self.time = time
    }

    public static func == (left: SQLHistory, right: SQLHistory) -> Bool {
        left.table == right.table && left.time == right.time && left.keys.elementsEqual(right.keys, by: ==)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(table)
        hasher.combine(time)
        for key in keys {
            hasher.combine(key.column)
            hasher.combine(key.spine)
        }
    }
}

extension SQLRenderer {
    /// An aggregate over a window as a subquery of the spine row.
    ///
    /// Sums of floats are exact here and rounded step by step in a database, and means and deviations are rounded otherwise:
    /// these are written only where the text may differ in the last bits.
    func text(of window: WindowNode, type: ValueType) throws(Unsupported) -> String {
        let name = "\(window.function) over \(TimeSpan(microseconds: window.width))"
        guard let history else { throw Unsupported("\(name), without a table of history,") }
        // Spark correlates subqueries by equality alone.
        guard dialect != .spark else { throw Unsupported(name) }
        var argument = "*"
        if let node = window.argument { argument = try text(of: node) }
        var filter = ""
        if let node = window.filter { filter = " filter (where \(try text(of: node)))" }
        let order = "order by h.__event_time, h.__known_at, h.__sequence"
        let newestFirst = "order by h.__event_time desc, h.__known_at desc, h.__sequence desc"
        let result = try self.name(of: type)
        let isFloat = window.argument.map { $0.type != .int64 } ?? false
        // Text is ordered by its bytes, whatever the database's order is.
        let collation = dialect == .postgres && window.argument?.type == .string ? " collate \"C\"" : ""
        let aggregate: String
        switch window.function {
        case .countRows, .count: aggregate = "count(\(argument))\(filter)"
        case .countDistinct: aggregate = "count(distinct \(argument))\(filter)"
        case .minimum: aggregate = "min(\(argument)\(collation))\(filter)"
        case .maximum: aggregate = "max(\(argument)\(collation))\(filter)"
        case .first where dialect == .postgres: aggregate = "(array_agg(\(argument) \(order))\(filter))[1]"
        case .last where dialect == .postgres: aggregate = "(array_agg(\(argument) \(newestFirst))\(filter))[1]"
        case .first: aggregate = "first(\(argument) \(order))\(filter)"
        case .last: aggregate = "last(\(argument) \(order))\(filter)"
        case .quantile(let fraction) where dialect == .postgres:
            aggregate = "percentile_disc(\(fraction)) within group (order by \(argument))\(filter)"
        case .quantile(let fraction): aggregate = "quantile_disc(\(argument), \(fraction))\(filter)"
        case .sum where !isFloat: aggregate = "sum(\(argument))\(filter)"
        case .sum, .average, .standardDeviation:
            guard !isExact else { throw Unsupported(name) }
            let function = ["sum", "avg", "stddev_samp"][
                window.function == .sum ? 0 : window.function == .average ? 1 : 2
            ]
            aggregate = "\(function)(cast(\(argument) as \(try self.name(of: .float64))))\(filter)"
        }
        let width =
            dialect == .postgres ? "interval '\(window.width) microseconds'" : "to_microseconds(\(window.width))"
        let rows =
            history.keys.map { "h.\(quoted($0.column)) = \($0.spine)" } + [
                "h.__event_time > \(history.time) - \(width)", "h.__event_time <= \(history.time)",
                "h.__known_at <= \(history.time)",
            ]
        return
            "(select cast(\(aggregate) as \(result)) from \(history.table) h where \(rows.joined(separator: " and ")))"
    }
}
