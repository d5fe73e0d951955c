import Testing

extension Integration {
    /// `lockstep work` beside a service that takes no jobs itself.
    @Suite struct WorkerTests {
        private func readings(_ celsius: ClosedRange<Int>) -> String {
            "room,taken_at,celsius\n"
                + celsius.map { "r,2024-05-01T00:00:\($0 < 10 ? "0" : "")\($0)Z,\($0)\n" }.joined()
        }

        @Test func whatAWorkerMakesIsServedByTheServiceBesideIt() async throws {
            try await ServiceFixture.run(allowsReplay: false, worksJobs: false) { fixture in
                let repository = fixture.repository
                try repository.write(
                    "features/rooms.yaml",
                    """
                    kind: Entity
                    name: room
                    join_keys: { room: string }
                    ---
                    kind: Source
                    name: readings
                    columns: { room: string, taken_at: timestamp, celsius: int64 }
                    event_time: { column: taken_at }
                    ---
                    kind: FeatureView
                    name: climate
                    entities: [room]
                    source: readings
                    features: [{ name: celsius, type: int64 }]
                    ---
                    kind: Discretizer
                    name: warmth
                    input: climate:celsius
                    method: quantile
                    bins: 10
                    ---
                    kind: FeatureService
                    name: comfort
                    features:
                      - climate: [celsius]
                      - bins: { input: climate:celsius, discretizer: warmth, as: bin }

                    """
                )
                try await repository.lockstep("apply")
                let worker = try RunningProgram(
                    ["work"],
                    in: repository.directory,
                    environment: ["DATABASE_URL": fixture.database, "OBJECT_STORE": fixture.objects]
                )
                try await worker.waitForOutput("lockstep work: taking jobs")
                try repository.write("first.csv", readings(0...9))
                try await repository.lockstep("ingest", "readings", "first.csv")
                try await repository.lockstep("fit", "warmth")
                try await repository.lockstep("materialize")
                try await repository.lockstep("push", "readings", "first.csv")
                let before = try await repository.lockstep("get", "comfort", "room=r")
                #expect(before.contains("celsius  9      PRESENT"), "\(before)")
                #expect(before.contains("bin      8      PRESENT"), "\(before)")

                // Other bins, fitted in the other process: the service must not go on with those it keeps in memory.
                try repository.write("second.csv", readings(10...59))
                try await repository.lockstep("ingest", "readings", "second.csv")
                try await repository.lockstep("fit", "warmth")
                var after = ""
                for _ in 0..<50 {
                    after = try await repository.lockstep("get", "comfort", "room=r")
                    if after.contains("bin      1      PRESENT") { break }
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(after.contains("bin      1      PRESENT"), "\(after)")
                worker.interrupt()
                let outcome = try await worker.wait(limit: .seconds(20))
                #expect(outcome.code == 0, "\(outcome.errors)")
            }
        }

        @Test func aWorkerNeedsItsDatabase() async throws {
            try await ServiceFixture.run(worksJobs: false) { fixture in
                let outcome = try await Program.run(
                    ["work"],
                    in: fixture.repository.directory,
                    environment: ["OBJECT_STORE": fixture.objects],
                    limit: .seconds(20)
                )
                #expect(outcome.code == 2)
                #expect(outcome.errors.contains("DATABASE_URL is not set"))
            }
        }

        @Test func aNameIsFoundWithoutItsKind() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await repository.lockstep("init", "other", "--project", "trial")
                try await repository.lockstep("apply", "other/features")
                #expect(try await repository.lockstep("show", "comfort@1").contains("service comfort@1"))
                #expect(try await repository.lockstep("history", "room_climate").contains("room_climate@1"))
                let unknown = try await repository.outcome(["show", "nothing"])
                #expect(unknown.code == 2)
                #expect(unknown.errors.contains("nothing is called 'nothing'"))
            }
        }
    }
}
