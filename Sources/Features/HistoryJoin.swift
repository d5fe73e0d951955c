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
        let index: WindowIndex
        let inputs: [Evaluation]
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
            Windows(
                plan: windows,
                index: WindowIndex(
                    keys: plan.keys(rows),
                    eventTimes: eventTimes,
                    knownTimes: knownTimes,
                    sequences: sequences
                ),
                inputs: plan.evaluateWithWindows(rows).inputs
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
        let spine = WindowSpine(keys: keys, at: times, index: windows.index)
        let part = windows.plan.aggregate(
            windows.index,
            inputs: windows.inputs,
            spine: spine,
            positions: 0..<spine.count
        )
        let aggregates = windows.plan.results([part], inputs: windows.inputs, spine: spine)
        return plan.finish(stored, windows: aggregates, keys: keys)
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
    /// - Returns: the rows, and by the name of a feature in how many of them it is undefined.
    public func onlineRows(
        at clock: Int64,
        includesPending: Bool
    ) -> (rows: [PackedOnlineRow], invalid: [String: Int64]) {
        let latest = index.latest(at: clock)
        var chosen = latest.winners.filter { $0 >= 0 }
        if includesPending { chosen += latest.pending }
        let picked = rows.take(chosen)
        let stored = plan.evaluate(picked)
        return (
            packed(chosen, keys: plan.keys(picked), stored),
            plan.invalidCounts(stored, inputs: windows?.inputs ?? [])
        )
    }

    /// What the view's windows need of history from `clock` on: the inputs of each row that the widest of them can still
    /// hold, packed.
    ///
    /// - Parameter includesPending: whether to add the rows that become known only after `clock`.
    public func onlineEvents(at clock: Int64, includesPending: Bool) -> [PackedOnlineRow] {
        guard let windows else { return [] }
        let (oldest, overflow) = clock.subtractingReportingOverflow(windows.plan.widest)
        let chosen = eventTimes.indices.filter { row in
            (overflow || eventTimes[row] > oldest) && (includesPending || knownTimes[row] <= clock)
        }
        let inputs = windows.inputs.map { evaluation in
            FeatureColumn(
                evaluation.column.take(chosen),
                invalid: evaluation.invalid.map { invalid in Bitmap(chosen.map { invalid[$0] }) }
            )
        }
        return packed(chosen, keys: plan.keys(rows.take(chosen)), ViewRows(features: inputs, rowCount: chosen.count))
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
