import Columns
import Expressions
import Features
import Kernels
import Testing

/// One row of history, as the naive twin sees it.
private struct HistoryRow {
    var keys: [Scalar]
    var g: Int64?
    var x: Double?
    var event: Int64
    var known: Int64
    var sequence: Int64
}

/// What a lookup gives: the features' values and statuses, and the times of the row behind them.
private struct Found: Equatable, CustomStringConvertible {
    var values: [Scalar]
    var statuses: [FeatureStatus]
    var event: Int64
    var known: Int64

    var description: String { "\(values) \(statuses.map(\.text)) \(event) \(known)" }

    static func nothing(_ status: FeatureStatus) -> Found {
        Found(values: [.null, .null, .null], statuses: [status, status, status], event: 0, known: 0)
    }

    /// The features `x`, `coalesce(x, 0)` and `12 / g` of a row, by hand.
    init(_ row: HistoryRow) {
        let x = row.x.map(Scalar.float64) ?? .null
        let quotient: (Scalar, FeatureStatus) =
            switch row.g {
            case nil: (.null, .nullValue)
            case 0?: (.null, .invalid)
            case let g?: (.int64(12 / g), .present)
            }
        values = [x, .float64(row.x ?? 0), quotient.0]
        statuses = [row.x == nil ? .nullValue : .present, .present, quotient.1]
        event = row.event
        known = row.known
    }

    init(values: [Scalar], statuses: [FeatureStatus], event: Int64, known: Int64) {
        self.values = values
        self.statuses = statuses
        self.event = event
        self.known = known
    }
}

/// A view, a random history of it, and a quadratic lookup over that history.
private struct Case {
    let keyFields: [Field]
    let ttl: Int64?
    let plan: ViewPlan
    var rows: [HistoryRow] = []
    var random: SeededGenerator

    init(seed: UInt64, keys: [Field], ttl: Int64?, rowCount: Int) throws {
        keyFields = keys
        self.ttl = ttl
        random = SeededGenerator(seed: seed)
        let source = Source(
            name: "s",
            columns: keys + [Field("g", .int64), Field("x", .float64), Field("at", .timestamp)],
            eventTime: .column("at")
        )
        let entities = keys.enumerated().map { Entity(name: "e\($0)", joinKeys: [$1]) }
        let view = FeatureView(
            name: "v",
            entities: entities.map(\.name),
            source: "s",
            ttl: ttl.map { TimeSpan(microseconds: $0) },
            features: [
                Feature(name: "x", type: .float64), Feature(name: "y", type: .float64, expression: "coalesce(x, 0)"),
                Feature(name: "q", type: .int64, expression: "12 / g"),
            ]
        )
        plan = try ViewPlan(view, entities: entities, source: source)
        for _ in 0..<rowCount {
            let event = Int64.random(in: 0..<24, using: &random)
            rows.append(
                HistoryRow(
                    keys: keys.map { key($0.type) },
                    g: Int.random(in: 0..<5, using: &random) == 0 ? nil : Int64.random(in: 0..<4, using: &random),
                    x: Int.random(in: 0..<3, using: &random) == 0 ? nil : Double.random(in: -9...9, using: &random),
                    event: event,
                    known: event + (Bool.random(using: &random) ? 0 : Int64.random(in: 0..<8, using: &random)),
                    sequence: 0
                )
            )
        }
        for (position, sequence) in (0..<rowCount).shuffled(using: &random).enumerated() {
            rows[position].sequence = Int64(sequence)
        }
    }

    mutating func key(_ type: DataType) -> Scalar {
        if Int.random(in: 0..<8, using: &random) == 0 { return .null }
        return type == .string
            ? .string(["", "a", "ab", "b"].randomElement(using: &random) ?? "")
            : .int64(Int64.random(in: 0..<3, using: &random))
    }

    var history: RecordBatch {
        RecordBatch(
            schema: Schema(keyFields + [Field("g", .int64), Field("x", .float64)] + SourcePlan.historyFields),
            columns: keyFields.indices.map { part in Column(keyFields[part].type, rows.map { $0.keys[part] }) } + [
                .int64(PrimitiveColumn(rows.map(\.g), zero: 0)), .float64(PrimitiveColumn(rows.map(\.x), zero: 0)),
                .timestamp(PrimitiveColumn(rows.map(\.event))), .timestamp(PrimitiveColumn(rows.map(\.known))),
                .int64(PrimitiveColumn(rows.map(\.sequence))),
            ],
            rowCount: rows.count
        )
    }

    func spine(_ keys: [[Scalar]]) -> KeyColumn { plan.keys(spineRows(keys)) }

    func spineRows(_ keys: [[Scalar]]) -> RecordBatch {
        RecordBatch(
            schema: Schema(keyFields),
            columns: keyFields.indices.map { part in Column(keyFields[part].type, keys.map { $0[part] }) },
            rowCount: keys.count
        )
    }

    /// The rule of `docs/semantics.md`, word for word.
    func naive(_ keys: [Scalar], at time: Int64) -> Found {
        if keys.contains(where: \.isNull) { return .nothing(.notFound) }
        let known = rows.filter { $0.keys == keys && $0.event <= time && $0.known <= time }
        if known.isEmpty { return .nothing(.notFound) }
        let fresh = known.filter { row in ttl.map { row.event >= time - $0 } ?? true }
        let winner = fresh.max { ($0.event, $0.known, $0.sequence) < ($1.event, $1.known, $1.sequence) }
        return winner.map { Found($0) } ?? .nothing(.outsideMaxAge)
    }
}

private func found(_ rows: ViewRows, _ row: Int) -> Found {
    Found(
        values: rows.features.map { $0.column[row] },
        statuses: rows.features.map { $0.statuses[row] },
        event: rows.eventTimes[row],
        known: rows.knownTimes[row]
    )
}

@Suite struct HistoryJoinTests {
    static let keys: [[Field]] = [
        [], [Field("k", .string)], [Field("n", .int64)], [Field("k", .string), Field("n", .int64)],
    ]
    static let lifetimes: [Int64?] = [nil, 1, 5]

    @Test(arguments: 0..<4, lifetimes) func joinsAsTheRuleSays(key: Int, ttl: Int64?) throws {
        for seed in 0..<6 as Range<UInt64> {
            var setup = try Case(seed: seed, keys: Self.keys[key], ttl: ttl, rowCount: [0, 1, 12, 60][Int(seed % 4)])
            let history = ViewHistory(setup.plan, rows: setup.history)
            var asked: [[Scalar]] = []
            var times: [Int64] = []
            for _ in 0..<60 {
                asked.append(setup.keyFields.map { setup.key($0.type) })
                times.append(Int64.random(in: -2..<40, using: &setup.random))
            }
            let joined = history.join(setup.spine(asked), at: times)
            #expect(joined.rowCount == 60)
            for row in asked.indices {
                #expect(
                    found(joined, row) == setup.naive(asked[row], at: times[row]),
                    "seed \(seed), \(asked[row]) at \(times[row])"
                )
            }
        }
    }

    /// History that passes in parts, among threads, gives the same bytes as history that stays.
    @Test(arguments: 0..<4, lifetimes) func streamedHistoryGivesTheSame(key: Int, ttl: Int64?) throws {
        for seed in 30..<34 as Range<UInt64> {
            var setup = try Case(seed: seed, keys: Self.keys[key], ttl: ttl, rowCount: [0, 1, 12, 60][Int(seed % 4)])
            let asked = (0..<60).map { _ in setup.keyFields.map { setup.key($0.type) } }
            let times = (0..<60).map { _ in Int64.random(in: -2..<40, using: &setup.random) }
            let spine = setup.spine(asked)
            let whole = ViewHistory(setup.plan, rows: setup.history).join(spine, at: times)
            let shardCount = 1 + Int(seed % 3)
            let shards = (0..<shardCount).map { AsOfSpine.Shard($0, of: shardCount, keys: spine, times: times) }
            let join = StreamedJoin(setup.plan, spine: AsOfSpine(shards, count: 60))
            let rowCount = setup.history.rowCount
            let cuts = [0] + (0..<2).map { _ in Int.random(in: 0...rowCount, using: &setup.random) }.sorted()
            let parts = zip(cuts, cuts.dropFirst() + [rowCount]).map { setup.history.slice($0..<$1) }
            var threads = [join.winners(), join.winners()]
            for (number, part) in parts.enumerated().reversed() {
                try join.absorb(try part.select(columns: join.timeColumns), part: number, into: &threads[number % 2])
            }
            let places = AsOfWinners.places(threads, ttl: setup.plan.ttl)
            let values = try places.parts.map { part in
                join.evaluate(part, rows: try parts[part.number].select(columns: join.valueColumns))
            }
            let streamed = whole.features.indices.map { join.assemble(places, parts: values, field: $0) }
            #expect(streamed == whole.features)
        }
    }

    /// Parity, in one property: what is brought online and read at an instant is what the join gives for that instant.
    @Test(arguments: 0..<4, lifetimes) func onlineRowsReadAtAnInstantAreTheJoin(key: Int, ttl: Int64?) throws {
        for seed in 10..<13 as Range<UInt64> {
            let setup = try Case(seed: seed, keys: Self.keys[key], ttl: ttl, rowCount: 40)
            let history = ViewHistory(setup.plan, rows: setup.history)
            var asked = setup.rows.map(\.keys)
            asked.append(setup.keyFields.map { $0.type == .string ? .string("none") : .int64(99) })
            let spine = setup.spine(asked)
            let keys = spine
            for clock in stride(from: Int64(-1), through: 34, by: 7) {
                let online = history.onlineRows(at: clock, includesPending: false).rows
                expect(online, at: clock, equal: history.join(spine, at: asked.map { _ in clock }), setup, keys)
                #expect(online.map(\.key) == online.map(\.key).sorted { $0.lexicographicallyPrecedes($1) })
                #expect(Set(online.map(\.key)).count == online.count)
                // Rows that wait become visible as the clock passes them, without another materialization.
                let waiting = history.onlineRows(at: clock, includesPending: true).rows
                for later in stride(from: clock, through: 36, by: 5) {
                    expect(waiting, at: later, equal: history.join(spine, at: asked.map { _ in later }), setup, keys)
                }
            }
        }
    }

    /// Reads as the service does: the newest row of the key that is known, then its age.
    private func expect(
        _ online: [PackedOnlineRow],
        at time: Int64,
        equal joined: ViewRows,
        _ setup: Case,
        _ keys: KeyColumn
    ) {
        let rows = Dictionary(grouping: online, by: \.key)
        for row in 0..<joined.rowCount {
            let visible = (keys.bytes(row).flatMap { rows[$0] } ?? []).filter { $0.knownAt <= time }
            let newest = visible.max {
                ($0.eventTime, $0.knownAt, $0.sequence) < ($1.eventTime, $1.knownAt, $1.sequence)
            }
            var read = Found.nothing(.notFound)
            if let newest, let ttl = setup.ttl, newest.eventTime < time - ttl {
                read = .nothing(.outsideMaxAge)
            } else if let newest, let cells = try? PackedRow.decode(newest.packed, types: [.float64, .float64, .int64])
            {
                read = Found(
                    values: cells.map(\.value),
                    statuses: cells.map(\.status),
                    event: newest.eventTime,
                    known: newest.knownAt
                )
            }
            #expect(read == found(joined, row), "row \(row) at \(time)")
        }
    }

    /// Any split of a spine, and any order of the history, gives the same rows.
    @Test(arguments: 0..<4) func splitsAndOrderDoNotMatter(key: Int) throws {
        var setup = try Case(seed: 77, keys: Self.keys[key], ttl: 5, rowCount: 50)
        let asked = setup.rows.map(\.keys)
        let times = asked.indices.map { Int64($0 % 30) }
        let whole = ViewHistory(setup.plan, rows: setup.history).join(setup.spine(asked), at: times)
        setup.rows.shuffle(using: &setup.random)
        let shuffled = ViewHistory(setup.plan, rows: setup.history)
        for start in stride(from: 0, to: asked.count, by: 7) {
            let end = min(start + 7, asked.count)
            let part = shuffled.join(setup.spine(Array(asked[start..<end])), at: Array(times[start..<end]))
            for row in start..<end { #expect(found(part, row - start) == found(whole, row)) }
        }
    }

    @Test func theTTLBoundaryIsInclusive() throws {
        var setup = try Case(seed: 0, keys: [Field("k", .string)], ttl: 5_000_000, rowCount: 0)
        setup.rows = [HistoryRow(keys: [.string("a")], g: 1, x: nil, event: 0, known: 2, sequence: 0)]
        let history = ViewHistory(setup.plan, rows: setup.history)
        func status(_ time: Int64) -> FeatureStatus {
            history.join(setup.spine([[.string("a")]]), at: [time]).features[1].statuses[0]
        }
        #expect(status(-1) == .notFound)
        #expect(status(1) == .notFound)
        #expect(status(2) == .present)
        #expect(status(4_999_999) == .present)
        #expect(status(5_000_000) == .present)
        #expect(status(5_000_001) == .outsideMaxAge)
        #expect(status(.max) == .outsideMaxAge)
        #expect(status(.min) == .notFound)
    }

    /// A late row with an old time does not replace a newer one, and hides nothing when it is too old.
    @Test func theGreatestEventTimeWinsHoweverLateTheOther() throws {
        var setup = try Case(seed: 0, keys: [Field("k", .string)], ttl: 10, rowCount: 0)
        func row(_ event: Int64, _ known: Int64, _ x: Double?, _ sequence: Int64) -> HistoryRow {
            HistoryRow(keys: [.string("a")], g: 1, x: x, event: event, known: known, sequence: sequence)
        }
        setup.rows = [row(10, 10, 1, 0), row(3, 15, 2, 1), row(10, 16, nil, 2), row(10, 16, 4, 3)]
        let history = ViewHistory(setup.plan, rows: setup.history)
        let joined = history.join(setup.spine([[Scalar]](repeating: [.string("a")], count: 4)), at: [9, 10, 15, 16])
        #expect((0..<4).map { joined.features[0].column[$0] } == [.null, .float64(1), .float64(1), .float64(4)])
        #expect(joined.eventTimes == [0, 10, 10, 10])
        #expect(joined.knownTimes == [0, 10, 10, 16])
    }

    /// A null is a value: it is not passed over for an older one; and what is not found stays null whatever an expression
    /// makes of null.
    @Test func nullsAndAbsenceAreTwoThings() throws {
        var setup = try Case(seed: 0, keys: [Field("k", .string)], ttl: nil, rowCount: 0)
        setup.rows = [
            HistoryRow(keys: [.string("a")], g: 0, x: 7, event: 1, known: 1, sequence: 0),
            HistoryRow(keys: [.string("a")], g: 0, x: nil, event: 2, known: 2, sequence: 1),
            HistoryRow(keys: [.null], g: 1, x: 9, event: 1, known: 1, sequence: 2),
        ]
        let history = ViewHistory(setup.plan, rows: setup.history)
        let joined = history.join(setup.spine([[.string("a")], [.string("b")], [.null]]), at: [5, 5, 5])
        #expect(
            found(joined, 0)
                == Found(
                    values: [.null, .float64(0), .null],
                    statuses: [.nullValue, .present, .invalid],
                    event: 2,
                    known: 2
                )
        )
        #expect(found(joined, 1) == .nothing(.notFound))
        #expect(found(joined, 2) == .nothing(.notFound))
        #expect(history.onlineRows(at: 5, includesPending: true).rows.count == 1)
    }

    @Test func onlyTheColumnsThatAreReadAreNeeded() throws {
        let setup = try Case(seed: 4, keys: [Field("k", .string)], ttl: nil, rowCount: 5)
        #expect(ViewHistory.columns(for: setup.plan) == ["g", "k", "x", "__event_time", "__known_at", "__sequence"])
    }
}
