/// What kind of thing a versioned name stands for.
public enum Kind: String, Codable, Sendable, CaseIterable, Hashable {
    case entity
    case source
    case view
    case discretizer
    case bins
    case space
    case embeddings
    case service
    case snapshot
    case segment
    case lock

    /// Words a person types for the kind, singular and plural.
    public init?(word: String) {
        switch word.lowercased() {
        case "entity", "entities": self = .entity
        case "source", "sources": self = .source
        case "view", "views", "feature-view", "feature-views": self = .view
        case "discretizer", "discretizers": self = .discretizer
        case "bins": self = .bins
        case "space", "spaces", "embedding-space", "embedding-spaces": self = .space
        case "embeddings", "embedding": self = .embeddings
        case "service", "services", "feature-service", "feature-services": self = .service
        case "snapshot", "snapshots", "dataset", "datasets": self = .snapshot
        case "segment", "segments": self = .segment
        case "lock", "locks": self = .lock
        default: return nil
        }
    }
}

/// A name with an optional version number: `airport_weather@3`, or `airport_weather` for the newest.
public struct VersionReference: Hashable, Sendable, CustomStringConvertible {
    public var name: String
    /// `nil` means the newest version, which is allowed in a shell and never inside a lock.
    public var number: Int?

    public init(name: String, number: Int? = nil) {
        self.name = name
        self.number = number
    }

    /// Reads `name` or `name@number`.
    ///
    /// Returns `nil` for a malformed name or a number below one.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard isName(parts[0]) else { return nil }
        self.name = String(parts[0])
        if parts.count == 2 {
            guard let number = Int(parts[1]), number > 0, parts[1].first != "+" else { return nil }
            self.number = number
        } else {
            self.number = nil
        }
    }

    public var description: String { number.map { "\(name)@\($0)" } ?? name }
}

/// A feature of a view: `airport_weather:wind_speed`.
public struct FeatureReference: Hashable, Sendable, Codable, CustomStringConvertible {
    public var view: String
    public var feature: String

    public init(view: String, feature: String) {
        self.view = view
        self.feature = feature
    }

    /// Reads `view:feature`.
    ///
    /// Returns `nil` where either half is not a name.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, isName(parts[0]), isName(parts[1]) else { return nil }
        self.view = String(parts[0])
        self.feature = String(parts[1])
    }

    public var description: String { "\(view):\(feature)" }
}

/// Whether the text can name something: a letter or underscore, then letters, digits, `_`, `-` or `.`.
///
/// `@` and `:` are reserved for references.
public func isName(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first else { return false }
    let startsWell =
        first == UInt8(ascii: "_") || (first | 0x20 >= UInt8(ascii: "a") && first | 0x20 <= UInt8(ascii: "z"))
    return startsWell && text.utf8.count <= 200
        && text.utf8.allSatisfy {
            ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
}
