import Columns
import Expressions
import Kernels

/// The windows of a view, planned: what they keep of each row of history, and how that is aggregated.
///
/// What is kept of a row, its *inputs*, are the arguments and filters of all windows. An aggregate is undefined where a row
/// that counts has an undefined argument, and where a filter is: PostgreSQL would raise.
public struct ViewWindows: Sendable {
    public let terms: [WindowTerm]
    /// What is kept of a row of history: each different argument, then each different filter as a bool.
    public let inputFields: [Field]
    /// Microseconds: a row that is older than this takes part in no window.
    public let widest: Int64
    private let arguments: [Expression]
    private let filters: [Expression]
    private let aggregates: [WindowAggregate]

    /// - Returns: `nil` where there are no windows.
    init?(_ terms: [WindowTerm]) {
        guard let widest = terms.map(\.width).max() else { return nil }
        var arguments: [Expression] = []
        var filters: [Expression] = []
        func place(_ expression: Expression?, in list: inout [Expression]) -> Int? {
            guard let expression else { return nil }
            if let known = list.firstIndex(where: { $0.canonical == expression.canonical }) { return known }
            list.append(expression)
            return list.count - 1
        }
        self.aggregates = terms.map { term in
            WindowAggregate(
                term.function,
                column: place(term.argument, in: &arguments),
                width: term.width,
                filter: place(term.filter, in: &filters)
            )
        }
        self.terms = terms
        self.widest = widest
        self.arguments = arguments
        self.filters = filters
        self.inputFields =
            arguments.enumerated().map { Field("argument \($0)", $1.type) }
            + filters.indices.map { Field("filter \($0)", .bool) }
    }

    /// What is kept of rows of history, in the order of `inputFields`.
    ///
    /// - Parameter rows: hold the source's columns and the view's features, by name.
    func inputs(_ rows: RecordBatch) -> [Evaluation] { (arguments + filters).map { $0.evaluate(rows) } }

    /// For each term, the rows that make it undefined while they are in its window; `nil` where there are none.
    func spoilingRows(_ inputs: [Evaluation]) -> [Bitmap?] {
        aggregates.map { aggregate in
            var spoiling = aggregate.column.flatMap { inputs[$0].invalid }
            if let filter = aggregate.filter {
                let condition = inputs[arguments.count + filter]
                if let rows = spoiling { spoiling = rows.intersection(Self.trueRows(condition)) }
                if let invalid = condition.invalid { spoiling = spoiling?.union(invalid) ?? invalid }
            }
            return spoiling.flatMap { $0.setCount > 0 ? $0 : nil }
        }
    }

    private static func trueRows(_ condition: Evaluation) -> Bitmap {
        guard case .bool(let column) = condition.column else { preconditionFailure("a filter is a bool") }
        let bits = Bitmap(column.values)
        return column.validity.map { bits.intersection($0) } ?? bits
    }

    /// The inputs of some rows of history, ready to be aggregated for any number of spines.
    ///
    /// The kernel's plan is for these very inputs: where some are undefined, the rows of each window that spoil it are
    /// counted as well.
    struct History: Sendable {
        private let index: WindowIndex
        private let plan: WindowPlan
        private let columns: [Column]
        private var filters: [Bitmap]
        private let termCount: Int
        /// For each term, the aggregate that counts the rows that make it undefined.
        private var poisons: [Int: Int] = [:]

        /// - Parameters:
        ///   - inputs: for each row that the index was built from, in the order of `inputFields`.
        ///   - index: where the rows are found.
        /// - Complexity: O(rows), which is why it is made once.
        init(_ windows: ViewWindows, inputs: [Evaluation], index: WindowIndex) {
            precondition(inputs.count == windows.inputFields.count, "windows have \(inputs.count) inputs")
            self.index = index
            termCount = windows.terms.count
            columns = inputs[..<windows.arguments.count].map(\.column)
            filters = inputs[windows.arguments.count...].map(ViewWindows.trueRows)
            var aggregates = windows.aggregates
            for (term, spoiling) in windows.spoilingRows(inputs).enumerated() {
                guard let spoiling else { continue }
                poisons[term] = aggregates.count
                aggregates.append(
                    WindowAggregate(.countRows, width: aggregates[term].width, filter: filters.count)
                )
                filters.append(spoiling)
            }
            do {
                plan = try WindowPlan(aggregates, columns: columns.map(\.type), filterCount: filters.count)
            } catch {
                preconditionFailure("windows were checked when their expressions were typed: \(error)")
            }
        }

        /// Spine rows arranged for these rows of history.
        func spine(_ keys: KeyColumn, at times: [Int64]) -> WindowSpine {
            WindowSpine(keys: keys, at: times, index: index)
        }

        /// Aggregates for one part of a spine, or for all of it.
        func aggregate(_ spine: WindowSpine, positions: Range<Int>) -> WindowPart {
            index.aggregate(plan, columns: columns, filters: filters, spine: spine, positions: positions)
        }

        /// For each window a column with one row for each spine row, and the rows for which it is undefined.
        ///
        /// - Parameter parts: cover all positions of the spine, in order.
        func results(_ parts: [WindowPart], spine: WindowSpine) -> [Evaluation] {
            let results = plan.results(of: parts, spine: spine, columns: columns)
            return (0..<termCount).map { term in
                var (column, invalid) = (results[term].column, results[term].invalid)
                if let poison = poisons[term], case .int64(let counts) = results[poison].column {
                    var rows = invalid ?? Bitmap(repeating: false, count: counts.count)
                    for row in 0..<counts.count where counts.values[row] > 0 { rows[row] = true }
                    if rows.setCount > 0 {
                        invalid = rows
                        column = column.take((0..<column.count).map { rows[$0] ? -1 : $0 })
                    }
                }
                return Evaluation(column: column, invalid: invalid)
            }
        }

        /// The windows of a whole spine at once.
        func windows(_ keys: KeyColumn, at times: [Int64]) -> [Evaluation] {
            let spine = spine(keys, at: times)
            return results([aggregate(spine, positions: 0..<spine.count)], spine: spine)
        }
    }
}
