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
        try winners.absorb(
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
    private func matches(_ places: AsOfPlaces, spineCount: Int, parts: [[Int]]) -> AsOfMatches {
        var result = AsOfMatches(
            rows: [Int](repeating: -1, count: spineCount),
            statuses: [AsOfStatus](repeating: .notFound, count: spineCount)
        )
        for row in places.expired { result.statuses[row] = .outsideMaxAge }
        for part in places.parts {
            for (row, spineRow) in zip(part.rows, part.spineRows) {
                #expect(result.statuses[spineRow] == .notFound, "spine row \(spineRow) is placed twice")
                result.rows[spineRow] = parts[part.number][row]
                result.statuses[spineRow] = .matched
            }
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
                let shardCount = 1 + round % 4
                let shards = try (0..<shardCount).map {
                    AsOfSpine.Shard($0, of: shardCount, keys: try spine.keys(), times: spine.eventTimes)
                }
                let arranged = AsOfSpine(shards, count: 60)
                var threads = [AsOfWinners](repeating: AsOfWinners(arranged), count: 3)
                for part in parts.indices.shuffled(using: &generator) {
                    let thread = Int.random(in: 0..<3, using: &generator)
                    try history.take(parts[part]).pass(&threads[thread], part: part)
                }
                for ttl: Int64? in [nil, 1, 2, 5, 19, .max] {
                    let found = matches(AsOfWinners.places(threads, ttl: ttl), spineCount: 60, parts: parts)
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
            let places = AsOfWinners.places([winners], ttl: nil)
            #expect(places.parts.map(\.number) == [1])
            #expect(places.parts.first?.rows == [1])
            #expect(places.parts.first?.spineRows == [0])
            #expect(places.expired.isEmpty)
        }
    }

    @Test("A row that is known before it is true is an error that leaves the winners as they were")
    func rowKnownTooEarly() throws {
        let history = Rows(
            columns: [Column(.int64, [.int64(1), .int64(1)])],
            eventTimes: [5, 7],
            knownTimes: [6, 6],
            sequences: [0, 1]
        )
        var winners = AsOfWinners(AsOfSpine(keys: try history.keys(), times: [9, 9]))
        #expect(throws: AsOfError(row: 1)) { try history.pass(&winners, part: 0) }
        #expect(AsOfWinners.places([winners], ttl: nil).parts.isEmpty)
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
        let places = AsOfWinners.places([winners], ttl: nil)
        let found = matches(places, spineCount: times.count, parts: [Array(0..<count)])
        #expect(found.rows == [-1, 0, 0, 1, 2_499, 2_500, 4_999, 4_999, 4_999, 3])
    }

    @Test("Many spine rows of one key are sorted as few are, and keep their order where times are equal")
    func manyRowsOfOneKey() throws {
        var generator = SeededGenerator(seed: 77)
        for count in [2, 24, 25, 300] {
            let history = Rows(
                columns: [Column(.int64, (0..<40).map { _ in .int64(1) })],
                eventTimes: (0..<40).map { _ in Int64.random(in: 0...30, using: &generator) },
                knownTimes: [Int64](repeating: 30, count: 40),
                sequences: (0..<40).map { $0 }
            )
            let spine = Rows(
                columns: [Column(.int64, (0..<count).map { _ in .int64(1) })],
                eventTimes: (0..<count).map { _ in Int64.random(in: 0...60, using: &generator) }
            )
            var winners = AsOfWinners(AsOfSpine(keys: try spine.keys(), times: spine.eventTimes))
            try history.pass(&winners, part: 0)
            let places = AsOfWinners.places([winners], ttl: nil)
            #expect(matches(places, spineCount: count, parts: [Array(0..<40)]) == naive(history, spine, ttl: nil))
        }
    }
}
