import Lockstep
import Postgres
import Testing
import Wire

extension Integration {
    @Suite struct LabelTests {
        /// Three versions of `records`.
        private func withVersions(_ body: (ServiceFixture) async throws -> Void) async throws {
            try await ServiceFixture.run { fixture in
                for number in 1...3 {
                    try fixture.repository.write("data/a.csv", "x\n\(number)\n")
                    try await fixture.repository.lockstep("snapshot", "create", "records", "data")
                }
                try await body(fixture)
            }
        }

        @Test func aTagNeverMovesAndIsDeletedOnlyWhenAsked() async throws {
            try await withVersions { fixture in
                let repository = fixture.repository
                expectWords(try await repository.lockstep("tag", "records@1", "golden"), "records@golden is records@1")
                expectWords(try await repository.lockstep("tag", "records@1", "golden"), "unchanged")
                let refused = try await fixture.expectRefusal(4, "tag", "records@2", "golden")
                expectWords(refused, "tag 'golden' names records@1", "never moves")
                expectWords(
                    try await fixture.expectRefusal(4, "alias", "records@2", "golden"),
                    "is the tag of records@1"
                )
                // Not even by SQL.
                #expect(throws: (any Error).self) {
                    try fixture.connect().execute("update labels set version_id = version_id where name = 'golden'")
                }
                try await repository.lockstep("tag", "records", "golden", "--delete")
                expectWords(try await fixture.expectRefusal(4, "snapshot", "show", "records@golden"), "it has none")
                try await repository.lockstep("tag", "records@2", "golden")
                let history = try await repository.lockstep("tag", "records", "--history")
                let lines = history.split(separator: "\n").dropFirst().map { line in
                    line.split(separator: " ", omittingEmptySubsequences: true)[1...3].joined(separator: " ")
                }
                #expect(lines == ["golden set records@1", "golden deleted records@1", "golden set records@2"])
            }
        }

        @Test func anAliasMovesAndItsHistoryIsKept() async throws {
            try await withVersions { fixture in
                let repository = fixture.repository
                try await repository.lockstep("alias", "records@1", "production")
                expectWords(
                    try await repository.lockstep("alias", "records", "production"),
                    "is records@3 (was records@1)"
                )
                expectWords(try await repository.lockstep("alias", "records", "--list"), "production  records@3")
                let history = try await repository.lockstep("alias", "records", "production", "--history")
                expectWords(history, "set     records@1", "moved   records@3")
                expectWords(
                    try await fixture.expectRefusal(4, "tag", "records@1", "production"),
                    "is the alias of records@3"
                )
            }
        }

        @Test func namesThatCouldBeSomethingElseAreRefused() async throws {
            try await withVersions { fixture in
                for name in ["7", "a@b", "a:b", "a/b", "-x", "", ".", String(repeating: "a", count: 201)] {
                    let arguments = ["tag", "records@1", "--", name]
                    let outcome = try await fixture.repository.outcome(arguments)
                    #expect([2, 4].contains(outcome.code), "\(name): \(outcome.output)")
                    expectWords(outcome.errors, "cannot be a tag")
                }
                #expect(try fixture.count("labels") == 0)
                for name in ["1.0", "v7", "2024-01-01", "_"] {
                    try await fixture.repository.lockstep("tag", "records@1", name)
                }
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func aLabelMeansItsVersionWhereverASnapshotIsNamed(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                let data = GeneratedData(seed: 3)
                try repository.write(data)
                try await repository.lockstep("apply")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try repository.write("data/extra.csv", "x\n1\n")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try await repository.lockstep("tag", "records@1", "first")
                let shown = try await repository.outcome(["snapshot", "show", "records@first"])
                expectWords(shown.output, "snapshot records@1")
                expectWords(shown.errors, "records@first is records@1")
                try await repository.lockstep("snapshot", "checkout", "snapshot:records@first", "copy")
                #expect(!repository.exists("copy/extra.csv") && repository.exists("copy/trips.csv"))
                expectWords(
                    try await repository.lockstep("snapshot", "diff", "records@first", "records"),
                    "records@1 -> records@2",
                    "+ file extra.csv"
                )
                try await repository.lockstep("snapshot", "verify", "records@first")
                for source in ["readings", "trips", "fleet"] {
                    try await repository.lockstep("ingest", source, "--from", "records@first:\(source).csv")
                }
                try await repository.lockstep("fit", "wind_bins", "--snapshot", "records@first")
                try await repository.lockstep("embeddings", "import", "place_space", "places.csv")
                try await repository.lockstep("lock", "arrival_model", "--dataset", "records@first")
                let lock = try repository.text("lockstep.lock")
                #expect(lock.contains("records@1") && !lock.contains("first"))
                // The wire to a job takes numbers only.
                let refused = try? await fixture.client.post(
                    fixture.client.projectPath("jobs"),
                    JobRequest.lock(JobRequest.MakeLock(service: "arrival_model", datasets: ["records@first"])),
                    as: JobStatus.self
                )
                let job = try #require(refused)
                var status = job
                while status.state == "queued" || status.state == "running" {
                    try await Task.sleep(for: .milliseconds(20))
                    let path = fixture.client.projectPath("jobs/\(job.id)")
                    status = try await fixture.client.get(path, as: JobStatus.self)
                }
                #expect(status.state == "failed")
                expectWords(status.error ?? "", "is not a reference")
            }
        }

        @Test func theLogTellsVersionsSizesAndNames() async throws {
            try await withVersions { fixture in
                let repository = fixture.repository
                try await repository.lockstep("tag", "records@1", "first")
                try await repository.lockstep("alias", "records@3", "current")
                try await repository.lockstep("snapshot", "forget", "records@2")
                let client = fixture.client
                let log = try await client.get(client.projectPath("datasets/records/log"), as: DatasetLog.self)
                #expect(log.entries.map(\.reference) == ["records@3", "records@1"])
                #expect(log.entries.map(\.files) == [1, 1])
                #expect(log.entries.map(\.bytes) == [4, 4])
                #expect(log.entries.map(\.tags) == [[], ["first"]])
                #expect(log.entries.map(\.aliases) == [["current"], []])
                #expect(log.forgotten == ["records@2"])
                let text = try await repository.lockstep("snapshot", "log", "records")
                expectWords(text, "records@3", "current", "first", "forgotten: records@2")
                expectWords(try await fixture.expectRefusal(4, "snapshot", "log", "recordz"), "did you mean 'records'")
            }
        }
    }
}
