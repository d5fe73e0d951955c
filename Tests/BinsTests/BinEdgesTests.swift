import Bins
import Columns
import Testing

private func ids(_ column: Column) -> [Int64?] {
    guard case .int64(let ids) = column else { return [] }
    return (0..<ids.count).map { ids[$0] }
}

/// The rule as it is written down: the number of edges at or below the value.
private func naive(_ edges: [Double], _ value: Double) -> Int {
    value.isNaN ? edges.count + 1 : edges.filter { $0 <= value }.count
}

private func randomEdges(_ count: Int, using generator: inout SeededGenerator) -> [Double] {
    var edges: Set<Double> = []
    while edges.count < count { edges.insert(Double.random(in: -100...100, using: &generator)) }
    return edges.sorted()
}

@Suite("Bin edges")
struct BinEdgesTests {
    @Test("Every boundary is exact to the bit", arguments: [0, 1, 2, 3, 7, 32, 63, 64, 65, 100, 128, 255])
    func boundaries(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let edges = randomEdges(count, using: &generator)
        let bins = try BinEdges(edges)
        #expect(bins.count == count + 1 && bins.nanBin == count + 1 && bins.totalIds == count + 2)
        var values = edges.flatMap { [$0.nextDown, $0, $0.nextUp] }
        let special: [Double] = [.nan, .infinity, -.infinity, 0.0, -0.0, .signalingNaN, .greatestFiniteMagnitude]
        values += special + special.map { -$0 }
        values += (0..<50).map { _ in Double.random(in: -120...120, using: &generator) }
        for (position, edge) in edges.enumerated() {
            #expect(bins.bin(edge.nextDown) == position)
            #expect(bins.bin(edge) == position + 1 && bins.bin(edge.nextUp) == position + 1)
        }
        // All lengths up to two vectors, so that vector body and tail are both seen.
        for length in Array(0...17) + [values.count] {
            let some = Array(values.shuffled(using: &generator).prefix(length))
            let encoded = try bins.encode(.float64(PrimitiveColumn(some)), offset: 1000)
            #expect(ids(encoded) == some.map { Int64(naive(edges, $0) + 1000) })
            #expect(some.map(bins.bin) == some.map { naive(edges, $0) })
        }
    }

    @Test func zerosAreOneEdge() throws {
        let bins = try BinEdges([-1, -0.0, 1])
        #expect(bins.edges[1].sign == .plus)
        #expect(bins == (try BinEdges([-1, 0, 1])))
        #expect(bins.bin(-0.0) == 2 && bins.bin(0.0) == 2 && bins.bin(0.0.nextDown) == 1)
        #expect(throws: BinError.edgesNotIncreasing(position: 1, 0, previous: 0)) { try BinEdges([-0.0, 0.0]) }
    }

    @Test func infinitiesFallIntoTheEndBins() throws {
        let bins = try BinEdges([-5, 5])
        #expect(bins.bin(-.infinity) == 0 && bins.bin(.infinity) == 2 && bins.bin(.nan) == 3)
        #expect(try BinEdges([]).bin(.infinity) == 0)
        #expect(try BinEdges([]).bin(.nan) == 1)
    }

    @Test("A null has no id, and NaN is not null")
    func nulls() throws {
        for edges in [[1.0], (0..<40).map(Double.init)] {
            let bins = try BinEdges(edges)
            let column = Column(.float64, [.float64(7), .null, .float64(.nan), .float64(-1)])
            let expected: [Scalar] = [
                .int64(Int64(naive(edges, 7)) + 3), .null, .int64(Int64(edges.count) + 4), .int64(3),
            ]
            // Equality of columns also says that the null row holds zero.
            #expect(try bins.encode(column, offset: 3) == Column(.int64, expected))
        }
    }

    @Test("float32 is widened exactly, and int64 is rounded to float64")
    func otherTypes() throws {
        // Float(0.1) lies above the double 0.1.
        let bins = try BinEdges([0.1, 0x1p53])
        let floats = Column(.float32, [.float32(0.1), .float32(Float(0.1).nextDown), .float32(.nan), .null])
        #expect(ids(try bins.encode(floats)) == [1, 0, 3, nil])
        let integers = Column(.int64, [.int64(0), .int64(1), .int64(1 << 53 - 1), .int64(1 << 53 + 1), .int64(.max)])
        #expect(ids(try bins.encode(integers)) == [0, 1, 1, 2, 2])
        // 2^53 + 1 has no float64 of its own: it becomes 2^53, which is below the next edge.
        #expect(ids(try BinEdges([0x1p53 + 2]).encode(Column(.int64, [.int64(1 << 53 + 1)]))) == [0])
        #expect(throws: BinError.unsupportedType(.string)) { try bins.encode(Column(.string, [])) }
    }

    @Test func badEdgesAreRefused() {
        #expect(throws: BinError.edgesNotIncreasing(position: 1, 1, previous: 1)) { try BinEdges([1, 1]) }
        #expect(throws: BinError.edgesNotIncreasing(position: 2, 1, previous: 2)) { try BinEdges([0, 2, 1]) }
        #expect(throws: BinError.edgeNotFinite(position: 0, -.infinity)) { try BinEdges([-.infinity, 1]) }
        #expect(throws: BinError.self) { try BinEdges([.nan]) }
        #expect(
            BinError.edgesNotIncreasing(position: 2, 1, previous: 2).description
                == "bin edge 2 is 1.0, not above 2.0 before it; sort the edges and remove duplicates "
                + "(-0.0 counts as 0.0)"
        )
    }

    @Test func globalIds() throws {
        let features = try [BinEdges([1, 2]), BinEdges([]), BinEdges([0])]
        let global = GlobalBinIds(features)
        #expect(global.offsets == [0, 4, 6, 9] && global.count == 9)
        var seen: Set<Int64> = []
        let column = Column(.float64, [.float64(-1), .float64(0), .float64(1), .float64(2), .float64(.nan), .null])
        for (feature, edges) in features.enumerated() {
            let encoded = ids(try global.encode(column, feature: feature)).compactMap { $0 }
            #expect(encoded.count == 5 && seen.isDisjoint(with: encoded))
            seen.formUnion(encoded)
            for bin in 0..<edges.totalIds {
                let found = global.bin(of: global.offsets[feature] + Int64(bin))
                #expect(found?.feature == feature && found?.bin == bin)
            }
        }
        #expect(global.bin(of: 9) == nil && global.bin(of: -1) == nil)
        #expect(GlobalBinIds([]).bin(of: 0) == nil)
        #expect(GlobalBinIds(features + [features[0]]).offsets.prefix(4) == global.offsets.prefix(4))
    }
}
