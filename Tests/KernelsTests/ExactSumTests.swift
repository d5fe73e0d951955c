import Kernels
import Testing

/// Doubles whose exponent fields lie in `low..<low + width`: as the program that made the vectors drew them.
private func value(_ low: UInt64, _ width: UInt64, using generator: inout SeededGenerator) -> Double {
    let word = generator.next()
    let field = low + generator.next() % width
    return Double(bitPattern: word & 0x800f_ffff_ffff_ffff | field << 52)
}

private func sum(_ values: [Double]) -> ExactSum {
    var sum = ExactSum()
    for value in values { sum.add(value) }
    return sum
}

private func moments(_ values: [Double]) -> ExactMoments {
    var moments = ExactMoments()
    for value in values { moments.add(value) }
    return moments
}

private let specials: [Double] = [
    0, -0.0, 0x1p-1074, -0x1p-1074, 2.2250738585072014e-308, 1, -1, 0.1, 1e16, 1e308, -1e308, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude, 0x1p-1022, Double.leastNormalMagnitude.nextDown, 0x1p969, 0x1p970, 0x1p971, 3,
]

@Suite("Exact sums")
struct ExactSumTests {
    /// Seeded values and the negatives of the first two thirds of them; sums by Python's `math.fsum`.
    static let seeded: [(seed: UInt64, count: Int, field: UInt64, width: UInt64, sum: UInt64)] = [
        (seed: 1, count: 1, field: 0, width: 2000, sum: 0xa07a_2dec_8902_5cc1),
        (seed: 2, count: 2, field: 0, width: 2, sum: 0x800b_bcbf_dd7e_532f),
        (seed: 3, count: 10, field: 1000, width: 40, sum: 0x40ea_7860_86d8_4f1c),
        (seed: 4, count: 100, field: 0, width: 1, sum: 0x8001_6009_a918_805b),
        (seed: 5, count: 100, field: 0, width: 60, sum: 0x03a3_aa9c_2b64_6c2f),
        (seed: 6, count: 100, field: 1000, width: 3, sum: 0xbeb1_af40_a258_291a),
        (seed: 7, count: 200, field: 900, width: 200, sum: 0xc4a8_f123_2fa2_a911),
        (seed: 8, count: 500, field: 0, width: 2000, sum: 0x7c56_5f80_b47b_ce3e),
        (seed: 9, count: 1000, field: 1020, width: 8, sum: 0x4020_70be_f8c1_8412),
        (seed: 10, count: 1000, field: 1, width: 1900, sum: 0x76bb_3b0e_d2a2_26a6),
        (seed: 11, count: 50, field: 1990, width: 45, sum: 0x7f10_dd4b_f2d3_837e),
        (seed: 12, count: 333, field: 500, width: 1000, sum: 0xdd6e_8143_5ac1_d053),
    ]

    @Test("Agrees with math.fsum on seeded values", arguments: seeded.indices)
    func seededVectors(vector: Int) {
        let vector = ExactSumTests.seeded[vector]
        var generator = SeededGenerator(seed: vector.seed)
        var values = (0..<vector.count).map { _ in value(vector.field, vector.width, using: &generator) }
        values += values.prefix(2 * vector.count / 3).map { -$0 }
        #expect(sum(values).value?.bitPattern == vector.sum)
    }

    /// Sums by Python's `math.fsum`.
    static let literals: [([Double], UInt64)] = [
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 0x3ff0_0000_0000_0000),
        ([1, 1e+100, 1, -1e+100], 0x4000_0000_0000_0000),
        ([0x1p-1074, 0x1p-1074], 0x0000_0000_0000_0002),
        ([0x1p-1074, -0x1p-1074], 0x0000_0000_0000_0000),
        ([9007199254740992, 1, 0x1p-1074], 0x4340_0000_0000_0001),
        ([9007199254740992, 1, -0x1p-1074], 0x4340_0000_0000_0000),
        ([9007199254740994, 1, -0x1p-1074], 0x4340_0000_0000_0001),
        ([1.7976931348623157e+308, 4.9896007738368e+291], 0x7fef_ffff_ffff_ffff),
        ([1e+16, 1, 1e-16], 0x4341_c379_37e0_8001),
        ([0.1, 0.2, 0.3, -0.6], 0x3c80_0000_0000_0000),
        ([2.2250738585072014e-308, -0x1p-1074], 0x000f_ffff_ffff_ffff),
        ([1e-300, 1e+300, -1e+300, 0x1p-1030], 0x01a5_6e1f_c300_f359),
    ]

    @Test("Agrees with math.fsum on cases that naive sums get wrong", arguments: literals.indices)
    func literalVectors(vector: Int) {
        let (values, expected) = ExactSumTests.literals[vector]
        #expect(sum(values).value?.bitPattern == expected)
        #expect(sum(values.reversed()).value?.bitPattern == expected)
    }

    @Test("Sums, means and deviations are the nearest doubles of the big-integer twin", arguments: 0..<12)
    func twin(seed: Int) {
        var generator = SeededGenerator(seed: 100 + UInt64(seed))
        for round in 0..<6 {
            let count = Int.random(in: 1...9, using: &generator)
            let low = UInt64([0, 0, 1000, 2040, 900, 1][round % 6])
            let width = UInt64([2, 2046, 10, 7, 200, 100][round % 6])
            let values = (0..<count).map { _ in
                Int.random(in: 0..<3, using: &generator) == 0
                    ? specials.randomElement(using: &generator) ?? 0 : value(low, width, using: &generator)
            }
            let numbers = values.map { TwinInteger($0) }
            let total = numbers.reduce(TwinInteger(0), +)
            let exact = moments(values)
            #expect(exact.sum.count == count)
            #expect(total.rounds(to: exact.sum.value), "\(values)")
            #expect(exact.sum.mean.map { total.rounds(to: $0, dividedBy: count) } == true, "\(values)")
            guard count > 1, let deviation = exact.standardDeviation, deviation.isFinite else { continue }
            // n Σx² − (Σx)² against s² n (n − 1), for s two units in the last place to either side.
            let squares = numbers.reduce(TwinInteger(0)) { $0 + $1 * $1 }
            let numerator = TwinInteger(count) * squares - total * total
            let pairs = TwinInteger(count * (count - 1))
            let lower = TwinInteger(max(0, deviation.nextDown.nextDown))
            let upper = TwinInteger(deviation.nextUp.nextUp)
            #expect(lower * lower * pairs <= numerator && numerator <= upper * upper * pairs, "\(values)")
        }
    }

    @Test("Removing and merging leave no trace, whatever the order")
    func removal() {
        var generator = SeededGenerator(seed: 200)
        for round in 0..<20 {
            let kept = (0..<10).map { _ in value(0, round % 2 == 0 ? 2047 : 2, using: &generator) }
            let others = (0..<30).map { _ in
                Int.random(in: 0..<4, using: &generator) == 0
                    ? [Double.nan, .infinity, -.infinity].randomElement(using: &generator) ?? 0
                    : value(0, 2047, using: &generator)
            }
            var left = ExactMoments()
            var right = ExactMoments()
            for value in (kept + others).shuffled(using: &generator) { left.add(value) }
            for value in others.shuffled(using: &generator) { left.remove(value) }
            for value in kept.prefix(4) { right.add(value) }
            right.merge(moments(Array(kept.suffix(6))))
            #expect(left == moments(kept) && left == right && left.hashValue == right.hashValue)
            #expect(left.sum.value == sum(kept).value && left.sum == sum(kept.reversed()))
            #expect(left.standardDeviation == right.standardDeviation)
            for value in kept { left.remove(value) }
            #expect(left == ExactMoments())
        }
    }

    @Test("Sums of integers are exact and overflow only at the end")
    func integers() {
        var generator = SeededGenerator(seed: 300)
        for _ in 0..<200 {
            let values = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max].randomElement(using: &generator)
                    ?? Int64(bitPattern: generator.next())
            }
            var exact = ExactMoments()
            for value in values + [7] { exact.add(value) }
            exact.remove(Int64(7))
            let total = values.reduce(Int128(0)) { $0 + Int128($1) }
            #expect(exact.sum.integer == Int64(exactly: total))
            #expect(exact.sum.value == Double(total))
        }
    }

    @Test("NaN, infinities and zeros follow their rules")
    func specialValues() {
        #expect(sum([]).value == 0 && sum([]).mean == nil && moments([1]).standardDeviation == nil)
        #expect(sum([-0.0, -0.0]).value?.sign == .plus)
        #expect(sum([-0x1p-1074, 0]).mean?.bitPattern == 0)
        #expect(sum([1, .nan, .infinity]).value?.isNaN == true)
        #expect(sum([.infinity, -.infinity]).value?.isNaN == true)
        #expect(sum([.infinity, 1, .infinity]).value == .infinity)
        #expect(sum([-.infinity, 1e308, 1e308]).mean == -.infinity)
        #expect(sum([.greatestFiniteMagnitude, .greatestFiniteMagnitude]).value == nil)
        #expect(sum([.greatestFiniteMagnitude, .greatestFiniteMagnitude]).mean == .greatestFiniteMagnitude)
        #expect(sum([.greatestFiniteMagnitude, 0x1p970]).value == nil)
        #expect(sum([.greatestFiniteMagnitude, 0x1p970, -0x1p-1074]).value == .greatestFiniteMagnitude)
        #expect(moments([1, .infinity]).standardDeviation?.isNaN == true)
        #expect(moments([1e308, -1e308]).standardDeviation == 1e308 * 2.0.squareRoot())
        #expect(moments([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]).standardDeviation == .infinity)
        #expect(moments([0x1p-1074, 0x1p-1074]).standardDeviation == 0)
        #expect(moments([1e15 + 1, 1e15 + 2, 1e15 + 3]).standardDeviation == 1)
    }
}
