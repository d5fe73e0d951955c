import Columns
import Kernels
import Testing

extension Rows {
    func take(_ rows: [Int]) -> Rows {
        Rows(
            columns: columns.map { $0.take(rows) },
            eventTimes: rows.map { eventTimes[$0] },
            knownTimes: rows.map { knownTimes[$0] },
            sequences: rows.map { sequences[$0] }
        )
    }

    fileprivate func pass(_ winners: inout AsOfWinners, part: Int) throws {
        winners.absorb(
            part: part,
            keys: try keys(),
            eventTimes: eventTimes,
            knownTimes: knownTimes,
            sequences: sequences
        )
    }
}

@Suite("As-of join over history in parts")
struct AsOfWinnersTests {
    /// The outcome in the twin's form: rows of the whole history.
    private func matches(_ places: AsOfPlaces, parts: [[Int]]) -> AsOfMatches {
        var result = AsOfMatches(rows: places.statuses.map { _ in -1 }, statuses: places.statuses)
        for part in places.parts {
            for (row, spineRow) in zip(part.rows, part.spineRows) { result.rows[spineRow] = parts[part.number][row] }
        }
        return result
    }

    @Test("Agrees with the quadratic twin for any parts, in any order, among any threads", arguments: shapes.indices)
    func agreesWithNaive(shape: Int) throws {
        var generator = SeededGenerator(seed: 900 + UInt64(shape))
        for count in [0, 1, 7, 70] {
            for round in 0..<8 {
                let history = randomHistory(shapes[shape], count: count, using: &generator)
                let spine = Rows(
                    columns: shapes[shape].map { randomColumn($0, count: 60, nullOneIn: 10, using: &generator) },
                    eventTimes: (0..<60).map { _ in Int64.random(in: -1...40, using: &generator) }
                )
                // As sealed segments have their rows, or in no order at all.
                let order =
                    round % 2 == 0
                    ? sortedRows(
                        by: try history.keys(),
                        eventTimes: history.eventTimes,
                        knownTimes: history.knownTimes
                    ) : Array(0..<count).shuffled(using: &generator)
                let cuts = [0] + (0..<3).map { _ in Int.random(in: 0...count, using: &generator) }.sorted() + [count]
                let parts = zip(cuts, cuts.dropFirst()).map { Array(order[$0..<$1]) }
                let arranged = AsOfSpine(keys: try spine.keys(), times: spine.eventTimes)
                var threads = [AsOfWinners](repeating: AsOfWinners(arranged), count: 3)
                for part in parts.indices.shuffled(using: &generator) {
                    let thread = Int.random(in: 0..<3, using: &generator)
                    try history.take(parts[part]).pass(&threads[thread], part: part)
                }
                var winners = threads[1]
                winners.merge(threads[0])
                winners.merge(threads[2])
                for ttl: Int64? in [nil, 1, 2, 5, 19, .max] {
                    let found = matches(winners.places(ttl: ttl), parts: parts)
                    #expect(found == naive(history, spine, ttl: ttl))
                }
            }
        }
    }

    @Test("Rows equal in all times and sequences are told apart by their place, whatever the order of parts")
    func equalRows() throws {
        let history = Rows(
            columns: [Column(.int64, [.int64(1), .int64(1)])],
            eventTimes: [5, 5],
            knownTimes: [6, 6],
            sequences: [0, 0]
        )
        let spine = AsOfSpine(keys: try history.keys(), times: [6, 5])
        for order in [[0, 1], [1, 0]] {
            var winners = AsOfWinners(spine)
            for part in order { try history.pass(&winners, part: part) }
            let places = winners.places(ttl: nil)
            #expect(places.parts.map(\.number) == [1])
            #expect(places.parts.first?.rows == [1])
            #expect(places.parts.first?.spineRows == [0])
            #expect(places.statuses == [.matched, .notFound])
        }
    }

    @Test("A long history and few spine rows meet in steps that double")
    func distantRows() throws {
        let count = 5_000
        let history = Rows(
            columns: [Column(.int64, (0..<count).map { _ in .int64(1) })],
            eventTimes: (0..<Int64(count)).map { $0 * 2 },
            knownTimes: (0..<Int64(count)).map { $0 * 2 },
            sequences: (0..<Int64(count)).map { $0 }
        )
        let times: [Int64] = [-1, 0, 1, 2, 4_999, 5_000, 9_998, 9_999, 20_000, 7]
        let keys = try KeyColumn([Column(.int64, times.map { _ in .int64(1) })], rowCount: times.count)
        var winners = AsOfWinners(AsOfSpine(keys: keys, times: times))
        try history.pass(&winners, part: 0)
        let found = matches(winners.places(ttl: nil), parts: [Array(0..<count)])
        #expect(found.rows == [-1, 0, 0, 1, 2_499, 2_500, 4_999, 4_999, 4_999, 3])
    }
}
