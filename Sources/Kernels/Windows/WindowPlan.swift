import Columns

/// Aggregates checked against the columns they read, and arranged so that one pass serves as many as it can.
public struct WindowPlan: Hashable, Sendable {
    public let aggregates: [WindowAggregate]
    public let columnTypes: [DataType]
    /// The type of each aggregate's result.
    public let resultTypes: [DataType]
    /// The different widths, in order of first appearance.
    let widths: [Int64?]
    /// Aggregates of one filter, column and way of computing.
    let jobs: [Job]

    enum Method: Hashable, Sendable {
        case counts, ends, sums, extrema, ranks
    }

    struct Job: Hashable, Sendable {
        let method: Method
        let column: Int?
        let filter: Int?
        /// Whether null values take no part.
        let ignoresNulls: Bool
        private(set) var items: [Item] = []
        /// The same items by window.
        private(set) var windows: [WindowItems] = []
        private(set) var hasStandardDeviation = false

        init(method: Method, column: Int?, filter: Int?, ignoresNulls: Bool) {
            self.method = method
            self.column = column
            self.filter = filter
            self.ignoresNulls = ignoresNulls
        }

        mutating func append(_ item: Item) {
            items.append(item)
            if let known = windows.firstIndex(where: { $0.window == item.window }) {
                windows[known].items.append(item)
            } else {
                windows.append(WindowItems(window: item.window, items: [item]))
            }
            if item.function == .standardDeviation { hasStandardDeviation = true }
        }
    }

    struct WindowItems: Hashable, Sendable {
        let window: Int
        var items: [Item]
    }

    struct Item: Hashable, Sendable {
        let function: WindowFunction
        /// The position of the aggregate, and that of its width.
        let aggregate: Int
        let window: Int
    }

    /// - Parameter columns: the types of the history's columns.
    /// - Parameter filterCount: how many filters there are.
    /// - Throws: where a function is not defined on its column, or a column, filter, width or fraction is out of range.
    public init(_ aggregates: [WindowAggregate], columns: [DataType], filterCount: Int = 0) throws(WindowError) {
        var widths: [Int64?] = []
        var jobs: [Job] = []
        var resultTypes: [DataType] = []
        for (position, aggregate) in aggregates.enumerated() {
            if let column = aggregate.column, !columns.indices.contains(column) {
                throw .noSuchColumn(column, count: columns.count)
            }
            if let filter = aggregate.filter, !(0..<filterCount).contains(filter) {
                throw .noSuchFilter(filter, count: filterCount)
            }
            if let width = aggregate.width, width <= 0 { throw .widthNotPositive(width) }
            if case .quantile(let fraction) = aggregate.function, !(0...1).contains(fraction) {
                throw .fractionOutOfRange(fraction)
            }
            let type = aggregate.column.map { columns[$0] }
            guard let result = aggregate.function.resultType(of: type) else {
                throw .undefined(aggregate.function, type)
            }
            resultTypes.append(result)
            if !widths.contains(aggregate.width) { widths.append(aggregate.width) }
            let window = widths.firstIndex(of: aggregate.width) ?? 0
            let isBinary = type == .string || type == .bytes
            let (method, ignoresNulls): (Method, Bool) =
                switch aggregate.function {
                case .countRows: (.counts, false)
                case .count: (.counts, true)
                case .first, .last: (.ends, false)
                case .sum, .average, .standardDeviation: (.sums, true)
                case .minimum, .maximum: (isBinary ? .ranks : .extrema, true)
                case .countDistinct, .quantile: (.ranks, true)
                }
            let item = Item(function: aggregate.function, aggregate: position, window: window)
            let existing = jobs.firstIndex {
                ($0.method, $0.column, $0.filter, $0.ignoresNulls)
                    == (method, aggregate.column, aggregate.filter, ignoresNulls)
            }
            if existing == nil {
                jobs.append(
                    Job(method: method, column: aggregate.column, filter: aggregate.filter, ignoresNulls: ignoresNulls)
                )
            }
            jobs[existing ?? jobs.count - 1].append(item)
        }
        self.aggregates = aggregates
        self.columnTypes = columns
        self.resultTypes = resultTypes
        self.widths = widths
        self.jobs = jobs
    }

    /// The width of the widest window; `nil` where one has no end.
    var widest: Int64? {
        widths.contains(nil) ? nil : widths.compactMap { $0 }.max()
    }
}
