import Columns
import Objects

/// A definition with an identity: what it says, and the exact versions of what it refers to.
public struct ResolvedDefinition: Hashable, Sendable {
    public var definition: Definition
    /// SHA-256 over the canonical form; equal content gives an equal digest.
    ///
    /// See `docs/formats.md`.
    public var digest: Digest
    /// The versions that the definition refers to, in the order of `Definition.uses`.
    public var uses: [Use]

    public struct Use: Hashable, Sendable {
        public var target: DefinitionName
        public var digest: Digest

        public init(target: DefinitionName, digest: Digest) {
            self.target = target
            self.digest = digest
        }
    }

    public init(definition: Definition, digest: Digest, uses: [Use]) {
        self.definition = definition
        self.digest = digest
        self.uses = uses
    }

    public var name: DefinitionName { DefinitionName(kind: definition.kind, name: definition.name) }
}

/// Resolves names, checks types and gives each definition its digest.
///
/// One resolver sees a whole repository and what the catalog already has, so that a file may refer to either.
public struct Resolver {
    private let registered: [DefinitionName: ResolvedDefinition]
    private var documents: [DefinitionName: DefinitionDocument] = [:]
    private var resolved: [DefinitionName: ResolvedDefinition] = [:]
    private var inProgress: [DefinitionName] = []
    private var sourcePlans: [String: SourcePlan] = [:]
    private var viewPlans: [String: ViewPlan] = [:]

    /// - Parameter registered: the current version of everything in the catalog.
    public init(registered: [ResolvedDefinition] = []) {
        self.registered = Dictionary(registered.map { ($0.name, $0) }, uniquingKeysWith: { _, newest in newest })
    }

    /// Resolves documents, each after what it refers to.
    ///
    /// - Throws: `DefinitionError` for a name given twice, a reference to nothing, or a type or expression fault.
    public static func resolve(
        _ documents: [DefinitionDocument],
        registered: [ResolvedDefinition] = []
    ) throws(DefinitionError) -> [ResolvedDefinition] {
        var resolver = Resolver(registered: registered)
        var names: [DefinitionName] = []
        for document in documents {
            let name = DefinitionName(kind: document.definition.kind, name: document.definition.name)
            if let first = resolver.documents[name] {
                throw DefinitionError(place: document.place, message: "\(name) is already defined at \(first.place)")
            }
            resolver.documents[name] = document
            names.append(name)
        }
        var ordered: [ResolvedDefinition] = []
        for name in names { try resolver.visit(name, into: &ordered) }
        return ordered
    }

    private mutating func visit(_ name: DefinitionName, into ordered: inout [ResolvedDefinition])
        throws(DefinitionError)
    {
        guard resolved[name] == nil, let document = documents[name] else { return }
        inProgress.append(name)
        defer { inProgress.removeLast() }
        var uses: [ResolvedDefinition.Use] = []
        for target in document.definition.uses {
            guard !inProgress.contains(target) else {
                throw DefinitionError(place: document.place, message: "\(name) and \(target) refer to each other")
            }
            try visit(target, into: &ordered)
            guard let found = resolved[target] ?? registered[target] else {
                let names = (documents.keys.map { $0 } + registered.keys.map { $0 })
                    .filter { $0.kind == target.kind }.map(\.name)
                throw DefinitionError(
                    place: document.place,
                    message:
                        "\(name) refers to \(target), which is not defined\(suggestion(for: target.name, among: names))"
                )
            }
            uses.append(ResolvedDefinition.Use(target: target, digest: found.digest))
        }
        do {
            try check(document.definition)
        } catch {
            throw DefinitionError(place: document.place, message: "\(error)")
        }
        let digest: Digest
        do {
            digest = try CanonicalForm.digest(
                of: document.definition,
                uses: uses,
                schema: sourceSchema(of: document.definition)
            )
        } catch {
            throw DefinitionError(place: document.place, message: "\(error)")
        }
        let result = ResolvedDefinition(definition: document.definition, digest: digest, uses: uses)
        resolved[name] = result
        ordered.append(result)
    }

    private func definition(_ kind: Kind, _ name: String) -> Definition? {
        let key = DefinitionName(kind: kind, name: name)
        return (resolved[key] ?? registered[key])?.definition
    }

    private func sourceSchema(of definition: Definition) -> Schema? {
        switch definition {
        case .source(let source): Schema(source.columns)
        case .view(let view):
            if case .source(let source)? = self.definition(.source, view.source) { Schema(source.columns) } else { nil }
        case .onDemand(let view): onDemandSchema(view)
        default: nil
        }
    }

    /// The columns that an on-demand view's expressions read.
    private func onDemandSchema(_ view: OnDemandFeatureView) -> Schema {
        let inputs = view.inputs.compactMap { input -> Field? in
            guard case .feature(let reference) = input.origin,
                case .view(let used)? = definition(.view, reference.view),
                let feature = used.features.first(where: { $0.name == reference.feature })
            else { return nil }
            return Field(input.outputName(), feature.type)
        }
        return Schema(view.request + inputs + [Field(OnDemandFeatureView.timestampColumn, .timestamp)])
    }

    /// Types everything that the definition says; references are known to resolve.
    private mutating func check(_ definition: Definition) throws(DefinitionError) {
        switch definition {
        case .entity, .space: break
        case .source(let source): sourcePlans[source.name] = try SourcePlan(source)
        case .view(let view): viewPlans[view.name] = try plan(view)
        case .onDemand(let view):
            // A service that asks for all of it: the same checks as where it is used.
            let features = view.features.map {
                ServiceFeature(.feature(FeatureReference(view: view.name, feature: $0.name)))
            }
            _ = try servicePlan(FeatureService(name: view.name, features: features), defining: view)
        case .discretizer(let discretizer):
            if case .onDemand(let view)? = self.definition(.view, discretizer.input.view) {
                throw DefinitionError(
                    place: "discretizer '\(discretizer.name)'",
                    message:
                        "its input \(discretizer.input) is computed on demand and has no history to fit on; fit it on a"
                        + " feature of a view with a source, and use bin(x, \(discretizer.name)) in '\(view.name)'"
                )
            }
            let plan = try viewPlan(discretizer.input.view)
            guard let position = plan.position(of: discretizer.input.feature) else {
                let names = plan.view.features.map(\.name)
                throw DefinitionError(
                    place: "discretizer '\(discretizer.name)'",
                    message: "feature view '\(plan.view.name)' has no feature '\(discretizer.input.feature)'"
                        + suggestion(for: discretizer.input.feature, among: names)
                )
            }
            let type = plan.view.features[position].type
            guard type.isNumeric else {
                throw DefinitionError(
                    place: "discretizer '\(discretizer.name)'",
                    message: "its input \(discretizer.input) is \(type), expected int64, float32 or float64"
                )
            }
        case .service(let service): _ = try servicePlan(service, defining: nil)
        }
    }

    private func plan(_ view: FeatureView) throws(DefinitionError) -> ViewPlan {
        guard case .source(let source)? = definition(.source, view.source) else {
            throw DefinitionError(place: "feature view '\(view.name)'", message: "there is no source '\(view.source)'")
        }
        var entities: [Entity] = []
        for name in view.entities {
            if case .entity(let entity)? = definition(.entity, name) { entities.append(entity) }
        }
        return try ViewPlan(view, entities: entities, source: source)
    }

    private mutating func viewPlan(_ name: String) throws(DefinitionError) -> ViewPlan {
        if let known = viewPlans[name] { return known }
        guard case .view(let view)? = definition(.view, name) else {
            throw DefinitionError(place: "", message: "there is no feature view '\(name)'")
        }
        let plan = try plan(view)
        viewPlans[name] = plan
        return plan
    }

    /// - Parameter view: the on-demand view that is being defined, which has no version yet.
    private mutating func servicePlan(
        _ service: FeatureService,
        defining view: OnDemandFeatureView?
    ) throws(DefinitionError) -> ServicePlan {
        var views: [String: ViewPlan] = [:]
        var onDemand: [String: OnDemandFeatureView] = [:]
        var discretizers: [String: Discretizer] = [:]
        var spaces: [String: EmbeddingSpace] = [:]
        var wanted = view.map { Definition.onDemand($0).uses } ?? Definition.service(service).uses
        if let view { onDemand[view.name] = view }
        while let use = wanted.popLast() {
            switch definition(use.kind, use.name) {
            case .view(let view): views[view.name] = try viewPlan(view.name)
            case .onDemand(let view):
                guard onDemand.updateValue(view, forKey: view.name) == nil else { continue }
                wanted += Definition.onDemand(view).uses
            case .discretizer(let discretizer): discretizers[discretizer.name] = discretizer
            case .space(let space): spaces[space.name] = space
            default: break
            }
        }
        return try ServicePlan(
            service,
            views: views,
            onDemand: onDemand,
            discretizers: discretizers,
            spaces: spaces
        )
    }
}
