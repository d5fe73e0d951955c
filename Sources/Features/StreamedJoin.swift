import Columns
import Kernels

/// The point-in-time join of one view with a spine, its history passing by in parts.
///
/// The spine is arranged in shards. Then history is read twice, each time a part at a time: first its keys and times, to find
/// the row that wins for each spine row, then the values of the parts in which rows won. What is held is the spine, its
/// winners (32 bytes a row for each thread) and the values that won; never the history. Every step but the last of each
/// feature can be divided among threads, and the result does not depend on how, nor on how history is divided and in what
/// order it passes. `ViewHistory` is the same rule for a history that stays while spines pass.
public struct StreamedJoin: Sendable {
    public let plan: ViewPlan
    public let spine: AsOfSpine

    /// - Parameter spine: the view's keys and the instants of the spine, arranged.
    public init(_ plan: ViewPlan, spine: AsOfSpine) {
        self.plan = plan
        self.spine = spine
    }

    /// The columns of history that the first pass reads.
    public var timeColumns: [String] { plan.joinKeys.map(\.name) + SourcePlan.historyFields.map(\.name) }

    /// The columns of history that the second pass reads.
    public var valueColumns: [String] { plan.storedColumns }

    /// The winners of a thread before it has seen anything.
    public func winners() -> AsOfWinners { AsOfWinners(spine) }

    /// First pass: lets a part of history pass.
    ///
    /// - Parameter rows: `timeColumns` of the part.
    /// - Throws: `AsOfError` for a row that no history can have.
    public func absorb(_ rows: RecordBatch, part: Int, into winners: inout AsOfWinners) throws(AsOfError) {
        try winners.absorb(
            part: part,
            keys: plan.keys(rows),
            eventTimes: rows.instants("__event_time"),
            knownTimes: rows.instants("__known_at"),
            sequences: rows.instants("__sequence")
        )
    }

    /// Second pass: what is stored for the rows of a part that won, once for each spine row.
    ///
    /// - Parameter rows: `valueColumns` of the part.
    public func evaluate(_ part: AsOfPlaces.Part, rows: RecordBatch) -> [FeatureColumn] {
        plan.evaluate(rows.take(part.rows)).features
    }

    /// One stored field for each spine row; `ViewPlan.finish` makes features of them.
    ///
    /// - Parameter parts: what `evaluate` gave for each of `places.parts`, in their order.
    public func assemble(_ places: AsOfPlaces, parts: [[FeatureColumn]], field: Int) -> FeatureColumn {
        let found = zip(places.parts, parts).map { (column: $1[field].column, rows: $0.spineRows) }
        let column = Column.scattered(found, plan.storedFields[field].type, count: spine.count)
        var statuses = [FeatureStatus](repeating: ViewHistory.status(.notFound), count: spine.count)
        for row in places.expired { statuses[row] = ViewHistory.status(.outsideMaxAge) }
        for (part, columns) in zip(places.parts, parts) {
            let own = columns[field].statuses
            for position in own.indices { statuses[part.spineRows[position]] = own[position] }
        }
        return FeatureColumn(column, statuses: statuses)
    }
}

extension RecordBatch {
    /// The numbers of a column that history always has.
    func instants(_ name: String) -> [Int64] {
        switch self[name] {
        case .timestamp(let column), .int64(let column): column.values
        default: preconditionFailure("history rows lack '\(name)'")
        }
    }
}
