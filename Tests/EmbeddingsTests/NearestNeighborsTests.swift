import Columns
import Embeddings
import Testing

/// Scores in float64, one element after the other.
private func naiveScore(_ metric: EmbeddingMetric, _ left: [Float], _ right: [Float]) -> Double {
    let pairs = zip(left.map { Double($0) }, right.map { Double($0) })
    let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    switch metric {
    case .dot: return dot
    case .euclidean: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    case .cosine:
        let lengths = [left, right].map { $0.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }
        return lengths[0] * lengths[1] == 0 ? 0 : min(max(dot / (lengths[0] * lengths[1]), -1), 1)
    }
}

private func table(_ metric: EmbeddingMetric, _ keys: [String], _ vectors: [[Float]]) throws -> EmbeddingTable {
    try EmbeddingTable(
        space: "items",
        version: "items@2",
        dimension: vectors[0].count,
        metric: metric,
        keys: BinaryColumn(keys),
        vectors: VectorColumn(dimension: vectors[0].count, values: vectors.flatMap { $0 })
    )
}

@Suite("Nearest neighbours")
struct NearestNeighborsTests {
    @Test("Agrees with scoring and sorting everything, ties by key", arguments: EmbeddingMetric.allCases)
    func agreesWithNaive(metric: EmbeddingMetric) throws {
        var generator = SeededGenerator(seed: 3)
        for dimension in [1, 2, 3, 4, 5, 8, 11] {
            // Small integers: every sum is exact in any order, so scores that tie in the twin tie in the kernel.
            func vector() -> [Float] {
                (0..<dimension).map { _ in Float(Int.random(in: -1...1, using: &generator)) }
            }
            let keys = (0..<60).map { "key \($0)" }
            let vectors = keys.map { _ in vector() }
            let table = try table(metric, keys, vectors)
            for k in [0, 1, 2, 7, 59, 60, 61, Int.max] {
                let query = vector()
                let expected = zip(keys, vectors)
                    .map { (key: $0, score: naiveScore(metric, query, $1)) }
                    .sorted { left, right in
                        if left.score != right.score {
                            return metric == .euclidean ? left.score < right.score : left.score > right.score
                        }
                        return left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
                    }
                    .prefix(k)
                let found = try table.nearest(to: query, queryVersion: "items@2", k: k)
                #expect(found.map(\.key) == expected.map(\.key))
                for (neighbor, twin) in zip(found, expected) {
                    #expect(neighbor.score == twin.score)
                    #expect(table.row(of: neighbor.key) == neighbor.row)
                }
            }
        }
    }

    @Test("Scores of real-valued vectors are within rounding of the twin's", arguments: EmbeddingMetric.allCases)
    func realValues(metric: EmbeddingMetric) throws {
        var generator = SeededGenerator(seed: 4)
        let vectors = (0..<30).map { _ in (0..<37).map { _ in Float.random(in: -1...1, using: &generator) } }
        let table = try table(metric, (0..<30).map { "\($0)" }, vectors)
        let found = try table.nearest(to: vectors[5], queryVersion: "items@2", k: 30)
        for neighbor in found {
            let twin = naiveScore(metric, vectors[5], vectors[Int(neighbor.key) ?? 0])
            #expect(abs(neighbor.score - twin) <= 1e-12)
        }
        if metric != .dot { #expect(found[0].key == "5") }
    }

    @Test("The order in which rows came in changes nothing")
    func inputOrder() throws {
        var generator = SeededGenerator(seed: 5)
        let rows = (0..<40).map { row in ("\(row)", (0..<9).map { _ in Float.random(in: -1...1, using: &generator) }) }
        let shuffled = rows.shuffled(using: &generator)
        let query = rows[3].1
        let plain = try table(.cosine, rows.map(\.0), rows.map(\.1))
        let moved = try table(.cosine, shuffled.map(\.0), shuffled.map(\.1))
        #expect(
            try plain.nearest(to: query, queryVersion: "items@2", k: 40)
                == moved.nearest(to: query, queryVersion: "items@2", k: 40)
        )
    }

    @Test func zeroVectorsAndExtremes() throws {
        let huge = Float.greatestFiniteMagnitude
        let cosine = try table(.cosine, ["zero", "same", "opposite"], [[0, 0], [huge, huge], [-1, -1]])
        let found = try cosine.nearest(to: [1, 1], queryVersion: "items@2", k: 3)
        #expect(found.map(\.key) == ["same", "zero", "opposite"])
        #expect(found[1].score == 0 && found.allSatisfy { abs($0.score) <= 1 })
        #expect(try cosine.nearest(to: [0, 0], queryVersion: "items@2", k: 3).allSatisfy { $0.score == 0 })
        let dot = try table(.dot, ["a"], [[huge, huge]])
        #expect(try dot.nearest(to: [huge, huge], queryVersion: "items@2", k: 1)[0].score.isFinite)
    }

    @Test("A query of another version, of another dimension or with NaN is refused")
    func refusals() throws {
        let table = try table(.dot, ["a"], [[1, 2]])
        let error = EmbeddingError.versionMismatch(space: "items", expected: "items@2", found: "items@1")
        #expect(throws: error) { try table.nearest(to: [1, 2], queryVersion: "items@1", k: 1) }
        #expect(
            error.description
                == "the query was made by version items@1 of embedding space 'items', and these vectors are version "
                + "items@2; vectors of two versions cannot be compared, so embed the query with items@2"
        )
        #expect(throws: EmbeddingError.dimensionMismatch(space: "items", expected: 2, found: 3)) {
            try table.nearest(to: [1, 2, 3], queryVersion: "items@2", k: 1)
        }
        #expect(throws: EmbeddingError.queryNotFinite(space: "items", element: 1, .infinity)) {
            try table.nearest(to: [1, .infinity], queryVersion: "items@2", k: 1)
        }
    }
}
