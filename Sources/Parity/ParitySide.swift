import Columns
import Features

/// What one side says of some rows: a value and a status for each feature, and where each value came from.
public struct ParitySide: Sendable {
    public struct Feature: Sendable {
        public var name: String
        /// The view the value comes from; `nil` for what no view gives.
        public var view: String?
        /// The views that a value is computed from which no single view gives.
        public var reads: [String]
        public var column: Column
        public var statuses: [FeatureStatus]
        /// The event time of the row behind each value, 0 where there is none.
        public var eventTimes: [Int64]
        /// When that row became known; empty where the side does not say.
        public var knownTimes: [Int64]

        public init(
            name: String,
            view: String?,
            reads: [String] = [],
            column: Column,
            statuses: [FeatureStatus],
            eventTimes: [Int64],
            knownTimes: [Int64] = []
        ) {
            self.name = name
            self.view = view
            self.reads = reads
            self.column = column
            self.statuses = statuses
            self.eventTimes = eventTimes
            self.knownTimes = knownTimes
        }
    }

    public var features: [Feature]

    public init(features: [Feature]) { self.features = features }
}

/// What is known of how a view came online, to say why it differs.
public struct OnlineViewState: Hashable, Sendable {
    /// Until when it was materialized, microseconds UTC; `nil` when it never was.
    public var through: Int64?
    /// The version served, when it is not the locked one.
    public var otherVersion: String?
    /// Whether rows were pushed after the materialization, as a replay does.
    public var isPushed: Bool
    /// Whether the instant of the comparison is past the materialization.
    public var isBehind: Bool

    public init(through: Int64?, otherVersion: String? = nil, isPushed: Bool = false, isBehind: Bool = false) {
        self.through = through
        self.otherVersion = otherVersion
        self.isPushed = isPushed
        self.isBehind = isBehind
    }

    /// What alone would explain a difference in whatever is computed from the view.
    var shortcoming: ParityCause? {
        if otherVersion != nil { return .anotherVersion }
        if through == nil { return .neverMaterialized }
        return isBehind && !isPushed ? .staleMaterialization : nil
    }
}
