/// Edges found from data, with what was seen there.
public struct FittedBins: Hashable, Sendable {
    public let edges: BinEdges
    public let statistics: BinStatistics

    public init(edges: BinEdges, statistics: BinStatistics) {
        self.edges = edges
        self.statistics = statistics
    }

    /// Whether the feature tells values apart only by null and NaN, as a constant one does.
    public var isTrivial: Bool { edges.isTrivial }
}

/// What fitting saw of a feature.
public struct BinStatistics: Hashable, Sendable {
    /// All rows, nulls included.
    public let rowCount: Int
    public let nullCount: Int
    public let nanCount: Int
    public let negativeInfinityCount: Int
    public let positiveInfinityCount: Int
    /// The rows in each value bin, infinities included.
    public let binCounts: [Int]
    /// The least finite value, or `nil` where there is none.
    public let minimum: Double?
    /// The greatest finite value, or `nil` where there is none.
    public let maximum: Double?

    public init(
        rowCount: Int,
        nullCount: Int,
        nanCount: Int,
        negativeInfinityCount: Int,
        positiveInfinityCount: Int,
        binCounts: [Int],
        minimum: Double?,
        maximum: Double?
    ) {
        self.rowCount = rowCount
        self.nullCount = nullCount
        self.nanCount = nanCount
        self.negativeInfinityCount = negativeInfinityCount
        self.positiveInfinityCount = positiveInfinityCount
        self.binCounts = binCounts
        self.minimum = minimum
        self.maximum = maximum
    }

    /// The values that edges are fitted to.
    public var finiteCount: Int {
        rowCount - nullCount - nanCount - negativeInfinityCount - positiveInfinityCount
    }
}
