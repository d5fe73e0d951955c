import Foundation
import Objects
import Postgres
import Testing

extension Integration {
    @Suite struct DatasetTests {
        private let data = GeneratedData(seed: 3)

        @Test func checkoutIsIdenticalAndVerifyFindsAFlippedBit() async throws {
            try await ServiceFixture.run { fixture in
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

                let hex = Digest.of(try repository.bytes("data/readings.csv")).hex
                let packs = try await repository.lockstep("snapshot", "show", "records@1", "--packs")
                let pack = String(try #require(packs.firstMatch(of: /sha256:([0-9a-f]{64})/)).output.1)
                let original = try fixture.flipBit(of: hex, inPack: pack)
                let damaged = try await repository.outcome(["snapshot", "verify", "records"])
                #expect(damaged.code == 1)
                expectWords(damaged.errors, "readings.csv", hex, pack, "records@1: 1 files and 1 packs damaged")
                #expect(!damaged.errors.contains("trips.csv"))
                // Nothing is read from the damaged object without notice, and no half of a checkout stays.
                try repository.remove(".lockstep")
                let checkout = try await repository.outcome(["snapshot", "checkout", "records@1", "second"])
                #expect(checkout.code != 0)
                #expect(repository.files("second") == [])
                try fixture.restore(pack, original)
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
    /// Flips a bit of what a pack stores for a content; returns the pack as it was.
    func flipBit(of content: String, inPack pack: String) throws -> Data {
        let file = try objectFile(pack)
        let digest = try #require(Digest(hex: content))
        let entry = try #require(try PackReader(path: file).index.entry(digest))
        let original = try #require(FileManager.default.contents(atPath: file))
        var changed = original
        changed[entry.range.upperBound - (entry.storedSize + 1) / 2] ^= 1
        try restore(pack, changed)
        return original
    }

    /// The next place in each source's history.
    func sequences() throws -> [Int64] {
        try connect().query("select next from sequences order by namespace_id, source_version_id").map {
            try $0.int64(0)
        }
    }
}
