import Columns
import Kernels
import Testing

@Suite struct RankedKeysTests {
    @Test func textOrdersByItsBytesAndNullsComeLast() throws {
        let names = Column.string(BinaryColumn(["N744P", nil, "N10156", "", "N744P", "é", "n1"]))
        let numbers = Column.int64(PrimitiveColumn([3, 1, .min, 2, nil, .max, 0], zero: 0))
        let keys = try KeyColumn.ranked([names, numbers], rowCount: 7)
        let order = sortedRows(
            by: keys,
            eventTimes: [Int64](repeating: 0, count: 7),
            knownTimes: [Int64](repeating: 0, count: 7)
        )
        #expect(order == [3, 2, 0, 4, 6, 5, 1])
    }

    @Test func ordersLikeANaiveSort() throws {
        var state: UInt64 = 9
        func draw(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let texts = (0..<400).map { _ -> String? in
            draw(10) == 0 ? nil : String((0..<draw(4)).map { _ in Character(["a", "b", "ü", "Z"][Int(draw(4))]) })
        }
        let numbers = (0..<400).map { _ -> Int64? in draw(9) == 0 ? nil : Int64(draw(5)) - 2 }
        let times = (0..<400).map { _ in Int64(draw(3)) }
        let keys = try KeyColumn.ranked(
            [.string(BinaryColumn(texts)), .int64(PrimitiveColumn(numbers, zero: 0))],
            rowCount: 400
        )
        let naive = (0..<400).sorted { left, right in
            if texts[left] != texts[right] {
                guard let a = texts[left] else { return false }
                guard let b = texts[right] else { return true }
                return a.utf8.lexicographicallyPrecedes(b.utf8)
            }
            if numbers[left] != numbers[right] {
                guard let a = numbers[left] else { return false }
                guard let b = numbers[right] else { return true }
                return a < b
            }
            return (times[left], left) < (times[right], right)
        }
        #expect(sortedRows(by: keys, eventTimes: times, knownTimes: times) == naive)
    }
}
