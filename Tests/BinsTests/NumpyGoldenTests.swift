import Bins
import Columns
import Testing

// The expected values were computed with numpy 2.4.6, and checked against scikit-learn 1.9.1's KBinsDiscretizer
// (strategy "quantile", quantile_method "inverted_cdf", subsample None):
//
//     edges = unique(quantile(x, [k / bins for k in 1 ..< bins], method="inverted_cdf")), those above min(x)
//     ids = searchsorted(edges, x, side="right"); counts = bincount(ids)
//
// The data come from a linear congruential generator that both sides run: state = state * 6364136223846793005
// + 1442695040888963407 (mod 2^64), starting at the seed, and u = (state >> 11) / 2^53 of each new state.

private enum Shape {
    case skewed
    case tied
    case spiked

    func value(_ u: Double) -> Double {
        switch self {
        case .skewed: u * u * 1000 - 20
        case .tied: (u * u * 24).rounded(.down) / 4 - 1
        case .spiked: u < 0.4 ? 3 : u < 0.5 ? -1 : u * 16
        }
    }
}

private func values(_ shape: Shape, seed: UInt64, count: Int) -> [Double] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return shape.value(Double(state >> 11) / 0x1p53)
    }
}

private struct Golden: Sendable {
    let seed: UInt64
    let count: Int
    let shape: Shape
    let bins: Int
    let edges: [Double]
    let counts: [Int]
    /// The ids of the first values.
    let ids: [Int64]
}

private let golden: [Golden] = [
    Golden(
        seed: 1,
        count: 1000,
        shape: .skewed,
        bins: 10,
        edges: [
            -10.81898241856144, 25.52708698237248, 73.7020266405, 144.80584418634535, 234.8351014926201,
            340.7539898120465, 488.1515429084297, 645.177547638534, 798.4009084220328,
        ],
        counts: [99, 100, 100, 100, 100, 100, 100, 100, 100, 101],
        ids: [4, 5, 6, 3, 7, 4, 5, 0, 8, 1, 7, 5, 7, 3, 2, 7, 4, 5, 6, 1, 8, 9, 5, 6]
    ),
    Golden(
        seed: 2,
        count: 997,
        shape: .skewed,
        bins: 7,
        edges: [
            11.248196781934166, 70.42237198940508, 172.60714475130044, 291.95870965683844,
            487.7326406931756, 716.5549506588844,
        ],
        counts: [142, 142, 143, 142, 143, 142, 143],
        ids: [5, 6, 4, 2, 1, 3, 0, 5, 1, 6, 6, 4, 3, 3, 4, 2, 2, 0, 0, 6, 0, 1, 1, 0]
    ),
    Golden(
        seed: 3,
        count: 500,
        shape: .tied,
        bins: 20,
        edges: [-0.75, -0.5, -0.25, 0.0, 0.25, 0.75, 1.0, 1.5, 1.75, 2.25, 2.75, 3.25, 3.75, 4.25],
        counts: [82, 53, 37, 38, 20, 36, 18, 35, 20, 29, 23, 30, 27, 15, 37],
        ids: [0, 2, 9, 2, 7, 3, 5, 5, 6, 9, 14, 12, 1, 10, 13, 12, 1, 10, 4, 10, 1, 4, 13, 5]
    ),
    Golden(
        seed: 4,
        count: 333,
        shape: .spiked,
        bins: 8,
        edges: [3.0, 9.34094906824062, 11.836615227588908, 13.71404411992669],
        counts: [37, 171, 41, 42, 42],
        ids: [0, 2, 3, 1, 1, 1, 4, 1, 4, 0, 1, 1, 4, 4, 1, 0, 1, 1, 3, 1, 0, 2, 2, 4]
    ),
    Golden(
        seed: 5,
        count: 5,
        shape: .skewed,
        bins: 8,
        edges: [75.76062556429471, 176.01477590168236, 625.1482877898895, 653.2262877714527],
        counts: [1, 1, 1, 1, 1],
        ids: [3, 0, 4, 1, 2]
    ),
]

@Suite("Bins against numpy and scikit-learn")
struct NumpyGoldenTests {
    @Test("Quantile edges, counts and ids are numpy's to the bit", arguments: golden.indices)
    func quantiles(position: Int) throws {
        let golden = golden[position]
        let column = Column.float64(
            PrimitiveColumn(values(golden.shape, seed: golden.seed, count: golden.count))
        )
        let fitted = try BinMethod.quantile(bins: golden.bins).fit([column])
        #expect(fitted.edges.edges.map(\.bitPattern) == golden.edges.map(\.bitPattern))
        #expect(fitted.statistics.binCounts == golden.counts)
        guard case .int64(let ids) = try fitted.edges.encode(column) else {
            Issue.record("ids are int64")
            return
        }
        #expect(Array(ids.values.prefix(24)) == golden.ids)
    }

    @Test("Uniform edges are numpy.linspace's to the bit")
    func uniform() throws {
        let column = Column.float64(PrimitiveColumn(values(.skewed, seed: 1, count: 1000)))
        let fitted = try BinMethod.uniform(bins: 10).fit([column])
        #expect(
            fitted.edges.edges == [
                79.5753804521011, 179.15016534261596, 278.7249502331308, 378.29973512364563, 477.87452001416045,
                577.4493049046754, 677.0240897951902, 776.598874685705, 876.1736595762198,
            ]
        )
    }
}
