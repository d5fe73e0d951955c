import Columns
import Expressions
import Kernels

/// A feature view whose expressions are typed and planned over its source.
///
/// The one evaluator: online rows, training sets and the parity check all come through `evaluate` and `finish`. A row of
/// the source becomes a *stored* row, which is what is kept online; with it and the windows at one time, `finish` computes
/// the features that are deferred until a row is read. Without windows the stored row has the features themselves.
public struct ViewPlan: Sendable {
    public let view: FeatureView
    /// The join keys of the view's entities, in order; together they are the online key.
    public let joinKeys: [Field]
    public let features: FeatureGraph
    /// The windows of all features; `nil` where there are none.
    public let windows: ViewWindows?
    /// What a stored row holds: the features that are not deferred, then the columns that only deferred ones read.
    public let storedFields: [Field]
    /// For each deferred feature, whether it needs a row and not windows alone.
    private let needsRow: [Bool]

    public init(_ view: FeatureView, entities: [Entity], source: Source) throws(DefinitionError) {
        self.view = view
        let place = "feature view '\(view.name)'"
        let schema = Schema(source.columns)
        var keys: [Field] = []
        for key in entities.flatMap(\.joinKeys) {
            guard !keys.contains(where: { $0.name == key.name }) else {
                throw DefinitionError(place: place, message: "two of its entities have the join key '\(key.name)'")
            }
            guard let type = schema.type(of: key.name) else {
                throw DefinitionError(
                    place: place,
                    message:
                        "source '\(source.name)' has no column '\(key.name)' for the join key; add it to the source"
                )
            }
            guard type == key.type else {
                throw DefinitionError(
                    place: place,
                    message:
                        "join key '\(key.name)' is \(key.type), column '\(key.name)' of source '\(source.name)' is \(type); make them equal"
                )
            }
            guard type.isKey else {
                throw DefinitionError(
                    place: place,
                    message: "join key '\(key.name)' is \(type); a key is bool, int64, string, bytes or timestamp"
                )
            }
            keys.append(key)
        }
        self.joinKeys = keys
        for feature in view.features {
            guard let names = try? ExpressionNames(in: feature.text, functions: [OnDemandFeatureView.binFunction]),
                let bins = names.externals.first
            else { continue }
            throw DefinitionError(
                place: "feature '\(view.name):\(feature.name)'",
                message: "bins are found when they are asked for, under the edges that are pinned then;"
                    + " use bin(x, \(bins.argument)) in an OnDemandFeatureView, or 'bins' in a FeatureService"
            )
        }
        let graph = try FeatureGraph(view.features, of: view.name, over: schema)
        var stored = view.features.indices.filter { !graph.isDeferred[$0] }
            .map { Field(view.features[$0].name, view.features[$0].type) }
        var needsRow = [Bool](repeating: false, count: view.features.count)
        for feature in graph.order where graph.isDeferred[feature] {
            for name in graph.expressions[feature].inputs {
                guard let type = schema.type(of: name) else { continue }
                needsRow[feature] = true
                if !stored.contains(where: { $0.name == name }) { stored.append(Field(name, type)) }
            }
            if graph.uses[feature].contains(where: { !graph.isDeferred[$0] || needsRow[$0] }) {
                needsRow[feature] = true
            }
        }
        self.features = graph
        self.windows = ViewWindows(graph.windows)
        self.storedFields = stored
        self.needsRow = needsRow
    }

    public var ttl: Int64? { view.ttl?.microseconds }

    public func position(of feature: String) -> Int? { view.features.firstIndex { $0.name == feature } }

    /// Computes what is stored for rows of the view's source.
    ///
    /// - Parameter rows: holds the source's columns, by name.
    /// - Returns: a column for each of `storedFields`.
    public func evaluate(_ rows: RecordBatch) -> ViewRows { stored(features.evaluate(rows)) }

    /// What is stored for rows of the view's source, and what its windows keep of them.
    ///
    /// - Returns: beside the stored rows, an evaluation for each of the windows' `inputFields`.
    public func evaluateWithWindows(_ rows: RecordBatch) -> (stored: ViewRows, inputs: [Evaluation]) {
        let evaluated = features.evaluate(rows)
        return (stored(evaluated), windows?.inputs(evaluated.rows) ?? [])
    }

    /// What the view's windows keep of rows, an evaluation for each of the windows' `inputFields`.
    ///
    /// - Parameter rows: holds `windowColumns`, by name.
    func windowInputs(_ rows: RecordBatch) -> [Evaluation] {
        windows?.inputs(features.evaluateAggregated(rows)) ?? []
    }

    private func stored(_ evaluated: (features: [FeatureColumn?], rows: RecordBatch)) -> ViewRows {
        var columns = evaluated.features.compactMap { $0 }
        for field in storedFields.dropFirst(columns.count) {
            guard let column = evaluated.rows[field.name] else { preconditionFailure("rows lack '\(field.name)'") }
            columns.append(FeatureColumn(column, invalid: nil))
        }
        return ViewRows(features: columns, rowCount: evaluated.rows.rowCount)
    }

    /// The view's features for rows as they are read.
    ///
    /// A feature of a row needs one: where none was found its status says why, whatever its windows hold. A feature of
    /// windows alone has a value for every key, seen or not: over no rows a count is zero.
    ///
    /// - Parameters:
    ///   - stored: a column for each of `storedFields`, with the statuses of the rows that were not found.
    ///   - windows: a column for each of the windows' terms, and the rows for which it is undefined.
    ///   - keys: the view's key of each row; one that is null finds nothing.
    public func finish(_ stored: ViewRows, windows: [Evaluation], keys: KeyColumn) -> ViewRows {
        guard let terms = self.windows?.terms else { return stored }
        precondition(windows.count == terms.count, "\(windows.count) windows were computed of \(terms.count)")
        let rows = RecordBatch(
            schema: Schema(storedFields + terms.map { Field($0.column, $0.type) }),
            columns: stored.features.map(\.column) + windows.map(\.column),
            rowCount: stored.rowCount
        )
        var undefined: [String: Bitmap] = [:]
        for (term, window) in zip(terms, windows) { undefined[term.column] = window.invalid }
        let deferred = features.evaluateDeferred(rows, undefined: undefined)
        var next = 0
        let columns = view.features.indices.map { feature in
            guard let column = deferred[feature] else {
                next += 1
                return stored.features[next - 1]
            }
            let found = needsRow[feature] ? stored.features.first?.statuses : nil
            return column.missing { row in
                if let found, found[row] == .notFound || found[row] == .outsideMaxAge { return found[row] }
                return keys.isNull(row) ? .notFound : nil
            }
        }
        return ViewRows(
            features: columns,
            rowCount: stored.rowCount,
            eventTimes: stored.eventTimes,
            knownTimes: stored.knownTimes
        )
    }

    /// By the name of a feature, for how many rows of history it is undefined; those without any are left out.
    ///
    /// A feature with windows is counted for each row that makes a window undefined while it is in it.
    public func invalidCounts(_ stored: ViewRows, inputs: [Evaluation] = []) -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for (field, feature) in zip(storedFields, stored.features) {
            let count = feature.statuses.count { $0 == .invalid }
            if count > 0 { counts[field.name] = Int64(count) }
        }
        guard let windows, !inputs.isEmpty else { return counts }
        let spoiling = windows.spoilingRows(inputs)
        for (feature, expression) in zip(view.features, features.expressions) where !expression.windows.isEmpty {
            var rows: Bitmap?
            for (term, other) in zip(windows.terms, spoiling) where expression.windows.contains(term) {
                if let other { rows = rows?.union(other) ?? other }
            }
            if let rows { counts[feature.name] = Int64(rows.setCount) }
        }
        return counts
    }

    /// The columns of the source that the features are computed from, sorted.
    public var inputs: [String] { Set(features.columns.joined()).sorted() }

    /// The columns of the source that a stored row is computed from, sorted.
    var storedColumns: [String] { features.storedColumns }

    /// The columns of the source that the view's windows aggregate, sorted.
    var windowColumns: [String] { features.windowColumns }

    /// The encoded join keys of rows that hold them by name.
    public func keys(_ rows: RecordBatch) -> KeyColumn { keys(rows, columns: joinKeys.map(\.name)) }

    func keys(_ rows: RecordBatch, columns names: [String]) -> KeyColumn {
        let columns = names.map { name in
            guard let column = rows[name] else { preconditionFailure("rows lack '\(name)'") }
            return column
        }
        do {
            return try KeyColumn(columns, rowCount: rows.rowCount)
        } catch {
            preconditionFailure("the types of join keys were checked when the view was planned: \(error)")
        }
    }
}

/// Values of one feature with the status of each row.
public struct FeatureColumn: Sendable, Hashable {
    public let column: Column
    public let statuses: [FeatureStatus]

    public init(_ column: Column, statuses: [FeatureStatus]) {
        precondition(column.count == statuses.count, "one status for each row")
        self.column = column
        self.statuses = statuses
    }

    /// The column without the rows that a status is given for.
    func missing(_ status: (Int) -> FeatureStatus?) -> FeatureColumn {
        var statuses = statuses
        var rows = Array(0..<column.count)
        var isComplete = true
        for row in rows.indices {
            guard let missing = status(row) else { continue }
            statuses[row] = missing
            rows[row] = -1
            isComplete = false
        }
        return isComplete ? self : FeatureColumn(column.take(rows), statuses: statuses)
    }

    /// Statuses follow from nulls and from the rows whose evaluation was undefined.
    public init(_ column: Column, invalid: Bitmap?) {
        var statuses = [FeatureStatus](repeating: .present, count: column.count)
        if let validity = column.validity {
            for row in 0..<column.count where !validity[row] { statuses[row] = .nullValue }
        }
        if let invalid {
            for row in 0..<column.count where invalid[row] { statuses[row] = .invalid }
        }
        self.init(column, statuses: statuses)
    }
}

/// The features of a view for some rows, as the join or the online store found them.
public struct ViewRows: Sendable {
    public let features: [FeatureColumn]
    public let rowCount: Int
    /// The event time of the row behind each value, 0 where there is none; empty where it does not matter.
    public let eventTimes: [Int64]
    /// When that row became known; empty where it does not matter.
    public let knownTimes: [Int64]

    public init(features: [FeatureColumn], rowCount: Int, eventTimes: [Int64] = [], knownTimes: [Int64] = []) {
        self.features = features
        self.rowCount = rowCount
        self.eventTimes = eventTimes
        self.knownTimes = knownTimes
    }
}
