import Bins
import Columns
import Expressions
import Formats
import Yams

/// One definition as it stands in a file.
public struct DefinitionDocument: Hashable, Sendable {
    public var definition: Definition
    public var annotations: Annotations
    /// File and line, for messages.
    public var place: String

    public init(_ definition: Definition, annotations: Annotations = Annotations(), place: String = "") {
        self.definition = definition
        self.annotations = annotations
        self.place = place
    }
}

/// Reads definitions from YAML (and so from JSON, which YAML contains): one or many documents a file.
///
/// This checks form: names, types, spans, unknown members. Whether references resolve and expressions type is checked by
/// `Resolver`, which sees all definitions together.
public enum DefinitionReader {
    public static let kinds = [
        "Entity", "Source", "FeatureView", "OnDemandFeatureView", "Discretizer", "EmbeddingSpace", "FeatureService",
    ]

    /// - Throws: `DefinitionError` with file, line and column of the first fault.
    public static func read(_ text: String, file: String) throws(DefinitionError) -> [DefinitionDocument] {
        var nodes: [Node] = []
        if text.utf8.first == UInt8(ascii: "{"), let json = try? JSON(parsing: text) {
            // A stored document. YAML would change a few characters that JSON may hold as they are.
            return [try document(YAMLReader(node: node(json), file: file, subject: "the document"))]
        }
        do {
            // Yams' own sequence would stop at the first malformed document without saying so.
            let parser = try Parser(yaml: text)
            while let node = try parser.nextRoot() { nodes.append(node) }
        } catch let fault as YamlError {
            throw DefinitionError(place: file, message: "not valid YAML: \(fault)")
        } catch {
            throw DefinitionError(place: file, message: "not valid YAML: \(error)")
        }
        var documents: [DefinitionDocument] = []
        for node in nodes where node.null == nil {
            documents.append(try document(YAMLReader(node: node, file: file, subject: "the document")))
        }
        return documents
    }

    private static func node(_ json: JSON) -> Node {
        switch json {
        case .null: Node("null", Tag(.null))
        case .bool(let value): Node(value ? "true" : "false")
        case .number(let text): Node(text)
        case .string(let text): Node(text, Tag(.str), .doubleQuoted)
        case .array(let elements): Node(elements.map(node))
        case .object(let members): Node(members.map { (Node($0.name), node($0.value)) })
        }
    }

    private static let common = ["kind", "name", "description", "owner", "tags"]

    private static func document(_ reader: YAMLReader) throws(DefinitionError) -> DefinitionDocument {
        let all = try reader.members()
        guard let kindReader = all.first(where: { $0.name == "kind" })?.value else {
            throw reader.error("the document has no 'kind'; give one of \(kinds.joined(separator: ", "))")
        }
        let kind = try kindReader.text()
        guard let nameReader = all.first(where: { $0.name == "name" })?.value else {
            throw reader.error("the \(kind) has no 'name'")
        }
        let name = try nameReader.name()
        let own: [String]
        switch kind {
        case "Entity": own = ["join_keys"]
        case "Source": own = ["columns", "event_time", "known_at", "available_after", "filter", "null_values"]
        case "FeatureView": own = ["entities", "source", "ttl", "features"]
        case "OnDemandFeatureView": own = ["request", "inputs", "features"]
        case "Discretizer": own = ["input", "method", "bins", "edges"]
        case "EmbeddingSpace": own = ["dimension", "metric", "producer"]
        case "FeatureService": own = ["features"]
        default:
            throw kindReader.error(
                "there is no kind '\(kind)'\(suggestion(for: kind, among: kinds)) (kinds are \(kinds.joined(separator: ", ")))"
            )
        }
        let titled = YAMLReader(node: reader.node, file: reader.file, subject: "\(kind) '\(name)'")
        let members = Members(reader: titled, list: try titled.members(allowed: common + own))
        let definition: Definition =
            switch kind {
            case "Entity":
                .entity(try entity(name, members))
            case "Source": .source(try source(name, members))
            case "FeatureView": .view(try view(name, members))
            case "OnDemandFeatureView": .onDemand(try onDemandView(name, members))
            case "Discretizer": .discretizer(try discretizer(name, members))
            case "EmbeddingSpace": .space(try space(name, members))
            default: .service(FeatureService(name: name, features: try serviceFeatures(members.require("features"))))
            }
        var annotations = Annotations()
        if let text = members["description"] { annotations.description = try text.text() }
        if let owner = members["owner"] { annotations.owner = try owner.text() }
        for tag in try members["tags"]?.members() ?? [] { annotations.tags[tag.name] = try tag.value.text() }
        let place = reader.node.mark.map { "\(reader.file):\($0.line)" } ?? reader.file
        return DefinitionDocument(definition, annotations: annotations, place: place)
    }

    private static func entity(_ name: String, _ members: Members) throws(DefinitionError) -> Entity {
        let reader = try members.require("join_keys")
        let keys = try fields(reader, for: "join key")
        for key in keys where !key.type.isKey {
            throw reader.error(
                "join key '\(key.name)' is \(key.type); a key is bool, int64, string, bytes or timestamp"
            )
        }
        return Entity(name: name, joinKeys: keys)
    }

    /// `{ name: type, … }`, in order.
    private static func fields(_ reader: YAMLReader, for word: String) throws(DefinitionError) -> [Field] {
        var fields: [Field] = []
        for member in try reader.members() {
            guard isName(member.name) else { throw reader.error("'\(member.name)' cannot name a \(word)") }
            fields.append(Field(member.name, try type(member.value)))
        }
        guard !fields.isEmpty else { throw reader.error("\(reader.subject) names no \(word)") }
        return fields
    }

    private static func type(_ reader: YAMLReader) throws(DefinitionError) -> DataType {
        let text = try reader.text()
        guard let type = DataType(text) else {
            throw reader.error("\(reader.subject) is '\(text)', which is not a type; types are \(DataType.spellings)")
        }
        return type
    }

    private static func source(_ name: String, _ members: Members) throws(DefinitionError) -> Source {
        var source = Source(
            name: name,
            columns: try fields(members.require("columns"), for: "column"),
            eventTime: .column("")
        )
        let eventTime = try members.require("event_time")
        let event = Members(
            reader: eventTime,
            list: try eventTime.members(allowed: ["column", "expression", "timezone"])
        )
        switch (event["column"], event["expression"]) {
        case (let column?, nil):
            let name = try column.name()
            source.eventTime = .column(name)
            source.timeZones[name] = try event["timezone"]?.timeZone()
        case (nil, let expression?):
            source.eventTime = .expression(try expression.text())
            if let zone = event["timezone"] {
                throw zone.error(
                    "\(zone.subject) goes with a column; in an expression, write: <column> at time zone '<zone>'"
                )
            }
        default: throw eventTime.error("\(eventTime.subject) needs either a column or an expression")
        }
        if let reader = members["known_at"] {
            let known = Members(reader: reader, list: try reader.members(allowed: ["column", "timezone"]))
            let name = try known.require("column").name()
            source.knownAt = name
            if let zone = try known["timezone"]?.timeZone() {
                if let other = source.timeZones[name], other != zone {
                    throw reader.error("column '\(name)' is given two time zones, \(other) and \(zone)")
                }
                source.timeZones[name] = zone
            }
        }
        source.availableAfter = try members["available_after"]?.timeSpan()
        if source.knownAt != nil, let lag = members["available_after"] {
            throw lag.error("source '\(name)' declares both known_at and available_after; keep the one that is true")
        }
        source.filter = try members["filter"]?.text()
        for spelling in try members["null_values"]?.list() ?? [] { source.nullValues.append(try spelling.text()) }
        return source
    }

    private static func view(_ name: String, _ members: Members) throws(DefinitionError) -> FeatureView {
        try checkViewName(name, members)
        var view = FeatureView(name: name, entities: [], source: try members.require("source").name(), features: [])
        for entity in try members["entities"]?.list() ?? [] { view.entities.append(try entity.name()) }
        if let ttl = members["ttl"] {
            let span = try ttl.timeSpan()
            guard span.microseconds > 0 else {
                throw ttl.error(
                    "ttl of feature view '\(name)' is zero; leave it out for no limit, or give a positive time"
                )
            }
            view.ttl = span
        }
        view.features = try features(of: "feature view '\(name)'", members)
        return view
    }

    private static func checkViewName(_ name: String, _ members: Members) throws(DefinitionError) {
        guard name != "bins", name != "embedding" else {
            throw members.reader.error("a feature view cannot be called '\(name)': feature services use the word")
        }
    }

    private static func onDemandView(_ name: String, _ members: Members) throws(DefinitionError) -> OnDemandFeatureView
    {
        try checkViewName(name, members)
        var request: [Field] = []
        if let reader = members["request"] { request = try fields(reader, for: "request value") }
        for field in request where field.name == OnDemandFeatureView.timestampColumn {
            throw members.reader.error(
                "'\(field.name)' is the time of the request, which every on-demand view may read; do not declare it"
            )
        }
        var inputs: [ServiceFeature] = []
        if let reader = members["inputs"] {
            inputs = try serviceFeatures(reader)
            for input in inputs {
                guard case .feature = input.origin else {
                    throw reader.error(
                        "\(reader.subject) holds features of views; write bin(x, discretizer) in an expression for bins, and"
                            + " look embeddings up in the service"
                    )
                }
            }
        }
        guard !request.isEmpty || !inputs.isEmpty else {
            throw members.reader.error(
                "on-demand feature view '\(name)' has neither 'request' nor 'inputs'; say what it is computed from"
            )
        }
        return OnDemandFeatureView(
            name: name,
            request: request,
            inputs: inputs,
            features: try features(of: "on-demand feature view '\(name)'", members)
        )
    }

    /// `[{ name, type, expression }, …]`.
    private static func features(of view: String, _ members: Members) throws(DefinitionError) -> [Feature] {
        var features: [Feature] = []
        for reader in try members.require("features").list() {
            let item = Members(reader: reader, list: try reader.members(allowed: ["name", "type", "expression"]))
            let feature = Feature(
                name: try item.require("name").name(),
                type: try type(item.require("type")),
                expression: try item["expression"]?.text()
            )
            if features.contains(where: { $0.name == feature.name }) {
                throw reader.error("\(view) has the feature '\(feature.name)' twice")
            }
            features.append(feature)
        }
        guard !features.isEmpty else { throw members.reader.error("\(view) has no features") }
        return features
    }

    private static func discretizer(_ name: String, _ members: Members) throws(DefinitionError) -> Discretizer {
        let methodReader = try members.require("method")
        let method: Discretizer.Method
        func refuse(_ member: String, _ method: String) throws(DefinitionError) {
            if let reader = members[member] {
                throw reader.error("discretizer '\(name)' has the method \(method), which takes no '\(member)'")
            }
        }
        func bins(_ method: String) throws(DefinitionError) -> Int {
            try refuse("edges", method)
            return try members.require("bins").integer(in: 2...BinFitter.maximumBins)
        }
        switch try methodReader.text() {
        case "quantile": method = .quantile(bins: try bins("quantile"))
        case "uniform": method = .uniform(bins: try bins("uniform"))
        case "explicit":
            try refuse("bins", "explicit")
            var edges: [Double] = []
            for edge in try members.require("edges").list() {
                let value = try edge.number()
                guard value.isFinite, value > edges.last ?? -.infinity else {
                    throw edge.error(
                        "edges of discretizer '\(name)' must be finite and strictly increasing; \(value) is not"
                    )
                }
                edges.append(value == 0 ? 0 : value)
            }
            method = .explicit(edges: edges)
        case let other:
            let methods = ["quantile", "uniform", "explicit"]
            throw methodReader.error(
                "there is no method '\(other)'\(suggestion(for: other, among: methods)) (methods are quantile, uniform, explicit)"
            )
        }
        return Discretizer(name: name, input: try members.require("input").featureReference(), method: method)
    }

    private static func space(_ name: String, _ members: Members) throws(DefinitionError) -> EmbeddingSpace {
        let metric = try members.require("metric")
        let metrics = ["cosine", "dot", "euclidean"]
        guard metrics.contains(try metric.text()) else {
            throw metric.error(
                "metric of embedding space '\(name)' is '\(try metric.text())'; it may be cosine, dot or euclidean"
            )
        }
        return EmbeddingSpace(
            name: name,
            dimension: try members.require("dimension").integer(in: 1...DataType.maximumDimension),
            metric: try metric.text(),
            producer: try members.require("producer").text()
        )
    }

    /// Items are `view: [feature, …]`, `bins: { … }` or `embedding: { … }`.
    private static func serviceFeatures(_ reader: YAMLReader) throws(DefinitionError) -> [ServiceFeature] {
        var features: [ServiceFeature] = []
        for item in try reader.list() {
            let members = try item.members()
            guard members.count == 1, let (name, value) = members.first else {
                throw item.error("each item of \(reader.subject) has one member: a view's name, 'bins' or 'embedding'")
            }
            switch name {
            case "bins":
                let parts = Members(
                    reader: value,
                    list: try value.members(allowed: ["input", "discretizer", "as", "keys"])
                )
                features.append(
                    ServiceFeature(
                        .bins(
                            input: try parts.require("input").featureReference(),
                            discretizer: try parts.require("discretizer").name()
                        ),
                        alias: try parts["as"]?.name(),
                        keys: try keys(parts["keys"])
                    )
                )
            case "embedding":
                let parts = Members(reader: value, list: try value.members(allowed: ["space", "key", "as", "keys"]))
                let key = try parts.require("key")
                if let keys = parts["keys"], !(try key.text().contains(":")) {
                    throw keys.error(
                        "\(keys.subject) goes with a feature of a view; name the request's column as the key"
                    )
                }
                let text = try key.text()
                let origin: ServiceFeature.EmbeddingKey =
                    text.contains(":") ? .feature(try key.featureReference()) : .joinKey(try key.name())
                features.append(
                    ServiceFeature(
                        .embedding(space: try parts.require("space").name(), key: origin),
                        alias: try parts["as"]?.name(),
                        keys: try keys(parts["keys"])
                    )
                )
            default:
                guard isName(name) else { throw item.error("'\(name)' is not the name of a feature view") }
                var list = value
                var renamed: [String: String] = [:]
                var prefix: String?
                if value.node.mapping != nil {
                    let parts = Members(
                        reader: value,
                        list: try value.members(allowed: ["features", "keys", "prefix"])
                    )
                    list = try parts.require("features")
                    renamed = try keys(parts["keys"])
                    prefix = try parts["prefix"]?.name()
                }
                let names = try list.list()
                guard !names.isEmpty else { throw value.error("\(value.subject) names no feature") }
                for feature in names {
                    features.append(try plainFeature(feature, of: name, keys: renamed, prefix: prefix))
                }
            }
        }
        guard !features.isEmpty else { throw reader.error("\(reader.subject) is empty") }
        return features
    }

    /// `{ join key: column of the request, … }`.
    private static func keys(_ reader: YAMLReader?) throws(DefinitionError) -> [String: String] {
        var keys: [String: String] = [:]
        for member in try reader?.members() ?? [] {
            let column = try member.value.name()
            if column != member.name { keys[member.name] = column }
        }
        return keys
    }

    /// `feature`, or `{ feature: name, as: alias }`.
    private static func plainFeature(
        _ reader: YAMLReader,
        of view: String,
        keys: [String: String],
        prefix: String?
    ) throws(DefinitionError) -> ServiceFeature {
        var name = reader
        var alias: String?
        if reader.node.mapping != nil {
            let parts = Members(reader: reader, list: try reader.members(allowed: ["feature", "as"]))
            name = try parts.require("feature")
            alias = try parts["as"]?.name()
        }
        let reference = FeatureReference(view: view, feature: try name.name())
        return ServiceFeature(.feature(reference), alias: alias ?? prefix.map { $0 + reference.feature }, keys: keys)
    }

    /// A mapping's members, looked up by name.
    private struct Members {
        let reader: YAMLReader
        let list: [(name: String, value: YAMLReader)]

        subscript(name: String) -> YAMLReader? { list.first { $0.name == name }?.value }

        func require(_ name: String) throws(DefinitionError) -> YAMLReader {
            guard let value = self[name] else { throw reader.error("\(reader.subject) has no '\(name)'") }
            return value
        }
    }
}
