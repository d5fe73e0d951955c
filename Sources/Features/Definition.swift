import Columns
import Expressions
import Formats
import TimeZones

/// Something features describe, identified by one or more join keys.
public struct Entity: Hashable, Sendable {
    public var name: String
    /// In declaration order, which is the order of a composite key.
    public var joinKeys: [Field]

    public init(name: String, joinKeys: [Field]) {
        self.name = name
        self.joinKeys = joinKeys
    }
}

/// Where a row's event time comes from.
public enum EventTime: Hashable, Sendable {
    /// A timestamp column of the source.
    case column(String)
    /// An expression over the source's columns that gives a timestamp.
    case expression(String)
}

/// Typed columns, when each row was true, and when it could be used.
public struct Source: Hashable, Sendable {
    public var name: String
    public var columns: [Field]
    public var eventTime: EventTime
    /// A timestamp column that says when the row became known.
    public var knownAt: String?
    /// For timestamp columns whose values name no time zone, the zone whose clocks they were read from.
    ///
    /// Declared beside `event_time` and `known_at`. A value with an offset of its own keeps it.
    public var timeZones: [String: TimeZoneRules]
    /// The lag between event time and the earliest use, where no `known_at` column is declared.
    public var availableAfter: TimeSpan?
    /// A boolean expression; rows for which it is not true are not history.
    public var filter: String?
    /// Spellings that mean null in unquoted CSV cells, beside the empty one.
    public var nullValues: [String]

    public init(
        name: String,
        columns: [Field],
        eventTime: EventTime,
        knownAt: String? = nil,
        timeZones: [String: TimeZoneRules] = [:],
        availableAfter: TimeSpan? = nil,
        filter: String? = nil,
        nullValues: [String] = []
    ) {
        self.name = name
        self.columns = columns
        self.eventTime = eventTime
        self.knownAt = knownAt
        self.timeZones = timeZones
        self.availableAfter = availableAfter
        self.filter = filter
        self.nullValues = nullValues
    }
}

extension Source {
    /// What timestamps without a time zone mean in files and pushed rows of the source.
    public var naiveTimestamps: NaiveTimestamps { NaiveTimestamps(.refuse, columns: timeZones.mapValues { .zone($0) }) }
}

/// One value of a view: a column of its source, or an expression over the source's columns.
public struct Feature: Hashable, Sendable {
    public var name: String
    public var type: DataType
    /// `nil` means the source column of the same name.
    public var expression: String?

    public init(name: String, type: DataType, expression: String? = nil) {
        self.name = name
        self.type = type
        self.expression = expression
    }
}

/// Features computed together from one source for some entities.
public struct FeatureView: Hashable, Sendable {
    public var name: String
    /// None for a view that holds for every row (entity-less).
    public var entities: [String]
    public var source: String
    /// How old a row may be and still be used; `nil` is unlimited.
    ///
    /// Never zero.
    public var ttl: TimeSpan?
    public var features: [Feature]

    public init(name: String, entities: [String], source: String, ttl: TimeSpan? = nil, features: [Feature]) {
        self.name = name
        self.entities = entities
        self.source = source
        self.ttl = ttl
        self.features = features
    }
}

/// How edges are found for one numeric feature.
public struct Discretizer: Hashable, Sendable {
    public enum Method: Hashable, Sendable {
        /// Equal counts, exact.
        case quantile(bins: Int)
        /// Equal widths between the smallest and the greatest finite value.
        case uniform(bins: Int)
        case explicit(edges: [Double])
    }

    public var name: String
    public var input: FeatureReference
    public var method: Method

    public init(name: String, input: FeatureReference, method: Method) {
        self.name = name
        self.input = input
        self.method = method
    }
}

/// The definition that every version of a set of embeddings belongs to.
public struct EmbeddingSpace: Hashable, Sendable {
    public var name: String
    public var dimension: Int
    /// `cosine`, `dot` or `euclidean`.
    public var metric: String
    /// What makes the vectors: a model or program, by name and revision.
    public var producer: String

    public init(name: String, dimension: Int, metric: String, producer: String) {
        self.name = name
        self.dimension = dimension
        self.metric = metric
        self.producer = producer
    }
}

/// One output of a feature service.
public struct ServiceFeature: Hashable, Sendable {
    public enum Origin: Hashable, Sendable {
        case feature(FeatureReference)
        /// The bin id of a numeric feature.
        case bins(input: FeatureReference, discretizer: String)
        /// The vector of a key: a join key of the request, or a string feature.
        case embedding(space: String, key: EmbeddingKey)
    }

    public enum EmbeddingKey: Hashable, Sendable {
        case joinKey(String)
        case feature(FeatureReference)
    }

    public var origin: Origin
    /// The output column's name when it is not the feature's own.
    public var alias: String?
    /// For join keys of the feature's view, the columns of the request that hold them where those are called otherwise.
    ///
    /// So one service may ask for the same entity twice, say the weather at the origin and at the destination.
    public var keys: [String: String]

    public init(_ origin: Origin, alias: String? = nil, keys: [String: String] = [:]) {
        self.origin = origin
        self.alias = alias
        self.keys = keys
    }

    /// The output column's name.
    ///
    /// - Parameter full: whether plain features are written `view__feature`, as Feast does.
    public func outputName(full: Bool = false) -> String {
        if let alias { return alias }
        return switch origin {
        case .feature(let reference): full ? "\(reference.view)__\(reference.feature)" : reference.feature
        case .bins(let input, _): full ? "\(input.view)__\(input.feature)_bin" : "\(input.feature)_bin"
        case .embedding(let space, _): space
        }
    }
}

/// The ordered list of features one model asks for.
public struct FeatureService: Hashable, Sendable {
    public var name: String
    public var features: [ServiceFeature]

    public init(name: String, features: [ServiceFeature]) {
        self.name = name
        self.features = features
    }
}

/// Words about a definition that cannot change a value: edited in place, outside the digest.
public struct Annotations: Hashable, Sendable, Codable {
    public var description: String
    public var owner: String
    public var tags: [String: String]

    public init(description: String = "", owner: String = "", tags: [String: String] = [:]) {
        self.description = description
        self.owner = owner
        self.tags = tags
    }
}

/// One definition of a feature repository.
public enum Definition: Hashable, Sendable {
    case entity(Entity)
    case source(Source)
    case view(FeatureView)
    /// Shares its names with feature views: a service does not say which of the two it asks.
    case onDemand(OnDemandFeatureView)
    case discretizer(Discretizer)
    case space(EmbeddingSpace)
    case service(FeatureService)

    public var kind: Kind {
        switch self {
        case .entity: .entity
        case .source: .source
        case .view, .onDemand: .view
        case .discretizer: .discretizer
        case .space: .space
        case .service: .service
        }
    }

    public var name: String {
        switch self {
        case .entity(let entity): entity.name
        case .source(let source): source.name
        case .view(let view): view.name
        case .onDemand(let view): view.name
        case .discretizer(let discretizer): discretizer.name
        case .space(let space): space.name
        case .service(let service): service.name
        }
    }

    /// What the definition refers to by name, in a stable order and without repeats.
    public var uses: [DefinitionName] {
        var names: [DefinitionName] = []
        func add(_ kind: Kind, _ name: String) {
            let use = DefinitionName(kind: kind, name: name)
            if !names.contains(use) { names.append(use) }
        }
        switch self {
        case .entity, .source, .space: break
        case .view(let view):
            for entity in view.entities { add(.entity, entity) }
            add(.source, view.source)
        case .onDemand(let view):
            for input in view.inputs {
                if case .feature(let reference) = input.origin { add(.view, reference.view) }
            }
            for discretizer in view.discretizers { add(.discretizer, discretizer) }
        case .discretizer(let discretizer): add(.view, discretizer.input.view)
        case .service(let service):
            for feature in service.features {
                switch feature.origin {
                case .feature(let reference): add(.view, reference.view)
                case .bins(let input, let discretizer):
                    add(.view, input.view)
                    add(.discretizer, discretizer)
                case .embedding(let space, let key):
                    add(.space, space)
                    if case .feature(let reference) = key { add(.view, reference.view) }
                }
            }
        }
        return names
    }
}

/// A kind and a name within a project.
public struct DefinitionName: Hashable, Sendable, CustomStringConvertible {
    public var kind: Kind
    public var name: String

    public init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }

    public var description: String { "\(kind.rawValue) '\(name)'" }
}
