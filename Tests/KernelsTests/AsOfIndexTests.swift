import Columns
import Kernels
import Testing

/// History or spine rows in the plain form that the quadratic twin reads.
struct Rows {
    var columns: [Column]
    var parts: [[Scalar]] { (0..<eventTimes.count).map { row in columns.map { $0[row] } } }
    var eventTimes: [Int64]
    var knownTimes: [Int64] = []
    var sequences: [Int64] = []

    func keys() throws -> KeyColumn { try KeyColumn(columns, rowCount: eventTimes.count) }

    func index() throws -> AsOfIndex {
        try AsOfIndex(keys: keys(), eventTimes: eventTimes, knownTimes: knownTimes, sequences: sequences)
    }
}

/// The as-of rule word for word: scans all history for each spine row.
func naive(_ history: Rows, _ spine: Rows, ttl: Int64?) -> AsOfMatches {
    var result = AsOfMatches(rows: [], statuses: [])
    let historyParts = history.parts
    for (parts, time) in zip(spine.parts, spine.eventTimes) {
        var winner = -1
        var isKnown = false
        for row in historyParts.indices where historyParts[row] == parts && !parts.contains(.null) {
            guard history.eventTimes[row] <= time, history.knownTimes[row] <= time else { continue }
            isKnown = true
            if let ttl {
                let (earliest, overflow) = time.subtractingReportingOverflow(ttl)
                if history.eventTimes[row] < (overflow ? .min : earliest) { continue }
            }
            if winner < 0 {
                winner = row
                continue
            }
            let left = (history.eventTimes[row], history.knownTimes[row], history.sequences[row])
            let right = (history.eventTimes[winner], history.knownTimes[winner], history.sequences[winner])
            if left > right { winner = row }
        }
        result.rows.append(winner)
        result.statuses.append(winner >= 0 ? .matched : isKnown ? .outsideMaxAge : .notFound)
    }
    return result
}

let shapes: [[DataType]] = [
    [], [.int64], [.string], [.bool], [.timestamp], [.bytes], [.string, .string], [.int64, .int64], [.int64, .string],
]

func randomHistory(_ types: [DataType], count: Int, using generator: inout SeededGenerator) -> Rows {
    let events = (0..<count).map { _ in Int64.random(in: 0...20, using: &generator) }
    // Half the rows are late, some by a lot, so that the newest event is often known before an older one.
    let known = events.map { event in
        event + (Bool.random(using: &generator) ? 0 : Int64.random(in: 0...15, using: &generator))
    }
    return Rows(
        columns: types.map { randomColumn($0, count: count, nullOneIn: 8, using: &generator) },
        eventTimes: events,
        knownTimes: known,
        sequences: (0..<count).map(Int64.init).shuffled(using: &generator)
    )
}

@Suite("As-of match")
struct AsOfIndexTests {
    @Test("Agrees with the quadratic twin on ties, late rows, null keys and every age limit", arguments: shapes.indices)
    func agreesWithNaive(shape: Int) throws {
        var generator = SeededGenerator(seed: 10 + UInt64(shape))
        for count in [0, 1, 7, 70] {
            for _ in 0..<6 {
                let history = randomHistory(shapes[shape], count: count, using: &generator)
                let spine = Rows(
                    columns: shapes[shape].map { randomColumn($0, count: 60, nullOneIn: 10, using: &generator) },
                    eventTimes: (0..<60).map { _ in Int64.random(in: -1...40, using: &generator) }
                )
                let index = try history.index()
                for ttl: Int64? in [nil, 1, 2, 5, 19, .max] {
                    let matches = try index.match(keys: spine.keys(), at: spine.eventTimes, ttl: ttl)
                    #expect(matches == naive(history, spine, ttl: ttl))
                }
            }
        }
    }

    @Test("The extremes of time saturate")
    func extremeTimes() throws {
        var generator = SeededGenerator(seed: 30)
        let times: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for _ in 0..<40 {
            let events = (0..<12).map { _ in times.randomElement(using: &generator) ?? 0 }
            let history = Rows(
                columns: [randomColumn(.bool, count: 12, nullOneIn: 0, using: &generator)],
                eventTimes: events,
                knownTimes: events.map { event in
                    times.filter { $0 >= event }.randomElement(using: &generator) ?? event
                },
                sequences: (0..<12).map { $0 % 2 == 0 ? .min + $0 : .max - $0 }
            )
            let spine = Rows(
                columns: [Column(.bool, times.flatMap { _ in [.bool(true), .bool(false)] })],
                eventTimes: times.flatMap { [$0, $0] }
            )
            for ttl: Int64? in [nil, 1, .max - 1, .max] {
                let matches = try history.index().match(keys: spine.keys(), at: spine.eventTimes, ttl: ttl)
                #expect(matches == naive(history, spine, ttl: ttl))
            }
        }
    }

    @Test("A row is visible at exactly its greatest age, and one microsecond later it is not")
    func ageBoundary() throws {
        let keys = try KeyColumn([Column(.int64, [.int64(1)])], rowCount: 1)
        let index = AsOfIndex(keys: keys, eventTimes: [100], knownTimes: [100], sequences: [0])
        let spine = try KeyColumn([Column(.int64, (0..<6).map { $0 == 5 ? .int64(2) : .int64(1) })], rowCount: 6)
        let matches = index.match(keys: spine, at: [99, 100, 149, 150, 151, 150], ttl: 50)
        #expect(matches.rows == [-1, 0, 0, 0, -1, -1])
        #expect(matches.statuses == [.notFound, .matched, .matched, .matched, .outsideMaxAge, .notFound])
    }

    @Test("A row that arrives late does not displace a newer one, and is not seen before it is known")
    func lateRows() throws {
        let keys = try KeyColumn([Column(.string, [.string("a"), .string("a")])], rowCount: 2)
        // The newer event is known first.
        let index = AsOfIndex(keys: keys, eventTimes: [10, 20], knownTimes: [50, 20], sequences: [0, 1])
        let spine = try KeyColumn([Column(.string, [.string("a"), .string("a"), .string("a")])], rowCount: 3)
        #expect(index.match(keys: spine, at: [19, 20, 60], ttl: nil).rows == [-1, 1, 1])
    }

    @Test("Equal event times go to the row known later, then to the greater sequence")
    func ties() throws {
        let columns = [Column(.int64, [.int64(1), .int64(1), .int64(1), .int64(1)])]
        let keys = try KeyColumn(columns, rowCount: 4)
        let index = AsOfIndex(
            keys: keys,
            eventTimes: [5, 5, 5, 4],
            knownTimes: [7, 6, 7, 9],
            sequences: [9, 3, 2, 10]
        )
        #expect(index.match(keys: keys, at: [5, 6, 7, 9], ttl: nil).rows == [-1, 1, 0, 0])
    }

    @Test("Half a key that is null matches nothing, not even another null")
    func nullHalves() throws {
        let columns = [Column(.string, [.string("a"), .null]), Column(.int64, [.null, .int64(1)])]
        let keys = try KeyColumn(columns, rowCount: 2)
        let index = AsOfIndex(keys: keys, eventTimes: [0, 0], knownTimes: [0, 0], sequences: [0, 1])
        #expect(index.keyCount == 0 && index.count == 0)
        let matches = index.match(keys: keys, at: [5, 5], ttl: nil)
        #expect(matches == AsOfMatches(rows: [-1, -1], statuses: [.notFound, .notFound]))
    }

    @Test("A key of another type matches nothing")
    func otherTypes() throws {
        let keys = try KeyColumn([Column(.int64, [.int64(1)])], rowCount: 1)
        let index = AsOfIndex(keys: keys, eventTimes: [0], knownTimes: [0], sequences: [0])
        let spine = try KeyColumn([Column(.timestamp, [.timestamp(1)])], rowCount: 1)
        #expect(index.match(keys: spine, at: [5], ttl: nil).rows == [-1])
    }

    @Test("Any split of the spine gives the same bytes, also from several threads")
    func splits() async throws {
        var generator = SeededGenerator(seed: 40)
        for types in shapes {
            let history = randomHistory(types, count: 80, using: &generator)
            let times = (0..<100).map { _ in Int64.random(in: -1...40, using: &generator) }
            let keys = try KeyColumn(
                types.map { randomColumn($0, count: 100, nullOneIn: 10, using: &generator) },
                rowCount: 100
            )
            let index = try history.index()
            let whole = index.match(keys: keys, at: times, ttl: 4)
            for _ in 0..<5 {
                let cuts = [0] + (0..<4).map { _ in Int.random(in: 0...100, using: &generator) }.sorted() + [100]
                let ranges = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
                let pieces = await withTaskGroup(of: (Int, AsOfMatches).self) { group in
                    for (position, range) in ranges.enumerated() {
                        group.addTask { (position, index.match(keys: keys, at: times, ttl: 4, rows: range)) }
                    }
                    return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                #expect(ranges.indices.flatMap { pieces[$0]?.rows ?? [] } == whole.rows)
                #expect(ranges.indices.flatMap { pieces[$0]?.statuses ?? [] } == whole.statuses)
            }
        }
    }

    @Test("The order of history rows changes the numbers of rows, not which row wins", arguments: shapes.indices)
    func historyOrder(shape: Int) throws {
        var generator = SeededGenerator(seed: 50 + UInt64(shape))
        let history = randomHistory(shapes[shape], count: 60, using: &generator)
        let order = Array(0..<60).shuffled(using: &generator)
        let shuffled = Rows(
            columns: history.columns.map { $0.take(order) },
            eventTimes: order.map { history.eventTimes[$0] },
            knownTimes: order.map { history.knownTimes[$0] },
            sequences: order.map { history.sequences[$0] }
        )
        let times = (0..<60).map { _ in Int64.random(in: -1...40, using: &generator) }
        let plain = try history.index().match(keys: history.keys(), at: times, ttl: 6)
        let moved = try shuffled.index().match(keys: history.keys(), at: times, ttl: 6)
        #expect(moved.rows.map { $0 < 0 ? -1 : order[$0] } == plain.rows)
        #expect(moved.statuses == plain.statuses)
    }

    @Test("The latest rows are the as-of match of every key, and the rest is pending", arguments: shapes.indices)
    func latest(shape: Int) throws {
        var generator = SeededGenerator(seed: 60 + UInt64(shape))
        for count in [0, 1, 70] {
            let history = randomHistory(shapes[shape], count: count, using: &generator)
            let keys = try history.keys()
            let index = try history.index()
            for time: Int64 in [-1, 0, 10, 20, 50, .min, .max] {
                let latest = index.latest(at: time)
                let keyBytes = latest.keyRows.compactMap { keys.bytes($0) }
                let distinct = Set((0..<count).compactMap { keys.bytes($0) })
                #expect(keyBytes == distinct.sorted { $0.lexicographicallyPrecedes($1) })
                let times = [Int64](repeating: time, count: keyBytes.count)
                #expect(latest.winners == index.match(keys: keys.take(latest.keyRows), at: times, ttl: nil).rows)
                #expect(latest.pendingOffsets.count == keyBytes.count + 1)
                for (position, bytes) in keyBytes.enumerated() {
                    let expected = (0..<count)
                        .filter { keys.bytes($0) == bytes && history.knownTimes[$0] > time }
                        .sorted {
                            (history.knownTimes[$0], history.eventTimes[$0], history.sequences[$0])
                                < (history.knownTimes[$1], history.eventTimes[$1], history.sequences[$1])
                        }
                    let range = latest.pendingOffsets[position]..<latest.pendingOffsets[position + 1]
                    #expect(Array(latest.pending[range]) == expected)
                }
            }
        }
    }
}
