import Columns
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
        return ViewRows(
            features: features,
            rowCount: keys.count,
            eventTimes: match.rows.map { $0 >= 0 ? eventTimes[$0] : 0 },
            knownTimes: match.rows.map { $0 >= 0 ? knownTimes[$0] : 0 }
        )
    }

    static func status(_ status: AsOfStatus) -> FeatureStatus {
        switch status {
        case .outsideMaxAge: .outsideMaxAge
        case .matched, .notFound: .notFound
        }
    }
}

/// One row to be brought online.
public struct PackedOnlineRow: Hashable, Sendable {
    public let key: [UInt8]
    public let eventTime: Int64
    public let knownAt: Int64
    public let sequence: Int64
    public let packed: [UInt8]
}

extension ViewHistory {
    /// For each entity the newest row visible at `clock`, in key order, its features evaluated and packed.
    ///
    /// TTL plays no part: it is tested when the row is read.
    ///
    /// - Parameter includesPending: whether to add the rows that become known only after `clock`.
    public func onlineRows(at clock: Int64, includesPending: Bool) -> [PackedOnlineRow] {
        let latest = index.latest(at: clock)
        var chosen = latest.winners.filter { $0 >= 0 }
        if includesPending { chosen += latest.pending }
        let picked = rows.take(chosen)
        let computed = plan.evaluate(picked)
        let keys = plan.keys(picked)
        return chosen.indices.compactMap { row in
            guard let key = keys.bytes(row) else { return nil }
            return PackedOnlineRow(
                key: key,
                eventTime: eventTimes[chosen[row]],
                knownAt: knownTimes[chosen[row]],
                sequence: sequences[chosen[row]],
                packed: PackedRow.encode(computed, row: row)
            )
        }
    }
}
