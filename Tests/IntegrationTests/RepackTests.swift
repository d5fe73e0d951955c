import Catalog
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Postgres
import Synchronization
import Testing
import Wire

@testable import Service

extension Integration {
    /// Packs that are mostly dead are rewritten, and nothing that a version needs goes with them.
    @Suite struct RepackTests: Sendable {
        private func write(_ numbers: Range<Int>, to repository: FeatureRepository) throws {
            repository.removeIfThere("data")
            for number in numbers {
                var random = SeededGenerator(state: UInt64(number))
                let bytes = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                try repository.write("data/\(number)", bytes: bytes)
            }
            // In chunks, the last of which every version has of its own.
            var random = SeededGenerator(state: 77)
            var large = (0..<1_500_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            large.append(contentsOf: "\(numbers)".utf8)
            try repository.write("data/large", bytes: large)
        }

        private func storedBytes(_ fixture: ServiceFixture) async throws -> Int {
            try await fixture.placed.store.list(after: nil, limit: 100_000).reduce(0) { $0 + $1.storedSize }
        }

        @Test(arguments: ObjectPlace.allCases) func theDeadPartOfAPackIsGivenBack(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                // A pack of its own each: two of the three versions' files go, the large file's chunks stay.
                for numbers in [0..<200, 195..<200, 198..<202] {
                    try write(numbers, to: repository)
                    try await repository.lockstep("snapshot", "create", "records", "data")
                }
                let history = try await fixture.client.get(
                    fixture.client.projectPath("versions/snapshot/records/history"),
                    as: VersionList.self
                )
                let identities = history.versions.filter { $0.reference != "records@1" }.map(\.digest)
                let whole = try await repository.lockstep("gc", "--dry-run")
                expectWords(whole, "0 bytes are dead in packs that are needed; 0 packs")
                try await repository.lockstep("snapshot", "forget", "records@1")

                let dry = try await repository.lockstep("gc", "--dry-run")
                let match = try #require(
                    dry.firstMatch(of: /(\d+) bytes are dead in packs that are needed; 1 packs with/)
                )
                let dead = try #require(Int(match.output.1))
                // 195 files of 20,000 bytes, and some chunks.
                #expect(dead > 195 * 20_000 && dead < 195 * 20_000 + 500_000)
                let before = try await storedBytes(fixture)
                expectWords(try await repository.lockstep("gc", "--grace", "0s", "--repack", "never"), "deleted")
                #expect(try await storedBytes(fixture) > before - 100_000)

                let collected = try await repository.lockstep("gc", "--grace", "0s")
                expectWords(collected, "1 packs of", "bytes rewritten", "deleted")
                #expect(try await storedBytes(fixture) < before - 195 * 20_000 + 60_000)
                for (reference, numbers) in [("records@2", 195..<200), ("records@3", 198..<202)] {
                    try await repository.lockstep("snapshot", "verify", reference)
                    repository.removeIfThere("out")
                    try await repository.lockstep("snapshot", "checkout", reference, "out")
                    try write(numbers, to: repository)
                    #expect(repository.files("out").sorted() == repository.files("data").sorted())
                    for file in repository.files("out") {
                        #expect(try repository.bytes("out/\(file)") == repository.bytes("data/\(file)"))
                    }
                }
                let after = try await fixture.client.get(
                    fixture.client.projectPath("versions/snapshot/records/history"),
                    as: VersionList.self
                )
                #expect(after.versions.map(\.digest) == identities, "a snapshot is what it holds, not where")

                let second = try await repository.lockstep("gc", "--grace", "0s")
                #expect(!second.contains("rewritten"), "\(second)")
                // What went can come back, and what stayed is not stored again.
                try write(0..<200, to: repository)
                let again = try await repository.lockstep("snapshot", "create", "records", "data")
                let amount = try #require(again.firstMatch(of: /(\d+) bytes stored/)).output.1
                let stored = try #require(Int(amount))
                // 195 files and the last chunk of the large one.
                #expect(stored < 195 * 20_000 + 400_000)
                try await repository.lockstep("snapshot", "verify", "records@4")
                for wrong in ["101", "-1", "half"] {
                    #expect(try await repository.outcome(["gc", "--repack=\(wrong)"]).code == 2)
                }
            }
        }

        @Test func aPackThatSomebodyReliesOnIsLeft() async throws {
            try await ObjectScene.run { scene in
                let old = try await scene.snapshot("a", scene.files(0..<20))
                let kept = try await scene.snapshot("a", scene.files(0..<3))
                let lease = try await scene.catalog.openSession(scene.project, reading: kept)
                _ = try await scene.catalog.forget(scene.project, old.reference, isDryRun: false)
                let packs = try await scene.catalog.packs(of: kept).map(\.digest)
                let held = try await scene.repack()
                #expect(held.counts["held"] == 1 && held.counts["repacked"] == 0)
                #expect(try await scene.catalog.packs(of: kept).map(\.digest) == packs)
                try await scene.catalog.closeSession(scene.project, lease.id)
                let done = try await scene.repack()
                #expect(done.counts["repacked"] == 1 && done.counts["held"] == 0)
                #expect(try await scene.catalog.packs(of: kept).map(\.digest) != packs)
                #expect(try await scene.contents(of: kept) == scene.files(0..<3))
                try await scene.expectSound()
            }
        }

        /// A version that was recorded after it was found out what is needed is seen.
        @Test func aVersionThatComesInBetweenKeepsThePack() async throws {
            try await ObjectScene.run { scene in
                let old = try await scene.snapshot("a", scene.files(0..<20))
                let kept = try await scene.snapshot("a", scene.files(0..<3))
                _ = try await scene.catalog.forget(scene.project, old.reference, isDryRun: false)
                let survey = try await PackSurvey.run(scene.context())
                #expect(survey.packs.count == 1 && survey.packs[0].deadShare > 0.8)
                let late = try await scene.snapshot("a", scene.files(0..<20))
                let outcome = try await Repacker(context: scene.context(), share: 0.5).run(survey)
                #expect(outcome.packs == 0 && outcome.held == 1)
                for (version, files) in [(kept, scene.files(0..<3)), (late, scene.files(0..<20))] {
                    #expect(try await scene.contents(of: version) == files)
                }
                try await scene.expectSound()
            }
        }

        @Test func damagedAndUnreadablePacksAreLeft() async throws {
            try await ObjectScene.run { scene in
                let old = try await scene.snapshot("a", scene.files(0..<20))
                let kept = try await scene.snapshot("a", scene.files(0..<3))
                _ = try await scene.catalog.forget(scene.project, old.reference, isDryRun: false)
                let pack = try #require(try await scene.catalog.packs(of: kept).first).digest
                let path = try #require(try await scene.local.localPath(pack))
                let reader = try PackReader(path: path)
                let content = try #require(scene.files(0..<1)["0"])
                let entry = try #require(reader.index.entry(Digest.of(content)))
                let original = try #require(FileManager.default.contents(atPath: path))
                for place in [entry.range.upperBound - 1, original.count - 100] {
                    var changed = original
                    changed[place] ^= 1
                    try changed.write(to: URL(filePath: path), options: .atomic)
                    let left = try await scene.repack()
                    #expect(left.counts["repacked"] == 0)
                    #expect((left.counts["damaged"] ?? 0) + (left.counts["unreadable"] ?? 0) == 1)
                    #expect(try await scene.catalog.packs(of: kept).map(\.digest) == [pack])
                }
                try original.write(to: URL(filePath: path), options: .atomic)
                #expect(try await scene.repack().counts["repacked"] == 1)
                #expect(try await scene.contents(of: kept) == scene.files(0..<3))
            }
        }

        /// A dataset that has many small packs has one, and one that has few keeps them; a damaged one is in nobody's way.
        @Test func manySmallPacksAreJoined() async throws {
            try await ObjectScene.run { scene in
                var versions: [VersionRecord] = []
                for number in 1...Repacker.smallCount + 1 {
                    versions.append(try await scene.snapshot("many", scene.files(0..<number)))
                }
                for number in 1..<Repacker.smallCount {
                    versions.append(try await scene.snapshot("few", scene.files(100..<100 + number)))
                }
                func packs(_ dataset: String) throws -> Int64 {
                    try scene.connect().query(
                        """
                        select count(distinct vo.digest) from version_objects vo join versions v on v.id = vo.version_id
                        join definitions d on d.id = v.definition_id where d.name = $1 and vo.digest <> v.object
                        """,
                        [.text(dataset)]
                    ).only().int64(0)
                }
                #expect(try packs("many") == 17)
                #expect(try packs("few") == 15)
                // A bit of what the fifth snapshot brought.
                let broken = Digest.of(try #require(scene.files(4..<5)["4"]))
                let fifth = try await scene.catalog.packs(of: versions[4]).map(\.digest)
                let earlier = Set(try await scene.catalog.packs(of: versions[3]).map(\.digest))
                let pack = try #require(fifth.first { !earlier.contains($0) })
                let path = try #require(try await scene.local.localPath(pack))
                let original = try #require(FileManager.default.contents(atPath: path))
                let entry = try #require(try PackReader(path: path).index.entry(broken))
                var changed = original
                changed[entry.range.upperBound - 1] ^= 1
                try changed.write(to: URL(filePath: path), options: .atomic)
                let first = try await scene.repack()
                // One or two may be left alone by the halves.
                #expect((14...16).contains(first.counts["repacked"] ?? 0) && first.counts["damaged"] == 1)
                try original.write(to: URL(filePath: path), options: .atomic)
                // By halves, around the damaged one.
                let left = try packs("many")
                #expect(left > 1 && left <= 6)
                #expect(try packs("few") == 15)
                for number in Int(left)..<Repacker.smallCount {
                    versions.append(try await scene.snapshot("many", scene.files(200..<200 + number)))
                }
                #expect(try await scene.repack().counts["repacked"] == Int64(Repacker.smallCount))
                #expect(try packs("many") == 1)
                #expect(try await scene.repack().counts["repacked"] == 0)
                for (position, version) in versions.prefix(Repacker.smallCount + 1).enumerated() {
                    #expect(try await scene.contents(of: version) == scene.files(0..<position + 1))
                }
                try await scene.expectSound()
            }
        }

        @Test func oneThatFailsAnywhereIsFinishedByTheNext() async throws {
            try await Trap.run { scene, faulty, trap in
                var faulty = faulty
                faulty.trapsReads = true
                var n = 0
                var firings = 0
                repeat {
                    n += 1
                    let old = try await scene.snapshot("a", scene.files(0..<8))
                    let kept = try await scene.snapshot("a", scene.files(0..<2))
                    _ = try await scene.catalog.forget(scene.project, old.reference, isDryRun: false)
                    trap.arm(n)
                    do { _ = try await scene.repack(store: faulty) } catch {
                        #expect(trap.hasFired, "n = \(n): \(error)")
                    }
                    trap.disarm()
                    if trap.hasFired { firings += 1 }
                    try await scene.expectSound()
                    #expect(try await scene.contents(of: kept) == scene.files(0..<2), "n = \(n)")
                    try scene.connect().execute("update withdrawals set deleting_until = now() - interval '1 second'")
                    try scene.connect().execute("delete from sessions")
                    _ = try await scene.repack()
                    try await scene.expectSound()
                    #expect(try await scene.contents(of: kept) == scene.files(0..<2), "n = \(n)")
                    // The manifest and one pack, and nothing dead.
                    #expect(try await scene.listed().count == 2, "n = \(n)")
                    _ = try await scene.catalog.forget(scene.project, kept.reference, isDryRun: false)
                    try await scene.collect()
                } while trap.hasFired
                #expect(firings > 40, "\(firings)")
            }
        }

        @Test(arguments: [1, 2]) func racesWritersAndReaders(seed: UInt64) async throws {
            try await ObjectScene.run(connections: 10) { scene in
                let start = ContinuousClock.now
                let tally = Tally()
                // Until it took place, on a machine of whatever speed.
                let isOver: @Sendable () -> Bool = {
                    let counts = tally.counts.withLock { $0 }
                    let isEnough = ["recorded", "read", "repacked"].allSatisfy { counts[$0, default: 0] >= 5 }
                    return ContinuousClock.now - start > .seconds(isEnough ? 2 : 30)
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<2 {
                        group.addTask {
                            var random = SeededGenerator(state: seed &* 100 + UInt64(writer))
                            while !isOver() {
                                let start = Int.random(in: 0..<30, using: &random)
                                let count = Int.random(in: 1..<12, using: &random)
                                _ = try await scene.snapshot("set\(writer)", scene.files(start..<start + count))
                                tally.count("recorded")
                                // A pack is left as long as anybody writes upon it.
                                try await Task.sleep(for: .milliseconds(Int.random(in: 0...200, using: &random)))
                            }
                        }
                    }
                    for reader in 0..<2 {
                        group.addTask {
                            while !isOver() {
                                try await read("set\(reader)", scene, tally)
                                try await Task.sleep(for: .milliseconds(20))
                            }
                        }
                    }
                    group.addTask {
                        var random = SeededGenerator(state: seed &* 100 + 80)
                        while !isOver() {
                            let rows = try scene.connect().query(
                                """
                                select d.name, v.number::bigint as number from versions v
                                join definitions d on d.id = v.definition_id
                                """
                            ).map { VersionReference(name: try $0.text("name"), number: Int(try $0.int64("number"))) }
                            if rows.count > 4, let victim = rows.randomElement(using: &random) {
                                _ = try await scene.catalog.forget(scene.project, victim, isDryRun: false)
                            }
                            try await Task.sleep(for: .milliseconds(3))
                        }
                    }
                    for _ in 0..<2 {
                        group.addTask {
                            while !isOver() {
                                let result = try await scene.repack(percent: 10)
                                for _ in 0..<(result.counts["repacked"] ?? 0) { tally.count("repacked") }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let counts = tally.counts.withLock { $0 }
                for what in ["recorded", "read", "repacked"] {
                    #expect(counts[what, default: 0] >= 5, "\(what): \(counts)")
                }
                try scene.connect().execute("delete from sessions")
                _ = try await scene.repack(percent: 0)
                try await scene.expectSound()
                let survey = try await PackSurvey.run(scene.context())
                #expect(survey.deadBytes == 0 && survey.unreadable == 0)
                for item in try await scene.catalog.recordedManifests() {
                    #expect(try await !scene.contents(of: item.version).isEmpty)
                }
            }
        }

        private func read(_ dataset: String, _ scene: ObjectScene, _ tally: Tally) async throws {
            let version: VersionRecord
            let session: ObjectSession
            do {
                version = try await scene.catalog.version(scene.project, .snapshot, VersionReference(name: dataset))
                session = try await scene.catalog.openSession(scene.project, reading: version)
            } catch let error as CatalogError where error.code == .notFound {
                // Nothing there yet, or forgotten before the lease was taken.
                try await Task.sleep(for: .milliseconds(1))
                return
            }
            // Under the lease every pack stays, whatever is rewritten: any error here ends the test.
            let packs = try scene.connect().query(
                "select digest from pins where session_id = $1",
                [.int64(session.id)]
            ).map { try #require(Digest(bytes: try $0.bytes("digest"))) }
            for _ in 0..<2 { for pack in packs { try await scene.local.verify(pack) } }
            try await scene.catalog.closeSession(scene.project, session.id)
            tally.count("read")
        }
    }
}

extension ObjectScene {
    /// Files of 2,000 random bytes each, by name.
    func files(_ numbers: Range<Int>) -> [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: numbers.map { number in
                var random = SeededGenerator(state: UInt64(number) &* 7919)
                return ("\(number)", (0..<2_000).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            }
        )
    }

    func context(_ session: ObjectSession? = nil, store: (any ManagedObjectStore)? = nil) -> JobContext {
        let cataloged = CatalogedObjectStore(store ?? local, catalog: catalog)
        return JobContext(
            catalog: catalog,
            objects: session.map(cataloged.within) ?? cataloged,
            project: project,
            allowsReplay: false,
            report: { _, _, _ in }
        )
    }

    /// Collects as the job does, in a session of its own.
    func repack(percent: Int = 50, store: (any ManagedObjectStore)? = nil) async throws -> JobResult {
        let session = try await catalog.openSession(project)
        let result = try await CollectJob(
            context: context(session, store: store),
            request: JobRequest.Collect(grace: "0s", repack: percent)
        ).run()
        try await catalog.closeSession(project, session.id)
        return result
    }

    /// Records a snapshot of files as the command does: in a session, with the packs of the dataset pinned.
    func snapshot(_ dataset: String, _ files: [String: [UInt8]]) async throws -> VersionRecord {
        let scratch = try Scratch()
        for (name, bytes) in files {
            try FileManager.default.createDirectory(atPath: scratch.path + "/data", withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: scratch.path + "/data/\(name)"))
        }
        let session = try await catalog.openSession(project)
        let store = store.within(session)
        let offered = try await catalog.packs(ofDataset: dataset, in: project).map {
            PackReference(digest: $0.digest, size: $0.size)
        }
        let gone = try await catalog.pin(offered.map(\.digest), in: session.id, of: project)
        let known = try await PackCatalog(offered.filter { !gone.contains($0.digest) }, from: ObjectPacks(store))
        let captured = try await SnapshotBuilder.capture(
            SnapshotRequirements(paths: [scratch.path + "/data"]),
            known: known,
            into: StoredPacks(store: store, directory: scratch.path + "/packs")
        )
        let object = try await store.put(captured.manifest.canonicalJSON, encoding: .raw)
        let version = try await catalog.record(
            NewVersion(
                name: DefinitionName(kind: .snapshot, name: dataset),
                digest: captured.manifest.digest,
                object: object,
                document: .object(["format": .int(captured.manifest.format)]),
                objects: [(object, 0)] + captured.packs.map { ($0.digest, $0.size) }
            ),
            in: project
        ).version
        try await catalog.closeSession(project, session.id)
        return version
    }

    private struct StoredPacks: PackDestination {
        let store: CatalogedObjectStore
        let directory: String

        func store(_ pack: SealedPack) async throws { _ = try await store.putFile(at: pack.path, encoding: .raw) }
    }

    /// The files of a snapshot, by name, each verified.
    func contents(of version: VersionRecord) async throws -> [String: [UInt8]] {
        let object = try #require(version.object)
        let manifest = try SnapshotManifest(json: try await local.get(object))
        let contents = try await SnapshotContents.open(
            manifest,
            packs: try await catalog.packs(of: version).map { PackReference(digest: $0.digest, size: $0.size) },
            from: ObjectPacks(local),
            objects: local
        )
        var files: [String: [UInt8]] = [:]
        for asset in manifest.assets {
            let object = try #require(asset.content.object)
            files["\(asset.path)"] = try contents.bytes(object)
        }
        return files
    }
}
