import Columns

/// The results of a plan for a range of spine positions, not yet in spine order.
public struct WindowPart: Sendable {
    public let positions: Range<Int>
    /// Aggregate after aggregate, one word for each position: an integer, the bits of a double, an ordinal or a row.
    fileprivate var words: [UInt64]
    fileprivate var states: [State]
    /// Window after window, the number of rows in the window at each position.
    fileprivate var rowCounts: [Int]

    fileprivate enum State: UInt8 {
        case null, value, invalid
    }

    init(plan: WindowPlan, positions: Range<Int>) {
        self.positions = positions
        self.words = [UInt64](repeating: 0, count: plan.aggregates.count * positions.count)
        self.states = [State](repeating: .null, count: plan.aggregates.count * positions.count)
        self.rowCounts = [Int](repeating: 0, count: plan.widths.count * positions.count)
        // A count of nothing is zero; anything else of nothing is null.
        for (number, aggregate) in plan.aggregates.enumerated() where aggregate.function.isCount {
            for index in number * positions.count..<(number + 1) * positions.count { states[index] = .value }
        }
    }

    @inline(__always)
    mutating func set(_ aggregate: Int, _ position: Int, _ integer: Int64) {
        let index = aggregate &* positions.count &+ position &- positions.lowerBound
        words[index] = UInt64(bitPattern: integer)
        states[index] = .value
    }

    @inline(__always)
    mutating func set(_ aggregate: Int, _ position: Int, _ value: Double) {
        set(aggregate, position, Int64(bitPattern: value.bitPattern))
    }

    /// Sets the rounded result over finite values, which is undefined where it is not finite itself.
    @inline(__always)
    mutating func set(_ aggregate: Int, _ position: Int, finite value: Double) {
        if value.isFinite { set(aggregate, position, value) } else { setInvalid(aggregate, position) }
    }

    mutating func setInvalid(_ aggregate: Int, _ position: Int) {
        states[aggregate &* positions.count &+ position &- positions.lowerBound] = .invalid
    }

    mutating func setRowCounts(_ rows: WindowRows, windowCount: Int, at position: Int) {
        for window in 0..<windowCount {
            let start = window &* positions.count &+ position &- positions.lowerBound
            for spineRow in 0..<rows.spineCount {
                rowCounts[start &+ spineRow] = rows.rowCount(window, spineRow)
            }
        }
    }
}

/// One aggregate for every spine row, in spine order.
public struct WindowResult: Hashable, Sendable {
    public let column: Column
    /// The rows whose value is undefined, where PostgreSQL raises an overflow; `nil` when there are none.
    ///
    /// They are null in the column.
    public let invalid: Bitmap?
    /// How many history rows the window held, whether or not they pass the filter: none means that nothing was found.
    public let rowCounts: [Int]
}

extension WindowPlan {
    /// Puts the parts together: one result for each aggregate.
    ///
    /// - Parameter columns: the history's columns.
    /// - Precondition: the parts cover all positions of the spine, in order.
    public func results(of parts: [WindowPart], spine: WindowSpine, columns: [Column]) -> [WindowResult] {
        let rowCounts = widths.indices.map { window in
            var counts = [Int](repeating: 0, count: spine.count)
            for part in parts {
                let start = window * part.positions.count
                for (offset, position) in part.positions.enumerated() {
                    counts[spine.order[position]] = part.rowCounts[start &+ offset]
                }
            }
            return counts
        }
        return aggregates.indices.map { aggregate in
            let window = widths.firstIndex(of: aggregates[aggregate].width) ?? 0
            let (column, invalid) = column(of: aggregate, parts: parts, spine: spine, columns: columns)
            return WindowResult(column: column, invalid: invalid, rowCounts: rowCounts[window])
        }
    }

    /// The column of one aggregate, and which of its rows are undefined; threads may each build some.
    ///
    /// - Precondition: the parts cover all positions of the spine, in order.
    public func column(
        of aggregate: Int,
        parts: [WindowPart],
        spine: WindowSpine,
        columns: [Column]
    ) -> (column: Column, invalid: Bitmap?) {
        var covered = 0
        for part in parts {
            precondition(part.positions.lowerBound == covered, "a part starts at \(part.positions), not at \(covered)")
            covered = part.positions.upperBound
        }
        precondition(covered == spine.count, "parts cover \(covered) of \(spine.count) spine rows")
        var valid = [UInt64](repeating: 0, count: (spine.count + 63) / 64)
        var invalid = valid
        var validCount = 0
        var invalidCount = 0
        for part in parts {
            let start = aggregate * part.positions.count
            for (offset, position) in part.positions.enumerated() {
                let row = spine.order[position]
                let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: row & 63)
                switch part.states[start &+ offset] {
                case .value:
                    valid[row &>> 6] |= bit
                    validCount &+= 1
                case .invalid:
                    invalid[row &>> 6] |= bit
                    invalidCount &+= 1
                case .null: break
                }
            }
        }
        let validity = validCount == spine.count ? nil : Bitmap(words: valid, count: spine.count)
        func values<Value: BitwiseCopyable>(_ zero: Value, _ value: (UInt64) -> Value) -> [Value] {
            var values = [Value](repeating: zero, count: spine.count)
            for part in parts {
                let start = aggregate * part.positions.count
                for (offset, position) in part.positions.enumerated() where part.states[start &+ offset] == .value {
                    values[spine.order[position]] = value(part.words[start &+ offset])
                }
            }
            return values
        }
        let function = aggregates[aggregate].function
        let isOrdinal = function.isOrderStatistic
        let column: Column
        switch (resultTypes[aggregate], aggregates[aggregate].column) {
        case (_, let source?) where function == .first || function == .last:
            column = columns[source].take(values(-1) { Int(truncatingIfNeeded: $0) })
        case (.string, let source?), (.bytes, let source?):
            column = columns[source].take(values(-1) { Int(truncatingIfNeeded: $0) })
        case (.float64, _) where isOrdinal:
            column = .float64(
                PrimitiveColumn(values(0) { double(ofOrdinal: Int64(bitPattern: $0)) }, validity: validity)
            )
        case (.float64, _):
            column = .float64(PrimitiveColumn(values(0) { Double(bitPattern: $0) }, validity: validity))
        case (.float32, _):
            let floats = values(Float(0)) { Float(double(ofOrdinal: Int64(bitPattern: $0))) }
            column = .float32(PrimitiveColumn(floats, validity: validity))
        case (.timestamp, _):
            column = .timestamp(PrimitiveColumn(values(0) { Int64(bitPattern: $0) }, validity: validity))
        default: column = .int64(PrimitiveColumn(values(0) { Int64(bitPattern: $0) }, validity: validity))
        }
        return (column, invalidCount == 0 ? nil : Bitmap(words: invalid, count: spine.count))
    }
}

extension WindowFunction {
    /// Whether the function of no rows is zero.
    var isCount: Bool { self == .countRows || self == .count || self == .countDistinct }

    /// Whether the result is one of the values, chosen by their order.
    fileprivate var isOrderStatistic: Bool {
        switch self {
        case .minimum, .maximum, .quantile: true
        default: false
        }
    }
}
