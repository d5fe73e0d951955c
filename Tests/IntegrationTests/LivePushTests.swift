import Formats
import Foundation
import Lockstep
import NIOHTTP1
import Postgres
import Testing
import Wire

extension Integration {
    @Suite struct LivePushTests {
        private var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }

        private func push(
            _ fixture: ServiceFixture,
            departed: Int64,
            recorded: Int64,
            minutes: Int64,
            dest: String = "bc"
        ) async throws {
            let request: JSON = .object([
                "push_source_name": .string("trips"),
                "df": .object([
                    "origin": .array([.string("a")]), "dest": .array([.string(dest)]),
                    "departed": .array([.string(GeneratedData.time(departed))]),
                    "recorded": .array([.string(GeneratedData.time(recorded))]), "minutes": .array([.int(minutes)]),
                    "fare": .array([.null]),
                ]),
            ])
            _ = try await fixture.client.send(.POST, "/push", body: request.encoded())
        }

        /// The minutes of a route and their status, now.
        private func minutes(_ fixture: ServiceFixture, dest: String = "bc") async throws -> (Int64?, String?) {
            let request: JSON = .object([
                "features": .array([.string("route_last:minutes")]),
                "entities": .object(["origin": .array([.string("a")]), "dest": .array([.string(dest)])]),
            ])
            let body = try await fixture.client.send(.POST, "/get-online-features", body: request.encoded())
            let result = try #require(try JSON(parsing: body)["results"]?.array?.last)
            return (result["values"]?.array?.first?.int, result["statuses"]?.array?.first?.string)
        }

        private func run(_ body: (ServiceFixture) async throws -> Void) async throws {
            try await ServiceFixture.run(allowsReplay: false) { fixture in
                try fixture.repository.writeDefinitions()
                try await fixture.repository.lockstep("apply")
                try await body(fixture)
            }
        }

        @Test func aPushedRowIsVisibleAtOnce() async throws {
            try await run { fixture in
                #expect(try await minutes(fixture) == (nil, "NOT_FOUND"))
                try await push(fixture, departed: now - hour, recorded: now - minute, minutes: 41)
                #expect(try await minutes(fixture) == (41, "PRESENT"))
                // A row that is older in event time does not take its place.
                try await push(fixture, departed: now - 2 * hour, recorded: now - minute, minutes: 7)
                #expect(try await minutes(fixture) == (41, "PRESENT"))
                try await push(fixture, departed: now - 25 * hour, recorded: now - minute, minutes: 9, dest: "c")
                #expect(try await minutes(fixture, dest: "c") == (nil, "OUTSIDE_MAX_AGE"))
                #expect(try fixture.count("history_head") == 3)
                let file =
                    "origin,dest,departed,recorded,minutes,fare\n"
                    + "a,bc,\(GeneratedData.time(now - 30 * minute)),\(GeneratedData.time(now - minute)),55,\n"
                try fixture.repository.write("live.csv", file)
                expectWords(
                    try await fixture.repository.lockstep("push", "trips", "live.csv"),
                    "trips@1: 1 rows pushed"
                )
                #expect(try await minutes(fixture) == (55, "PRESENT"))
            }
        }

        @Test func aRowAheadOfItsTimeWaits() async throws {
            try await run { fixture in
                try await push(fixture, departed: now - 2 * hour, recorded: now - minute, minutes: 10)
                try await push(fixture, departed: now - hour, recorded: now + hour, minutes: 20)
                try await push(fixture, departed: now + hour, recorded: now - hour, minutes: 30)
                #expect(try fixture.count("history_head") == 3)
                #expect(try await minutes(fixture) == (10, "PRESENT"))
                let soon = now + 2 * second
                try await push(fixture, departed: now - hour, recorded: soon, minutes: 40)
                let early = try await minutes(fixture).0
                #expect(early == 10 || now >= soon)
                while now <= soon { try await Task.sleep(for: .milliseconds(50)) }
                #expect(try await minutes(fixture) == (40, "PRESENT"))
            }
        }

        @Test func aLiveServiceHasNoClockToMove() async throws {
            try await run { fixture in
                let errors = try await fixture.expectRefusal(4, "materialize", "--at", "2024-03-01T00:00:00Z")
                expectWords(errors, "replay clock", "lockstep dev --replay")
                let health = try JSON(parsing: try await fixture.client.send(.GET, "/health"))
                #expect(health["clock"]?.string == "live")
                let refused = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.send(
                        .POST,
                        "/push",
                        headers: [("lockstep-clock", "2024-03-01T00:00:00Z")],
                        body: Array(#"{"push_source_name": "trips", "df": {}}"#.utf8)
                    )
                }
                #expect(refused?.problem?.status == 422)
            }
        }

        @Test func concurrentPushesEndWithTheGreatestRow() async throws {
            try await run { fixture in
                // Few instants, so that event time and known-at both tie and the sequence decides.
                let base = now - 10 * hour
                var pushes: [(departed: Int64, recorded: Int64, minutes: Int64)] = []
                for position in 0..<Int64(48) {
                    let departed = base + position * 7 % 4 * hour
                    pushes.append((departed, base + (5 + position * 5 % 3) * hour, 1000 + position))
                }
                let client = fixture.client
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for item in pushes {
                        let request: JSON = .object([
                            "push_source_name": .string("trips"),
                            "df": .object([
                                "origin": .array([.string("a")]), "dest": .array([.string("bc")]),
                                "departed": .array([.string(GeneratedData.time(item.departed))]),
                                "recorded": .array([.string(GeneratedData.time(item.recorded))]),
                                "minutes": .array([.int(item.minutes)]), "fare": .array([.null]),
                            ]),
                        ])
                        group.addTask { _ = try await client.send(.POST, "/push", body: request.encoded()) }
                    }
                    try await group.waitForAll()
                }
                let greatest = try fixture.connect().query(
                    """
                    select sequence, event_time, known_at from history_head
                    order by event_time desc, known_at desc, sequence desc limit 1
                    """
                ).only()
                let online = try fixture.connect().query(
                    """
                    select o.sequence, o.event_time, o.known_at from online_rows o
                    join versions v on v.id = o.view_version_id join definitions d on d.id = v.definition_id
                    where d.name = 'route_last'
                    """
                ).only()
                #expect(try fixture.count("history_head") == pushes.count)
                #expect(try fixture.count("(select distinct sequence from history_head) s") == pushes.count)
                #expect(try online.int64(0) == greatest.int64(0))
                #expect(try online.timestamp(1) == greatest.timestamp(1))
                #expect(try online.timestamp(2) == greatest.timestamp(2))
                let served = try #require(try await minutes(fixture).0)
                let best = try #require(
                    pushes.map { [$0.departed, $0.recorded] }.max { $0.lexicographicallyPrecedes($1) }
                )
                let tied = pushes.filter { [$0.departed, $0.recorded] == best }.map(\.minutes)
                #expect(tied.count > 1 && tied.contains(served))

                // Training reads the same winner from the sealed head.
                try await fixture.repository.lockstep("lock", "route_model")
                #expect(try fixture.count("history_head") == 0)
                try fixture.repository.write(
                    "now.csv",
                    "origin,dest,event_timestamp\na,bc,\(GeneratedData.time(now))\n"
                )
                try await fixture.repository.lockstep("training-set", "--spine", "now.csv", "-o", "now-set.csv")
                let set = try fixture.repository.text("now-set.csv")
                #expect(set.hasSuffix(",\(served)\n"), "\(set)")
                #expect(try await minutes(fixture).0 == served)
            }
        }
    }
}
