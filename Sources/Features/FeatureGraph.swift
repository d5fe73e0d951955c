import Columns
import Expressions

/// The features of one view as a graph: each is computed from columns, and from other features of the view.
///
/// A name in an expression means the column of that name, or else the feature. Where it could mean either, because a
/// feature is called like a column and computes something else, the expression is refused.
public struct FeatureGraph: Sendable {
    /// One for each feature, in declaration order.
    public let expressions: [Expression]
    /// The columns that a feature is computed from, directly or through other features; sorted.
    public let columns: [[String]]
    /// Features, each after those that it is computed from.
    let order: [Int]
    private let features: [Feature]
    /// Whether other features read a feature, so that it must stand among the columns.
    private let isRead: [Bool]

    /// Types the features over columns.
    ///
    /// - Throws: `DefinitionError` that names the feature, for a fault in an expression, an ambiguous name or a cycle.
    public init(_ features: [Feature], of view: String, over schema: Schema) throws(DefinitionError) {
        self.features = features
        let whole = FeatureGraph.schema(features, over: schema)
        var expressions: [Expression] = []
        for feature in features {
            let place = "feature '\(view):\(feature.name)'"
            let expression: Expression
            do {
                expression = try Expression(feature.text, schema: whole, expecting: feature.type)
            } catch {
                throw DefinitionError(place: place, message: "\(error)")
            }
            for name in expression.inputs where schema.position(of: name) != nil {
                guard let other = features.first(where: { $0.name == name }), other.name != feature.name,
                    !other.isColumn
                else { continue }
                throw DefinitionError(
                    place: place,
                    message: "'\(name)' is a column of the source, and a feature that computes something else; "
                        + "give the feature another name"
                )
            }
            expressions.append(expression)
        }
        let uses = expressions.map { expression in
            expression.inputs.filter { schema.position(of: $0) == nil }
                .compactMap { name in features.firstIndex { $0.name == name } }
        }
        self.expressions = expressions
        self.order = try FeatureGraph.order(features, uses: uses, of: view)
        var columns = [Set<String>](repeating: [], count: features.count)
        for feature in order {
            columns[feature] = Set(expressions[feature].inputs.filter { schema.position(of: $0) != nil })
            for use in uses[feature] { columns[feature].formUnion(columns[use]) }
        }
        self.columns = columns.map { $0.sorted() }
        let read = Set(uses.joined())
        isRead = features.indices.map(read.contains)
    }

    /// The names that expressions may use: the columns, and the features that are not called like one.
    static func schema(_ features: [Feature], over schema: Schema) -> Schema {
        Schema(
            schema.fields
                + features.filter { schema.position(of: $0.name) == nil }.map { Field($0.name, $0.type) }
        )
    }

    private static func order(
        _ features: [Feature],
        uses: [[Int]],
        of view: String
    ) throws(DefinitionError) -> [Int] {
        var order: [Int] = []
        var isPlaced = [Bool](repeating: false, count: features.count)
        var path: [Int] = []
        func place(_ feature: Int) throws(DefinitionError) {
            if isPlaced[feature] { return }
            if let start = path.firstIndex(of: feature) {
                let names = (path[start...] + [feature]).map { features[$0].name }
                throw DefinitionError(
                    place: "feature view '\(view)'",
                    message:
                        "features are computed from each other: \(names.joined(separator: " <- ")); break the cycle"
                )
            }
            path.append(feature)
            for use in uses[feature] { try place(use) }
            path.removeLast()
            isPlaced[feature] = true
            order.append(feature)
        }
        for feature in features.indices { try place(feature) }
        return order
    }

    /// Computes every feature for rows that hold the columns, by name.
    ///
    /// A feature that is undefined for a row is null there for the features computed from it.
    public func evaluate(_ rows: RecordBatch) -> [FeatureColumn] { evaluate(rows, order) }

    /// Computes one feature, and only what it is computed from.
    public func evaluate(_ rows: RecordBatch, feature: Int) -> FeatureColumn {
        var needed: Set<Int> = [feature]
        for other in order.reversed() where needed.contains(other) {
            for name in expressions[other].inputs where rows.schema.position(of: name) == nil {
                if let use = features.firstIndex(where: { $0.name == name }) { needed.insert(use) }
            }
        }
        return evaluate(rows, order.filter(needed.contains))[feature]
    }

    private func evaluate(_ rows: RecordBatch, _ order: [Int]) -> [FeatureColumn] {
        var results = [FeatureColumn](
            repeating: FeatureColumn(.nulls(.bool, count: 0), statuses: []),
            count: features.count
        )
        var rows = rows
        for feature in order {
            let evaluation = expressions[feature].evaluate(rows)
            results[feature] = FeatureColumn(evaluation.column, invalid: evaluation.invalid)
            guard isRead[feature] else { continue }
            rows = RecordBatch(
                schema: Schema(rows.schema.fields + [Field(features[feature].name, features[feature].type)]),
                columns: rows.columns + [evaluation.column],
                rowCount: rows.rowCount
            )
        }
        return results
    }
}

extension Feature {
    /// The expression, or the column of the feature's name.
    var text: String { expression ?? quoted(name) }

    /// Whether the feature is the column of its own name.
    fileprivate var isColumn: Bool { expression == nil || expression == name || expression == quoted(name) }
}
