import Columns
import Expressions
import Kernels

/// The features of one view as a graph: each is computed from columns, and from other features of the view.
///
/// A name in an expression means the column of that name, or else the feature. Where it could mean either, because a
/// feature is called like a column and computes something else, the expression is refused.
///
/// Most features follow from one row of the source alone. Those with a window, and those computed from them, are
/// *deferred*: they are computed when a row is read, because what they aggregate changes with the time of reading.
public struct FeatureGraph: Sendable {
    /// One for each feature, in declaration order.
    public let expressions: [Expression]
    /// The columns that a feature is computed from, directly, through other features or within windows; sorted.
    public let columns: [[String]]
    /// Whether a feature is computed when a row is read.
    public let isDeferred: [Bool]
    /// The aggregates over windows of all features, each once.
    public let windows: [WindowTerm]
    /// The columns that windows are computed from, directly or through features; sorted.
    let windowColumns: [String]
    /// The columns that a stored row is computed from, or holds for the deferred features; sorted.
    let storedColumns: [String]
    /// Features, each after those that it is computed from.
    let order: [Int]
    /// For each feature, the others that it reads where it is evaluated; what its windows aggregate is not among them.
    let uses: [[Int]]
    private let features: [Feature]
    /// Whether a window aggregates a feature, or one that is computed from it.
    private let isAggregated: [Bool]
    /// Whether other features read a feature, so that it must stand among the columns.
    private let isRead: [Bool]

    /// Types the features over columns.
    ///
    /// - Parameters:
    ///   - functions: what `bin(x, name)` stands for.
    ///   - windows: whether there is history to aggregate.
    /// - Throws: `DefinitionError` that names the feature, for a fault in an expression, an ambiguous name or a cycle.
    public init(
        _ features: [Feature],
        of view: String,
        over schema: Schema,
        functions: [ExternalFunction] = [],
        windows: WindowRule = .allowed
    ) throws(DefinitionError) {
        self.features = features
        let whole = FeatureGraph.schema(features, over: schema)
        var expressions: [Expression] = []
        for feature in features {
            let place = "feature '\(view):\(feature.name)'"
            let expression: Expression
            do {
                expression = try Expression(
                    feature.text,
                    schema: whole,
                    functions: functions,
                    windows: windows,
                    expecting: feature.type
                )
            } catch {
                throw DefinitionError(place: place, message: "\(error)")
            }
            for name in expression.inputs + expression.windowInputs where schema.position(of: name) != nil {
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
        func named(_ names: [String]) -> [Int] {
            names.filter { schema.position(of: $0) == nil }
                .compactMap { name in features.firstIndex { $0.name == name } }
        }
        let uses = expressions.map { named($0.inputs) }
        let aggregated = expressions.map { named($0.windowInputs) }
        let order = try FeatureGraph.order(features, uses: zip(uses, aggregated).map { $0 + $1 }, of: view)
        var columns = [Set<String>](repeating: [], count: features.count)
        var isDeferred = [Bool](repeating: false, count: features.count)
        for feature in order {
            let expression = expressions[feature]
            columns[feature] = Set(
                (expression.inputs + expression.windowInputs).filter { schema.position(of: $0) != nil }
            )
            for use in uses[feature] + aggregated[feature] { columns[feature].formUnion(columns[use]) }
            isDeferred[feature] = !expression.windows.isEmpty || uses[feature].contains { isDeferred[$0] }
            if let inner = aggregated[feature].first(where: { isDeferred[$0] }) {
                throw DefinitionError(
                    place: "feature '\(view):\(features[feature].name)'",
                    message: "a window aggregates rows of history, and '\(features[inner].name)' is not of one row: it"
                        + " is computed from windows itself; aggregate columns, or features without windows"
                )
            }
        }
        func known(_ names: [String]) -> [String] { names.filter { schema.position(of: $0) != nil } }
        var isAggregated = [Bool](repeating: false, count: features.count)
        for feature in aggregated.joined() { isAggregated[feature] = true }
        for feature in order.reversed() where isAggregated[feature] {
            for use in uses[feature] { isAggregated[use] = true }
        }
        self.isAggregated = isAggregated
        let windowColumns = Set(known(expressions.flatMap(\.windowInputs)))
        self.windowColumns = aggregated.joined().reduce(into: windowColumns) { $0.formUnion(columns[$1]) }.sorted()
        storedColumns = features.indices.reduce(into: Set<String>()) { names, feature in
            names.formUnion(isDeferred[feature] ? Set(known(expressions[feature].inputs)) : columns[feature])
        }.sorted()
        var terms: [WindowTerm] = []
        for term in expressions.flatMap(\.windows) where !terms.contains(term) { terms.append(term) }
        let read = Set(zip(uses, aggregated).flatMap { $0 + $1 })
        self.expressions = expressions
        self.order = order
        self.uses = uses
        self.columns = columns.map { $0.sorted() }
        self.isDeferred = isDeferred
        self.windows = terms
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

    /// Computes the features that are not deferred, for rows that hold the columns, by name.
    ///
    /// A feature that is undefined for a row is null there for the features computed from it.
    ///
    /// - Returns: a column for each feature, `nil` for those that are deferred; and the rows, with the features that others
    ///   read among the columns.
    func evaluate(_ rows: RecordBatch) -> (features: [FeatureColumn?], rows: RecordBatch) {
        evaluate(rows, order.filter { !isDeferred[$0] }) { _, evaluation in evaluation.invalid }
    }

    /// Rows that hold the windows' columns, with the features that windows aggregate among the columns.
    func evaluateAggregated(_ rows: RecordBatch) -> RecordBatch {
        evaluate(rows, order.filter { isAggregated[$0] }) { _, evaluation in evaluation.invalid }.rows
    }

    /// Computes one feature that is not deferred, and only what it is computed from.
    public func evaluate(_ rows: RecordBatch, feature: Int) -> FeatureColumn {
        var needed: Set<Int> = [feature]
        for other in order.reversed() where needed.contains(other) { needed.formUnion(uses[other]) }
        let found = evaluate(rows, order.filter(needed.contains)) { _, evaluation in evaluation.invalid }
        guard let column = found.features[feature] else {
            preconditionFailure("feature '\(features[feature].name)' has a window")
        }
        return column
    }

    /// Computes the deferred features.
    ///
    /// - Parameters:
    ///   - rows: what they read, by name: columns, other features, and each window's column.
    ///   - undefined: by the name of a window's column, the rows for which the aggregate is undefined: features that hold
    ///     it are undefined there too, whichever branch they take.
    func evaluateDeferred(_ rows: RecordBatch, undefined: [String: Bitmap]) -> [FeatureColumn?] {
        evaluate(rows, order.filter { isDeferred[$0] }) { feature, evaluation in
            var invalid = evaluation.invalid
            for window in expressions[feature].windows {
                guard let rows = undefined[window.column] else { continue }
                invalid = invalid.map { $0.union(rows) } ?? rows
            }
            return invalid
        }.features
    }

    private func evaluate(
        _ rows: RecordBatch,
        _ order: [Int],
        invalid: (Int, Evaluation) -> Bitmap?
    ) -> (features: [FeatureColumn?], rows: RecordBatch) {
        var results = [FeatureColumn?](repeating: nil, count: features.count)
        var rows = rows
        for feature in order {
            let evaluation = expressions[feature].evaluate(rows)
            let undefined = invalid(feature, evaluation)
            let column = undefined.map { evaluation.column.nulled(where: $0) } ?? evaluation.column
            results[feature] = FeatureColumn(column, invalid: undefined)
            guard isRead[feature], rows.schema.position(of: features[feature].name) == nil else { continue }
            rows = RecordBatch(
                schema: Schema(rows.schema.fields + [Field(features[feature].name, features[feature].type)]),
                columns: rows.columns + [column],
                rowCount: rows.rowCount
            )
        }
        return (results, rows)
    }
}

extension Expression {
    /// The names that its windows read, sorted, each once.
    var windowInputs: [String] {
        Set(windows.flatMap { ($0.argument?.inputs ?? []) + ($0.filter?.inputs ?? []) }).sorted()
    }
}

extension Column {
    /// The column, null in further rows.
    fileprivate func nulled(where rows: Bitmap) -> Column {
        guard (0..<count).contains(where: { rows[$0] && isValid($0) }) else { return self }
        return take((0..<count).map { rows[$0] ? -1 : $0 })
    }
}

extension Feature {
    /// The expression, or the column of the feature's name.
    var text: String { expression ?? quoted(name) }

    /// Whether the feature is the column of its own name.
    var isColumn: Bool { expression == nil || expression == name || expression == quoted(name) }
}
