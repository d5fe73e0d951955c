/// How a served or joined value came about; the names are Feast's.
public enum FeatureStatus: UInt8, Sendable, Hashable, CaseIterable {
    case present = 0
    /// A row was found and its value is null.
    case nullValue = 1
    /// No row of the entity was visible.
    case notFound = 2
    /// The newest visible row is older than the view's TTL.
    case outsideMaxAge = 3
    /// A row was found and the feature's expression is undefined for it.
    case invalid = 4

    public var text: String {
        switch self {
        case .present: "PRESENT"
        case .nullValue: "NULL_VALUE"
        case .notFound: "NOT_FOUND"
        case .outsideMaxAge: "OUTSIDE_MAX_AGE"
        case .invalid: "INVALID"
        }
    }

    public init?(text: String) {
        guard let status = Self.allCases.first(where: { $0.text == text }) else { return nil }
        self = status
    }
}
