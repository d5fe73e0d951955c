import Bins
import Columns
import Expressions

/// An on-demand feature view, typed and planned over what a request and other views give it.
public struct OnDemandPlan: Sendable {
    /// One feature of another view that it reads.
    struct Input: Sendable {
        /// The view among the service's, and the feature in it.
        let view: Int
        let feature: Int
        let field: Field
    }

    public let view: OnDemandFeatureView
    let inputs: [Input]
    private let graph: FeatureGraph
    private let schema: Schema
    private let discretizers: [String: Discretizer]
    /// Whether the edges of every discretizer it names are known.
    private let isBound: Bool

    /// - Parameters:
    ///   - inputs: where the view's `inputs` are found, in their order.
    ///   - discretizers: those that its expressions may name.
    ///   - bins: the fitted edges; without them the plan types and cannot be evaluated.
    init(
        _ view: OnDemandFeatureView,
        inputs: [Input],
        discretizers: [String: Discretizer],
        bins: [String: BinEdges]? = nil
    ) throws(DefinitionError) {
        let place = "on-demand feature view '\(view.name)'"
        var fields = view.request
        for field in inputs.map(\.field) + [Field(OnDemandFeatureView.timestampColumn, .timestamp)] {
            guard !fields.contains(where: { $0.name == field.name }) else {
                throw DefinitionError(
                    place: place,
                    message: field.name == OnDemandFeatureView.timestampColumn
                        ? "'\(field.name)' is the time of the request, which every on-demand view may read; rename the input"
                        : "two of its inputs are called '\(field.name)'; give one an alias with 'as'"
                )
            }
            fields.append(field)
        }
        for name in view.discretizers {
            guard discretizers[name] != nil else {
                throw DefinitionError(
                    place: place,
                    message: "there is no discretizer '\(name)'\(suggestion(for: name, among: discretizers.keys))"
                )
            }
            if let bins, bins[name] == nil { throw FittedAssets.missingBins(name) }
        }
        let functions = Self.functions(of: view, bins: bins)
        self.view = view
        self.inputs = inputs
        self.discretizers = discretizers
        self.isBound = functions.isEmpty || bins != nil
        self.schema = Schema(fields)
        self.graph = try FeatureGraph(
            view.features,
            of: view.name,
            over: schema,
            functions: functions,
            windows: .refused
        )
    }

    /// The plan with the edges that it computes with.
    ///
    /// - Throws: `DefinitionError` where a discretizer it names has none.
    func bound(to fitted: FittedAssets) throws(DefinitionError) -> OnDemandPlan {
        try OnDemandPlan(view, inputs: inputs, discretizers: discretizers, bins: fitted.bins)
    }

    /// `bin(x, name)` for each discretizer that the view names: nulls stay null, NaN has a bin of its own.
    ///
    /// - Parameter bins: the edges; without them the functions type and cannot be called.
    static func functions(of view: OnDemandFeatureView, bins: [String: BinEdges]? = nil) -> [ExternalFunction] {
        view.discretizers.map { name in
            let edges = bins?[name]
            return ExternalFunction(
                name: OnDemandFeatureView.binFunction,
                argument: name,
                input: .float64,
                // The view's version names the discretizer's by digest.
                identity: Array(name.utf8)
            ) { column in
                guard let edges else { preconditionFailure("bins of '\(name)' were not bound to the plan") }
                do {
                    return try edges.encode(column)
                } catch {
                    preconditionFailure("bins are asked for with float64, found \(column.type): \(error)")
                }
            }
        }
    }

    /// Computes the view's features for requests, each by itself: a value does not depend on the rows it came with.
    ///
    /// A value that the request or another view lacks is null, and expressions say what becomes of it: unlike for stored
    /// views, `coalesce(x, 0)` of a feature that was not found is 0.
    ///
    /// - Parameters:
    ///   - request: holds the view's request values, by name.
    ///   - times: the request's time in each row, microseconds UTC.
    ///   - found: the rows of the service's views.
    func evaluate(_ request: RecordBatch, at times: [Int64], found: [ViewRows]) -> ViewRows {
        precondition(isBound, "on-demand feature view '\(view.name)' was not bound to its bins")
        let columns = schema.fields.map { field in
            if field.name == OnDemandFeatureView.timestampColumn { return Column.timestamp(PrimitiveColumn(times)) }
            if let input = inputs.first(where: { $0.field.name == field.name }) {
                return found[input.view].features[input.feature].column
            }
            guard let column = request[field.name] else { preconditionFailure("the request lacks '\(field.name)'") }
            return column
        }
        let rows = RecordBatch(schema: schema, columns: columns, rowCount: request.rowCount)
        let features = graph.evaluate(rows).features.map { feature in
            guard let feature else { preconditionFailure("an on-demand view has no windows") }
            return feature
        }
        return ViewRows(features: features, rowCount: request.rowCount)
    }
}
