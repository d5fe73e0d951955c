import Columns
import Expressions
import Objects
import TimeZones

/// The bytes that make a definition's identity.
///
/// Every field that can change a value is in them, type-tagged and length-prefixed; descriptions, owners and tags are not.
/// Expressions enter as their typed tree, so spacing does not make a version, and what a definition refers to enters by
/// digest, so a changed source changes every view over it. `docs/formats.md` gives the layout and a worked example.
public enum CanonicalForm {
    /// The digest of a definition.
    ///
    /// - Parameters:
    ///   - uses: the digests of what it refers to, in the order of `Definition.uses`.
    ///   - schema: the columns its expressions read; needed for sources and views.
    public static func digest(
        of definition: Definition,
        uses: [ResolvedDefinition.Use],
        schema: Schema?
    ) throws(DefinitionError) -> Digest {
        var form = CanonicalEncoder()
        form.string(definition.name)
        switch definition {
        case .entity(let entity): encode(entity.joinKeys, into: &form)
        case .source(let source): try encode(source, into: &form)
        case .view(let view):
            if let ttl = view.ttl { form.int(ttl.microseconds) } else { form.null() }
            try encode(view.features, of: view.name, schema: schema, windows: .allowed, into: &form)
        case .onDemand(let view):
            form.string("on demand")
            encode(view.request, into: &form)
            encode(view.inputs, into: &form)
            try encode(view.features, of: view.name, schema: schema, windows: .refused, into: &form)
        case .discretizer(let discretizer): encode(discretizer, into: &form)
        case .space(let space):
            form.int(Int64(space.dimension))
            form.string(space.metric)
            form.string(space.producer)
        case .service(let service): encode(service.features, into: &form)
        }
        form.list(uses.count)
        for use in uses {
            form.list(3)
            form.string(use.target.kind.rawValue)
            form.string(use.target.name)
            form.digest(use.digest)
        }
        return form.digest(domain: "lockstep.\(definition.kind.rawValue)")
    }

    /// Expressions as their typed trees.
    private static func encode(
        _ features: [Feature],
        of view: String,
        schema: Schema?,
        windows: WindowRule,
        into form: inout CanonicalEncoder
    ) throws(DefinitionError) {
        var functions: [ExternalFunction] = []
        if case .refused = windows {
            functions = OnDemandPlan.functions(of: OnDemandFeatureView(name: view, request: [], features: features))
        }
        let graph = try FeatureGraph(
            features,
            of: view,
            over: schema ?? Schema([]),
            functions: functions,
            windows: windows
        )
        form.list(features.count)
        for (feature, expression) in zip(features, graph.expressions) {
            form.list(3)
            form.string(feature.name)
            form.string(feature.type.description)
            form.bytes(expression.canonical)
        }
    }

    private static func encode(_ fields: [Field], into form: inout CanonicalEncoder) {
        form.list(fields.count)
        for field in fields {
            form.list(2)
            form.string(field.name)
            form.string(field.type.description)
        }
    }

    private static func encode(
        _ text: String,
        expecting type: DataType,
        schema: Schema?,
        place: String,
        into form: inout CanonicalEncoder
    ) throws(DefinitionError) {
        do {
            form.bytes(try Expression(text, schema: schema ?? Schema([]), expecting: type).canonical)
        } catch {
            throw DefinitionError(place: place, message: "\(error)")
        }
    }

    private static func encode(_ source: Source, into form: inout CanonicalEncoder) throws(DefinitionError) {
        encode(source.columns, into: &form)
        let schema = Schema(source.columns)
        let place = "source '\(source.name)'"
        let eventTime =
            switch source.eventTime {
            case .column(let name): quoted(name)
            case .expression(let text): text
            }
        try encode(eventTime, expecting: .timestamp, schema: schema, place: place, into: &form)
        if let knownAt = source.knownAt { form.string(knownAt) } else { form.null() }
        if let lag = source.availableAfter { form.int(lag.microseconds) } else { form.null() }
        if let filter = source.filter {
            try encode(filter, expecting: .bool, schema: schema, place: place, into: &form)
        } else {
            form.null()
        }
        form.list(source.nullValues.count)
        for spelling in source.nullValues { form.string(spelling) }
        // Written only where there are any, so that sources without keep the digests they had before there were time zones.
        guard !source.timeZones.isEmpty else { return }
        form.list(source.timeZones.count)
        for (column, zone) in source.timeZones.sorted(by: { $0.key < $1.key }) {
            form.list(2)
            form.string(column)
            form.string(zone.name)
        }
    }

    private static func encode(_ discretizer: Discretizer, into form: inout CanonicalEncoder) {
        form.string(discretizer.input.description)
        switch discretizer.method {
        case .quantile(let bins):
            form.list(2)
            form.string("quantile")
            form.int(Int64(bins))
        case .uniform(let bins):
            form.list(2)
            form.string("uniform")
            form.int(Int64(bins))
        case .explicit(let edges):
            form.list(2)
            form.string("explicit")
            form.list(edges.count)
            for edge in edges { form.double(edge) }
        }
    }

    private static func encode(_ features: [ServiceFeature], into form: inout CanonicalEncoder) {
        form.list(features.count)
        for feature in features {
            // One part more only where keys are renamed, so that services without keep their digests.
            form.list(feature.keys.isEmpty ? 3 : 4)
            switch feature.origin {
            case .feature(let reference):
                form.list(2)
                form.string("feature")
                form.string(reference.description)
            case .bins(let input, let discretizer):
                form.list(3)
                form.string("bins")
                form.string(input.description)
                form.string(discretizer)
            case .embedding(let space, let key):
                form.list(3)
                form.string("embedding")
                form.string(space)
                switch key {
                case .joinKey(let name): form.string(name)
                case .feature(let reference): form.string(reference.description)
                }
            }
            form.string(feature.outputName())
            form.string(feature.outputName(full: true))
            guard !feature.keys.isEmpty else { continue }
            form.list(feature.keys.count)
            for (key, column) in feature.keys.sorted(by: { $0.key < $1.key }) {
                form.list(2)
                form.string(key)
                form.string(column)
            }
        }
    }
}
