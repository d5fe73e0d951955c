import Bins
import Columns
import Testing

/// Equal-frequency edges straight from the definition: the smallest value with enough values at or below it.
private func naiveQuantiles(_ values: [Double], bins: Int) -> [Double] {
    let finite = values.filter(\.isFinite).map { $0 == 0 ? 0 : $0 }
    var edges: Set<Double> = []
    for k in 1..<max(bins, 1) {
        let reached = finite.filter { candidate in finite.filter { $0 <= candidate }.count * bins >= k * finite.count }
        if let edge = reached.min() { edges.insert(edge) }
    }
    return edges.sorted().filter { $0 > finite.min() ?? 0 }
}

private func randomValues(_ count: Int, using generator: inout SeededGenerator) -> [Double?] {
    (0..<count).map { _ in
        switch Int.random(in: 0..<20, using: &generator) {
        case 0: nil
        case 1: .nan
        case 2: .infinity
        case 3: -.infinity
        case 4: -0.0
        case 5...12: Double(Int.random(in: -3...3, using: &generator))
        default: Double.random(in: -10...10, using: &generator)
        }
    }
}

private func column(_ values: some Sequence<Double?>) -> Column {
    .float64(PrimitiveColumn(Array(values), zero: 0))
}

@Suite("Fitting bins")
struct BinFitterTests {
    @Test("Quantile edges agree with the definition, and leave no bin empty", arguments: [1, 2, 3, 7, 20, 200])
    func quantiles(bins: Int) throws {
        var generator = SeededGenerator(seed: UInt64(bins))
        for count in [1, 2, 9, 60] {
            let values = [1.5] + randomValues(count, using: &generator)
            let fitted = try BinMethod.quantile(bins: bins).fit([column(values)])
            #expect(fitted.edges.edges == naiveQuantiles(values.compactMap { $0 }, bins: bins))
            #expect(fitted.edges.count <= bins)
            #expect(fitted.edges.edges.allSatisfy { $0 != 0 || $0.sign == .plus })
            let finite = values.compactMap { $0 }.filter(\.isFinite)
            #expect(Set(finite.map(fitted.edges.bin)).count == fitted.edges.count)
        }
    }

    @Test("Statistics count every row once")
    func statistics() throws {
        var generator = SeededGenerator(seed: 7)
        let methods: [BinMethod] = [.quantile(bins: 5), .uniform(bins: 5), .explicit([-1, 0, 4])]
        for method in methods {
            let values = [2.5] + randomValues(300, using: &generator)
            let fitted = try method.fit([column(values)])
            let statistics = fitted.statistics
            let present = values.compactMap { $0 }
            #expect(statistics.rowCount == 301)
            #expect(statistics.nullCount == values.count { $0 == nil })
            #expect(statistics.nanCount == present.count(where: \.isNaN))
            #expect(statistics.positiveInfinityCount == present.count { $0 == .infinity })
            #expect(statistics.negativeInfinityCount == present.count { $0 == -.infinity })
            #expect(statistics.finiteCount == present.count(where: \.isFinite))
            #expect(statistics.minimum == present.filter(\.isFinite).min())
            #expect(statistics.maximum == present.filter(\.isFinite).max())
            var counts = [Int](repeating: 0, count: fitted.edges.count)
            for value in present where !value.isNaN { counts[fitted.edges.bin(value)] += 1 }
            #expect(statistics.binCounts == counts)
        }
    }

    @Test("Any order and any partition of the rows gives the same bytes")
    func invariance() throws {
        var generator = SeededGenerator(seed: 8)
        let values = [2.5] + randomValues(200, using: &generator)
        for method in [BinMethod.quantile(bins: 9), .uniform(bins: 9), .explicit([0, 1])] {
            let whole = try method.fit([column(values)])
            for _ in 0..<10 {
                let shuffled = values.shuffled(using: &generator)
                let cut = Int.random(in: 0...shuffled.count, using: &generator)
                let fitted = try method.fit([column(shuffled[..<cut]), column([]), column(shuffled[cut...])])
                #expect(fitted == whole)
                #expect(fitted.edges.edges.map(\.bitPattern) == whole.edges.edges.map(\.bitPattern))
                #expect(fitted.statistics.minimum?.bitPattern == whole.statistics.minimum?.bitPattern)
            }
        }
    }

    @Test func constantFeaturesAreTrivial() throws {
        for method in [BinMethod.quantile(bins: 10), .uniform(bins: 10)] {
            let fitted = try method.fit([column([0.0, -0.0, nil, 0.0, .nan])])
            #expect(fitted.isTrivial && fitted.edges.edges.isEmpty && fitted.statistics.binCounts == [3])
            #expect(fitted.statistics.minimum?.sign == .plus)
        }
    }

    @Test("Half the rows at the minimum: no edge there, and the rest keep their bins")
    func heavyMinimum() throws {
        let values: [Double?] = [Double](repeating: 0, count: 50) + (1...50).map(Double.init)
        let fitted = try BinMethod.quantile(bins: 4).fit([column(values)])
        #expect(fitted.edges.edges == [25])
        #expect(fitted.statistics.binCounts == [74, 26])
    }

    @Test("Uniform edges stay finite and inside the data at the ends of the number line")
    func uniformExtremes() throws {
        let huge = Double.greatestFiniteMagnitude
        let wide = try BinMethod.uniform(bins: 4).fit([column([-huge, huge])])
        // Three quarters of the greatest number has no float64 of its own, so the last edge is rounded.
        #expect(wide.edges.edges == [-huge / 2, 0, (huge / 2).nextDown])
        let tiny = Double.leastNonzeroMagnitude
        let narrow = try BinMethod.uniform(bins: 8).fit([column([0, 5 * tiny])])
        #expect(narrow.edges.edges == (1...5).map { Double($0) * tiny })
        let next = 1.0.nextUp
        #expect(try BinMethod.uniform(bins: 4).fit([column([1, next])]).edges.edges == [next])
        #expect(try BinMethod.uniform(bins: 4).fit([column([0, 8])]).edges.edges == [2, 4, 6])
    }

    @Test func otherTypesFitAsTheyEncode() throws {
        let integers = Column(.int64, [.int64(1), .int64(2), .int64(1 << 53 + 1), .null])
        let fitted = try BinMethod.quantile(bins: 3).fit([integers])
        #expect(fitted.edges.edges == [2] && fitted.statistics.maximum == 0x1p53)
        let floats = Column(.float32, [.float32(0.1), .float32(0.2), .float32(.nan)])
        #expect(try BinMethod.quantile(bins: 2).fit([floats]).edges.edges == [])
        #expect(try BinMethod.quantile(bins: 4).fit([floats]).edges.edges == [Double(Float(0.2))])
    }

    @Test func misuseIsRefused() throws {
        #expect(throws: BinError.binCountOutOfRange(0)) { try BinMethod.quantile(bins: 0).fit([]) }
        #expect(throws: BinError.binCountOutOfRange(65_537)) { try BinMethod.uniform(bins: 65_537).fit([]) }
        #expect(throws: BinError.edgesNotIncreasing(position: 1, 1, previous: 2)) {
            try BinMethod.explicit([2, 1]).fit([])
        }
        #expect(throws: BinError.unsupportedType(.timestamp)) {
            try BinMethod.quantile(bins: 2).fit([Column(.timestamp, [])])
        }
        #expect(throws: BinError.noFiniteValues(rows: 3)) {
            try BinMethod.quantile(bins: 2).fit([column([nil, .nan, .infinity])])
        }
        // Given edges need no values.
        #expect(try BinMethod.explicit([1]).fit([]).statistics.binCounts == [0, 0])
    }
}
