import Columns

/// The boundaries of a feature's bins, and the one rule that assigns values to them.
///
/// `bin(v)` is the number of edges `b` with `b <= v`: bins are left-closed, the first reaches down to -inf and the last
/// up to +inf. NaN has an id of its own after the value bins. A null has no id at all.
///
/// This is the rule of `numpy.searchsorted(edges, v, side="right")`.
public struct BinEdges: Hashable, Sendable {
    /// Strictly increasing and finite; -0.0 is stored as 0.0.
    public let edges: [Double]

    /// Takes edges as they are, but for -0.0.
    ///
    /// - Throws: when an edge is not finite or does not exceed the one before it.
    public init(_ edges: [Double]) throws(BinError) {
        for (position, edge) in edges.enumerated() {
            guard edge.isFinite else { throw .edgeNotFinite(position: position, edge) }
            if position > 0, edge <= edges[position - 1] {
                throw .edgesNotIncreasing(position: position, edge, previous: edges[position - 1])
            }
        }
        self.init(valid: edges)
    }

    /// Takes edges that are known to be strictly increasing and finite.
    init(valid edges: [Double]) {
        self.edges = edges.map(canonical)
    }

    /// The number of value bins, one more than there are edges.
    public var count: Int { edges.count + 1 }

    /// The id of NaN, after those of the value bins.
    public var nanBin: Int { edges.count + 1 }

    /// The number of ids: value bins and the NaN bin.
    public var totalIds: Int { edges.count + 2 }

    /// Whether all values but NaN fall into one bin.
    public var isTrivial: Bool { edges.isEmpty }

    /// The id of one value.
    ///
    /// - Complexity: O(log edges)
    public func bin(_ value: Double) -> Int {
        if value.isNaN { return nanBin }
        var lower = 0
        var length = edges.count
        while length > 0 {
            let half = (length + 1) >> 1
            if edges[lower + half - 1] <= value { lower += half }
            length -= half
        }
        return lower
    }
}

/// The value with -0.0 made 0.0; the sum leaves every other value as it is.
@inline(__always)
func canonical(_ value: Double) -> Double { value + 0.0 }
