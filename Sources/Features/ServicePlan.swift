import Bins
import Columns
import Embeddings
import Kernels

/// A feature service, planned: which views it reads, and how its outputs come from their features.
///
/// Online reads, training sets and the parity check all assemble their rows here.
public struct ServicePlan: Sendable {
    /// Where one output comes from, by position.
    enum Origin: Sendable {
        case feature(view: Int, feature: Int)
        case bins(view: Int, feature: Int, discretizer: String)
        case embedding(space: String, key: EmbeddingKey)
        case onDemand(plan: Int, feature: Int)
    }

    enum EmbeddingKey: Sendable {
        case joinKey(String)
        case feature(view: Int, feature: Int)
    }

    public struct Output: Sendable {
        public let name: String
        /// `view__feature` for plain features, as Feast writes full names.
        public let fullName: String
        public let type: DataType
        let origin: Origin
        /// The position of the view whose row the value comes from; `nil` for an embedding of a join key and for what is
        /// computed on demand.
        public let view: Int?
        /// The positions of all views that the value is computed from.
        public let reads: [Int]
    }

    public let service: FeatureService
    /// One for each view and each set of keys it is read by.
    public let views: [ViewUse]
    /// What a request or spine must hold: the union of the views' join keys and of keys that are embedded.
    public let joinKeys: [Field]
    /// Values that a request or spine must hold beside the join keys, for features computed on demand.
    public let requestFields: [Field]
    /// The on-demand views it reads, each once.
    public let onDemand: [OnDemandPlan]
    public let outputs: [Output]

    /// The columns that a request or spine must hold.
    public var requiredFields: [Field] { joinKeys + requestFields }

    /// Plans over the definitions that the service names, each by name.
    ///
    /// - Parameter fullNames: which names must differ: the full ones, the short ones, or both where `nil`.
    public init(
        _ service: FeatureService,
        views plans: [String: ViewPlan],
        onDemand definitions: [String: OnDemandFeatureView] = [:],
        discretizers: [String: Discretizer],
        spaces: [String: EmbeddingSpace],
        fullNames: Bool? = nil
    ) throws(DefinitionError) {
        let place = "feature service '\(service.name)'"
        var views: [ViewUse] = []
        var keys: [Field] = []
        var outputs: [Output] = []
        var onDemand: [OnDemandPlan] = []

        func position(
            _ reference: FeatureReference,
            _ renamed: [String: String]
        ) throws(DefinitionError) -> (view: Int, feature: Int) {
            guard let plan = plans[reference.view] else {
                guard definitions[reference.view] == nil else {
                    throw DefinitionError(
                        place: place,
                        message:
                            "\(reference) is computed on demand, and here a feature of a view with a source is needed;"
                            + " write the expression in one on-demand view, with bin(x, discretizer) for bins"
                    )
                }
                throw DefinitionError(
                    place: place,
                    message:
                        "there is no feature view '\(reference.view)'\(suggestion(for: reference.view, among: plans.keys))"
                )
            }
            guard let feature = plan.position(of: reference.feature) else {
                let names = plan.view.features.map(\.name)
                throw DefinitionError(
                    place: place,
                    message: "feature view '\(reference.view)' has no feature '\(reference.feature)'"
                        + "\(suggestion(for: reference.feature, among: names)) (it has \(names.joined(separator: ", ")))"
                )
            }
            let use: ViewUse
            do {
                use = try ViewUse(plan, renamed: renamed)
            } catch {
                throw DefinitionError(place: place, message: "\(error)")
            }
            if let known = views.firstIndex(where: { $0.plan.view.name == reference.view && $0.keys == use.keys }) {
                return (known, feature)
            }
            views.append(use)
            return (views.count - 1, feature)
        }
        func require(_ key: Field, _ user: String) throws(DefinitionError) {
            if let known = keys.first(where: { $0.name == key.name }) {
                guard known.type == key.type else {
                    throw DefinitionError(
                        place: place,
                        message:
                            "join key '\(key.name)' is \(key.type) for \(user) and \(known.type) elsewhere; make them equal"
                    )
                }
            } else {
                keys.append(key)
            }
        }

        for item in service.features {
            let type: DataType
            let origin: Origin
            let view: Int?
            var reads: [Int]?
            switch item.origin {
            case .feature(let reference) where definitions[reference.view] != nil:
                guard let definition = definitions[reference.view] else { continue }
                guard item.keys.isEmpty else {
                    throw DefinitionError(
                        place: place,
                        message:
                            "'\(reference.view)' is computed on demand and has no join keys of its own; give 'keys' to"
                            + " its inputs"
                    )
                }
                guard let feature = definition.features.firstIndex(where: { $0.name == reference.feature }) else {
                    let names = definition.features.map(\.name)
                    throw DefinitionError(
                        place: place,
                        message: "on-demand feature view '\(reference.view)' has no feature '\(reference.feature)'"
                            + "\(suggestion(for: reference.feature, among: names)) (it has \(names.joined(separator: ", ")))"
                    )
                }
                if !onDemand.contains(where: { $0.view.name == definition.name }) {
                    var inputs: [OnDemandPlan.Input] = []
                    for input in definition.inputs {
                        guard case .feature(let reference) = input.origin else { continue }
                        let found = try position(reference, input.keys)
                        let type = views[found.view].plan.view.features[found.feature].type
                        inputs.append(
                            OnDemandPlan.Input(
                                view: found.view,
                                feature: found.feature,
                                field: Field(input.outputName(), type)
                            )
                        )
                    }
                    onDemand.append(try OnDemandPlan(definition, inputs: inputs, discretizers: discretizers))
                }
                let plan = onDemand.firstIndex { $0.view.name == definition.name } ?? 0
                type = definition.features[feature].type
                origin = .onDemand(plan: plan, feature: feature)
                view = nil
                reads = Set(onDemand[plan].inputs.map(\.view)).sorted()
            case .feature(let reference):
                let found = try position(reference, item.keys)
                type = views[found.view].plan.view.features[found.feature].type
                origin = .feature(view: found.view, feature: found.feature)
                view = found.view
            case .bins(let input, let name):
                let found = try position(input, item.keys)
                guard let discretizer = discretizers[name] else {
                    throw DefinitionError(
                        place: place,
                        message: "there is no discretizer '\(name)'\(suggestion(for: name, among: discretizers.keys))"
                    )
                }
                guard discretizer.input == input else {
                    throw DefinitionError(
                        place: place,
                        message:
                            "discretizer '\(name)' is fitted on \(discretizer.input), not on \(input); declare one for \(input)"
                    )
                }
                type = .int64
                origin = .bins(view: found.view, feature: found.feature, discretizer: name)
                view = found.view
            case .embedding(let name, let key):
                guard let space = spaces[name] else {
                    throw DefinitionError(
                        place: place,
                        message: "there is no embedding space '\(name)'\(suggestion(for: name, among: spaces.keys))"
                    )
                }
                type = .vector(dimension: space.dimension)
                switch key {
                case .joinKey(let key):
                    try require(Field(key, .string), "embedding space '\(name)'")
                    origin = .embedding(space: name, key: .joinKey(key))
                    view = nil
                case .feature(let reference):
                    let found = try position(reference, item.keys)
                    let keyType = views[found.view].plan.view.features[found.feature].type
                    guard keyType == .string else {
                        throw DefinitionError(
                            place: place,
                            message:
                                "feature \(reference) is \(keyType), expected string for the key of embedding space '\(name)'"
                        )
                    }
                    origin = .embedding(space: name, key: .feature(view: found.view, feature: found.feature))
                    view = found.view
                }
            }
            outputs.append(
                Output(
                    name: item.outputName(),
                    fullName: item.outputName(full: true),
                    type: type,
                    origin: origin,
                    view: view,
                    reads: reads ?? (view.map { [$0] } ?? [])
                )
            )
        }
        for use in views { for key in use.keys { try require(key, "feature view '\(use.plan.view.name)'") } }
        var request: [Field] = []
        for plan in onDemand {
            for field in plan.view.request {
                if let known = (keys + request).first(where: { $0.name == field.name }) {
                    guard known.type == field.type else {
                        throw DefinitionError(
                            place: place,
                            message: "request value '\(field.name)' is \(field.type) for on-demand feature view"
                                + " '\(plan.view.name)' and \(known.type) elsewhere; make them equal"
                        )
                    }
                } else {
                    request.append(field)
                }
            }
        }
        self.service = service
        self.views = views
        self.joinKeys = keys
        self.requestFields = request
        self.onDemand = onDemand
        self.outputs = outputs
        let required = (keys + request).map(\.name)
        if fullNames != true { try Self.checkNames(outputs.map(\.name) + required, place: place) }
        if fullNames != false { try Self.checkNames(outputs.map(\.fullName) + required, place: place) }
    }

    /// The plan with the fitted objects that its on-demand views compute with.
    ///
    /// - Throws: `DefinitionError` when they need bins that `fitted` lacks.
    public func bound(to fitted: FittedAssets) throws(DefinitionError) -> ServicePlan {
        var bound: [OnDemandPlan] = []
        for plan in onDemand { bound.append(try plan.bound(to: fitted)) }
        return ServicePlan(self, onDemand: bound)
    }

    private init(_ plan: ServicePlan, onDemand: [OnDemandPlan]) {
        self.service = plan.service
        self.views = plan.views
        self.joinKeys = plan.joinKeys
        self.requestFields = plan.requestFields
        self.onDemand = onDemand
        self.outputs = plan.outputs
    }

    /// Join keys whose value is looked up in an embedding space, with the space's name, in output order.
    public var embeddedKeys: [(key: String, space: String)] {
        outputs.compactMap { output in
            guard case .embedding(let space, .joinKey(let key)) = output.origin else { return nil }
            return (key, space)
        }
    }

    private static func checkNames(_ names: [String], place: String) throws(DefinitionError) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw DefinitionError(
                place: place,
                message: "two columns would be called '\(name)'; give one an alias with 'as'"
            )
        }
    }

    /// Builds the service's outputs from its views' rows.
    ///
    /// - Parameters:
    ///   - rows: one `ViewRows` for each of `views`, all with the same number of rows.
    ///   - keys: the required fields of the same rows, by name.
    ///   - times: the time that each of the rows is read at, microseconds UTC.
    ///   - fitted: the bins and embeddings of the version being served.
    /// - Throws: `DefinitionError` when the service needs bins or embeddings that `fitted` lacks.
    public func assemble(
        _ rows: [ViewRows],
        keys: RecordBatch,
        at times: [Int64],
        fitted: FittedAssets
    ) throws(DefinitionError) -> [FeatureColumn] {
        let computed = onDemand.map { $0.evaluate(keys, at: times, found: rows) }
        var columns: [FeatureColumn] = []
        for output in outputs {
            switch output.origin {
            case .feature(let view, let feature): columns.append(rows[view].features[feature])
            case .onDemand(let plan, let feature): columns.append(computed[plan].features[feature])
            case .bins(let view, let feature, let discretizer):
                let edges = try fitted.edges(of: discretizer)
                let input = rows[view].features[feature]
                do {
                    columns.append(FeatureColumn(try edges.encode(input.column), statuses: input.statuses))
                } catch {
                    preconditionFailure("the input of bins was checked when the service was planned: \(error)")
                }
            case .embedding(let space, .joinKey(let name)):
                let table = try fitted.embeddings(of: space)
                guard let key = keys[name] else { preconditionFailure("the request lacks join key '\(name)'") }
                let statuses = (0..<key.count).map { key.isValid($0) ? FeatureStatus.present : .nullValue }
                columns.append(Self.lookup(table, FeatureColumn(key, statuses: statuses)))
            case .embedding(let space, .feature(let view, let feature)):
                columns.append(Self.lookup(try fitted.embeddings(of: space), rows[view].features[feature]))
            }
        }
        return columns
    }

    /// The vectors of keys; a key that the table does not hold is not found.
    private static func lookup(_ table: EmbeddingTable, _ keys: FeatureColumn) -> FeatureColumn {
        let vectors: Column
        do {
            vectors = try table.lookup(keys.column)
        } catch {
            preconditionFailure("the key of an embedding was checked when the service was planned: \(error)")
        }
        let statuses = keys.statuses.enumerated().map { row, status in
            status == .present && !vectors.isValid(row) ? FeatureStatus.notFound : status
        }
        return FeatureColumn(vectors, statuses: statuses)
    }
}

/// The fitted, pinned objects that a service computes with.
public struct FittedAssets: Sendable {
    /// By discretizer name.
    public var bins: [String: BinEdges]
    /// By embedding space name.
    public var tables: [String: EmbeddingTable]

    public init(bins: [String: BinEdges] = [:], tables: [String: EmbeddingTable] = [:]) {
        self.bins = bins
        self.tables = tables
    }

    func edges(of discretizer: String) throws(DefinitionError) -> BinEdges {
        guard let edges = bins[discretizer] else { throw Self.missingBins(discretizer) }
        return edges
    }

    static func missingBins(_ discretizer: String) -> DefinitionError {
        DefinitionError(
            place: "discretizer '\(discretizer)'",
            message: "it has no fitted bins; run: lockstep fit \(discretizer)"
        )
    }

    func embeddings(of space: String) throws(DefinitionError) -> EmbeddingTable {
        guard let table = tables[space] else {
            throw DefinitionError(
                place: "embedding space '\(space)'",
                message: "it has no embeddings; run: lockstep embeddings import \(space) FILE"
            )
        }
        return table
    }
}
