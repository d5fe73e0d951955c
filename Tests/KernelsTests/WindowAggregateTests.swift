import Columns
import Kernels
import Testing

private struct Spine {
    var keys: [Scalar]
    var times: [Int64]

    func column() throws -> KeyColumn { try KeyColumn([Column(.int64, keys)], rowCount: keys.count) }

    static func random(
        count: Int,
        keyCount: Int,
        times: ClosedRange<Int64>,
        using generator: inout SeededGenerator
    ) -> Spine {
        Spine(
            keys: (0..<count).map { _ in
                let key = Int.random(in: -keyCount...keyCount, using: &generator)
                return key == 1 ? .null : .int64(Int64(max(key, 0)))
            },
            times: (0..<count).map { _ in Int64.random(in: times, using: &generator) }
        )
    }
}

private func areIdentical(_ left: [WindowResult], _ right: [WindowResult]) -> Bool {
    left.count == right.count
        && zip(left, right).allSatisfy { left, right in
            left.invalid == right.invalid && left.rowCounts == right.rowCounts
                && left.column.type == right.column.type && left.column.validity == right.column.validity
                && (0..<left.column.count).allSatisfy { left.column[$0].isIdentical(to: right.column[$0]) }
        }
}

/// Compares with the quadratic twin, and says where they differ.
private func expectTwin(
    _ results: [WindowResult],
    _ plan: WindowPlan,
    _ history: WindowHistory,
    _ spine: Spine,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for (number, aggregate) in plan.aggregates.enumerated() {
        let result = results[number]
        #expect(result.column.type == plan.resultTypes[number], sourceLocation: sourceLocation)
        var expectedNulls = 0
        var expectedInvalid = 0
        for row in spine.keys.indices {
            let expected = history.value(aggregate, spine.keys[row], at: spine.times[row])
            let found = result.column[row]
            let isInvalid = result.invalid?[row] ?? false
            let rowCount = history.rows(spine.keys[row], at: spine.times[row], width: aggregate.width).count
            if !found.isIdentical(to: expected.value) || isInvalid != expected.isInvalid
                || result.rowCounts[row] != rowCount
            {
                Issue.record(
                    "\(aggregate) at \(spine.times[row]): \(found), not \(expected); \(result.rowCounts[row]) rows of \(rowCount)",
                    sourceLocation: sourceLocation
                )
                return
            }
            if expected.value.isNull { expectedNulls += 1 }
            if expected.isInvalid { expectedInvalid += 1 }
        }
        #expect(result.column.nullCount == expectedNulls, sourceLocation: sourceLocation)
        #expect((result.column.validity == nil) == (expectedNulls == 0), sourceLocation: sourceLocation)
        #expect((result.invalid == nil) == (expectedInvalid == 0), sourceLocation: sourceLocation)
    }
}

private func evaluate(_ plan: WindowPlan, _ history: WindowHistory, _ spine: Spine) throws -> [WindowResult] {
    try history.index().aggregate(
        plan,
        columns: history.columns,
        filters: history.filters,
        keys: spine.column(),
        at: spine.times,
        rows: 0..<spine.keys.count
    )
}

private func plan(_ aggregates: [WindowAggregate]) throws -> WindowPlan {
    try WindowPlan(aggregates, columns: WindowHistory.types, filterCount: 2)
}

@Suite("Windowed aggregates")
struct WindowAggregateTests {
    @Test(
        "Agree with the quadratic twin on ties, late rows, nulls, filters and every function",
        arguments: WindowHistory.Lag.allCases,
        WindowHistory.Magnitude.allCases
    )
    func agreesWithNaive(lag: WindowHistory.Lag, magnitude: WindowHistory.Magnitude) throws {
        var generator = SeededGenerator(seed: 10)
        for count in [0, 1, 6, 60] {
            for _ in 0..<2 {
                let history = WindowHistory.random(
                    count: count,
                    keyCount: 3,
                    times: 0...30,
                    lag: lag,
                    magnitude: magnitude,
                    using: &generator
                )
                let spine = Spine.random(count: 30, keyCount: 4, times: -2...75, using: &generator)
                let plan = try plan(WindowHistory.randomAggregates(40, using: &generator))
                expectTwin(try evaluate(plan, history, spine), plan, history, spine)
            }
        }
    }

    @Test("Every function on every type", arguments: WindowHistory.Lag.allCases)
    func everyFunction(lag: WindowHistory.Lag) throws {
        var generator = SeededGenerator(seed: 20)
        let history = WindowHistory.random(
            count: 25,
            keyCount: 1,
            times: 0...30,
            lag: lag,
            magnitude: .special,
            using: &generator
        )
        let spine = Spine.random(count: 12, keyCount: 1, times: 0...40, using: &generator)
        let plan = try plan(
            WindowHistory.functions.flatMap { function, column in
                [7, nil].map { WindowAggregate(function, column: column, width: $0) }
            }
        )
        expectTwin(try evaluate(plan, history, spine), plan, history, spine)
    }

    @Test("One key with many rows and values agrees with the twin", arguments: [WindowHistory.Lag.constant, .long])
    func manyRows(lag: WindowHistory.Lag) throws {
        var generator = SeededGenerator(seed: 30)
        let history = WindowHistory.random(
            count: 500,
            keyCount: 1,
            times: 0...400,
            lag: lag,
            magnitude: .ordinary,
            using: &generator
        )
        let spine = Spine.random(count: 40, keyCount: 1, times: 0...450, using: &generator)
        let functions: [WindowFunction] = [
            .sum, .average, .standardDeviation, .minimum, .maximum, .countDistinct, .quantile(0.3), .quantile(0.99),
        ]
        let plan = try plan(
            functions.flatMap { function in
                [1, 10, 300].map { WindowAggregate(function, column: 7, width: $0) }
            }
        )
        expectTwin(try evaluate(plan, history, spine), plan, history, spine)
    }

    @Test("Results do not change where values lie too far apart for running sums", arguments: [false, true])
    func wideValues(isLate: Bool) throws {
        let functions: [WindowFunction] = [.sum, .average, .standardDeviation]
        let aggregates = functions.flatMap { function in
            [2, nil].map { WindowAggregate(function, column: 0, width: $0) }
        }
        let plan = try WindowPlan(aggregates, columns: [.float64])
        for span in 55...95 {
            let large = Double(sign: .plus, exponent: span, significand: 2.0.nextDown)
            let values = [large, 1.0.nextUp, large, 0, -1.0.nextUp, large, large]
            let index = WindowIndex(
                eventTimes: [0, 1, 2, 3, 4, 5, 6],
                knownTimes: isLate ? [6, 1, 3, 3, 5, 5, 6] : [0, 1, 2, 3, 4, 5, 6],
                sequences: [0, 1, 2, 3, 4, 5, 6]
            )
            let results = index.aggregate(plan, columns: [.float64(PrimitiveColumn(values))], at: 6)
            for (number, aggregate) in aggregates.enumerated() {
                var moments = ExactMoments()
                for value in values.suffix(aggregate.width == nil ? 7 : 2) { moments.add(value) }
                let expected =
                    switch aggregate.function {
                    case .sum: moments.sum.value
                    case .average: moments.sum.mean
                    default: moments.standardDeviation
                    }
                #expect(results[number].column[0] == expected.map(Scalar.float64), "\(aggregate) of span \(span)")
            }
        }
    }

    @Test("The old end is open and the new one closed, to the microsecond")
    func boundaries() throws {
        let plan = try WindowPlan(
            [WindowAggregate(.countRows, width: 50), WindowAggregate(.last, column: 0, width: 50)],
            columns: [.int64]
        )
        let index = WindowIndex(eventTimes: [100], knownTimes: [100], sequences: [0])
        let columns = [Column(.int64, [.int64(7)])]
        for (time, isVisible) in [(Int64(99), false), (100, true), (149, true), (150, false)] {
            let results = index.aggregate(plan, columns: columns, at: time)
            #expect(results[0].column[0] == .int64(isVisible ? 1 : 0) && results[0].rowCounts == [isVisible ? 1 : 0])
            #expect(results[1].column[0] == (isVisible ? .int64(7) : .null))
        }
    }

    @Test("A row that becomes known when its window is over is never seen, and one known in between is")
    func lateRows() throws {
        let plan = try WindowPlan([WindowAggregate(.countRows, width: 10)], columns: [])
        for others in [[Int64](), [0, 5, 6, 30]] {
            let index = WindowIndex(
                eventTimes: [20, 20] + others,
                knownTimes: [30, 29] + others,
                sequences: (0..<Int64(others.count + 2)).map { $0 }
            )
            let keys = try KeyColumn([Column(.int64, [.int64(0)])], rowCount: 1).take([0, 0, 0])
            let results = index.aggregate(plan, columns: [], keys: keys, at: [28, 29, 30], rows: 0..<3)
            #expect(results[0].rowCounts == (others.isEmpty ? [0, 1, 0] : [0, 1, 1]))
        }
    }

    @Test("The extremes of time saturate")
    func extremeTimes() throws {
        var generator = SeededGenerator(seed: 40)
        let times: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for _ in 0..<20 {
            var history = WindowHistory.random(
                count: 12,
                keyCount: 1,
                times: 0...1,
                lag: .none,
                magnitude: .ordinary,
                using: &generator
            )
            history.eventTimes = history.eventTimes.map { _ in times.randomElement(using: &generator) ?? 0 }
            history.knownTimes = history.eventTimes.map { event in
                times.filter { $0 >= event }.randomElement(using: &generator) ?? event
            }
            let spine = Spine(keys: times.map { _ in .int64(0) }, times: times)
            let plan = try plan(
                [1, 2, .max - 1, .max, nil].flatMap { width in
                    [WindowFunction.count, .sum, .minimum, .first, .last, .quantile(0.5)].map {
                        WindowAggregate($0, column: 7, width: width)
                    }
                }
            )
            expectTwin(try evaluate(plan, history, spine), plan, history, spine)
        }
    }

    @Test(
        "Any split of the spine gives the same bytes, also from several threads",
        arguments: WindowHistory.Lag.allCases
    )
    func splits(lag: WindowHistory.Lag) async throws {
        var generator = SeededGenerator(seed: 50)
        for magnitude in WindowHistory.Magnitude.allCases {
            let history = WindowHistory.random(
                count: 80,
                keyCount: 3,
                times: 0...30,
                lag: lag,
                magnitude: magnitude,
                using: &generator
            )
            let random = Spine.random(count: 60, keyCount: 4, times: -2...75, using: &generator)
            let plan = try plan(WindowHistory.randomAggregates(40, using: &generator))
            let whole = try evaluate(plan, history, random)
            let index = try history.index()
            let keys = try random.column()
            let spine = WindowSpine(keys: keys, at: random.times, index: index)
            for round in 0..<3 {
                let cuts = [0] + (0..<3).map { _ in Int.random(in: 0...60, using: &generator) }.sorted() + [60]
                let ranges = round == 0 ? spine.split(into: 5) : zip(cuts, cuts.dropFirst()).map { $0..<$1 }
                #expect(ranges.map(\.count).reduce(0, +) == 60)
                let parts = await withTaskGroup(of: (Int, WindowPart).self) { group in
                    for (position, range) in ranges.enumerated() {
                        group.addTask {
                            let part = index.aggregate(
                                plan,
                                columns: history.columns,
                                filters: history.filters,
                                spine: spine,
                                positions: range
                            )
                            return (position, part)
                        }
                    }
                    return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                let ordered = ranges.indices.compactMap { parts[$0] }
                #expect(areIdentical(plan.results(of: ordered, spine: spine, columns: history.columns), whole))
                // Ranges of spine rows, too.
                let pieces = ranges.map { range in
                    index.aggregate(
                        plan,
                        columns: history.columns,
                        filters: history.filters,
                        keys: keys,
                        at: random.times,
                        rows: range
                    )
                }
                for number in whole.indices {
                    let values = pieces.flatMap { piece in
                        (0..<piece[number].column.count).map { piece[number].column[$0] }
                    }
                    #expect(values.count == 60)
                    #expect(values.indices.allSatisfy { values[$0].isIdentical(to: whole[number].column[$0]) })
                    #expect(pieces.flatMap { $0[number].rowCounts } == whole[number].rowCounts)
                }
            }
        }
    }

    @Test("A split is balanced: no part has much more than its share, even where one key has nearly all rows")
    func balance() throws {
        let keys = try KeyColumn(
            [Column(.int64, (0..<1000).map { .int64(Int64($0 % 10 == 0 ? $0 : -1)) })],
            rowCount: 1000
        )
        let index = WindowIndex(
            keys: keys,
            eventTimes: [Int64](repeating: 0, count: 1000),
            knownTimes: [Int64](repeating: 0, count: 1000),
            sequences: [Int64](repeating: 0, count: 1000)
        )
        let spine = WindowSpine(keys: keys, at: [Int64](repeating: 0, count: 1000), index: index)
        for parts in [1, 2, 3, 8] {
            let ranges = spine.split(into: parts)
            #expect(ranges.count == parts && ranges.first?.lowerBound == 0 && ranges.last?.upperBound == 1000)
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            #expect(ranges.allSatisfy { $0.count <= 1000 / parts + 100 })
        }
    }

    @Test("Reading one key at one time gives the bits of the batch", arguments: WindowHistory.Lag.allCases)
    func onlineRead(lag: WindowHistory.Lag) throws {
        var generator = SeededGenerator(seed: 60)
        for magnitude in WindowHistory.Magnitude.allCases {
            let history = WindowHistory.random(
                count: 60,
                keyCount: 2,
                times: 0...30,
                lag: lag,
                magnitude: magnitude,
                using: &generator
            )
            let spine = Spine.random(count: 20, keyCount: 3, times: -2...75, using: &generator)
            let plan = try plan(WindowHistory.randomAggregates(30, using: &generator))
            let batch = try evaluate(plan, history, spine)
            for row in spine.keys.indices {
                let rows = (0..<60).filter { history.keys[$0] == spine.keys[row] && !spine.keys[row].isNull }
                let own = history.take(rows.shuffled(using: &generator))
                let index = WindowIndex(
                    eventTimes: own.eventTimes,
                    knownTimes: own.knownTimes,
                    sequences: own.sequences
                )
                let single = index.aggregate(plan, columns: own.columns, filters: own.filters, at: spine.times[row])
                for number in plan.aggregates.indices {
                    #expect(single[number].column[0].isIdentical(to: batch[number].column[row]))
                    #expect(single[number].rowCounts == [batch[number].rowCounts[row]])
                    #expect((single[number].invalid?[0] ?? false) == (batch[number].invalid?[row] ?? false))
                }
            }
        }
    }

    @Test("The order of history rows leaves no trace")
    func historyOrder() throws {
        var generator = SeededGenerator(seed: 70)
        for lag in WindowHistory.Lag.allCases {
            let history = WindowHistory.random(
                count: 60,
                keyCount: 2,
                times: 0...30,
                lag: lag,
                magnitude: .extreme,
                using: &generator
            )
            let spine = Spine.random(count: 30, keyCount: 3, times: -2...75, using: &generator)
            let plan = try plan(WindowHistory.randomAggregates(40, using: &generator))
            let shuffled = history.take(Array(0..<60).shuffled(using: &generator))
            #expect(try areIdentical(evaluate(plan, history, spine), evaluate(plan, shuffled, spine)))
        }
    }

    @Test("What cannot be computed is refused by name")
    func refusals() {
        func error(_ aggregate: WindowAggregate, _ columns: [DataType]) -> WindowError? {
            do throws(WindowError) {
                _ = try WindowPlan([aggregate], columns: columns)
                return nil
            } catch { return error }
        }
        #expect(error(WindowAggregate(.sum, column: 0, width: 1), [.string]) == .undefined(.sum, .string))
        #expect(error(WindowAggregate(.minimum, column: 0, width: 1), [.bool]) == .undefined(.minimum, .bool))
        #expect(error(WindowAggregate(.sum, width: 1), [.int64]) == .undefined(.sum, nil))
        #expect(error(WindowAggregate(.countRows, column: 0, width: 1), [.int64]) == .undefined(.countRows, .int64))
        #expect(error(WindowAggregate(.sum, column: 1, width: 1), [.int64]) == .noSuchColumn(1, count: 1))
        #expect(error(WindowAggregate(.sum, column: 0, width: 0), [.int64]) == .widthNotPositive(0))
        #expect(error(WindowAggregate(.countRows, width: 1, filter: 0), []) == .noSuchFilter(0, count: 0))
        #expect(error(WindowAggregate(.quantile(1.5), column: 0, width: 1), [.int64]) == .fractionOutOfRange(1.5))
        #expect(error(WindowAggregate(.quantile(.nan), column: 0, width: 1), [.int64]) != nil)
        #expect(
            WindowError.undefined(.sum, .string).description
                == "sum is not defined on string; cast the column, or use count, first or last"
        )
    }
}
