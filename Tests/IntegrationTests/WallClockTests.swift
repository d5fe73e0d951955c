import Formats
import Lockstep
import NIOHTTP1
import Testing

extension Integration {
    /// Sources and spines whose timestamps are a zone's wall clock.
    @Suite struct WallClockTests {
        private static let definitions = """
            kind: Entity
            name: sensor
            join_keys: { sensor: string }
            ---
            kind: Source
            name: levels
            columns: { sensor: string, taken: timestamp, sent: timestamp, level: int64 }
            event_time: { column: taken, timezone: America/New_York }
            known_at: { column: sent }
            ---
            kind: FeatureView
            name: sensor_level
            entities: [sensor]
            source: levels
            features:
              - { name: level, type: int64 }
              - { name: taken, type: timestamp }
            ---
            kind: FeatureService
            name: level_model
            features:
              - sensor_level: [level, taken]

            """

        @Test func wallClocksBecomeInstants() async throws {
            try await ServiceFixture.run(allowsReplay: false) { fixture in
                let repository = fixture.repository
                try repository.write("features/levels.yaml", Self.definitions)
                try await repository.lockstep("apply")
                // Winter, summer, the hour that New York skips, the hour that it shows twice, and an offset of its own.
                try repository.write(
                    "levels.csv",
                    """
                    sensor,taken,sent,level
                    a,2013-01-01T10:00:00,2013-01-01T15:00:00Z,1
                    b,2013-07-01 10:00:00,2013-07-01T14:00:00Z,2
                    c,2013-03-10T02:30:00,2013-03-10T07:30:00Z,3
                    d,2013-11-03T01:30:00,2013-11-03T06:30:00Z,4
                    e,2013-01-01T10:00:00+01:00,2013-01-01T09:00:00Z,5

                    """
                )
                try await repository.lockstep("ingest", "levels", "levels.csv")
                try await repository.lockstep("lock", "level_model")
                try repository.write(
                    "spine.csv",
                    """
                    sensor,event_timestamp
                    a,2013-01-01T09:59:59
                    a,2013-01-01T10:00:00
                    b,2013-07-01T10:00:00
                    c,2014-01-01T00:00:00
                    d,2014-01-01T00:00:00
                    e,2014-01-01T00:00:00

                    """
                )
                let refused = try await repository.outcome(["training-set", "--spine", "spine.csv", "-o", "out.csv"])
                #expect(refused.code != 0)
                expectWords(refused.errors, "spine.csv", "line 2", "2013-01-01T09:59:59", "time zone")
                #expect(!repository.exists("out.csv"))
                try await repository.lockstep(
                    "training-set",
                    "--spine",
                    "spine.csv",
                    "--timezone",
                    "America/New_York",
                    "-o",
                    "out.csv"
                )
                #expect(
                    try repository.text("out.csv") == """
                        sensor,event_timestamp,level,taken
                        a,2013-01-01T14:59:59Z,,
                        a,2013-01-01T15:00:00Z,1,2013-01-01T15:00:00Z
                        b,2013-07-01T14:00:00Z,2,2013-07-01T14:00:00Z
                        c,2014-01-01T05:00:00Z,3,2013-03-10T07:30:00Z
                        d,2014-01-01T05:00:00Z,4,2013-11-03T06:30:00Z
                        e,2014-01-01T05:00:00Z,5,2013-01-01T09:00:00Z

                        """
                )

                // What is pushed as JSON is read by the same rule; the column without a zone refuses such values.
                func push(_ taken: String, _ sent: String) async throws {
                    let request: JSON = .object([
                        "push_source_name": .string("levels"),
                        "df": .object([
                            "sensor": .array([.string("f")]), "taken": .array([.string(taken)]),
                            "sent": .array([.string(sent)]), "level": .array([.int(6)]),
                        ]),
                    ])
                    _ = try await fixture.client.send(.POST, "/push", body: request.encoded())
                }
                await #expect(throws: (any Error).self) { try await push("2013-01-02T10:00:00", "2013-01-02T15:00:00") }
                try await push("2013-01-02T10:00:00", "2013-01-02T15:00:00Z")
                let online = try await repository.lockstep("get", "level_model", "sensor=f")
                expectWords(online, "2013-01-02T15:00:00Z")
            }
        }
    }
}
