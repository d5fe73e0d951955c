import Columns
import Expressions
import Kernels

/// The windows of one view for a spine, its history passing by in parts.
///
/// What is held is not the history but what the windows keep of those of its rows that some spine row can see: the rows of
/// its keys, from the oldest time minus the widest window on. Where that is still too much, the spine's keys are divided
/// into shares, and history passes once for each. The result does not depend on how history is divided, in what order it
/// passes, or on the number of shares.
public struct StreamedWindows: Sendable {
    /// What is kept of one part of history for one share of the keys.
    public struct Kept: Sendable {
        let keys: RecordBatch
        let eventTimes: [Int64]
        let knownTimes: [Int64]
        let sequences: [Int64]
        let inputs: [Evaluation]
    }

    public let plan: ViewPlan
    public let shareCount: Int
    private let windows: ViewWindows
    private let spineKeys: KeyColumn
    private let times: [Int64]
    private let dictionary: KeyDictionary
    /// The number of each spine row's key, -1 where it is null.
    private let ids: [Int]
    /// Rows outside it are in no window of the spine; its lower end is open.
    private let oldest: Int64
    private let newest: Int64

    /// - Parameters:
    ///   - keys: the view's key in each row of the spine.
    ///   - times: one instant for each row, microseconds UTC.
    ///   - historyRows: how many rows will pass.
    ///   - memory: bytes that may be kept of history at a time, about; one key's rows are always kept together.
    /// - Returns: `nil` where the view has no windows.
    public init?(_ plan: ViewPlan, keys: KeyColumn, at times: [Int64], historyRows: Int, memory: Int = 1 << 30) {
        guard let windows = plan.windows else { return nil }
        let (dictionary, ids) = KeyDictionary.numbering(keys)
        // Clocks, order and index; then the columns, twice while parts are put together.
        let rowSize = 96 + 2 * windows.inputFields.reduce(0) { $0 + $1.type.typicalSize }
        self.plan = plan
        self.windows = windows
        self.spineKeys = keys
        self.times = times
        self.dictionary = dictionary
        self.ids = ids
        self.newest = times.max() ?? Int64.min
        let (oldest, overflow) = (times.min() ?? 0).subtractingReportingOverflow(windows.widest)
        self.oldest = overflow ? Int64.min : oldest
        self.shareCount = max(1, min(dictionary.count, (historyRows * rowSize + memory - 1) / memory))
    }

    /// The columns of history that are read.
    public var columns: [String] {
        Set(plan.windowColumns + plan.joinKeys.map(\.name)).sorted() + SourcePlan.historyFields.map(\.name)
    }

    /// What windows can see of a part of history.
    ///
    /// - Parameter rows: `columns` of the part.
    public func keep(_ rows: RecordBatch, share: Int) -> Kept {
        let eventTimes = rows.instants("__event_time")
        let keys = plan.keys(rows)
        let found = dictionary.ids(of: keys, rows: 0..<rows.rowCount)
        let chosen = found.indices.filter { row in
            found[row] >= 0 && found[row] % shareCount == share && eventTimes[row] > oldest && eventTimes[row] <= newest
        }
        let kept = chosen.count == rows.rowCount ? rows : rows.take(chosen)
        return Kept(
            keys: RecordBatch(
                schema: Schema(plan.joinKeys),
                columns: plan.joinKeys.compactMap { kept[$0.name] },
                rowCount: kept.rowCount
            ),
            eventTimes: kept.instants("__event_time"),
            knownTimes: kept.instants("__known_at"),
            sequences: kept.instants("__sequence"),
            inputs: plan.windowInputs(kept)
        )
    }

    /// A share of the spine with the history that it sees.
    public struct Share: Sendable {
        fileprivate let history: ViewWindows.History
        fileprivate let spine: WindowSpine
        /// The spine rows, in order.
        fileprivate let rows: [Int]

        /// Ranges of about equal cost, for as many threads.
        public func split(into parts: Int) -> [Range<Int>] { spine.split(into: parts) }

        /// The aggregates of one range: a pure function, so that threads may each take some.
        public func aggregate(_ positions: Range<Int>) -> WindowPart {
            history.aggregate(spine, positions: positions)
        }

        /// - Parameter parts: of all ranges, in order.
        public func finish(_ parts: [WindowPart]) -> Finished {
            Finished(rows: rows, windows: history.results(parts, spine: spine))
        }
    }

    /// The windows of one share of the spine.
    public struct Finished: Sendable {
        fileprivate let rows: [Int]
        fileprivate let windows: [Evaluation]
    }

    /// Arranges what was kept of all parts, in the order of the parts.
    public func arrange(_ kept: [Kept], share: Int) -> Share {
        let keys = kept.isEmpty ? nil : RecordBatch.concatenate(kept.map(\.keys))
        let index = WindowIndex(
            keys: keys.map { plan.keys($0) } ?? spineKeys.take([]),
            eventTimes: Array(kept.map(\.eventTimes).joined()),
            knownTimes: Array(kept.map(\.knownTimes).joined()),
            sequences: Array(kept.map(\.sequences).joined())
        )
        let rows = ids.indices.filter { shareCount == 1 || max(0, ids[$0]) % shareCount == share }
        let inputs = windows.inputFields.indices.map { input in
            guard !kept.isEmpty else {
                return Evaluation(column: .nulls(windows.inputFields[input].type, count: 0), invalid: nil)
            }
            let parts = kept.map { $0.inputs[input] }
            return Evaluation(
                column: Column.concatenate(parts.map(\.column)),
                invalid: Self.concatenate(parts.map { ($0.invalid, $0.column.count) })
            )
        }
        let history = ViewWindows.History(windows, inputs: inputs, index: index)
        return Share(
            history: history,
            spine: history.spine(
                shareCount == 1 ? spineKeys : spineKeys.take(rows),
                at: shareCount == 1 ? times : rows.map { times[$0] }
            ),
            rows: rows
        )
    }

    /// For each window a column with one row for each spine row, in spine order.
    ///
    /// - Parameter shares: all of them, in any order.
    public func results(_ shares: [Finished]) -> [Evaluation] {
        if shares.count == 1, let only = shares.first { return only.windows }
        var placement = [Int](repeating: -1, count: times.count)
        var next = 0
        for row in shares.flatMap(\.rows) {
            placement[row] = next
            next += 1
        }
        return windows.terms.indices.map { term in
            let parts = shares.map { $0.windows[term] }
            let invalid = Self.concatenate(parts.map { ($0.invalid, $0.column.count) })
            return Evaluation(
                column: Column.concatenate(parts.map(\.column)).take(placement),
                invalid: invalid.map { invalid in Bitmap(placement.map { invalid[$0] }) }
            )
        }
    }

    private static func concatenate(_ parts: [(Bitmap?, Int)]) -> Bitmap? {
        guard parts.contains(where: { $0.0 != nil }) else { return nil }
        var bits: [Bool] = []
        for (bitmap, count) in parts {
            for row in 0..<count { bits.append(bitmap?[row] ?? false) }
        }
        return Bitmap(bits)
    }
}

extension DataType {
    /// Bytes of one value; a guess for text.
    fileprivate var typicalSize: Int {
        switch self {
        case .bool: 1
        case .float32: 4
        case .int64, .float64, .timestamp: 8
        case .string, .bytes: 24
        case .vector(let dimension): 4 * dimension
        }
    }
}
