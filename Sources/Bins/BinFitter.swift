import Columns
import Kernels

/// How the edges of a feature's bins are found.
public enum BinMethod: Hashable, Sendable {
    /// Bins of equal frequency.
    ///
    /// Edge k of n bins (0 < k < n) is the smallest finite value x such that at least `k · N / n` of the N finite values
    /// are at most x, reckoned in integers: `sorted[ceil(k · N / n) - 1]`. This is `numpy.quantile(…, k / n,
    /// method="inverted_cdf")` without its rounding of `k / n`. Equal edges are merged, and one equal to the minimum
    /// is dropped, so every bin holds a fitted value and there may be fewer than n.
    case quantile(bins: Int)
    /// Bins of equal width between the least and the greatest finite value.
    ///
    /// Edge k of n bins is `min + k · ((max - min) / n)` in float64. Edges that rounding has made equal, or moved out of
    /// `(min, max]`, are dropped. Bins in between may be empty.
    case uniform(bins: Int)
    /// Edges given by the user.
    case explicit([Double])

    /// The bins of the values in all chunks.
    ///
    /// The result has the same bytes under any order and any partition of the rows.
    ///
    /// - Parameter chunks: float64, float32 or int64 columns.
    /// - Throws: when a chunk is not numeric, the bin count is out of range, explicit edges do not increase, or there is
    ///   no finite value to fit to.
    /// - Complexity: O(n log n), and 8 bytes of memory for each finite value.
    public func fit(_ chunks: [Column]) throws(BinError) -> FittedBins {
        var fitter = try BinFitter(self)
        for chunk in chunks { try fitter.add(chunk) }
        return try fitter.finish()
    }
}

/// Collects the values that bins are fitted to, chunk by chunk.
public struct BinFitter: Sendable {
    /// The most bins a method may ask for.
    public static let maximumBins = 65_536

    private let method: BinMethod
    private var finite: [Double] = []
    private var rowCount = 0
    private var nullCount = 0
    private var nanCount = 0
    private var negativeInfinityCount = 0
    private var positiveInfinityCount = 0

    /// - Throws: when the bin count is out of range, or explicit edges are not finite and increasing.
    public init(_ method: BinMethod) throws(BinError) {
        switch method {
        case .quantile(let bins), .uniform(let bins):
            guard (1...BinFitter.maximumBins).contains(bins) else { throw .binCountOutOfRange(bins) }
        case .explicit(let edges): _ = try BinEdges(edges)
        }
        self.method = method
    }

    /// Adds the rows of a column.
    ///
    /// - Throws: when the column is not float64, float32 or int64.
    public mutating func add(_ column: Column) throws(BinError) {
        let values = try numericValues(column)
        let validity = column.nullCount > 0 ? column.validity : nil
        rowCount += values.count
        finite.reserveCapacity(finite.count + values.count)
        for (row, value) in values.enumerated() {
            if let validity, !validity[row] {
                nullCount &+= 1
            } else if value.isFinite {
                finite.append(canonical(value))
            } else if value.isNaN {
                nanCount &+= 1
            } else if value < 0 {
                negativeInfinityCount &+= 1
            } else {
                positiveInfinityCount &+= 1
            }
        }
    }

    /// The bins of all rows added so far.
    ///
    /// - Throws: when a method that looks at the values has no finite one.
    public consuming func finish() throws(BinError) -> FittedBins {
        finite.sort()
        let edges: BinEdges
        switch method {
        case .explicit(let values): edges = try BinEdges(values)
        case .quantile(let bins): edges = try BinEdges(valid: quantileEdges(requireFinite(), bins: bins))
        case .uniform(let bins): edges = try BinEdges(valid: uniformEdges(requireFinite(), bins: bins))
        }
        var binCounts = [Int](repeating: 0, count: edges.count)
        for bin in edges.encode(finite, offset: 0) { binCounts[Int(bin)] &+= 1 }
        binCounts[0] += negativeInfinityCount
        binCounts[edges.count - 1] += positiveInfinityCount
        return FittedBins(
            edges: edges,
            statistics: BinStatistics(
                rowCount: rowCount,
                nullCount: nullCount,
                nanCount: nanCount,
                negativeInfinityCount: negativeInfinityCount,
                positiveInfinityCount: positiveInfinityCount,
                binCounts: binCounts,
                minimum: finite.first,
                maximum: finite.last
            )
        )
    }

    private func requireFinite() throws(BinError) -> [Double] {
        if finite.isEmpty { throw .noFiniteValues(rows: rowCount) }
        return finite
    }
}

/// The edges of equal-frequency bins over ascending values.
private func quantileEdges(_ sorted: [Double], bins: Int) -> [Double] {
    var edges: [Double] = []
    for k in 1..<max(bins, 1) {
        let rank = (k * sorted.count + bins - 1) / bins
        let edge = sorted[rank - 1]
        if edge > edges.last ?? sorted[0] { edges.append(edge) }
    }
    return edges
}

/// The edges of equal-width bins over ascending values.
private func uniformEdges(_ sorted: [Double], bins: Int) -> [Double] {
    let (minimum, maximum) = (sorted[0], sorted[sorted.count - 1])
    // Halved where the width itself would overflow; halving numbers this large is exact.
    let scale = (maximum - minimum).isFinite ? 1.0 : 0.5
    let step = (maximum * scale - minimum * scale) / Double(bins)
    var edges: [Double] = []
    for k in 1..<max(bins, 1) {
        let edge = (minimum * scale + Double(k) * step) / scale
        if edge > edges.last ?? minimum, edge <= maximum { edges.append(edge) }
    }
    return edges
}
