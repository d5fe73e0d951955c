import Catalog
import Columns
import Features
import Formats
import Kernels
import Wire

/// Answers get-online-features: one round trip to the database, then the evaluator that training uses.
struct OnlineReader {
    let catalog: Catalog

    /// The service's features for each entity, as they stand at `clock`.
    func read(
        _ request: OnlineRequest,
        serving: ServingPlan,
        namespace: Int64,
        at clock: Int64
    ) async throws -> OnlineResponse {
        let plan = serving.plan
        let keys = try request.rows(joinKeys: plan.joinKeys, requestFields: plan.requestFields)
        let keyColumns = plan.views.map { $0.keys(keys) }
        var asked: [(view: Int64, key: [UInt8], widest: Int64?)] = []
        var places: [[Int]] = []
        for (position, column) in keyColumns.enumerated() {
            var rows = [Int](repeating: -1, count: keys.rowCount)
            for row in 0..<keys.rowCount {
                guard let key = column.bytes(row) else { continue }
                rows[row] = asked.count
                asked.append((serving.views[position].id, key, plan.views[position].plan.windows?.widest))
            }
            places.append(rows)
        }
        let found = try await catalog.onlineEntities(asked, namespace: namespace, at: clock)
        var viewRows: [ViewRows] = []
        for (position, view) in plan.views.enumerated() {
            let entities = places[position].map { $0 >= 0 ? found[$0] : OnlineEntity() }
            let stored = try Self.unpack(view.plan, entities.map(\.row), at: clock)
            let windows = try view.plan.windows?.aggregate(entities.map(\.events), at: clock) ?? []
            viewRows.append(view.plan.finish(stored, windows: windows, keys: keyColumns[position]))
        }
        let columns = try plan.assemble(
            viewRows,
            keys: keys,
            at: [Int64](repeating: clock, count: keys.rowCount),
            fitted: serving.fitted
        )
        var names: [String] = []
        var results: [OnlineResponse.Result] = []
        for (field, column) in zip(keys.schema.fields, keys.columns) {
            names.append(field.name)
            results.append(
                OnlineResponse.Result(
                    values: (0..<keys.rowCount).map { ValueCoding.json(column[$0]) },
                    statuses: (0..<keys.rowCount).map { column.isValid($0) ? .present : .nullValue },
                    eventTimes: [Int64](repeating: 0, count: keys.rowCount)
                )
            )
        }
        for (output, column) in zip(plan.outputs, columns) {
            names.append(request.fullFeatureNames ? output.fullName : output.name)
            results.append(
                OnlineResponse.Result(
                    values: (0..<keys.rowCount).map { ValueCoding.json(column.column[$0]) },
                    statuses: column.statuses,
                    eventTimes: output.view.map { viewRows[$0].eventTimes }
                        ?? [Int64](repeating: 0, count: keys.rowCount)
                )
            )
        }
        return OnlineResponse(names: names, results: results)
    }

    /// Packed rows as the view's stored rows, with TTL enforced as the as-of join does.
    private static func unpack(_ plan: ViewPlan, _ rows: [OnlineRow?], at clock: Int64) throws -> ViewRows {
        let types = plan.storedFields.map(\.type)
        var builders = types.map { ColumnBuilder($0) }
        var statuses = [[FeatureStatus]](repeating: [], count: types.count)
        var eventTimes: [Int64] = []
        let oldest = plan.ttl.map { ttl in
            let (time, overflow) = clock.subtractingReportingOverflow(ttl)
            return overflow ? Int64.min : time
        }
        for row in rows {
            guard let row, row.eventTime >= oldest ?? Int64.min else {
                let status: FeatureStatus = row == nil ? .notFound : .outsideMaxAge
                for feature in types.indices {
                    builders[feature].appendNull()
                    statuses[feature].append(status)
                }
                eventTimes.append(0)
                continue
            }
            for (feature, cell) in try PackedRow.decode(row.features, types: types).enumerated() {
                builders[feature].append(cell.value)
                statuses[feature].append(cell.status)
            }
            eventTimes.append(row.eventTime)
        }
        return ViewRows(
            features: zip(builders, statuses).map { FeatureColumn($0.finish(), statuses: $1) },
            rowCount: rows.count,
            eventTimes: eventTimes
        )
    }
}
