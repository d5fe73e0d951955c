import Columns

/// A key near a query, with its score under the metric of the table.
public struct Neighbor: Hashable, Sendable {
    public let key: String
    /// The row of the key in its table.
    public let row: Int
    /// The cosine, the dot product or the Euclidean distance.
    public let score: Double

    public init(key: String, row: Int, score: Double) {
        self.key = key
        self.row = row
        self.score = score
    }
}

extension EmbeddingTable {
    /// The `k` keys nearest to a query, nearest first, equal scores in ascending order of key bytes.
    ///
    /// Exact: every vector is compared.
    ///
    /// - Parameter queryVersion: the version that produced the query.
    /// - Throws: when the query comes from another version, or has another dimension, or is not finite.
    /// - Complexity: O(n · dimension + n log k)
    public func nearest(to query: [Float], queryVersion: String, k: Int) throws(EmbeddingError) -> [Neighbor] {
        guard queryVersion == version else {
            throw .versionMismatch(space: space, expected: version, found: queryVersion)
        }
        guard query.count == dimension else {
            throw .dimensionMismatch(space: space, expected: dimension, found: query.count)
        }
        if let element = query.firstIndex(where: { !$0.isFinite }) {
            throw .queryNotFinite(space: space, element: element, query[element])
        }
        guard k > 0 else { return [] }
        let scores = scores(query)
        return nearestRows(scores, k: k).map { Neighbor(key: keys.string($0) ?? "", row: $0, score: scores[$0]) }
    }

    /// The rows of the `k` best scores, best first; rows are in key order, so the lesser row settles a tie.
    private func nearestRows(_ scores: [Double], k: Int) -> [Int] {
        let prefersGreater = metric.prefersGreater
        func isNearer(_ left: Int, _ right: Int) -> Bool {
            if scores[left] == scores[right] { return left < right }
            return (scores[left] > scores[right]) == prefersGreater
        }
        // A heap of the best so far, the worst of them at the root.
        var heap = Array(scores.indices.prefix(k))
        for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) {
            siftDown(&heap, from: parent, isNearer)
        }
        for row in scores.indices.dropFirst(k) where isNearer(row, heap[0]) {
            heap[0] = row
            siftDown(&heap, from: 0, isNearer)
        }
        return heap.sorted(by: isNearer)
    }
}

/// Restores a heap whose root is the farthest row, where only `start` may be out of place.
@inline(__always)
private func siftDown(_ heap: inout [Int], from start: Int, _ isNearer: (Int, Int) -> Bool) {
    var parent = start
    while true {
        var child = 2 * parent + 1
        guard child < heap.count else { return }
        if child + 1 < heap.count, isNearer(heap[child], heap[child + 1]) { child += 1 }
        guard isNearer(heap[parent], heap[child]) else { return }
        heap.swapAt(parent, child)
        parent = child
    }
}
