import Formats
import Testing

extension Integration {
    @Suite struct ParityTests {
        private let data = GeneratedData(seed: 23)
        private let early = GeneratedData.time(GeneratedData.start + 2 * day)
        private let late = GeneratedData.time(GeneratedData.start + 4 * day)

        @Test func holdsAtAnInstantAndFailsForAStaleView() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("materialize", "--at", early)
                let passed = try await repository.lockstep("parity", "--at", early)
                expectWords(passed, "wind_bin", "dest_vector", "parity holds for", "certificate sha256:")
                let again = try await repository.lockstep("parity", "--at", early)
                #expect(passed == again, "the same proof has the same digest")
                #expect(try fixture.count("reports where passed") == 1)

                try await repository.lockstep("materialize", "route_last", "vehicle_register", "--at", late)
                let failed = try await repository.outcome(["parity", "--at", late])
                #expect(failed.code == 1)
                let line = try #require(
                    failed.output.split(separator: "\n").first { $0.hasPrefix("station_climate: ") }
                )
                let found = try #require(
                    line.wholeMatch(
                        of: /station_climate: stale materialization: (\d+) values in (\d+) of (\d+) rows; run: (.*)/
                    )
                )
                #expect((Int(found.1) ?? 0) >= (Int(found.2) ?? 0) && (Int(found.2) ?? 0) > 0)
                #expect(found.4 == "lockstep materialize station_climate")
                expectWords(failed.output, "parity fails; report sha256:")
                #expect(!failed.output.contains("route_last: ") && !failed.output.contains("vehicle_register: "))

                let report = try JSON(
                    parsing: try await repository.lockstep("parity", "--at", late, "--json", code: 1)
                )
                #expect(report["passed"]?.bool == false)
                #expect(report["causes"]?["station_climate"]?["stale materialization"]?.int == Int64(found.1))
                #expect(report["asked"]?["count"]?.int == Int64(found.3))
                let counts = try #require(report["features"]?["minutes"])
                #expect(counts["match"]?.int == Int64(found.3))
                #expect(counts["mismatch"]?.int == 0)

                try await repository.lockstep("materialize", "station_climate", "--at", late)
                expectWords(try await repository.lockstep("parity", "--at", late), "parity holds for")
            }
        }

        @Test func holdsWhenHistoryIsReplayedThroughTheLivePath() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                let before = try fixture.rowCounts()
                let passed = try await repository.lockstep(
                    "parity",
                    "--replay",
                    "\(early)/\(late)",
                    "--spine",
                    "spine.csv"
                )
                let span = GeneratedData.start + 2 * day..<GeneratedData.start + 4 * day
                let asked = data.spine.count { span.contains($0.time) }
                expectWords(passed, "parity holds for \(asked) rows", "certificate sha256:")
                // The replay's namespace is gone with it; only the certificate stays.
                var expected = before
                expected["reports", default: 0] += 1
                #expect(try fixture.rowCounts() == expected)
                #expect(try fixture.count("namespaces where is_replay") == 0)
            }
        }
    }
}
