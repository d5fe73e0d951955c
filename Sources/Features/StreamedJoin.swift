import Columns
import Kernels

/// The point-in-time join of one view with a spine, its history passing by in parts.
///
/// History is read twice, each time a part at a time: first its keys and times, to find the row that wins for each spine
/// row, then the values of the parts in which rows won. What is held is the spine, its winners (32 bytes a row for each
/// thread) and the values that won; never the history. The result does not depend on how history is divided, in what order
/// it passes or which thread sees what. `ViewHistory` is the same rule for a history that stays while spines pass.
public struct StreamedJoin: Sendable {
    public let plan: ViewPlan
    private let spine: AsOfSpine
    private let rowCount: Int

    /// - Parameters:
    ///   - keys: the view's key in each row of the spine.
    ///   - times: one instant for each row, microseconds UTC.
    public init(_ plan: ViewPlan, keys: KeyColumn, at times: [Int64]) {
        self.plan = plan
        self.rowCount = keys.count
        self.spine = AsOfSpine(keys: keys, times: times)
    }

    /// The columns of history that the first pass reads.
    public var timeColumns: [String] { plan.joinKeys.map(\.name) + SourcePlan.historyFields.map(\.name) }

    /// The columns of history that the second pass reads.
    public var valueColumns: [String] { plan.inputs }

    /// The winners of a thread before it has seen anything.
    public func winners() -> AsOfWinners { AsOfWinners(spine) }

    /// First pass: lets a part of history pass.
    ///
    /// - Parameter rows: `timeColumns` of the part.
    public func absorb(_ rows: RecordBatch, part: Int, into winners: inout AsOfWinners) {
        winners.absorb(
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

    /// The stored row of the view for each spine row; `ViewPlan.finish` makes features of it.
    ///
    /// - Parameter parts: what `evaluate` gave for each of `places.parts`, in their order.
    public func assemble(_ places: AsOfPlaces, parts: [[FeatureColumn]]) -> ViewRows {
        var placement = [Int](repeating: -1, count: rowCount)
        var next = 0
        for part in places.parts {
            for row in part.spineRows {
                placement[row] = next
                next += 1
            }
        }
        let missing = places.statuses.map(ViewHistory.status)
        let features = plan.storedFields.indices.map { feature in
            let values = parts.map { $0[feature].column }
            let found =
                values.isEmpty
                ? Column.nulls(plan.storedFields[feature].type, count: 0) : Column.concatenate(values)
            var statuses = missing
            for (part, columns) in zip(places.parts, parts) {
                let own = columns[feature].statuses
                for (position, row) in part.spineRows.enumerated() { statuses[row] = own[position] }
            }
            return FeatureColumn(found.take(placement), statuses: statuses)
        }
        return ViewRows(features: features, rowCount: rowCount)
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
