import Columns
import Expressions
import Features
import Kernels
import Testing

private struct Event {
    var key: String?
    var g: Int64?
    var x: Double?
    var event: Int64
    var known: Int64
    var sequence: Int64
}

/// A view with windows, a random history of it, and the quadratic answer to every feature, written again by hand.
private struct WindowCase {
    static let features: [(name: String, type: DataType, expression: String)] = [
        ("x", .float64, "x"),
        ("total", .float64, "sum(x) over 5us"),
        ("paid", .float64, "sum(x) filter (where g > 1) over 9us"),
        ("n", .int64, "count(*) over 5us"),
        ("quotient", .int64, "sum(12 / g) over 7us"),
        ("share", .float64, "x / sum(x) over 9us"),
        ("twice", .float64, "total * 2"),
        ("kinds", .int64, "count(distinct g) over 9us"),
        ("most", .float64, "max(x) over 5us"),
        ("middle", .float64, "approx_quantile(x, 0.5) over 9us"),
        ("newest", .int64, "last(g) over 7us"),
        ("mean", .float64, "avg(x) over 1d"),
    ]

    let plan: ViewPlan
    let ttl: Int64?
    var events: [Event] = []

    init(seed: UInt64, ttl: Int64?, count: Int) throws {
        var random = SeededGenerator(seed: seed)
        self.ttl = ttl
        plan = try ViewPlan(
            FeatureView(
                name: "v",
                entities: ["e"],
                source: "s",
                ttl: ttl.map { TimeSpan(microseconds: $0) },
                features: Self.features.map { Feature(name: $0.name, type: $0.type, expression: $0.expression) }
            ),
            entities: [Entity(name: "e", joinKeys: [Field("k", .string)])],
            source: Source(
                name: "s",
                columns: [Field("k", .string), Field("g", .int64), Field("x", .float64), Field("at", .timestamp)],
                eventTime: .column("at")
            )
        )
        for sequence in 0..<count {
            let event = Int64.random(in: 0..<24, using: &random)
            events.append(
                Event(
                    key: ["a", "b", "", nil].randomElement(using: &random) ?? nil,
                    g: Int.random(in: 0..<5, using: &random) == 0 ? nil : Int64.random(in: 0..<5, using: &random),
                    // Whole numbers, of which every sum is exact in whatever order.
                    x: Int.random(in: 0..<4, using: &random) == 0
                        ? nil : Double(Int.random(in: -9...9, using: &random)),
                    event: event,
                    known: event + (Bool.random(using: &random) ? 0 : Int64.random(in: 0..<8, using: &random)),
                    sequence: Int64(sequence)
                )
            )
        }
        events.shuffle(using: &random)
    }

    var history: RecordBatch { Self.batch(events) }

    static func batch(_ events: [Event]) -> RecordBatch {
        RecordBatch(
            schema: Schema(
                [Field("k", .string), Field("g", .int64), Field("x", .float64)] + SourcePlan.historyFields
            ),
            columns: [
                Column(.string, events.map { $0.key.map(Scalar.string) ?? .null }),
                .int64(PrimitiveColumn(events.map(\.g), zero: 0)), .float64(PrimitiveColumn(events.map(\.x), zero: 0)),
                .timestamp(PrimitiveColumn(events.map(\.event))), .timestamp(PrimitiveColumn(events.map(\.known))),
                .int64(PrimitiveColumn(events.map(\.sequence))),
            ],
            rowCount: events.count
        )
    }

    func keys(_ keys: [String?]) -> KeyColumn {
        let column = Column(.string, keys.map { $0.map(Scalar.string) ?? .null })
        return plan.keys(RecordBatch(schema: Schema([Field("k", .string)]), columns: [column], rowCount: keys.count))
    }

    typealias Cell = (value: Scalar, status: FeatureStatus)

    private static func cell(_ value: Scalar) -> Cell { (value, value.isNull ? .nullValue : .present) }

    func naive(_ key: String?, at time: Int64) -> [Cell] {
        guard let key else { return Self.features.map { _ in (.null, .notFound) } }
        func place(_ row: Event) -> (Int64, Int64, Int64) { (row.event, row.known, row.sequence) }
        let known = events.filter { $0.key == key && $0.event <= time && $0.known <= time }
            .sorted { place($0) < place($1) }
        let winner = known.last.flatMap { row in ttl.map { row.event >= time - $0 } ?? true ? row : nil }
        let missing: FeatureStatus = known.isEmpty ? .notFound : .outsideMaxAge
        func window(_ width: Int64) -> [Event] { known.filter { $0.event > time - width } }
        func sum(_ values: [Double?]) -> Double? {
            let values = values.compactMap { $0 }
            return values.isEmpty ? nil : values.reduce(0, +)
        }
        func float(_ value: Double?) -> Cell { Self.cell(value.map(Scalar.float64) ?? .null) }
        let total = sum(window(5).map(\.x))
        let divided = window(7).filter { $0.g != nil }
        let quotient: Cell =
            divided.contains { $0.g == 0 }
            ? (.null, .invalid)
            : Self.cell(divided.isEmpty ? .null : .int64(divided.reduce(0) { $0 + 12 / ($1.g ?? 1) }))
        let share: Cell
        switch (winner, sum(window(9).map(\.x))) {
        case (nil, _): share = (.null, missing)
        case (let row?, let sum?) where row.x != nil && sum == 0: share = (.null, .invalid)
        case (let row?, let sum): share = float(row.x.flatMap { x in sum.map { x / $0 } })
        }
        let values = window(9).compactMap(\.x).sorted()
        let mean = window(86_400_000_000).compactMap(\.x)
        return [
            winner.map { float($0.x) } ?? (.null, missing),
            float(total),
            float(sum(window(9).filter { ($0.g ?? 0) > 1 }.map(\.x))),
            (.int64(Int64(window(5).count)), .present),
            quotient,
            share,
            float(total.map { $0 * 2 }),
            (.int64(Int64(Set(window(9).compactMap(\.g)).count)), .present),
            float(window(5).compactMap(\.x).max()),
            float(values.isEmpty ? nil : values[(values.count + 1) / 2 - 1]),
            Self.cell(window(7).last?.g.map(Scalar.int64) ?? .null),
            float(mean.isEmpty ? nil : mean.reduce(0, +) / Double(mean.count)),
        ]
    }
}

@Suite struct ViewWindowsTests {
    private func expect(
        _ rows: ViewRows,
        _ naive: [[WindowCase.Cell]],
        _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for (row, cells) in naive.enumerated() {
            for (feature, cell) in cells.enumerated() {
                let found = rows.features[feature]
                let isSame =
                    found.column[row].isIdentical(to: cell.value) && found.statuses[row] == cell.status
                #expect(
                    isSame,
                    "\(what), row \(row), \(WindowCase.features[feature].name): \(found.column[row]) \(found.statuses[row].text), expected \(cell.value) \(cell.status.text)",
                    sourceLocation: sourceLocation
                )
                if !isSame { return }
            }
        }
    }

    private static let spine: [(key: String?, time: Int64)] = (-1..<36).flatMap { time in
        [("a", time), (nil, time), ("b", time), ("unseen", time), ("", time), ("a", time)].map { ($0.0, Int64($0.1)) }
    }

    /// Joins, in one piece and streamed, in any division and order of history, agree with the quadratic twin.
    @Test(
        arguments: [(1, nil, 0), (2, nil, 60), (3, Int64(4), 60), (4, Int64(1), 90), (5, nil, 90)]
            as [(UInt64, Int64?, Int)]
    )
    func joinsAgreeWithTheQuadraticTwin(seed: UInt64, ttl: Int64?, count: Int) async throws {
        let sample = try WindowCase(seed: seed, ttl: ttl, count: count)
        let keys = sample.keys(Self.spine.map(\.key))
        let times = Self.spine.map(\.time)
        let naive = Self.spine.map { sample.naive($0.key, at: $0.time) }
        let whole = ViewHistory(sample.plan, rows: sample.history).join(keys, at: times)
        expect(whole, naive, "one piece")

        for (parts, memory) in [(1, 1 << 30), (3, 1 << 30), (5, 4000), (7, 1)] {
            let streamed = try #require(
                StreamedWindows(sample.plan, keys: keys, at: times, historyRows: count, memory: memory)
            )
            if memory == 1, count > 0 { #expect(streamed.shareCount > 1) }
            let batches = (0..<parts).map { part in
                WindowCase.batch(sample.events.enumerated().filter { $0.offset % parts == part }.map(\.element))
            }
            // Each pass reads the columns that it says, and no other.
            let kept = try batches.map { try $0.select(columns: streamed.columns) }
            let finished = (0..<streamed.shareCount).map { number in
                let share = streamed.arrange(kept.map { streamed.keep($0, share: number) }, share: number)
                return share.finish(share.split(into: 3).map { share.aggregate($0) })
            }
            let windows = streamed.results(finished)
            let shards = (0..<2).map { AsOfSpine.Shard($0, of: 2, keys: keys, times: times) }
            let join = StreamedJoin(sample.plan, spine: AsOfSpine(shards, count: times.count))
            var winners = join.winners()
            for (part, batch) in batches.enumerated() {
                try join.absorb(try batch.select(columns: join.timeColumns), part: part, into: &winners)
            }
            let places = AsOfPlaces.joined(
                (0..<2).map { AsOfWinners.places([winners], shard: $0, ttl: sample.plan.ttl) }
            )
            let found = try places.parts.map { part in
                join.evaluate(part, rows: try batches[part.number].select(columns: join.valueColumns))
            }
            let stored = ViewRows(
                features: sample.plan.storedFields.indices.map { join.assemble(places, parts: found, field: $0) },
                rowCount: times.count
            )
            expect(sample.plan.finish(stored, windows: windows, keys: keys), naive, "\(parts) parts, \(memory) bytes")
        }
    }

    /// What is kept online of each row gives at any later time what the join gives.
    @Test(arguments: [(11, nil), (12, Int64(3)), (13, nil)] as [(UInt64, Int64?)])
    func onlineEventsAgreeWithTheJoin(seed: UInt64, ttl: Int64?) throws {
        let sample = try WindowCase(seed: seed, ttl: ttl, count: 80)
        let history = ViewHistory(sample.plan, rows: sample.history)
        let windows = try #require(sample.plan.windows)
        let entities: [String?] = ["a", "b", "", "unseen"]
        let keys = sample.keys(entities)
        for clock in stride(from: Int64(-1), to: 40, by: 1) {
            // Brought online at an earlier clock, with everything that waits: later reads need nothing more.
            for earlier in [clock, max(-1, clock - 6)] {
                let online = history.onlineEvents(at: earlier, includesPending: true)
                let events = (0..<entities.count).map { row in
                    online.filter { $0.key == keys.bytes(row) ?? [] && $0.eventTime <= clock && $0.knownAt <= clock }
                        .map {
                            OnlineEvent(
                                eventTime: $0.eventTime,
                                knownAt: $0.knownAt,
                                sequence: $0.sequence,
                                inputs: $0.packed
                            )
                        }.shuffled()
                }
                let aggregates = try windows.aggregate(events, at: clock)
                // The row itself comes from the index of rows; windows are what is shown here.
                let joined = history.join(keys, at: [Int64](repeating: clock, count: entities.count))
                let none = ViewRows(
                    features: sample.plan.storedFields.map {
                        FeatureColumn(
                            .nulls($0.type, count: entities.count),
                            statuses: [FeatureStatus](repeating: .notFound, count: entities.count)
                        )
                    },
                    rowCount: entities.count
                )
                let finished = sample.plan.finish(none, windows: aggregates, keys: keys)
                for (feature, definition) in WindowCase.features.enumerated()
                where !["x", "share", "mean"].contains(definition.name) {
                    #expect(
                        finished.features[feature] == joined.features[feature],
                        "\(definition.name) at \(clock) of what was online at \(earlier)"
                    )
                }
            }
        }
    }

    @Test func whatIsKeptIsWhatIsNeeded() throws {
        let plan = try WindowCase(seed: 1, ttl: nil, count: 1).plan
        #expect(plan.storedFields == [Field("x", .float64)])
        #expect(plan.inputs == ["g", "x"])
        let windows = try #require(plan.windows)
        #expect(windows.widest == 86_400_000_000)
        #expect(windows.inputFields.map(\.type) == [.float64, .int64, .int64, .bool])
        #expect(plan.features.isDeferred.count { $0 } == WindowCase.features.count - 1)
    }

    /// Rows that make a window undefined are counted, each once.
    @Test func undefinedRowsAreCounted() throws {
        let sample = try WindowCase(seed: 7, ttl: nil, count: 50)
        let (stored, inputs) = sample.plan.evaluateWithWindows(sample.history)
        let zeros = sample.events.count { $0.g == 0 }
        #expect(zeros > 0)
        #expect(sample.plan.invalidCounts(stored, inputs: inputs) == ["quotient": Int64(zeros)])
    }

    private func fault(_ features: [(String, DataType, String)]) -> String? {
        #expect(throws: DefinitionError.self) {
            try FeatureGraph(
                features.map { Feature(name: $0.0, type: $0.1, expression: $0.2) },
                of: "v",
                over: Schema([Field("x", .float64)])
            )
        }.map { "\($0)" }
    }

    @Test func windowsOfWindowsAreRefusedByName() {
        #expect(
            fault([("a", .float64, "sum(x) over 1d"), ("b", .float64, "max(a) over 7d")])
                == "feature 'v:b': a window aggregates rows of history, and 'a' is not of one row: it is computed from windows itself; aggregate columns, or features without windows"
        )
        #expect(
            fault([("a", .float64, "sum(b) over 1d"), ("b", .float64, "a + 1")])
                == "feature view 'v': features are computed from each other: a <- b <- a; break the cycle"
        )
    }

    /// A window may aggregate a feature of one row; the feature is then computed for every row of history.
    @Test func windowsAggregateFeatures() throws {
        let graph = try FeatureGraph(
            [
                Feature(name: "foul", type: .int64, expression: "(x > 2)::int64"),
                Feature(name: "fouls", type: .int64, expression: "sum(foul) over 1d"),
                Feature(name: "often", type: .bool, expression: "fouls > 3"),
            ],
            of: "v",
            over: Schema([Field("x", .float64)])
        )
        #expect(graph.isDeferred == [false, true, true])
        #expect(graph.columns == [["x"], ["x"], ["x"]])
        let plan = try ViewPlan(
            FeatureView(
                name: "v",
                entities: [],
                source: "s",
                features: [
                    Feature(name: "doubled", type: .float64, expression: "x * 2"),
                    Feature(name: "high", type: .int64, expression: "(doubled > 2)::int64"),
                    Feature(name: "highs", type: .int64, expression: "sum(high) filter (where y > 0) over 1d"),
                    Feature(name: "share", type: .float64, expression: "z / count(*) over 1d"),
                ]
            ),
            entities: [],
            source: Source(
                name: "s",
                columns: ["x", "y", "z"].map { Field($0, .float64) } + [Field("at", .timestamp)],
                eventTime: .column("at")
            )
        )
        let none = KeyColumn(strings: BinaryColumn([]))
        let windows = try #require(StreamedWindows(plan, keys: none, at: [], historyRows: 0))
        #expect(windows.columns.prefix(2) == ["x", "y"])
        let spine = AsOfSpine([AsOfSpine.Shard(0, of: 1, keys: none, times: [])], count: 0)
        #expect(StreamedJoin(plan, spine: spine).valueColumns == ["x", "z"])
    }
}
