import Catalog
import Formats
import Foundation
import Lockstep
import NIOHTTP1
import Postgres
import Testing
import Wire

extension Integration {
    /// Windows, on-demand features and bins in expressions, through the program, the service and its database.
    @Suite struct WindowsTests {
        private let data = GeneratedData(seed: 29)
        private let early = GeneratedData.time(GeneratedData.start + 2 * day)
        private let late = GeneratedData.time(GeneratedData.start + 4 * day)

        private static let definitions = """
            kind: Entity
            name: route
            join_keys: { origin: string, dest: string }
            ---
            kind: Source
            name: trips
            columns: { origin: string, dest: string, departed: timestamp, recorded: timestamp, minutes: int64, fare: float64 }
            event_time: { column: departed }
            known_at: { column: recorded }
            ---
            kind: FeatureView
            name: route_traffic
            entities: [route]
            source: trips
            ttl: 1d
            features:
              - { name: fare, type: float64 }
              - { name: spent, type: float64, expression: sum(fare) over 1d }
              - { name: n, type: int64, expression: count(*) over 6h }
              - { name: share, type: float64, expression: "fare / nullif(sum(fare) over 2d, 0)" }
              - { name: pace, type: float64, expression: sum(fare / minutes) over 1d }
              - { name: longest, type: int64, expression: max(minutes) filter (where fare > 20) over 2d }
              - { name: kinds, type: int64, expression: count(distinct minutes) over 1d }
              - { name: middle, type: float64, expression: "approx_quantile(fare, 0.5) over 2d" }
              - { name: spread, type: float64, expression: stddev(fare) over 2d }
              - { name: previous, type: int64, expression: last(minutes) over 2d }
              - { name: is_busy, type: bool, expression: "n > 1 or spent > 60" }
            ---
            kind: Discretizer
            name: spent_bins
            input: route_traffic:spent
            method: quantile
            bins: 4
            ---
            kind: OnDemandFeatureView
            name: quote
            request: { distance: float64 }
            inputs:
              - route_traffic: [spent, n]
              - route_traffic: { features: [spent], keys: { dest: via }, prefix: via_ }
            features:
              - { name: price, type: float64, expression: "coalesce(spent, 10) * distance" }
              - { name: price_class, type: int64, expression: "bin(spent, spent_bins)" }
              - { name: hour, type: float64, expression: extract(hour from event_timestamp) }
              - { name: detour, type: float64, expression: "via_spent / (distance - 3)" }
            ---
            kind: FeatureService
            name: traffic_model
            features:
              - route_traffic: [fare, spent, n, share, pace, longest, kinds, middle, spread, previous, is_busy]
              - quote: [price, price_class, hour, detour]

            """

        /// The spine of the data, with a value for each request.
        private var spine: String {
            var text = "origin,dest,via,distance,event_timestamp\n"
            for (row, question) in data.spine.enumerated() {
                let cells = [question.origin, question.dest, GeneratedData.dests[row % 2]].map { cell in
                    cell.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" } ?? ""
                }
                let distance = row % 7 == 0 ? "" : "\(row % 5)"
                text += (cells + [distance, GeneratedData.time(question.time)]).joined(separator: ",") + "\n"
            }
            return text
        }

        private func prepare(_ fixture: ServiceFixture) async throws -> FeatureRepository {
            let repository = fixture.repository
            try repository.write(data)
            try repository.write("features/traffic.yaml", Self.definitions)
            try repository.write("asked.csv", spine)
            try await repository.lockstep("apply")
            let ingested = try await repository.lockstep("ingest", "trips", "data/trips.csv")
            let zeros = data.trips.count { $0.minutes == 0 && $0.fare != nil }
            #expect(zeros > 0)
            expectWords(ingested, "route_traffic:pace: undefined (INVALID) and null for \(zeros) rows")
            try await repository.lockstep("fit", "spent_bins")
            try await repository.lockstep("lock", "traffic_model")
            return repository
        }

        @Test func isServedAsItIsTrained() async throws {
            try await ServiceFixture.run { fixture in
                let repository = try await prepare(fixture)
                let made = try await repository.lockstep("training-set", "--spine", "asked.csv", "-o", "a.parquet")
                expectWords(made, "\(data.spine.count) rows", "pace: undefined (INVALID)")
                let alone = try await repository.lockstep(
                    "training-set",
                    "--spine",
                    "asked.csv",
                    "-o",
                    "a.parquet",
                    "--threads",
                    "1"
                )
                #expect(made == alone)

                expectWords(
                    try await repository.lockstep("materialize", "--at", early),
                    "route_traffic:pace: undefined (INVALID) and null for"
                )
                let instant = try await repository.lockstep("parity", "--at", early, "--spine", "asked.csv")
                expectWords(instant, "parity holds for \(data.spine.count) rows", "certificate")
                // Time passes and no row comes: windows let go of what they held, and both sides agree about it.
                let expired = try await repository.lockstep("parity", "--at", late, "--spine", "asked.csv", code: 1)
                expectWords(expired, "route_traffic: stale materialization")

                let replayed = try await repository.lockstep(
                    "parity",
                    "--replay",
                    "\(early)/\(late)",
                    "--spine",
                    "asked.csv"
                )
                let span = GeneratedData.start + 2 * day..<GeneratedData.start + 4 * day
                expectWords(
                    replayed,
                    "parity holds for \(data.spine.count { span.contains($0.time) }) rows",
                    "certificate"
                )
                #expect(try fixture.count("namespaces where is_replay and not is_default") == 0)
            }
        }

        @Test func whatIsMissingIsNamed() async throws {
            try await ServiceFixture.run { fixture in
                let repository = try await prepare(fixture)
                try repository.write("short.csv", "origin,dest,via,event_timestamp\na,bc,c,\(late)\n")
                let training = try await repository.outcome(
                    ["training-set", "--spine", "short.csv", "-o", "b.parquet"]
                )
                #expect(training.code != 0)
                expectWords(training.errors, "it has no column 'distance' (float64)")
                try await repository.lockstep("materialize", "--at", late)
                let got = try await repository.outcome(["get", "traffic_model", "origin=a", "dest=bc", "via=c"])
                #expect(got.code == 4)
                expectWords(got.errors, "the request has no list for request value 'distance' (float64)")
                let parity = try await repository.outcome(["parity", "--at", late])
                #expect(parity.code != 0)
                expectWords(parity.errors, "computes features from values of the request ('distance')", "--spine FILE")
                let answer = try await repository.lockstep(
                    "get",
                    "traffic_model",
                    "origin=a",
                    "dest=bc",
                    "via=c",
                    "distance=2.5"
                )
                expectWords(answer, "price_class", "detour", "hour")
                let refused = try await repository.outcome(["materialize", "quote"])
                #expect(refused.code != 0)
                expectWords(refused.errors, "'quote' is computed on demand and has nothing to bring online")
            }
        }

        // MARK: The live path

        private static let live = """
            kind: Entity
            name: user
            join_keys: { user: int64 }
            ---
            kind: Source
            name: clicks
            columns: { user: int64, at: timestamp, n: int64 }
            event_time: { column: at }
            ---
            kind: FeatureView
            name: user_clicks
            entities: [user]
            source: clicks
            features:
              - { name: recent, type: int64, expression: count(*) over 2s }
              - { name: total, type: int64, expression: sum(n) over 1h }
            ---
            kind: FeatureService
            name: click_model
            features: [{ user_clicks: [recent, total] }]

            """

        private func push(_ fixture: ServiceFixture, at time: Int64, n: Int64, user: Int64 = 1) async throws {
            let request: JSON = .object([
                "push_source_name": .string("clicks"),
                "df": .object([
                    "user": .array([.int(user)]), "at": .array([.string(GeneratedData.time(time))]),
                    "n": .array([.int(n)]),
                ]),
            ])
            _ = try await fixture.client.send(.POST, "/push", body: request.encoded())
        }

        private func read(_ fixture: ServiceFixture, user: Int64 = 1) async throws -> [Int64?] {
            let request: JSON = .object([
                "feature_service": .string("click_model"), "entities": .object(["user": .array([.int(user)])]),
            ])
            let body = try await fixture.client.send(.POST, "/get-online-features", body: request.encoded())
            let results = try #require(try JSON(parsing: body)["results"]?.array)
            return results.dropFirst().map { $0["values"]?.array?.first?.int }
        }

        private var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

        @Test func windowsFollowTheClockAndWhatIsPushed() async throws {
            try await ServiceFixture.run(allowsReplay: false) { fixture in
                try fixture.repository.write("features/clicks.yaml", Self.live)
                try await fixture.repository.lockstep("apply")
                #expect(try await read(fixture) == [0, nil])
                let first = now
                try await push(fixture, at: first, n: 3)
                try await push(fixture, at: first - 30 * minute, n: 4)
                #expect(try await read(fixture) == [1, 7])
                #expect(try await read(fixture, user: 2) == [0, nil])
                // Two seconds later the row has left the narrow window, and nothing was pushed meanwhile.
                try await Task.sleep(for: .microseconds(max(0, first + 2 * second + 50_000 - now)))
                #expect(try await read(fixture) == [0, 7])
                // What no window can hold any more is not kept.
                try await push(fixture, at: now - 2 * hour, n: 9)
                #expect(try await read(fixture) == [0, 7])
                #expect(try fixture.count("online_events") == 2)
                #expect(try fixture.count("history_head") == 3)
            }
        }

        private func clicks(_ fixture: ServiceFixture, _ name: String, _ rows: [(user: Int64, time: Int64, n: Int64)])
            throws
        {
            let lines = rows.map { "\($0.user),\(GeneratedData.time($0.time)),\($0.n)\n" }
            try fixture.repository.write(name, "user,at,n\n" + lines.joined())
        }

        /// Rows that were pushed, sealed and loaded count once each, however often views are brought online.
        @Test func sealedAndLiveRowsStandTogether() async throws {
            try await ServiceFixture.run(allowsReplay: false) { fixture in
                let repository = fixture.repository
                try repository.write("features/clicks.yaml", Self.live)
                try await repository.lockstep("apply")
                let start = now
                try clicks(
                    fixture,
                    "old.csv",
                    [(1, start - 50 * minute, 1), (1, start - 70 * minute, 2), (2, start, 4)]
                )
                try await repository.lockstep("ingest", "clicks", "old.csv")
                // A row that is sent twice is two rows of history.
                for _ in 0..<2 { try await push(fixture, at: start - 20 * minute, n: 8) }
                // Nothing that was loaded is online yet.
                #expect(try await read(fixture)[1] == 16)
                for _ in 0..<2 {
                    try await repository.lockstep("materialize")
                    #expect(try await read(fixture)[1] == 17)
                    #expect(try await read(fixture, user: 2)[1] == 4)
                }
                // Making a lock seals the head.
                try await repository.lockstep("lock", "click_model")
                #expect(try fixture.count("history_head") == 0)
                try await repository.lockstep("materialize")
                #expect(try await read(fixture)[1] == 17)
                try await push(fixture, at: start - 10 * minute, n: 16)
                #expect(try await read(fixture)[1] == 33)

                // Another width is another version, which has what was pushed since and, once materialized, the rest.
                try repository.write("features/clicks.yaml", Self.live.replacing("over 1h", with: "over 2h"))
                try await repository.lockstep("apply")
                try await push(fixture, at: start - 5 * minute, n: 32)
                #expect(try await read(fixture)[1] == 32)
                try await repository.lockstep("materialize")
                #expect(try await read(fixture)[1] == 67)
                // A row ahead of its time waits; a later push of the same entity does not lose it.
                let ahead = now + 4 * second
                try await push(fixture, at: ahead, n: 100)
                try await push(fixture, at: start, n: 1000)
                #expect(try await read(fixture)[1] == 1067)
                try await Task.sleep(for: .microseconds(max(0, ahead + 50_000 - now)))
                #expect(try await read(fixture)[1] == 1167)
            }
        }

        /// Another service's clock may be behind: what it can still see is kept for an hour.
        @Test func whatExpiredJustNowIsKept() async throws {
            try await ServiceFixture.run(allowsReplay: false) { fixture in
                try fixture.repository.write("features/clicks.yaml", Self.live)
                try await fixture.repository.lockstep("apply")
                try await push(fixture, at: now - hour - 30 * minute, n: 5)
                try await push(fixture, at: now - 2 * hour - minute, n: 6)
                #expect(try await read(fixture) == [0, nil])
                #expect(try fixture.count("online_events") == 1)
                try await fixture.repository.lockstep("lock", "click_model")
                try fixture.connect().execute("delete from online_events")
                try await fixture.repository.lockstep("materialize")
                #expect(try fixture.count("online_events") == 1)
                #expect(try await read(fixture) == [0, nil])
            }
        }

        @Test func whatHasExpiredIsSweptAway() async throws {
            try await ServiceFixture.run(allowsReplay: false, worksJobs: false) { fixture in
                try fixture.repository.write("features/clicks.yaml", Self.live)
                try await fixture.repository.lockstep("apply")
                for user in Int64(1)...3 { try await push(fixture, at: now, n: 1, user: user) }
                let connection = try fixture.connect()
                try connection.execute(
                    "update online_events set expires_at = now() - interval '61 minutes' where inputs is not null and entity_key = (select entity_key from online_events order by 1 limit 1)"
                )
                let pool = ConnectionPool(target: fixture.database, size: 1)
                let catalog = Catalog(pool: pool)
                #expect(try await catalog.expireEvents() == 1)
                #expect(try await catalog.expireEvents() == 0)
                #expect(try fixture.count("online_events") == 2)
                await pool.shutdown()
            }
        }
    }
}
