import Catalog
import Expressions
import Features
import Objects
import Postgres
import Synchronization
import Testing

@testable import Service

extension Integration {
    /// The n-th statement or store call fails, before or after it took effect, for every n there is.
    @Suite struct CollectAnomalyTests {
        @Test func aCollectionThatFailsAnywhereIsFinishedByTheNext() async throws {
            try await Trap.run { scene, faulty, trap in
                var n = 0
                var firings = 0
                repeat {
                    n += 1
                    // Two that are needed, two that are not, one that no row knows.
                    var digests: [Digest] = []
                    for number in 0..<4 {
                        digests.append(try await scene.store.put(scene.content(n * 10 + number), encoding: .raw))
                    }
                    try await scene.record("a", Array(digests[0..<2]))
                    let orphan = try await scene.local.put(scene.content(n * 10 + 4), encoding: .raw)
                    trap.arm(n)
                    // One of a kind at a time: what fails is the same in every run.
                    await #expect(throws: (any Error).self, "n = \(n)") {
                        try await scene.collect(store: faulty, batch: 1)
                        if !trap.hasFired { throw Trap.Fault() }
                    }
                    trap.disarm()
                    if trap.hasFired { firings += 1 }
                    try await scene.expectSound()
                    // The claim of the run that failed passes, as time would have it.
                    try scene.connect().execute("update withdrawals set deleting_until = now() - interval '1 second'")
                    try await scene.collect()
                    try await scene.expectSound()
                    let listed = try await scene.listed()
                    #expect(listed.isSuperset(of: digests[0..<2]))
                    #expect(listed.isDisjoint(with: digests[2...] + [orphan]), "n = \(n)")
                    #expect(try scene.count("withdrawals") == 0)
                } while trap.hasFired
                // Every statement and every call, before and after.
                #expect(firings > 60, "\(firings)")
            }
        }

        @Test func aWriterThatFailsAnywhereLeavesAtMostOrphans() async throws {
            try await Trap.run { scene, faulty, trap in
                let store = CatalogedObjectStore(faulty, catalog: scene.catalog)
                var n = 0
                var firings = 0
                repeat {
                    n += 1
                    let contents = [scene.content(n * 10), scene.content(n * 10 + 1)]
                    // One of them has just been withdrawn, and the first has to come back from there.
                    _ = try await scene.store.put(contents[0], encoding: .raw)
                    _ = try await scene.catalog.withdraw(after: nil, limit: 100, grace: TimeSpan(microseconds: 0))
                    func write() async throws {
                        let session = try await scene.catalog.openSession(scene.project)
                        let digests = contents.map { Digest.of($0) }
                        let missing = try await scene.catalog.pin(digests, in: session.id, of: scene.project)
                        for content in contents where missing.contains(Digest.of(content)) {
                            _ = try await store.put(content, encoding: .raw)
                        }
                        try await scene.record("a", digests)
                        try await scene.catalog.closeSession(scene.project, session.id)
                    }
                    trap.arm(n)
                    do { try await write() } catch { #expect(trap.hasFired, "n = \(n): \(error)") }
                    trap.disarm()
                    if trap.hasFired { firings += 1 }
                    try await scene.expectSound()
                    // The writer died or not: a collection in between, then the same again.
                    if n % 2 == 0 {
                        try scene.connect().execute("update sessions set expires_at = now() - interval '1 s'")
                    }
                    try await scene.collect()
                    try await scene.expectSound()
                    try await write()
                    try await scene.expectSound()
                } while trap.hasFired
                #expect(firings > 60, "\(firings)")
                try scene.connect().execute("delete from sessions")
                try await scene.collect()
                let needed = try scene.count("(select distinct digest from version_objects) as n")
                #expect(Int64(try await scene.listed().count) == needed)
            }
        }

        @Test func anErasureThatFailsAnywhereIsFinishedByTheNext() async throws {
            try await Trap.run { scene, faulty, trap in
                let store = CatalogedObjectStore(faulty, catalog: scene.catalog)
                var n = 0
                var firings = 0
                repeat {
                    n += 1
                    let contents = (0..<4).map { scene.content(n * 10 + $0) }
                    let digests = contents.map { Digest.of($0) }
                    let pack = try await scene.pack(contents)
                    let loose = try await scene.store.put(contents[1], encoding: .raw)
                    let version = try await scene.recordManifest(
                        "a\(n)",
                        numbers: 0...3,
                        digests,
                        packs: [pack, loose]
                    )
                    trap.arm(n)
                    do { _ = try await scene.erase(digests[1], store: store) } catch { #expect(trap.hasFired) }
                    trap.disarm()
                    if trap.hasFired { firings += 1 }
                    try await scene.expectSound()
                    #expect(try await scene.readable(version).isSuperset(of: [digests[0], digests[2], digests[3]]))
                    _ = try await scene.erase(digests[1])
                    try await scene.expectSound()
                    #expect(try await scene.readable(version) == [digests[0], digests[2], digests[3]])
                    #expect(try scene.count("tombstones where finished_at is null") == 0)
                    let left = try await scene.listed()
                    #expect(!left.contains(digests[1]) && !left.contains(pack), "n = \(n)")
                    // What a fault left half deleted goes with the next collection.
                    try scene.connect().execute("update withdrawals set deleting_until = now() - interval '1 second'")
                    try await scene.collect()
                    for digest in try await scene.listed() {
                        let bytes = try await scene.local.get(digest)
                        #expect(bytes.firstRange(of: contents[1]) == nil, "n = \(n)")
                    }
                    #expect(try scene.count("withdrawals") == 0)
                } while trap.hasFired
                #expect(firings > 60, "\(firings)")
            }
        }

        @Test func aForgettingThatFailsAnywhereLeavesTheVersionOrNot() async throws {
            try await Trap.run { scene, _, trap in
                var n = 0
                repeat {
                    n += 1
                    let digest = try await scene.store.put(scene.content(n), encoding: .raw)
                    let version = try await scene.record("a", [digest])
                    trap.arm(n)
                    do {
                        _ = try await scene.catalog.forget(scene.project, version.reference, isDryRun: false)
                    } catch {
                        #expect(trap.hasFired)
                    }
                    trap.disarm()
                    try await scene.collect()
                    try await scene.expectSound()
                    let isThere = try scene.count("versions where id = \(version.id)") == 1
                    let isForgotten = try scene.count("forgotten_versions where number = \(version.number)") == 1
                    #expect(isThere != isForgotten, "n = \(n)")
                    #expect(try await scene.local.contains(digest) == isThere)
                } while trap.hasFired
                #expect(n > 10)
            }
        }
    }
}
