import Catalog
import Datasets
import Expressions
import Features
import Foundation
import Lockstep
import Objects
import Postgres
import Testing
import Wire

@testable import Service

extension Integration {
    @Suite struct CollectTests {
        @Test func whatAVersionNeedsStaysAndTheRestGoes() async throws {
            try await ObjectScene.run { scene in
                var digests: [Digest] = []
                for number in 0..<20 {
                    digests.append(try await scene.store.put(scene.content(number), encoding: .raw))
                }
                let version = try await scene.record("a", Array(digests[0..<8]))
                try await scene.record("b", Array(digests[4..<12]))
                // Within the grace nothing goes.
                #expect(try await scene.collect(grace: "1h").deleted == 0)
                let first = try await scene.collect(batch: 3)
                #expect(first.withdrawn == 8 && first.deleted == 8 && first.left == 0 && first.adopted == 0)
                #expect(first.deletedBytes == 8 * 9)
                #expect(try await scene.listed() == Set(digests[0..<12]))
                _ = try await scene.catalog.forget(scene.project, version.reference, isDryRun: false)
                #expect(try await scene.listed() == Set(digests[0..<12]), "forgetting removes no byte")
                #expect(try await scene.collect().deleted == 4)
                #expect(try await scene.listed() == Set(digests[4..<12]))
                #expect(try scene.count("objects") == 8)
                #expect(try scene.count("withdrawals") == 0)
                try await scene.expectSound()
            }
        }

        /// What a killed writer left goes; what one at work has made stays, however long ago it began.
        @Test func unfinishedWork() async throws {
            try await ObjectScene.run { scene in
                let directory = scene.local.directory + "/tmp"
                let files = FileManager.default
                try files.createDirectory(
                    atPath: directory + "/packs-0123456789abcdef",
                    withIntermediateDirectories: true
                )
                let live = try LockedDirectory(sharedIn: directory, prefix: "packs-", mode: 0o777)
                try files.createDirectory(
                    atPath: directory + "/packs-0123456789abcdef/tmp",
                    withIntermediateDirectories: false
                )
                for name in [
                    "upload", "packs-0123456789abcdef/a.pack", "packs-0123456789abcdef/tmp/pack-1",
                    "\(live.name)/b.pack",
                ] {
                    try Data("half".utf8).write(to: URL(filePath: "\(directory)/\(name)"))
                }
                for name in ["upload", "packs-0123456789abcdef", live.name] {
                    let began = Date(timeIntervalSinceNow: -3 * 3_600)
                    try files.setAttributes([.modificationDate: began], ofItemAtPath: "\(directory)/\(name)")
                }
                func left() throws -> Set<String> { Set(try files.contentsOfDirectory(atPath: directory)) }
                let all: Set<String> = ["upload", "packs-0123456789abcdef", live.name]

                // A writer that opened its session before all that.
                let session = try await scene.catalog.openSession(scene.project)
                try scene.connect().execute("update sessions set created_at = now() - interval '4 hours'")
                #expect(try await scene.collect().unfinished == 0)
                #expect(try left() == all)
                // One that opened it after.
                try scene.connect().execute("update sessions set created_at = now() - interval '1 hour'")
                #expect(try await scene.collect(grace: "24h").unfinished == 0)
                #expect(try left() == all)
                #expect(try await scene.collect().unfinished == 3)
                #expect(try left() == [live.name])
                try await scene.catalog.closeSession(scene.project, session.id)
                #expect(try await scene.collect().unfinished == 0)
                #expect(try files.contentsOfDirectory(atPath: live.path) == ["b.pack"])
                try live.remove()
                #expect(try left() == [])
            }
        }

        @Test func aLiveSessionKeepsWhatItPinned() async throws {
            try await ObjectScene.run { scene in
                let digest = try await scene.store.put(scene.content(1), encoding: .raw)
                let session = try await scene.catalog.openSession(scene.project)
                #expect(try await scene.catalog.pin([digest], in: session.id, of: scene.project) == [])
                #expect(try await scene.collect().deleted == 0)
                // The database's clock decides, not the client's.
                try scene.connect().execute("update sessions set expires_at = now() - interval '1 second'")
                let lapsed = await #expect(throws: CatalogError.self) {
                    _ = try await scene.catalog.renewSession(scene.project, session.id)
                }
                #expect(lapsed?.code == .notFound)
                await #expect(throws: CatalogError.self) {
                    _ = try await scene.catalog.pin([digest], in: session.id, of: scene.project)
                }
                let outcome = try await scene.collect()
                #expect(outcome.deleted == 1 && outcome.sessions == 1)
                // The promise was withdrawn with it: a record that relies on it is refused.
                let refused = await #expect(throws: CatalogError.self) { try await scene.record("a", [digest]) }
                #expect(refused?.code == .conflict)
                expectWords(refused?.message ?? "", "1 objects that are not stored", "\(digest)", "send them again")
                #expect(try scene.count("versions") == 0)
            }
        }

        @Test func aPinOfWhatIsNotThereYetKeepsItFromItsFirstByte() async throws {
            try await ObjectScene.run { scene in
                let content = scene.content(1)
                let digest = Digest.of(content)
                let session = try await scene.catalog.openSession(scene.project)
                #expect(try await scene.catalog.pin([digest], in: session.id, of: scene.project) == [digest])
                // Bytes without a row, as of a writer that died between them: listed, not promised, and pinned.
                _ = try await scene.local.put(content, encoding: .raw)
                #expect(try await scene.collect().adopted == 1)
                #expect(try await !scene.store.contains(digest))
                #expect(try await scene.listed() == [digest])
                #expect(try await scene.catalog.pin([digest], in: session.id, of: scene.project) == [digest])
                _ = try await scene.store.put(content, encoding: .raw)
                #expect(try await scene.catalog.pin([digest], in: session.id, of: scene.project) == [])
                try await scene.record("a", [digest])
                try await scene.catalog.closeSession(scene.project, session.id)
                #expect(try await scene.collect().deleted == 0)
                try await scene.expectSound()
            }
        }

        @Test func orphansGoOnlyAfterAGraceThatBeginsWhenTheyAreFound() async throws {
            try await ObjectScene.run { scene in
                let digest = try await scene.local.put(scene.content(1), encoding: .lz4)
                // As old as may be by the store's clock, which is not asked.
                let hex = digest.hex
                let file = "\(scene.directory)/objects/sha256/\(hex.prefix(2))/\(hex).lz4"
                try FileManager.default.setAttributes([.modificationDate: Date.distantPast], ofItemAtPath: file)
                let found = try await scene.collect(grace: "1h")
                #expect(found.adopted == 1 && found.deleted == 0)
                #expect(try await scene.collect(grace: "1h").deleted == 0)
                try scene.connect().execute("update objects set touched_at = now() - interval '61 minutes'")
                #expect(try await scene.collect(grace: "1h").deleted == 1)
                #expect(try await scene.listed() == [])
            }
        }

        @Test func aReaderKeepsAForgottenVersion() async throws {
            try await ObjectScene.run { scene in
                let digests = [
                    try await scene.store.put(scene.content(1), encoding: .raw),
                    try await scene.store.put(scene.content(2), encoding: .raw),
                ]
                let version = try await scene.record("a", digests)
                let lease = try await scene.catalog.openSession(scene.project, reading: version)
                _ = try await scene.catalog.forget(scene.project, version.reference, isDryRun: false)
                #expect(try await scene.collect().deleted == 0)
                for digest in digests { try await scene.store.verify(digest) }
                let late = await #expect(throws: CatalogError.self) {
                    _ = try await scene.catalog.openSession(scene.project, reading: version)
                }
                #expect(late?.code == .notFound)
                try await scene.catalog.closeSession(scene.project, lease.id)
                #expect(try await scene.collect().deleted == 2)
            }
        }

        @Test func aWithdrawnObjectIsRevivedBySendingItAgain() async throws {
            try await ObjectScene.run { scene in
                let content = scene.content(1)
                let digest = try await scene.store.put(content, encoding: .raw)
                let zero = TimeSpan(microseconds: 0)
                #expect(try await scene.catalog.withdraw(after: nil, limit: 10, grace: zero).digests == [digest])
                // Withdrawn, though its bytes are there still.
                #expect(try await scene.local.contains(digest))
                #expect(try await !scene.store.contains(digest))
                #expect(try await scene.store.put(content, encoding: .raw) == digest)
                #expect(try await scene.store.contains(digest))
                #expect(try scene.count("withdrawals") == 0)
                let minute = TimeSpan(microseconds: 60_000_000)
                let claim = try await scene.catalog.claimDeletion(after: nil, limit: 10, duration: minute)
                #expect(claim.objects.isEmpty)

                // Once a collector has claimed it, its sender waits until it is gone, and then sends it whole.
                _ = try await scene.catalog.withdraw(after: nil, limit: 10, grace: zero)
                let second = try await scene.catalog.claimDeletion(after: nil, limit: 10, duration: minute)
                #expect(second.objects.map(\.digest) == [digest])
                #expect(try await scene.catalog.beginStoring(digest, byteCount: content.count) == .wait)
                async let sent = scene.store.put(content, encoding: .raw)
                try await Task.sleep(for: .milliseconds(60))
                try await scene.local.delete(digest)
                #expect(try await !scene.store.contains(digest))
                try await scene.catalog.finishDeletion([digest], of: second)
                #expect(try await sent == digest)
                #expect(try await scene.store.get(digest) == content)
                try await scene.expectSound()
            }
        }

        @Test func aCollectorThatDiedIsFinishedByTheNext() async throws {
            try await ObjectScene.run { scene in
                let digest = try await scene.store.put(scene.content(1), encoding: .raw)
                let kept = try await scene.store.put(scene.content(2), encoding: .raw)
                try await scene.record("a", [kept])
                _ = try await scene.catalog.withdraw(after: nil, limit: 10, grace: TimeSpan(microseconds: 0))
                let claim = TimeSpan(microseconds: 300_000_000)
                let dead = try await scene.catalog.claimDeletion(after: nil, limit: 10, duration: claim)
                #expect(dead.objects.count == 1)
                // While the dead one's claim lasts, nobody else deletes.
                let early = try await scene.collect()
                #expect(early.deleted == 0 && early.left == 1)
                try scene.connect().execute("update withdrawals set deleting_until = now() - interval '1 second'")
                #expect(try await scene.collect().deleted == 1)
                // The dead one comes back: its claim is void.
                _ = try await scene.store.put(scene.content(1), encoding: .raw)
                try await scene.catalog.finishDeletion([digest], of: dead)
                #expect(try await scene.store.contains(digest))
                try await scene.expectSound()
            }
        }

        @Test func noReferenceOfAnyTableCanBeOverlooked() async throws {
            try await ObjectScene.run { scene in
                let digest = try await scene.store.put(scene.content(1), encoding: .raw)
                // A table that no query of the collector knows.
                try scene.connect().script("create table other (digest bytea references objects (digest))")
                try scene.connect().execute("insert into other values ($1)", [.bytes(digest.bytes)])
                await #expect(throws: PostgresError.self) { try await scene.collect() }
                #expect(try await scene.store.contains(digest))
                try await scene.expectSound()
            }
        }

        @Test func aJobsObjectsAreKeptUntilTheyAreRecorded() async throws {
            try await ObjectScene.run { scene in
                let session = try await scene.catalog.openSession(scene.project)
                let digest = try await scene.store.within(session).put(scene.content(1), encoding: .raw)
                #expect(try await scene.collect().deleted == 0)
                try await scene.record("a", [digest])
                try await scene.catalog.closeSession(scene.project, session.id)
                #expect(try await scene.collect().deleted == 0)
                // A session that lapsed keeps nothing, and is no error to whoever writes.
                let second = try await scene.catalog.openSession(scene.project)
                try scene.connect().execute("update sessions set expires_at = now() - interval '1 second'")
                _ = try await scene.store.within(second).put(scene.content(2), encoding: .raw)
                #expect(try await scene.collect().deleted == 1)
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func theCommandsTellWhatTheyDo(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try repository.write("data/a.csv", "x\n1\n")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try repository.write("data/a.csv", "x\n2\n")
                try await repository.lockstep("snapshot", "create", "records", "data")
                #expect(try fixture.count("sessions") == 0, "a command closes its session")
                try await repository.lockstep("snapshot", "forget", "records@1")
                let kept = try fixture.count("objects where digest in (select digest from version_objects)")
                let all = try fixture.count("objects")
                #expect(kept < all)
                expectWords(
                    try await repository.lockstep("gc", "--dry-run"),
                    "0 objects, 0 bytes would go",
                    "\(kept) needed, 0 kept by running commands, \(all - kept) by the grace"
                )
                expectWords(
                    try await repository.lockstep("gc", "--dry-run", "--grace", "0s"),
                    "\(all - kept) objects",
                    "would go"
                )
                #expect(try fixture.count("objects") == all)
                expectWords(try await repository.lockstep("gc", "--grace", "0s"), "\(all - kept) objects", "deleted")
                #expect(try fixture.count("objects") == kept)
                try await repository.lockstep("snapshot", "verify", "records@2")
                try await repository.lockstep("snapshot", "checkout", "records@2", "copy")
                #expect(try repository.text("copy/a.csv") == "x\n2\n")
                // What was collected can come back.
                try repository.write("data/a.csv", "x\n1\n")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try await repository.lockstep("snapshot", "verify", "records@3")
                expectWords(
                    try await fixture.expectRefusal(4, "gc", "--grace", "soon"),
                    "'soon' is not a length of time"
                )
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func aWriterIsKeptByItsSessionThroughTheWire(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                try await fixture.repository.lockstep("snapshot", "create", "records", "lockstep.yaml")
                let lease = try await ObjectLease.writing(fixture.client)
                let cache = try Scratch()
                let remote = RemoteObjectStore(client: fixture.client, cache: cache.path, lease: lease)
                let digest = try await remote.put(Array("kept".utf8), encoding: .raw)
                let other = RemoteObjectStore(client: fixture.client, cache: cache.path)
                let loose = try await other.put(Array("loose".utf8), encoding: .raw)
                expectWords(
                    try await fixture.repository.lockstep("gc", "--grace", "0s"),
                    "1 objects, 5 bytes deleted",
                    "1 kept by running commands"
                )
                #expect(try await other.contains(digest))
                #expect(try await !other.contains(loose))
                await lease.close()
                try await fixture.repository.lockstep("gc", "--grace", "0s")
                #expect(try await !other.contains(digest))
            }
        }
    }
}
