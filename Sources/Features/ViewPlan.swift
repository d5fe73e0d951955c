import Columns
import Kernels

/// A feature view whose expressions are typed and planned over its source.
///
/// The one evaluator: online rows, training sets and the parity check all come through `evaluate`.
public struct ViewPlan: Sendable {
    public let view: FeatureView
    /// The join keys of the view's entities, in order; together they are the online key.
    public let joinKeys: [Field]
    public let features: FeatureGraph

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
        features = try FeatureGraph(view.features, of: view.name, over: schema)
    }

    public var ttl: Int64? { view.ttl?.microseconds }

    public func position(of feature: String) -> Int? { view.features.firstIndex { $0.name == feature } }

    /// Computes the view's features for rows of its source.
    ///
    /// - Parameter rows: holds the source's columns, by name.
    public func evaluate(_ rows: RecordBatch) -> ViewRows {
        ViewRows(features: features.evaluate(rows), rowCount: rows.rowCount)
    }

    /// The columns of the source that the features are computed from, sorted.
    public var inputs: [String] { Set(features.columns.joined()).sorted() }

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
