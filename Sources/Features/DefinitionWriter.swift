import Columns
import Expressions
import Formats
import TimeZones

extension Definition {
    /// The definition in the JSON form that `DefinitionReader` reads, without annotations.
    public var json: JSON {
        var members: [JSON.Member] = []
        func add(_ name: String, _ value: JSON?) {
            if let value { members.append(JSON.Member(name, value)) }
        }
        func texts(_ list: [String]) -> JSON { .array(list.map(JSON.string)) }
        switch self {
        case .entity(let entity):
            add("kind", .string("Entity"))
            add("name", .string(entity.name))
            add("join_keys", .object(entity.joinKeys.map { JSON.Member($0.name, .string($0.type.description)) }))
        case .source(let source):
            add("kind", .string("Source"))
            add("name", .string(source.name))
            add("columns", .object(source.columns.map { JSON.Member($0.name, .string($0.type.description)) }))
            func json(_ column: String) -> JSON {
                guard let zone = source.timeZones[column] else { return .object(["column": .string(column)]) }
                return .object(["column": .string(column), "timezone": .string(zone.name)])
            }
            switch source.eventTime {
            case .column(let column): add("event_time", json(column))
            case .expression(let text): add("event_time", .object(["expression": .string(text)]))
            }
            add("known_at", source.knownAt.map(json))
            add("available_after", source.availableAfter.map { .string($0.description) })
            add("filter", source.filter.map(JSON.string))
            if !source.nullValues.isEmpty { add("null_values", texts(source.nullValues)) }
        case .view(let view):
            add("kind", .string("FeatureView"))
            add("name", .string(view.name))
            if !view.entities.isEmpty { add("entities", texts(view.entities)) }
            add("source", .string(view.source))
            add("ttl", view.ttl.map { .string($0.description) })
            add("features", .array(view.features.map(\.json)))
        case .onDemand(let view):
            add("kind", .string("OnDemandFeatureView"))
            add("name", .string(view.name))
            if !view.request.isEmpty {
                add("request", .object(view.request.map { JSON.Member($0.name, .string($0.type.description)) }))
            }
            if !view.inputs.isEmpty { add("inputs", .array(view.inputs.map(\.json))) }
            add("features", .array(view.features.map(\.json)))
        case .discretizer(let discretizer):
            add("kind", .string("Discretizer"))
            add("name", .string(discretizer.name))
            add("input", .string(discretizer.input.description))
            switch discretizer.method {
            case .quantile(let bins):
                add("method", .string("quantile"))
                add("bins", .int(bins))
            case .uniform(let bins):
                add("method", .string("uniform"))
                add("bins", .int(bins))
            case .explicit(let edges):
                add("method", .string("explicit"))
                add("edges", .array(edges.map(JSON.double)))
            }
        case .space(let space):
            add("kind", .string("EmbeddingSpace"))
            add("name", .string(space.name))
            add("dimension", .int(space.dimension))
            add("metric", .string(space.metric))
            add("producer", .string(space.producer))
        case .service(let service):
            add("kind", .string("FeatureService"))
            add("name", .string(service.name))
            add("features", .array(service.features.map(\.json)))
        }
        return .object(members)
    }
}

extension Feature {
    fileprivate var json: JSON {
        var members = [JSON.Member("name", .string(name)), JSON.Member("type", .string(type.description))]
        if let expression { members.append(JSON.Member("expression", .string(expression))) }
        return .object(members)
    }
}

extension ServiceFeature {
    fileprivate var json: JSON {
        let alias = alias.map { [JSON.Member("as", .string($0))] } ?? []
        let renamed = keys.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        let keys = renamed.isEmpty ? [] : [JSON.Member("keys", .object(renamed))]
        switch origin {
        case .feature(let reference):
            let name = JSON.string(reference.feature)
            let item = alias.isEmpty ? name : .object([JSON.Member("feature", name)] + alias)
            let list = JSON.array([item])
            return .object([
                reference.view: keys.isEmpty ? list : .object([JSON.Member("features", list)] + keys)
            ])
        case .bins(let input, let discretizer):
            let members = [
                JSON.Member("input", .string(input.description)), JSON.Member("discretizer", .string(discretizer)),
            ]
            return .object(["bins": .object(members + alias + keys)])
        case .embedding(let space, let key):
            let keyText =
                switch key {
                case .joinKey(let name): name
                case .feature(let reference): reference.description
                }
            let members = [JSON.Member("space", .string(space)), JSON.Member("key", .string(keyText))]
            return .object(["embedding": .object(members + alias + keys)])
        }
    }
}
