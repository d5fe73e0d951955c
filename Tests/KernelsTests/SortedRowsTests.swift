import Columns
import Kernels
import Testing

@Suite("Sorting history")
struct SortedRowsTests {
    /// Sorts by encoded bytes, with nothing of the kernel's shortcuts.
    private func naive(_ keys: KeyColumn, _ eventTimes: [Int64], _ knownTimes: [Int64]) -> [Int] {
        (0..<keys.count).sorted { left, right in
            switch (keys.bytes(left), keys.bytes(right)) {
            case (nil, nil): break
            case (nil, _): return false
            case (_, nil): return true
            case (let a?, let b?): if a != b { return a.lexicographicallyPrecedes(b) }
            }
            return (eventTimes[left], knownTimes[left], left) < (eventTimes[right], knownTimes[right], right)
        }
    }

    @Test("The order is that of (key bytes, event time, known time, position)")
    func agreesWithNaive() throws {
        var generator = SeededGenerator(seed: 5)
        let shapes: [[DataType]] =
            keyTypes.map { [$0] } + [[], [.string, .string], [.int64, .bytes], [.timestamp, .bool, .string]]
        for types in shapes {
            for count in [0, 1, 2, 90] {
                for nullOneIn in [0, 5] {
                    let columns = types.map {
                        randomColumn($0, count: count, nullOneIn: nullOneIn, using: &generator)
                    }
                    let keys = try KeyColumn(columns, rowCount: count)
                    let events = (0..<count).map { _ in Int64.random(in: -2...2, using: &generator) }
                    let known = events.map { $0 + Int64.random(in: 0...2, using: &generator) }
                    let rows = sortedRows(by: keys, eventTimes: events, knownTimes: known)
                    #expect(rows == naive(keys, events, known))
                    // Sorted input stays as it is.
                    let again = sortedRows(
                        by: keys.take(rows),
                        eventTimes: rows.map { events[$0] },
                        knownTimes: rows.map { known[$0] }
                    )
                    #expect(again == Array(0..<count))
                }
            }
        }
    }
}
