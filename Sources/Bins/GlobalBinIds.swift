import Columns

/// Disjoint ids for the bins of an ordered list of features.
///
/// Feature f owns `offset(f) ..< offset(f) + edges(f).totalIds`, and the offset is the sum of the totals before it. Ids
/// are dense, and stay as they are when features are added at the end.
public struct GlobalBinIds: Hashable, Sendable {
    public let features: [BinEdges]
    /// The first id of each feature; one entry more than there are features, the last being the number of ids.
    public let offsets: [Int64]

    public init(_ features: [BinEdges]) {
        self.features = features
        var offsets: [Int64] = [0]
        var total: Int64 = 0
        for feature in features {
            total += Int64(feature.totalIds)
            offsets.append(total)
        }
        self.offsets = offsets
    }

    /// The number of ids of all features.
    public var count: Int { Int(offsets[features.count]) }

    /// The global id of each value of a feature; a null stays null.
    ///
    /// - Throws: when the column is not float64, float32 or int64.
    public func encode(_ column: Column, feature: Int) throws(BinError) -> Column {
        try features[feature].encode(column, offset: offsets[feature])
    }

    /// The feature and the bin that a global id stands for, or `nil` for an id of no feature.
    ///
    /// - Complexity: O(log features)
    public func bin(of id: Int64) -> (feature: Int, bin: Int)? {
        guard id >= 0, id < offsets[features.count] else { return nil }
        var lower = 0
        var upper = features.count
        while upper - lower > 1 {
            let middle = (lower + upper) / 2
            if offsets[middle] <= id { lower = middle } else { upper = middle }
        }
        return (lower, Int(id - offsets[lower]))
    }
}
