import Foundation
import Objects
import Postgres
import StoreTesting
import Testing

extension Integration {
    @Suite struct DatasetTests {
        private let data = GeneratedData(seed: 3)

        @Test(arguments: ObjectPlace.allCases)
        func checkoutIsIdenticalAndVerifyFindsAFlippedBit(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try repository.write(data)
                expectWords(
                    try await repository.lockstep("snapshot", "create", "records", "data"),
                    "records@1",
                    "3 files"
                )
                let again = try await repository.lockstep("snapshot", "create", "records", "data")
                expectWords(again, "records@1", "unchanged")
                try await repository.lockstep("snapshot", "checkout", "records@1", "copy")
                let names = ["fleet.csv", "readings.csv", "trips.csv"]
                #expect(try FileManager.default.contentsOfDirectory(atPath: repository.path("copy")).sorted() == names)
                for name in names { #expect(try repository.bytes("copy/" + name) == repository.bytes("data/" + name)) }
                try await repository.lockstep("snapshot", "verify", "records@1")

                let readings = Digest.of(try repository.bytes("data/readings.csv"))
                let hex = readings.hex
                let packs = try await repository.lockstep("snapshot", "show", "records@1", "--packs")
                let match = try #require(packs.firstMatch(of: /sha256:[0-9a-f]{64}/))
                let pack = try #require(Digest(String(match.output)))
                let original = try await fixture.placed.flipBit(pack, of: readings)
                let damaged = try await repository.outcome(["snapshot", "verify", "records"])
                #expect(damaged.code == 1)
                expectWords(damaged.errors, "readings.csv", hex, pack.hex, "records@1: 1 files and 1 packs damaged")
                #expect(!damaged.errors.contains("trips.csv"))
                // Nothing is read from the damaged object without notice, and no half of a checkout stays.
                try repository.remove(".lockstep")
                let checkout = try await repository.outcome(["snapshot", "checkout", "records@1", "second"])
                #expect(checkout.code != 0)
                #expect(repository.files("second") == [])
                try await fixture.placed.overwrite(pack, original)
                try await repository.lockstep("snapshot", "verify", "records@1")
                expectWords(try await repository.lockstep("snapshot", "status", "records", "data"), "no difference")

                try repository.write("data/fleet.csv", "vehicle,since,seats,maker\n")
                let status = try await repository.outcome(["snapshot", "status", "records", "data"])
                #expect(status.code == 1)
                expectWords(status.output, "~ file fleet.csv", "1 changes")
                expectWords(try await repository.lockstep("snapshot", "create", "records", "data"), "records@2")
                expectWords(
                    try await repository.lockstep("snapshot", "diff", "records@1", "records@2"),
                    "~ file fleet.csv"
                )
            }
        }

        /// A file of a pack that is elsewhere costs its own bytes, not the pack's: from the service, and from its store.
        @Test func oneFileIsReadByItsRange() async throws {
            try await ServiceFixture.run(place: .s3) { fixture in
                let repository = fixture.repository
                var random = SeededGenerator(state: 8)
                for number in 0..<40 {
                    let bytes = (0..<250_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    try repository.write("data/\(number)", bytes: bytes)
                }
                // In chunks, which are found through a list.
                let large = (0..<3_000_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                try repository.write("data/large", bytes: large)
                try await repository.lockstep("snapshot", "create", "records", "data")
                let server = try S3Server.shared()
                let bucket = try #require(fixture.placed.bucket)
                let pack = try #require(try await fixture.placed.packs.first).digest
                func reads() async throws -> [String] {
                    try await server.requests("GET /\(bucket)/").filter { $0.contains(pack.hex) }
                }
                let before = try await reads().count
                try await repository.lockstep("snapshot", "checkout", "records", "one", "7")
                #expect(try repository.bytes("one/7") == repository.bytes("data/7"))
                #expect(repository.files("one") == ["7"])
                try await repository.lockstep("snapshot", "checkout", "records", "two", "large")
                #expect(try repository.bytes("two/large") == large)
                #expect(try await reads().count > before)
                // Nobody keeps the pack.
                let kept = (try? FileManager.default.subpathsOfDirectory(atPath: fixture.placed.cache)) ?? []
                #expect(!kept.contains { $0.contains(pack.hex) })
                #expect(!repository.files(".lockstep").contains { $0.hasSuffix(pack.hex) })
                // All of it is fetched once, and kept.
                try await repository.lockstep("snapshot", "checkout", "records", "all")
                #expect(repository.files("all").count == 41)
                #expect(repository.files(".lockstep").contains { $0.hasSuffix(pack.hex) })
                let after = try await reads().count
                try await repository.lockstep("snapshot", "checkout", "records", "again")
                #expect(try await reads().count == after)
            }
        }

        @Test func theSameIngestAgainChangesNothing() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.writeDefinitions()
                try repository.write(data)
                try await repository.lockstep("apply")
                try await repository.lockstep("snapshot", "create", "records", "data")
                let first = try await repository.lockstep("ingest", "readings", "--from", "records@1:readings.csv")
                expectWords(first, "readings: 160 rows in segment readings@1")
                let counts = try fixture.rowCounts()
                let sequences = try fixture.sequences()
                let again = try await repository.lockstep("ingest", "readings", "--from", "records@1:readings.csv")
                expectWords(again, "already in segment readings@1", "nothing changed")
                // The same bytes by another way are the same rows.
                expectWords(try await repository.lockstep("ingest", "readings", "data/readings.csv"), "nothing changed")
                #expect(try fixture.rowCounts() == counts)
                #expect(try fixture.sequences() == sequences)

                expectWords(
                    try await repository.lockstep("ingest", "trips", "data/trips.csv"),
                    "trips: 140 rows in segment trips@1"
                )
                expectWords(try await repository.lockstep("ingest", "trips", "data/trips.csv"), "nothing changed")
                #expect(try fixture.count("segments") == 2)
                let sealed = try fixture.connect().query(
                    "select first_sequence, last_sequence, row_count from segments order by row_count"
                ).map { [try $0.int64(0), try $0.int64(1), try $0.int64(2)] }
                #expect(sealed == [[1, 140, 140], [1, 160, 160]])
            }
        }
    }
}

extension FeatureRepository {
    /// Everything below a directory; nothing where there is none.
    func files(_ name: String) -> [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: path(name))) ?? []
    }
}

extension ServiceFixture {
    /// The next place in each source's history.
    func sequences() throws -> [Int64] {
        try connect().query("select next from sequences order by namespace_id, source_version_id").map {
            try $0.int64(0)
        }
    }
}
