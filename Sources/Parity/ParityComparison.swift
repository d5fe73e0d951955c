import Columns
import Features

/// Counts of one feature, named as TensorFlow Data Validation names them.
public struct ParityCounts: Hashable, Sendable {
    public var match = 0
    public var mismatch = 0
    /// Offline has a value, online has none.
    public var offlineOnly = 0
    /// Online has a value, offline has none.
    public var onlineOnly = 0
    /// How many of the matches are values, not equal reasons for having none.
    public var present = 0
    /// For how many rows the feature is undefined offline: null where PostgreSQL would raise.
    public var invalid = 0

    public init() {}

    public var differences: Int { mismatch + offlineOnly + onlineOnly }
}

/// The comparison of two sides, row by row and bit for bit.
///
/// NaN equals NaN; nothing else is forgiven. A missing value equals a missing value only with the same status: "not found"
/// is not "too old".
public struct ParityComparison: Sendable {
    /// A difference kept as an example.
    public struct Example: Hashable, Sendable {
        public var row: Int
        public var feature: String
        public var cause: ParityCause
        public var offline: String
        public var online: String
    }

    public private(set) var rowCount = 0
    /// By feature, in the order of the service.
    public private(set) var features: [(name: String, counts: ParityCounts)]
    /// By view and cause, how many values differ.
    public private(set) var causes: [String: [ParityCause: Int]] = [:]
    /// By view, how many rows have at least one difference.
    public private(set) var rowsByView: [String: Int] = [:]
    public private(set) var examples: [Example] = []

    /// How many examples are kept for each feature and cause.
    private static let exampleLimit = 3

    public init(features names: [String]) {
        self.features = names.map { ($0, ParityCounts()) }
    }

    /// Whether nothing differs, and something was compared: values that are nowhere prove nothing.
    public var passed: Bool {
        features.allSatisfy { $0.counts.differences == 0 } && features.contains { $0.counts.present > 0 }
    }

    /// Features of which no row had a value on either side.
    public var unseen: [String] { features.filter { $0.counts.present == 0 && $0.counts.differences == 0 }.map(\.name) }

    /// Adds rows.
    ///
    /// - Parameters:
    ///   - states: how each view came online, by name.
    ///   - firstRow: the number of the first row, for examples.
    /// - Precondition: both sides have the comparison's features in its order and the same number of rows.
    public mutating func add(
        offline: ParitySide,
        online: ParitySide,
        states: [String: OnlineViewState],
        firstRow: Int
    ) {
        precondition(
            offline.features.map(\.name) == features.map(\.name) && online.features.map(\.name) == features.map(\.name),
            "both sides have the comparison's features"
        )
        let count = offline.features.first?.column.count ?? 0
        var differing: [String: Set<Int>] = [:]
        for position in features.indices {
            let left = offline.features[position]
            let right = online.features[position]
            precondition(left.column.count == right.column.count, "both sides have the same rows")
            for row in 0..<left.column.count {
                let leftHas = left.statuses[row] == .present
                let rightHas = right.statuses[row] == .present
                if left.statuses[row] == .invalid { features[position].counts.invalid += 1 }
                switch (leftHas, rightHas) {
                case (true, true):
                    if left.column[row].isIdentical(to: right.column[row]) {
                        features[position].counts.match += 1
                        features[position].counts.present += 1
                        continue
                    }
                    features[position].counts.mismatch += 1
                case (false, false):
                    if left.statuses[row] == right.statuses[row] {
                        features[position].counts.match += 1
                        continue
                    }
                    features[position].counts.mismatch += 1
                case (true, false): features[position].counts.offlineOnly += 1
                case (false, true): features[position].counts.onlineOnly += 1
                }
                let (view, cause) = Self.origin(offline: left, online: right, row: row, states: states)
                causes[view, default: [:]][cause, default: 0] += 1
                differing[view, default: []].insert(row)
                keep(
                    Example(
                        row: firstRow + row,
                        feature: left.name,
                        cause: cause,
                        offline: Self.text(left, row),
                        online: Self.text(right, row)
                    )
                )
            }
        }
        for (view, rows) in differing { rowsByView[view, default: 0] += rows.count }
        rowCount += count
    }

    /// The view that a difference is laid to, and why.
    private static func origin(
        offline: ParitySide.Feature,
        online: ParitySide.Feature,
        row: Int,
        states: [String: OnlineViewState]
    ) -> (view: String, cause: ParityCause) {
        if offline.view == nil {
            // Computed from several views: one of which it is known that it falls short explains it.
            for view in offline.reads {
                if let cause = states[view]?.shortcoming { return (view, cause) }
            }
        }
        let view = offline.view ?? "(request)"
        return (view, ParityCause.of(offline: offline, online: online, row: row, state: states[view]))
    }

    private mutating func keep(_ example: Example) {
        let same = examples.count { $0.feature == example.feature && $0.cause == example.cause }
        if same < Self.exampleLimit { examples.append(example) }
    }

    private static func text(_ feature: ParitySide.Feature, _ row: Int) -> String {
        guard feature.statuses[row] == .present else { return feature.statuses[row].text }
        return switch feature.column[row] {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int64(let value): "\(value)"
        case .float32(let value): "\(value)"
        case .float64(let value): "\(value)"
        case .string(let value): "'\(value)'"
        case .bytes(let value): "\(value.count) bytes"
        case .timestamp(let value): "\(value) us"
        case .vector(let elements): "[\(elements.prefix(3).map(\.description).joined(separator: ", ")), …]"
        }
    }
}
