import Bins
import Columns
import Embeddings
import Expressions
import Features
import Formats
import Foundation
import Kernels
import Lockstep
import Objects
import Testing

@Suite struct LockedServiceTests {
    private let workspace: Workspace

    init() throws { workspace = try Workspace() }

    private func refusal(_ lock: Lock) async -> String {
        let found = await #expect(throws: (any Error).self) { try await LockedService(lock, objects: workspace.store) }
        return found.map { "\($0)" } ?? ""
    }

    @Test func opensWhatItPins() async throws {
        let lock = try await workspace.lock()
        let service = try await LockedService(lock, objects: workspace.store)
        #expect(service.lock == lock)
        #expect(service.plan.outputs.map(\.name) == ["wind", "inverse", "wind_bin", "airport_vector"])
        #expect(service.fitted.bins["wind_bins"]?.edges == [2])
        #expect(service.fitted.tables["airports"]?.count == 2)
        #expect(service.sources["weather"]?.source.name == "weather")
        let history = try await service.history(of: "weather", columns: ["origin", "__sequence"])
        #expect(history["__sequence"] == .int64(PrimitiveColumn([0, 1, 2, 3, 4])))
        #expect(history["origin"] == .string(BinaryColumn(["EWR", "EWR", "JFK", "EWR", "LGA"])))
        let none = await #expect(throws: PinError.self) { try await service.history(of: "other", columns: []) }
        #expect(none?.description == "the lock pins no history of source 'other'; make the lock again")
    }

    /// A document that says something else than what was pinned, though the store holds it whole.
    @Test func aReplacedDocumentIsRefused() async throws {
        let name = DefinitionName(kind: .view, name: "weather_now")
        let documents = try DefinitionReader.read(Workspace.definitions, file: "f.yaml")
        guard case .view(var view)? = documents.first(where: { $0.definition.name == name.name })?.definition else {
            Issue.record("the view is missing")
            return
        }
        view.ttl = TimeSpan(microseconds: 11)
        let message = await refusal(try await workspace.lock(replacing: [name: .view(view)]))
        #expect(message.hasPrefix("view 'weather_now' is pinned as sha256:"))
        #expect(message.hasSuffix("; the object was replaced"))
        // A source that changed shows in the source itself, before its views.
        guard case .source(var source)? = documents.first(where: { $0.definition.name == "weather" })?.definition else {
            Issue.record("the source is missing")
            return
        }
        source.availableAfter = TimeSpan(microseconds: 1)
        let sourceName = DefinitionName(kind: .source, name: "weather")
        let second = await refusal(try await workspace.lock(replacing: [sourceName: .source(source)]))
        #expect(second.hasPrefix("source 'weather' is pinned as sha256:"))
    }

    @Test func aDocumentOfAnotherNameIsRefused() async throws {
        let name = DefinitionName(kind: .space, name: "airports")
        let other = EmbeddingSpace(name: "elsewhere", dimension: 2, metric: "dot", producer: "test")
        #expect(await refusal(try await workspace.lock(replacing: [name: .space(other)])) != "")
    }

    @Test func aPinOfAnotherDigestIsRefused() async throws {
        for kind in [Kind.entity, .source, .view, .discretizer, .space, .service] {
            let lock = try await workspace.lock { pins in
                for position in pins.indices where pins[position].kind == kind {
                    pins[position].digest = Digest.of([1])
                }
            }
            let message = await refusal(lock)
            #expect(message.contains("is pinned as \(Digest.of([1])), its document has sha256:"), "\(kind): \(message)")
        }
    }

    @Test func whatIsNotPinnedIsMissed() async throws {
        func without(_ kind: Kind) async throws -> String {
            await refusal(try await workspace.lock { pins in pins.removeAll { $0.kind == kind } })
        }
        #expect(try await without(.service) == "the lock does not pin its service delay@1")
        for kind in [Kind.entity, .source, .view, .discretizer, .space] {
            #expect(try await without(kind) != "", "\(kind)")
        }
        let documentless = try await workspace.lock { pins in
            for position in pins.indices where pins[position].kind == .source { pins[position].object = nil }
        }
        #expect(
            await refusal(documentless) == "the lock names no document for source weather@1; make the lock again"
        )
    }

    @Test func bytesThatChangedAreRefused() async throws {
        for kind in [Kind.view, .bins, .embeddings] {
            let other = try Workspace()
            let lock = try await other.lock()
            let pin = try #require(lock.pins(of: kind).first)
            let digest = pin.object ?? pin.digest
            var bytes = try await other.store.get(digest)
            bytes[bytes.count / 2] ^= 1
            try other.overwrite(digest, with: bytes)
            await #expect(throws: ObjectError.self, "\(kind)") { try await LockedService(lock, objects: other.store) }
        }
        let lock = try await workspace.lock()
        let segment = try #require(lock.pins(of: .segment).last)
        var bytes = try await workspace.store.get(segment.digest)
        bytes[bytes.count - 20] ^= 1
        try workspace.overwrite(segment.digest, with: bytes)
        let service = try await LockedService(lock, objects: workspace.store)
        await #expect(throws: ObjectError.self) { try await service.viewHistories() }
        await #expect(throws: ObjectError.self) {
            try await LockedService(lock, objects: LocalObjectStore(directory: workspace.path("empty")))
        }
    }

    /// A join reads segments while their digests are still being verified: whatever damage does to it, the digest is the
    /// error, and no row comes out.
    @Test func damageIsFoundWhileHistoryIsJoined() async throws {
        let lock = try await workspace.lock()
        let segment = try #require(lock.pins(of: .segment).last)
        let bytes = try await workspace.store.get(segment.digest)
        for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 97)) {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            try workspace.overwrite(segment.digest, with: damaged)
            for threads in [1, 2] {
                await #expect(throws: ObjectError.self, "byte \(position), \(threads) threads") {
                    let service = try await LockedService(lock, objects: workspace.store)
                    if position % 2 == 0 { try await service.beginVerifying() }
                    let spine = try Spine(self.spine(), for: service.plan, name: "spine.csv")
                    return try await TrainingSet.build(service, spine: spine, threads: threads)
                }
            }
        }
        try workspace.overwrite(segment.digest, with: bytes)
        let service = try await LockedService(lock, objects: workspace.store)
        let whole = try Spine(spine(), for: service.plan, name: "spine.csv")
        #expect(try await TrainingSet.build(service, spine: whole, threads: 2).rows.rowCount == 7)
    }

    /// Bins and embeddings that were fitted for another version.
    @Test func fittedObjectsBelongToWhatIsPinned() async throws {
        let lock = try await workspace.lock { pins in
            let embeddings = pins.first { $0.kind == .embeddings }?.digest ?? Digest.of([])
            for position in pins.indices where pins[position].kind == .bins { pins[position].digest = embeddings }
        }
        #expect(await refusal(lock).contains("the object does not hold them"))
    }

    // MARK: Training sets

    private func spine() -> RecordBatch {
        RecordBatch([
            "label": Column(.int64, (0..<7).map { .int64($0) }),
            "origin": .string(BinaryColumn(["EWR", "EWR", "EWR", "JFK", "LGA", "none", nil])),
            "event_timestamp": .timestamp(PrimitiveColumn([10, 30, 9, 12, 16, 10, 10])),
        ])
    }

    @Test func trainingSetsAreTheSameForAnyNumberOfThreads() async throws {
        let service = try await LockedService(try await workspace.lock(), objects: workspace.store)
        let spine = try Spine(spine(), for: service.plan, name: "spine.csv")
        let whole = try await TrainingSet.build(service, spine: spine, threads: 1)
        let expected = RecordBatch([
            "label": spine.rows.columns[0], "origin": spine.rows.columns[1], "event_timestamp": spine.rows.columns[2],
            "wind": Column(.float64, [.float64(1), .null, .null, .float64(0), .null, .null, .null]),
            "inverse": Column(.float64, [.float64(1), .null, .null, .null, .null, .null, .null]),
            "wind_bin": Column(.int64, [.int64(0), .null, .null, .int64(0), .null, .null, .null]),
            "airport_vector": Column(
                .vector(dimension: 2),
                [.vector([1, 2]), .vector([1, 2]), .vector([1, 2]), .vector([3, 4]), .null, .null, .null]
            ),
        ])
        #expect(whole.rows == expected)
        #expect(whole.invalidCounts == ["inverse": 1])
        for threads in [2, 3, 7, 50] {
            let parts = try await TrainingSet.build(service, spine: spine, threads: threads)
            #expect(parts.rows == whole.rows, "\(threads) threads")
            #expect(parts.invalidCounts == whole.invalidCounts)
        }
        let empty = try Spine(self.spine().slice(0..<0), for: service.plan, name: "empty.csv")
        #expect(try await TrainingSet.build(service, spine: empty, threads: 4).rows.rowCount == 0)
        let full = try await TrainingSet.build(service, spine: spine, threads: 2, full: true)
        #expect(
            full.rows.schema.fields.dropFirst(3).map(\.name) == [
                "weather_now__wind", "weather_now__inverse", "wind_bin", "airport_vector",
            ]
        )
    }

    @Test func writtenSetsNameTheirLock() async throws {
        let lock = try await workspace.lock()
        let service = try await LockedService(lock, objects: workspace.store)
        let spine = try Spine(spine(), for: service.plan, name: "spine.csv")
        let set = try await TrainingSet.build(service, spine: spine, threads: 2)
        let path = workspace.path("train.parquet")
        let digest = try set.write(to: path)
        #expect(try set.write(to: workspace.path("again.parquet")) == digest)
        #expect(try TrainingSet.open(path: path, lock: lock).rows == set.rows)

        let other = Lock(project: "another", service: lock.service, pins: lock.pins)
        let found = #expect(throws: PinError.self) { try TrainingSet.open(path: path, lock: other) }
        #expect(
            found?.description == "'\(path)' was made under lock \(lock.digest), not under \(other.digest); "
                + "make it again with: lockstep training-set"
        )
        let plain = workspace.path("plain.parquet")
        try writeTable(set.rows, to: plain)
        let unnamed = #expect(throws: PinError.self) { try TrainingSet.open(path: plain, lock: lock) }
        #expect(
            unnamed?.description
                == "'\(plain)' names no lock; make it with: lockstep training-set --lock FILE -o \(plain)"
        )
        #expect(throws: (any Error).self) { try TrainingSet.open(path: workspace.path("none.parquet"), lock: lock) }
    }

    // MARK: Lock files

    @Test func lockFilesAreReadWhole() async throws {
        let lock = try await workspace.lock()
        let path = workspace.path("lockstep.lock")
        let missing = #expect(throws: LockError.self) { try LockFile.open(path) }
        #expect(
            missing?.description == "there is no lock at '\(path)'; make one with: lockstep lock SERVICE -o \(path)"
        )
        try lock.text.write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try LockFile.open(path) == lock)
        try lock.text.replacing("flights", with: "flight5").write(toFile: path, atomically: true, encoding: .utf8)
        let changed = #expect(throws: LockError.self) { try LockFile.open(path) }
        #expect(changed?.description.hasPrefix("\(path) was changed after it was made: ") == true)
        try "".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: LockError.self) { try LockFile.open(path) }
    }
}
