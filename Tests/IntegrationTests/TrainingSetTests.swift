import Columns
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Testing

extension Integration {
    @Suite struct TrainingSetTests {
        private let data = GeneratedData(seed: 7)

        @Test func equalsTheNaiveTwinForAnyNumberOfThreads() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                let verified = try await repository.lockstep("verify")
                expectWords(verified, "lockstep.lock", "pins", "objects verified")

                var digests: Set<String> = []
                for threads in ["1", "2", "7", "400"] {
                    let output = "training-\(threads).parquet"
                    let printed = try await repository.lockstep(
                        "training-set",
                        "--spine",
                        "spine.csv",
                        "-o",
                        output,
                        "--threads",
                        threads
                    )
                    let hex = Digest.of(try repository.bytes(output)).hex
                    expectWords(printed, "150 rows, 17 columns", "sha256 \(hex)")
                    digests.insert(hex)
                }
                #expect(digests.count == 1)

                let rows = try readTable(path: repository.path("training-1.parquet"))
                let spine = ["label", "station", "origin", "dest", "vehicle", "event_timestamp"]
                #expect(rows.schema.fields.map(\.name) == spine + NaiveTwin.features)
                let twin = NaiveTwin(data)
                var statuses: Set<UInt8> = []
                var wrong: [String] = []
                for (row, question) in data.spine.enumerated() {
                    #expect(rows["label"]?[row] == .int64(question.label))
                    #expect(rows["event_timestamp"]?[row] == .timestamp(question.time))
                    let expected = twin.answer(question)
                    for name in NaiveTwin.features {
                        let answer = try #require(expected[name])
                        statuses.insert(answer.status.rawValue)
                        let found = try #require(rows[name])[row]
                        if !found.isIdentical(to: answer.value) {
                            wrong.append(
                                "row \(row) \(name): \(found), expected \(answer.value) (\(answer.status.text))"
                            )
                        }
                    }
                }
                #expect(wrong == [])
                // The data is worth the test only if every way of having no value occurs in it.
                #expect(statuses == [0, 1, 2, 3, 4])
            }
        }

        @Test func theOrderOfFilesAndIngestsDoesNotMatter() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "whole.csv")
                try await ServiceFixture.run { other in
                    // Two segments instead of one; sequences stay in file order.
                    var halves = (data, data)
                    halves.0.readings.removeLast(70)
                    halves.1.readings.removeFirst(data.readings.count - 70)
                    try other.repository.writeDefinitions()
                    try other.repository.write(data)
                    try other.repository.write("first.csv", halves.0.readingsCSV)
                    try other.repository.write("second.csv", halves.1.readingsCSV)
                    try await other.repository.lockstep("apply")
                    try await other.repository.lockstep("ingest", "fleet", "data/fleet.csv")
                    try await other.repository.lockstep("ingest", "readings", "first.csv")
                    try await other.repository.lockstep("ingest", "trips", "data/trips.csv")
                    try await other.repository.lockstep("ingest", "readings", "second.csv")
                    try await other.repository.lockstep("embeddings", "import", "place_space", "places.csv")
                    try await other.repository.lockstep("fit", "wind_bins")
                    try await other.repository.lockstep("lock", "arrival_model")
                    try await other.repository.lockstep("training-set", "--spine", "spine.csv", "-o", "parts.csv")
                    #expect(try other.repository.bytes("parts.csv") == repository.bytes("whole.csv"))
                }
            }
        }

        /// A pipe in place of a file is written to, not replaced.
        @Test func aLockGoesThroughAPipe() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(GeneratedData(seed: 3))
                let pipe = repository.path("pipe")
                try #require(mkfifo(pipe, 0o600) == 0)
                let reader = Process()
                reader.executableURL = URL(fileURLWithPath: "/bin/sh")
                reader.arguments = ["-c", "cat pipe > got"]
                reader.currentDirectoryURL = URL(fileURLWithPath: repository.directory)
                try reader.run()
                try await repository.lockstep("lock", "arrival_model", "-o", "pipe")
                reader.waitUntilExit()
                #expect(try repository.bytes("got") == repository.bytes("lockstep.lock"))
                let type = try FileManager.default.attributesOfItem(atPath: pipe)[.type] as? FileAttributeType
                #expect(type != .typeRegular)
            }
        }

        @Test func aSetOfAnotherLockIsRefused() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try await fixture.prepare(data)
                try await repository.lockstep("training-set", "--spine", "spine.csv", "-o", "training.parquet")
                let lock = try LockFile.open(repository.path("lockstep.lock"))
                #expect(
                    try TrainingSet.open(path: repository.path("training.parquet"), lock: lock).rows.rowCount == 150
                )
                try await repository.lockstep("lock", "route_model", "-o", "other.lock")
                let other = try LockFile.open(repository.path("other.lock"))
                let refused = #expect(throws: PinError.self) {
                    try TrainingSet.open(path: repository.path("training.parquet"), lock: other)
                }
                expectWords(
                    refused?.description ?? "",
                    "training.parquet",
                    "\(lock.digest)",
                    "\(other.digest)",
                    "lockstep training-set"
                )
                try writeTable(
                    readTable(path: repository.path("spine.csv")),
                    to: repository.path("unlocked.parquet")
                )
                let unlocked = #expect(throws: PinError.self) {
                    try TrainingSet.open(path: repository.path("unlocked.parquet"), lock: lock)
                }
                expectWords(unlocked?.description ?? "", "unlocked.parquet", "names no lock")
            }
        }
    }
}
