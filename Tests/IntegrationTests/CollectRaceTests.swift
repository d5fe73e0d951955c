import Catalog
import Features
import Foundation
import Objects
import Postgres
import Synchronization
import Testing

@testable import Service

extension Integration {
    /// Collectors against writers and readers, all at once.
    @Suite struct CollectRaceTests: Sendable {
        /// So few objects that they meet, so many that most are needed by nothing at any moment.
        private static let contents = 40

        @Test(arguments: [1, 2, 3, 4])
        func nothingThatIsNeededIsEverDeleted(seed: UInt64) async throws {
            try await ObjectScene.run(connections: 10) { scene in
                let slow = SlowStore(base: scene.local, seed: seed)
                let end = ContinuousClock.now + .seconds(3)
                let tally = Tally()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<4 {
                        group.addTask {
                            var random = SeededGenerator(state: seed &* 100 + UInt64(writer))
                            while ContinuousClock.now < end {
                                try await write(scene, slow, &random, withSession: writer % 2 == 0, tally)
                            }
                        }
                    }
                    for reader in 0..<3 {
                        group.addTask {
                            var random = SeededGenerator(state: seed &* 100 + 50 + UInt64(reader))
                            while ContinuousClock.now < end { try await read(scene, slow, &random, tally) }
                        }
                    }
                    group.addTask {
                        var random = SeededGenerator(state: seed &* 100 + 80)
                        while ContinuousClock.now < end { try await forget(scene, &random, tally) }
                    }
                    for collector in 0..<2 {
                        group.addTask {
                            while ContinuousClock.now < end {
                                let outcome = try await scene.collect(store: slow, batch: 3 + collector)
                                for _ in 0..<outcome.deleted { tally.count("deleted") }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let counts = tally.counts.withLock { $0 }
                // The race took place.
                for what in ["recorded", "read", "forgotten", "deleted"] {
                    #expect(counts[what, default: 0] >= 10, "\(what): \(counts)")
                }
                try await scene.expectSound()
                // What is left after everybody has gone is what is needed, and no more.
                try scene.connect().execute("delete from sessions")
                try await scene.collect()
                let needed = try scene.connect().query("select distinct digest from version_objects").map {
                    try #require(Digest(bytes: try $0.bytes("digest")))
                }
                #expect(try await scene.listed() == Set(needed))
                try await scene.expectSound()
            }
        }

        private func write(
            _ scene: ObjectScene,
            _ slow: SlowStore,
            _ random: inout SeededGenerator,
            withSession: Bool,
            _ tally: Tally
        ) async throws {
            let store = CatalogedObjectStore(slow, catalog: scene.catalog)
            let numbers = Set((0..<3).map { _ in Int.random(in: 0..<Self.contents, using: &random) })
            let digests = numbers.map { Digest.of(scene.content($0)) }
            var session: ObjectSession?
            var missing = Set(digests)
            if withSession {
                session = try await scene.catalog.openSession(scene.project)
                missing = try await scene.catalog.pin(digests, in: session?.id ?? 0, of: scene.project)
            }
            for number in numbers.sorted() where missing.contains(Digest.of(scene.content(number))) {
                _ = try await store.put(scene.content(number), encoding: .raw)
            }
            do {
                try await scene.record("set\(Int.random(in: 0..<6, using: &random))", digests)
                tally.count("recorded")
            } catch let error as CatalogError where error.code == .conflict && !withSession {
                // Without a session there is only the grace, and here there is none: the record is refused, not wrong.
                tally.count("refused")
            }
            if let session { try await scene.catalog.closeSession(scene.project, session.id) }
        }

        private func read(
            _ scene: ObjectScene,
            _ slow: SlowStore,
            _ random: inout SeededGenerator,
            _ tally: Tally
        ) async throws {
            do {
                let name = VersionReference(name: "set\(Int.random(in: 0..<6, using: &random))")
                let version = try await scene.catalog.version(scene.project, .snapshot, name)
                let session = try await scene.catalog.openSession(scene.project, reading: version)
                let pinned = try scene.connect().query(
                    "select digest from pins where session_id = $1",
                    [.int64(session.id)]
                ).map { try #require(Digest(bytes: try $0.bytes("digest"))) }
                #expect(!pinned.isEmpty)
                for _ in 0..<2 {
                    for digest in pinned {
                        // Any error but these two ends the test: an object went under a reader.
                        try await slow.verify(digest)
                    }
                }
                try await scene.catalog.closeSession(scene.project, session.id)
                tally.count("read")
            } catch let error as CatalogError where error.code == .notFound {
                // Nothing there yet, or forgotten before the lease was taken.
            }
        }

        private func forget(
            _ scene: ObjectScene,
            _ random: inout SeededGenerator,
            _ tally: Tally
        ) async throws {
            let rows = try scene.connect().query(
                "select d.name, v.number::bigint as number from versions v join definitions d on d.id = v.definition_id"
            ).map { VersionReference(name: try $0.text("name"), number: Int(try $0.int64("number"))) }
            if rows.count > 3, let victim = rows.randomElement(using: &random) {
                _ = try await scene.catalog.forget(scene.project, victim, isDryRun: false)
                tally.count("forgotten")
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...4, using: &random)))
        }
    }
}

/// Counts what happened.
final class Tally: Sendable {
    let counts = Mutex<[String: Int]>([:])

    func count(_ what: String) { counts.withLock { $0[what, default: 0] += 1 } }
}

/// A store that takes its time, differently at each call, before and after it does what it is asked for.
final class SlowStore: ForwardingObjectStore {
    let base: any ManagedObjectStore
    private let random: Mutex<SeededGenerator>

    init(base: any ManagedObjectStore, seed: UInt64) {
        self.base = base
        random = Mutex(SeededGenerator(state: seed))
    }

    private func pause() async throws {
        let delay = random.withLock { Int.random(in: 0...4, using: &$0) }
        if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
    }

    func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        try await pause()
        let digest = try await base.put(bytes, encoding: encoding)
        try await pause()
        return digest
    }

    func verify(_ digest: Digest) async throws {
        try await pause()
        try await base.verify(digest)
    }

    func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        try await pause()
        let isDeleted = try await base.delete(digest, before: deadline)
        try await pause()
        return isDeleted
    }
}
