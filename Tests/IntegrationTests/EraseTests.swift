import Catalog
import Expressions
import Features
import Formats
import Foundation
import Lockstep
import NIOHTTP1
import Objects
import Postgres
import Testing
import Wire

@testable import Service

extension Integration {
    @Suite struct EraseTests {
        @Test(arguments: ObjectPlace.allCases)
        func oneItemGoesFromEveryVersionAndTheRestVerifies(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try await fixture.prepare(GeneratedData(seed: 9))
                // The same content under another name in another version.
                try repository.write("data/copy.csv", try repository.text("data/trips.csv"))
                try await repository.lockstep("snapshot", "create", "records", "data")
                let digest = Digest.of(try repository.bytes("data/trips.csv"))
                let digests = try await identities(fixture)

                // The caches of this machine have it.
                try await repository.lockstep("snapshot", "checkout", "records@1", "linked", "--link=hardlink,copy")
                #expect(repository.files(".lockstep/snapshots/files").contains { $0.contains(digest.hex) })

                let dry = try await repository.lockstep("erase", "records@1:trips.csv", "--reason", "x", "--dry-run")
                expectWords(dry, "would be erased from", "records@1:trips.csv", "records@2:copy.csv")
                #expect(try fixture.count("tombstones") == 0)
                #expect(try await held(digest, fixture))

                let erased = try await repository.lockstep(
                    "erase",
                    "records@1:trips.csv",
                    "--reason",
                    "request 812 under article 17",
                    "--actor",
                    "ada"
                )
                expectWords(
                    erased,
                    "\(digest) is erased from",
                    "  records@1:trips.csv",
                    "  records@2:copy.csv",
                    "  records@2:trips.csv",
                    "made from these snapshots",
                    "segment trips@1",
                    "bins wind_bins@1",
                    "lock arrival_model@1"
                )
                // No byte is left, in whatever form.
                #expect(try await !held(digest, fixture))
                let hex = digest.hex
                #expect(!repository.exists(".lockstep/cache/sha256/\(hex.prefix(2))/\(hex)"))
                let content = try repository.bytes("data/trips.csv")
                for file in repository.files(".lockstep") where !file.hasPrefix("objects") {
                    guard let bytes = FileManager.default.contents(atPath: repository.path(".lockstep/\(file)")) else {
                        continue
                    }
                    #expect([UInt8](bytes).firstRange(of: content) == nil, "\(file)")
                    if let reader = try? PackReader(path: repository.path(".lockstep/\(file)")) {
                        #expect(!reader.index.contains(digest), "\(file)")
                    }
                }

                // Identities are what they were, and what is left verifies.
                #expect(try await identities(fixture) == digests)
                for reference in ["records@1", "records@2"] {
                    let verified = try await repository.lockstep("snapshot", "verify", reference)
                    expectWords(
                        verified,
                        "trips.csv: erased by ada at",
                        "request 812 under article 17",
                        "files erased"
                    )
                }
                // Damage is still damage.
                let pack = try #require(
                    try await fixture.placed.packs.first {
                        $0.index.contains(Digest.of(try repository.bytes("data/fleet.csv")))
                    }
                ).digest
                let original = try await fixture.placed.flipBit(pack)
                let damaged = try await repository.outcome(["snapshot", "verify", "records@1"])
                #expect(damaged.code == 1)
                expectWords(damaged.errors, "pack \(pack)", "packs damaged")
                try await fixture.placed.overwrite(pack, original)

                let refused = try await repository.outcome(["snapshot", "checkout", "records@1", "out"])
                #expect(refused.code == 4 && !repository.exists("out"))
                expectWords(refused.errors, "trips.csv: erased by ada", "request 812 under article 17", "--skip-erased")
                try await repository.lockstep("snapshot", "checkout", "records@1", "out", "--skip-erased")
                #expect(repository.files("out").sorted() == ["fleet.csv", "readings.csv"])

                // Asked for, it is gone, with the reason.
                let gone = await #expect(throws: ClientError.self) {
                    _ = try await fixture.client.send(.GET, "/v1/objects/\(digest)")
                }
                guard case .refused(let problem) = gone else { throw Program.Failure(description: "\(gone as Any)") }
                #expect(problem.status == 410 && problem.type == "erased")
                expectWords(problem.detail, "request 812 under article 17")

                // It is not taken again, by whatever way.
                let again = try await repository.outcome(["snapshot", "create", "records", "data"])
                #expect(again.code == 2)
                // Not a byte of it was sent.
                #expect(try await !held(digest, fixture))
                expectWords(again.errors, "copy.csv was erased by ada", "request 812 under article 17", "take it away")
                let put = await #expect(throws: ClientError.self) {
                    let bytes = try repository.bytes("data/trips.csv")
                    _ = try await fixture.client.send(.PUT, "/v1/objects/\(digest)", body: bytes)
                }
                guard case .refused(let answer) = put else { throw Program.Failure(description: "\(put as Any)") }
                #expect(answer.status == 410)
                try repository.remove("data/trips.csv")
                try repository.remove("data/copy.csv")
                try await repository.lockstep("snapshot", "create", "records", "data")
                let list = try await fixture.client.get("/v1/tombstones", as: TombstoneList.self)
                #expect(list.tombstones.map(\.isFinished) == [true])
                #expect(list.tombstones.map(\.path) == ["records@1:trips.csv"])
            }
        }

        /// What other files live on cannot be erased with one.
        @Test func emptyFilesAndPartsOfOthersAreRefused() async throws {
            try await ServiceFixture.run { fixture in
                let repository = fixture.repository
                try repository.write("data/empty", "")
                let zeros = [UInt8](repeating: 0, count: 2_000_000)
                try repository.write("data/large", bytes: zeros)
                // The chunks of zeros have the largest size.
                try repository.write("data/small", bytes: Array(zeros.prefix(ChunkSizes.standard.maximum)))
                try await repository.lockstep("snapshot", "create", "records", "data")
                let empty = try await fixture.expectRefusal(4, "erase", "records@1:empty", "--reason", "x")
                expectWords(empty, "an empty file has nothing that could be erased")
                let part = try await repository.outcome(["erase", "records@1:small", "--reason", "x"])
                #expect(part.code == 4)
                expectWords(part.errors, "is also a part of a larger file of records@1", "erase or forget that first")
                #expect(try fixture.count("tombstones") == 0)
                try await repository.lockstep("snapshot", "verify", "records@1")
            }
        }

        /// A snapshot that comes to need a pack while it is decided what goes of it is seen.
        @Test func aSnapshotThatComesInBetweenIsSeen() async throws {
            try await ObjectScene.run { scene in
                let first = try await scene.snapshot("a", scene.files(0..<3))
                let pack = try #require(try await scene.catalog.packs(of: first).first).digest
                let second = try await scene.snapshot("a", scene.files(0..<2))
                func takeOut(_ known: Set<Int64>) async throws -> Bool {
                    try await scene.catalog.takeOut(
                        pack,
                        replacement: nil,
                        known: known,
                        duration: TimeSpan(microseconds: 1_000_000)
                    ) != nil
                }
                #expect(try await !takeOut([first.id]))
                try await scene.expectSound()
                #expect(try await scene.catalog.packs(of: second).map(\.digest) == [pack])
                #expect(try await takeOut([first.id, second.id]))
                #expect(try await scene.catalog.packs(of: second).isEmpty)
            }
        }

        /// A large file goes by its chunks; those that another version shares stay, and that version is as it was.
        @Test(arguments: ObjectPlace.allCases)
        func aLargeFileGoesByItsChunks(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                var random = SeededGenerator(state: 5)
                var text = ""
                while text.utf8.count < 3_000_000 { text += "\(random.next()),\(random.next())\n" }
                try repository.write("data/big.csv", text)
                try await repository.lockstep("snapshot", "create", "large", "data")
                let first = Digest.of(Array(text.utf8))
                let other = text + "one more row\n"
                try repository.write("data/big.csv", other)
                try await repository.lockstep("snapshot", "create", "large", "data")
                let before = Set(try await fixture.placed.packs.flatMap { $0.index.entries.map(\.digest) })

                try await repository.lockstep("erase", "large@1:big.csv", "--reason", "asked for")
                let after = Set(try await fixture.placed.packs.flatMap { $0.index.entries.map(\.digest) })
                // At least the last chunk and the list were its own.
                #expect(after.isStrictSubset(of: before) && before.subtracting(after).count < 8)
                #expect(try await repository.outcome(["snapshot", "checkout", "large@1", "one"]).code == 4)
                expectWords(try await repository.lockstep("snapshot", "verify", "large@1"), "1 files erased")
                try await repository.lockstep("snapshot", "verify", "large@2")
                try await repository.lockstep("snapshot", "checkout", "large@2", "two")
                #expect(try repository.text("two/big.csv") == other)
                #expect(try await !held(first, fixture))
            }
        }

        /// Whether a file's content is in the store, as an object or in a pack.
        private func held(_ digest: Digest, _ fixture: ServiceFixture) async throws -> Bool {
            let isObject = try await fixture.placed.digests.contains(digest)
            let isPacked = try await fixture.placed.packs.contains { $0.index.contains(digest) }
            return isObject || isPacked
        }

        @Test func anErasureNeedsAReasonAndAFile() async throws {
            try await ServiceFixture.run { fixture in
                try fixture.repository.write("data/a.csv", "x\n1\n")
                try await fixture.repository.lockstep("snapshot", "create", "records", "data")
                expectWords(
                    try await fixture.expectRefusal(4, "erase", "records@1:a.csv", "--reason", " "),
                    "an erasure needs a reason"
                )
                expectWords(
                    try await fixture.expectRefusal(2, "erase", "records@1:b.csv", "--reason", "x"),
                    "has no 'b.csv'"
                )
                #expect(try fixture.count("tombstones") == 0)
            }
        }

        /// References, digests and manifests of all snapshots.
        private func identities(_ fixture: ServiceFixture) async throws -> [String] {
            let list = try await fixture.client.get(
                fixture.client.projectPath("versions/snapshot/records/history"),
                as: VersionList.self
            )
            return list.versions.map { "\($0.reference) \($0.digest) \($0.object ?? "")" }
        }

        @Test func anEntryGoesFromEveryPackAndVersionsMoveToTheNewOne() async throws {
            try await ObjectScene.run { scene in
                let contents = (0..<6).map { Array(String(repeating: "entry \($0) ", count: 50 + $0).utf8) }
                let digests = contents.map { Digest.of($0) }
                func pack(_ numbers: [Int]) async throws -> Digest {
                    try await scene.pack(numbers.map { contents[$0] })
                }
                let first = try await pack([0, 1, 2])
                let second = try await pack([2, 3])
                let third = try await pack([4, 5])
                let alone = try await pack([2])
                // Begins as a pack and is none.
                let story = try await scene.store.put(Array("LSTPACK, a story".utf8), encoding: .raw)
                let a = try await scene.recordManifest("a", numbers: 0...2, digests, packs: [first])
                let b = try await scene.recordManifest("b", numbers: 2...5, digests, packs: [second, third, story])
                let unneeded = alone
                // Of a writer that died before it made a row.
                let scratch = try Scratch()
                let writer = PackWriter(directory: scratch.path)
                for number in [1, 2, 5] { _ = try writer.append(contents[number]) }
                let sealed = try #require(try writer.finish().first)
                let orphan = try await scene.local.putFile(at: sealed.path, encoding: .raw).digest

                // Twice: the second finds all done.
                for _ in 0..<2 {
                    let result = try await scene.erase(digests[2])
                    #expect(result.counts["snapshots"] == 2)
                }
                let left = try await scene.listed()
                #expect(left.isDisjoint(with: [first, second, unneeded, orphan]))
                #expect(left.isSuperset(of: [third, story]))
                #expect(try await scene.readable(a) == Set(digests[0...1]))
                #expect(try await scene.readable(b) == Set(digests[3...5]))
                try await scene.expectSound()
                try await scene.collect()
                #expect(try await scene.readable(a) == Set(digests[0...1]))
                #expect(try scene.count("withdrawals") == 0)
                for digest in try await scene.listed() {
                    let bytes = try await scene.local.get(digest)
                    #expect(bytes.firstRange(of: contents[2]) == nil)
                }
            }
        }
    }
}

extension ObjectScene {
    /// A snapshot whose manifest names contents, and that needs the packs that hold them.
    func recordManifest(
        _ dataset: String,
        numbers: ClosedRange<Int>,
        _ digests: [Digest],
        packs: [Digest]
    ) async throws -> VersionRecord {
        let assets = numbers.map {
            "{\"digest\":\"\(digests[$0])\",\"mode\":\"0644\",\"path\":\"f\($0)\",\"size\":1}"
        }.joined(separator: ",")
        let text = """
            {"assets":[\(assets)],"environment":{"architecture":"x","lock_files":[],"variables":[]},"format":1,"parents":[]}
            """
        let object = try await store.put(Array(text.utf8), encoding: .raw)
        return try await catalog.record(
            NewVersion(
                name: DefinitionName(kind: .snapshot, name: dataset),
                digest: object,
                object: object,
                document: .object([]),
                objects: ([object] + packs).map { ($0, 0) }
            ),
            in: project
        ).version
    }

    /// The contents of all packs that a version needs, each verified.
    func readable(_ version: VersionRecord) async throws -> Set<Digest> {
        let needed = try connect().query(
            "select digest from version_objects where version_id = $1",
            [.int64(version.id)]
        ).map { try #require(Digest(bytes: try $0.bytes("digest"))) }
        var contents: Set<Digest> = []
        for digest in needed {
            guard let path = try await local.localPath(digest), let reader = try? PackReader(path: path)
            else {
                continue
            }
            #expect(try reader.verify(name: digest) == [])
            contents.formUnion(reader.index.entries.map(\.digest))
        }
        return contents
    }

    /// Packs contents and stores the pack.
    func pack(_ contents: [[UInt8]]) async throws -> Digest {
        let scratch = try Scratch()
        let writer = PackWriter(directory: scratch.path)
        for content in contents { _ = try writer.append(content) }
        let sealed = try #require(try writer.finish().first)
        return try await store.putFile(at: sealed.path, encoding: .raw).digest
    }

    /// Erases a content as the job does.
    func erase(_ digest: Digest, store: (any ManagedObjectStore)? = nil) async throws -> JobResult {
        let context = JobContext(
            catalog: catalog,
            objects: store ?? self.store,
            project: project,
            allowsReplay: false,
            report: { _, _, _ in }
        )
        return try await EraseJob(
            context: context,
            request: JobRequest.Erase(digest: "\(digest)", reason: "r", actor: "a")
        ).run()
    }
}
