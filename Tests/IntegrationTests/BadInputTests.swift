import Foundation
import Objects
import Postgres
import Testing

extension Integration {
    @Suite struct BadInputTests {
        private let data = GeneratedData(seed: 5)

        // MARK: Definitions

        private func expectApplyRefused(_ change: (FeatureRepository) throws -> Void, _ words: String...) async throws {
            try await ServiceFixture.run { fixture in
                try fixture.repository.writeDefinitions()
                try change(fixture.repository)
                for verb in ["plan", "apply"] {
                    let errors = try await fixture.expectRefusal(4, verb)
                    for word in words { expectWords(errors, word) }
                }
                #expect(try fixture.count("versions") == 0)
                // With the fault mended the same repository applies.
                try fixture.repository.writeDefinitions()
                expectWords(try await fixture.repository.lockstep("apply"), "13 changed")
            }
        }

        @Test func anUnknownFeatureInAService() async throws {
            try await expectApplyRefused(
                { try $0.write("features/model.yaml", Definitions.model(climate: "temprature")) },
                "feature service 'arrival_model'",
                "feature view 'station_climate' has no feature 'temprature'",
                "did you mean 'temperature'?",
                "it has temperature, wind, is_windy, note"
            )
        }

        @Test func aDefinitionWithAWordThatIsNoType() async throws {
            try await expectApplyRefused(
                { try $0.write("features/climate.yaml", Definitions.climate(wind: "float46")) },
                "features/climate.yaml:7:",
                "'float46'",
                "not a type",
                "float64"
            )
        }

        @Test func aFeatureOfAnotherTypeThanItsColumn() async throws {
            try await expectApplyRefused(
                { try $0.write("features/climate.yaml", Definitions.climate(wind: "string")) },
                "station_climate:wind",
                "string",
                "float64"
            )
        }

        @Test func anExpressionThatDoesNotParse() async throws {
            try await expectApplyRefused(
                { repository in
                    let text = Definitions.trips.replacingOccurrences(of: "fare / minutes", with: "fare / / minutes")
                    try repository.write("features/trips.yaml", text)
                },
                "feature 'route_last:pace'",
                "  fare / / minutes\n",
                "         ^"
            )
        }

        @Test func aFileThatIsNotYAML() async throws {
            try await expectApplyRefused(
                { try $0.write("features/trips.yaml", "kind: [Entity\n") },
                "features/trips.yaml",
                "not valid YAML"
            )
        }

        // MARK: Files

        /// Expects an ingest of changed readings to be refused, and the right file to be taken afterwards.
        private func expectIngestRefused(_ line: String, _ words: String...) async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                try repository.write(data)
                try await repository.lockstep("apply")
                try repository.write(
                    "bad.csv",
                    """
                    station,taken_at,temperature,wind,note
                    north,2024-03-01T00:00:00Z,1.5,2,calm
                    \(line)
                    south,2024-03-01T00:00:00Z,1.5,2,calm

                    """
                )
                let errors = try await fixture.expectRefusal(4, "ingest", "readings", "bad.csv")
                for word in words { expectWords(errors, word) }
                #expect(try fixture.countVersions("segment") == 0)
                #expect(try fixture.sequences() == [])
                let job = try fixture.connect().query("select state, error, result is null from jobs").only()
                #expect(try job.text(0) == "failed")
                #expect(try errors.contains(job.text(1)))
                #expect(try job.bool(2))
                try await repository.lockstep("ingest", "readings", "data/readings.csv")
                let first = try fixture.connect().query("select first_sequence from segments").only().int64(0)
                #expect(first == 1)
            }
        }

        @Test func aRowWithTooFewFields() async throws {
            try await expectIngestRefused(
                "north,2024-03-01T00:30:00Z,1.5,2",
                "'bad.csv' line 3",
                "expected 5 fields as in the header, found 4"
            )
        }

        @Test func aCellOfAnotherType() async throws {
            try await expectIngestRefused(
                "north,2024-03-01T00:30:00Z,warm,2,calm",
                "'bad.csv' line 3 column 3 'temperature'",
                "expected float64",
                "found 'warm'",
                "correct the cell"
            )
        }

        @Test func aTimestampWithoutItsZone() async throws {
            try await expectIngestRefused(
                "north,2024-03-01 00:30:00,1.5,2,calm",
                "'bad.csv' line 3 column 2 'taken_at'",
                "time zone",
                "append Z or an offset"
            )
        }

        @Test func aRowWithoutAnEventTime() async throws {
            try await expectIngestRefused(
                "north,,1.5,2,calm",
                "source 'readings'",
                "the event time of row 2 of bad.csv is missing",
                "declare a filter"
            )
        }

        @Test func filesAndNamesThatAreNotThere() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                expectWords(
                    try await fixture.expectRefusal(2, "ingest", "readings", "absent.csv"),
                    "no file 'absent.csv'"
                )
                expectWords(
                    try await fixture.expectRefusal(2, "ingest", "readings", "--from", "records@1:reading.csv"),
                    "records@1 has no 'reading.csv'",
                    "did you mean 'readings.csv'?"
                )
                expectWords(
                    try await fixture.expectRefusal(4, "ingest", "reading", "data/readings.csv"),
                    "no source 'reading'",
                    "did you mean 'readings'?"
                )
                expectWords(try await fixture.expectRefusal(2, "snapshot", "create", "records", "absent"), "absent")
                expectWords(
                    try await fixture.expectRefusal(4, "snapshot", "checkout", "records@7", "copy"),
                    "records",
                    "7"
                )
                #expect(!repository.exists("copy"))
                expectWords(
                    try await fixture.expectRefusal(2, "training-set", "--spine", "absent.csv", "-o", "out.csv"),
                    "no spine 'absent.csv'"
                )
                expectWords(
                    try await fixture.expectRefusal(
                        2,
                        "training-set",
                        "--lock",
                        "absent.lock",
                        "--spine",
                        "spine.csv",
                        "-o",
                        "out.csv"
                    ),
                    "no lock at 'absent.lock'",
                    "lockstep lock"
                )
                expectWords(try await fixture.expectRefusal(4, "lock", "arival_model"), "did you mean 'arrival_model'?")
                try repository.write("narrow.csv", "station,event_timestamp\nnorth,2024-03-02T00:00:00Z\n")
                expectWords(
                    try await fixture.expectRefusal(2, "training-set", "--spine", "narrow.csv", "-o", "out.csv"),
                    "narrow.csv",
                    "no column 'dest' (string)",
                    "it has station, event_timestamp"
                )
                #expect(!repository.exists("out.csv"))
                expectWords(
                    try await fixture.expectRefusal(2, "training-set", "--spine", "spine.csv", "-o", "no/out.csv"),
                    "no/out.csv"
                )
            }
        }

        // MARK: Locks and objects

        @Test func aLockThatWasTamperedWith() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                let text = try repository.text("lockstep.lock")
                let tampered = text.replacingOccurrences(of: "\"station_climate@1\"", with: "\"station_climate@2\"")
                try #require(tampered != text)
                try repository.write("lockstep.lock", tampered)
                let errors = try await fixture.expectRefusal(1, "verify")
                expectWords(
                    errors,
                    "lockstep.lock was changed after it was made",
                    "it states sha256:",
                    "lockstep lock arrival_model"
                )
                for command in [
                    ["training-set", "--spine", "spine.csv", "-o", "out.parquet"],
                    ["parity", "--at", "2024-03-02T00:00:00Z"],
                ] {
                    let outcome = try await repository.outcome(command)
                    #expect(outcome.code != 0)
                    expectWords(outcome.errors, "lockstep.lock was changed after it was made")
                }
                #expect(!repository.exists("out.parquet"))
                try repository.write("lockstep.lock", "{}\n")
                expectWords(try await fixture.expectRefusal(1, "verify"), "lockstep.lock", "lock format")
            }
        }

        @Test func aSegmentWithAFlippedBit() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                let hex = try fixture.connect().query(
                    "select encode(object, 'hex') from segments where row_count = 140"
                )
                .only().text(0)
                let original = try fixture.flipBit(hex)
                let errors = try await fixture.expectRefusal(1, "verify")
                expectWords(errors, "segment trips@1", hex, "lockstep.lock: 1 problems")
                let outcome = try await repository.outcome([
                    "training-set", "--spine", "spine.csv", "-o", "out.parquet",
                ])
                #expect(outcome.code != 0)
                expectWords(outcome.errors, hex, "restore")
                #expect(!repository.exists("out.parquet"))
                // The service does not serve it either.
                let before = try fixture.rowCounts()
                let materialized = try await repository.outcome([
                    "materialize", "route_last", "--at", "2024-03-02T00:00:00Z",
                ])
                #expect(materialized.code == 4)
                expectWords(materialized.errors, hex)
                #expect(try fixture.rowCounts() == before)

                try fixture.restore(hex, original)
                try await repository.lockstep("verify")
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "out.parquet")
                // The cache of what was fetched is not believed either: what is damaged there is fetched anew.
                let cached = repository.path(".lockstep/cache/sha256/\(hex.prefix(2))/\(hex)")
                var content = try #require(FileManager.default.contents(atPath: cached))
                let whole = content
                content[content.count / 2] ^= 1
                try content.write(to: URL(fileURLWithPath: cached), options: .atomic)
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "again.parquet")
                let again = try repository.bytes("again.parquet")
                #expect(try repository.bytes("out.parquet") == again)
                #expect(FileManager.default.contents(atPath: cached) == whole)
            }
        }

        // MARK: Servers

        @Test func aBusyPort() async throws {
            let listener = try Listener()
            let repository = try FeatureRepository(directory: try Scratch().path + "-repository", port: listener.port)
            defer { try? FileManager.default.removeItem(atPath: repository.directory) }
            let outcome = try await repository.outcome(["dev", "--port", "\(listener.port)"])
            #expect(outcome.code == 2)
            expectWords(outcome.errors, "port \(listener.port)", "busy", "--port")
            #expect(!repository.exists(".lockstep"))
        }

        @Test func aPostgreSQLThatIsNotThere() async throws {
            let scratch = try Scratch()
            let repository = try FeatureRepository(directory: scratch.path + "/repository", port: 1)
            let port = try ServiceFixture.freePort()
            for (target, place) in [
                ("postgresql://nobody@127.0.0.1:\(port)/none", "\(port)"),
                ("host=\(scratch.path)/socket dbname=none", "\(scratch.path)/socket"),
            ] {
                let outcome = try await Program.run(
                    ["serve", "--port", "\(try ServiceFixture.freePort())"],
                    in: repository.directory,
                    environment: ["DATABASE_URL": target, "OBJECT_STORE": scratch.path + "/objects"]
                )
                #expect(outcome.code == 2 || outcome.code == 3, "\(outcome.output)")
                expectWords(outcome.errors, "error:", place)
                #expect(!outcome.output.contains("http://"))
                #expect(!FileManager.default.fileExists(atPath: scratch.path + "/objects"))
            }
            let unset = try await Program.run(["serve"], in: repository.directory, environment: [:])
            #expect(unset.code == 2)
            expectWords(unset.errors, "DATABASE_URL is not set", "postgres://")
        }

        @Test func aReplayInProduction() async throws {
            let scratch = try Scratch()
            let repository = try FeatureRepository(directory: scratch.path + "/repository", port: 1)
            let outcome = try await repository.outcome(["serve", "--replay"])
            #expect(outcome.code == 2)
            expectWords(outcome.errors, "production", "replay clock", "lockstep dev --replay")
        }

        @Test func aServiceThatIsNotThere() async throws {
            let scratch = try Scratch()
            let port = try ServiceFixture.freePort()
            let repository = try FeatureRepository(directory: scratch.path + "/repository", port: port)
            try repository.writeDefinitions()
            try repository.write(data)
            for command in [
                ["apply"], ["list", "view"], ["ingest", "readings", "data/readings.csv"],
                ["snapshot", "create", "records", "data"], ["get", "arrival_model", "station=north"],
                ["lock", "arrival_model"],
            ] {
                let outcome = try await repository.outcome(command, limit: .seconds(10))
                #expect(outcome.code == 3, "\(command): \(outcome.errors)")
                expectWords(outcome.errors, repository.url, "cannot be reached", "lockstep dev")
            }
            #expect(!repository.exists("lockstep.lock"))
        }

        @Test func aDirectoryThatIsNoRepository() async throws {
            let scratch = try Scratch()
            let outcome = try await Program.run(["apply"], in: scratch.path, environment: [:])
            #expect(outcome.code == 2)
            expectWords(outcome.errors, "no lockstep.yaml", scratch.path, "lockstep init")
        }
    }
}
