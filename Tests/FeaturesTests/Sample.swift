import Columns
import Features
import Objects

/// One definition of every kind, referring to one another.
enum Sample {
    static let yaml = """
        kind: Entity
        name: airport
        description: Where planes land
        owner: weather-team
        tags: { tier: one }
        join_keys: { origin: string }
        ---
        kind: Source
        name: weather
        columns: { origin: string, time_hour: timestamp, wind: float64, visib: float64, code: string, n: int64 }
        event_time: { column: time_hour }
        available_after: 10m
        filter: visib is not null
        null_values: [NA, "-"]
        ---
        kind: FeatureView
        name: airport_weather
        entities: [airport]
        source: weather
        ttl: 3h
        features:
          - { name: wind, type: float64 }
          - { name: is_foul, type: bool, expression: "visib < 3 or wind > 0.5" }
          - { name: code, type: string }
          - { name: n, type: int64 }
        ---
        kind: Discretizer
        name: wind_bins
        input: airport_weather:wind
        method: quantile
        bins: 20
        ---
        kind: EmbeddingSpace
        name: routes
        dimension: 2
        metric: cosine
        producer: svd 1
        ---
        kind: FeatureService
        name: delay_model
        features:
          - airport_weather: [wind, { feature: is_foul, as: foul }]
          - bins: { input: airport_weather:wind, discretizer: wind_bins, as: wind_bin }
          - embedding: { space: routes, key: airport_weather:code, as: code_vector }
          - embedding: { space: routes, key: origin }
        """

    static func resolve(_ text: String = yaml) throws -> [ResolvedDefinition] {
        try Resolver.resolve(try DefinitionReader.read(text, file: "features.yaml"))
    }

    static func digests(_ text: String = yaml) throws -> [String: Digest] {
        Dictionary(uniqueKeysWithValues: try resolve(text).map { ("\($0.name)", $0.digest) })
    }

    /// The sample with one part replaced.
    static func replacing(_ part: String, _ replacement: String) throws -> String {
        guard let range = yaml.firstRange(of: part) else { throw MissingPart(part: part) }
        var text = yaml
        text.replaceSubrange(range, with: replacement)
        return text
    }

    struct MissingPart: Error { let part: String }

    static func servicePlan(_ text: String = yaml) throws -> ServicePlan {
        var entities: [String: Entity] = [:]
        var sources: [String: Source] = [:]
        var views: [String: ViewPlan] = [:]
        var discretizers: [String: Discretizer] = [:]
        var spaces: [String: EmbeddingSpace] = [:]
        var onDemand: [String: OnDemandFeatureView] = [:]
        for document in try DefinitionReader.read(text, file: "features.yaml") {
            switch document.definition {
            case .entity(let entity): entities[entity.name] = entity
            case .source(let source): sources[source.name] = source
            case .view(let view):
                guard let source = sources[view.source] else { throw MissingPart(part: view.source) }
                views[view.name] = try ViewPlan(
                    view,
                    entities: view.entities.compactMap { entities[$0] },
                    source: source
                )
            case .onDemand(let view): onDemand[view.name] = view
            case .discretizer(let discretizer): discretizers[discretizer.name] = discretizer
            case .space(let space): spaces[space.name] = space
            case .service(let service):
                return try ServicePlan(
                    service,
                    views: views,
                    onDemand: onDemand,
                    discretizers: discretizers,
                    spaces: spaces
                )
            }
        }
        throw MissingPart(part: "a service")
    }
}
