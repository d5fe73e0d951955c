import Columns
import Expressions
import Kernels

/// The history of one view, indexed for point-in-time lookups.
///
/// Holds DESIGN's rule: a row is visible at t when its event time and its known-at are not after t and, with a TTL, its
/// event time is not before t − TTL; of the visible rows the greatest (event time, known-at, sequence) wins. See
/// `docs/semantics.md`.
public struct ViewHistory: Sendable {
    public let plan: ViewPlan
    let rows: RecordBatch
    let eventTimes: [Int64]
    let knownTimes: [Int64]
    let sequences: [Int64]
    let index: AsOfIndex
    private let windows: Windows?

    private struct Windows: Sendable {
        let plan: ViewWindows
        let inputs: [Evaluation]
        let history: ViewWindows.History
    }

    /// - Parameters:
    ///   - plan: the view.
    ///   - rows: history of its source, in any order: the columns the view needs and those of
    ///     `SourcePlan.historyFields`.
    public init(_ plan: ViewPlan, rows: RecordBatch) {
        self.plan = plan
        self.rows = rows
        self.eventTimes = rows.instants("__event_time")
        self.knownTimes = rows.instants("__known_at")
        self.sequences = rows.instants("__sequence")
        self.index = AsOfIndex(
            keys: plan.keys(rows),
            eventTimes: eventTimes,
            knownTimes: knownTimes,
            sequences: sequences
        )
        windows = plan.windows.map { [eventTimes, knownTimes, sequences] windows in
            let inputs = plan.windowInputs(rows)
            let index = WindowIndex(
                keys: plan.keys(rows),
                eventTimes: eventTimes,
                knownTimes: knownTimes,
                sequences: sequences
            )
            return Windows(
                plan: windows,
                inputs: inputs,
                history: ViewWindows.History(windows, inputs: inputs, index: index)
            )
        }
    }

    /// The columns of history that a join of the view reads.
    public static func columns(for plan: ViewPlan) -> [String] {
        let read = Set(plan.inputs + plan.joinKeys.map(\.name))
        return read.sorted() + SourcePlan.historyFields.map(\.name)
    }

    /// The view's features for each row of a spine, at that row's own time.
    ///
    /// Pure, so that disjoint parts of a spine may be joined by several threads: any split gives the same rows.
    ///
    /// - Parameters:
    ///   - keys: the view's key in each row.
    ///   - times: one instant for each row, microseconds UTC.
    public func join(_ keys: KeyColumn, at times: [Int64]) -> ViewRows {
        let match = index.match(keys: keys, at: times, ttl: plan.ttl)
        // Features are computed for the rows found only: an expression such as coalesce(x, 0) must not give a value to a
        // spine row that found nothing.
        var found: [Int] = []
        var placement = [Int](repeating: -1, count: keys.count)
        for (row, winner) in match.rows.enumerated() where winner >= 0 {
            placement[row] = found.count
            found.append(winner)
        }
        let computed = plan.evaluate(rows.take(found))
        let features = computed.features.map { feature in
            let statuses = placement.enumerated().map { row, place in
                place >= 0 ? feature.statuses[place] : Self.status(match.statuses[row])
            }
            return FeatureColumn(feature.column.take(placement), statuses: statuses)
        }
        let stored = ViewRows(
            features: features,
            rowCount: keys.count,
            eventTimes: match.rows.map { $0 >= 0 ? eventTimes[$0] : 0 },
            knownTimes: match.rows.map { $0 >= 0 ? knownTimes[$0] : 0 }
        )
        guard let windows else { return stored }
        return plan.finish(stored, windows: windows.history.windows(keys, at: times), keys: keys)
    }

    /// A feature for each row of history, at the instant when that row became known: what a bin fit learns from.
    public func valuesWhenKnown(_ feature: Int) -> Column {
        join(plan.keys(rows), at: knownTimes).features[feature].column
    }

    static func status(_ status: AsOfStatus) -> FeatureStatus {
        switch status {
        case .outsideMaxAge: .outsideMaxAge
        case .matched, .notFound: .notFound
        }
    }
}

/// One row to be brought online: a stored row of an entity, or what a row of history leaves for its windows.
public struct PackedOnlineRow: Hashable, Sendable {
    public let key: [UInt8]
    public let eventTime: Int64
    public let knownAt: Int64
    public let sequence: Int64
    public let packed: [UInt8]
}

extension ViewHistory {
    /// For each entity the newest row visible at `clock`, in key order, evaluated and packed as it is stored.
    ///
    /// TTL plays no part: it is tested when the row is read.
    ///
    /// - Parameter includesPending: whether to add the rows that become known only after `clock`.
    /// - Returns: the rows, and by the name of a feature for how many of them it is undefined, or, for one with windows, for
    ///   how many of the rows that `onlineEvents` gives.
    public func onlineRows(
        at clock: Int64,
        includesPending: Bool
    ) -> (rows: [PackedOnlineRow], invalid: [String: Int64]) {
        let latest = index.latest(at: clock)
        var chosen = latest.winners.filter { $0 >= 0 }
        if includesPending { chosen += latest.pending }
        let picked = rows.take(chosen)
        let stored = plan.evaluate(picked)
        let events = windowRows(at: clock, includesPending: includesPending)
        return (
            packed(chosen, keys: plan.keys(picked), stored),
            plan.invalidCounts(stored, inputs: windows.map { Self.take(events, of: $0.inputs) } ?? [])
        )
    }

    /// What the view's windows need of history from `clock` on: the inputs of each row that the widest of them can still
    /// hold, packed.
    ///
    /// - Parameter includesPending: whether to add the rows that become known only after `clock`.
    public func onlineEvents(at clock: Int64, includesPending: Bool) -> [PackedOnlineRow] {
        guard let windows else { return [] }
        let chosen = windowRows(at: clock, includesPending: includesPending)
        let inputs = Self.take(chosen, of: windows.inputs).map { FeatureColumn($0.column, invalid: $0.invalid) }
        return packed(chosen, keys: plan.keys(rows.take(chosen)), ViewRows(features: inputs, rowCount: chosen.count))
    }

    /// The rows that the widest window can hold from `clock` on.
    private func windowRows(at clock: Int64, includesPending: Bool) -> [Int] {
        guard let windows else { return [] }
        let (oldest, overflow) = clock.subtractingReportingOverflow(windows.plan.widest)
        return eventTimes.indices.filter { row in
            (overflow || eventTimes[row] > oldest) && (includesPending || knownTimes[row] <= clock)
        }
    }

    private static func take(_ rows: [Int], of inputs: [Evaluation]) -> [Evaluation] {
        inputs.map { input in
            Evaluation(
                column: input.column.take(rows),
                invalid: input.invalid.map { invalid in Bitmap(rows.map { invalid[$0] }) }
            )
        }
    }

    private func packed(_ chosen: [Int], keys: KeyColumn, _ values: ViewRows) -> [PackedOnlineRow] {
        chosen.indices.compactMap { row in
            guard let key = keys.bytes(row) else { return nil }
            return PackedOnlineRow(
                key: key,
                eventTime: eventTimes[chosen[row]],
                knownAt: knownTimes[chosen[row]],
                sequence: sequences[chosen[row]],
                packed: PackedRow.encode(values, row: row)
            )
        }
    }
}
