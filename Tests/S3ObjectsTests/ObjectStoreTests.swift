import Foundation
import Objects
import StoreTesting
import Synchronization
import Testing

/// What every store promises, asked of each.
@Suite(.serialized) struct ObjectStoreTests {
    private static let part = StoreKind.partSize

    @Test(arguments: StoreKind.allCases, [0, 1, 1_000, part - 1, part, part + 1, 3 * part + 7])
    func contentsRoundTrip(_ kind: StoreKind, _ size: Int) async throws {
        let test = try await kind.make()
        for (encoding, bytes) in [
            (ObjectEncoding.raw, noise(size, seed: 1)), (.lz4, noise(size, seed: 2)), (.lz4, lines(size + 1)),
            (.raw, lines(size + 2)),
        ] {
            let store = test.store
            let digest = try await store.put(bytes, encoding: encoding)
            #expect(digest == Digest.of(bytes))
            #expect(try await store.contains(digest))
            #expect(try await store.size(digest) == bytes.count)
            #expect(try await store.get(digest) == bytes)
            try await store.verify(digest)
            let target = test.directory.path + "/out"
            try await store.write(digest, to: target)
            #expect(try test.directory.read("out") == bytes)
            let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o644)

            // What is kept is the content, or one frame of it.
            if encoding == .raw { #expect(try await test.stored(digest, .raw) == bytes) }

            // A file gives the same object, also to a store that does not have it.
            let other = try await kind.make(prefix: "other")
            for store in [store, other.store] {
                let stored = try await store.putFile(at: target, encoding: encoding)
                #expect(stored.digest == digest)
                #expect(stored.size == bytes.count)
            }
            #expect(try await other.store.get(digest) == bytes)
        }
        #expect(try test.directory.files().allSatisfy { !$0.contains("/tmp/") && !$0.contains(".lockstep-") })
    }

    @Test(arguments: StoreKind.allCases, ObjectEncoding.allCases)
    func partsAreThoseOfTheContent(_ kind: StoreKind, _ encoding: ObjectEncoding) async throws {
        let test = try await kind.make()
        let size = 2 * Self.part + 1_234
        let bytes = encoding == .raw ? noise(size, seed: 3) : lines(size)
        let digest = try await test.store.put(bytes, encoding: encoding)
        for range in [
            0..<1, 0..<0, 5..<5, 1..<100, size - 1..<size, 0..<size, Self.part - 1..<Self.part + 1,
            Self.part..<2 * Self.part, size - 5..<size + 5, 100..<size + 10_000, size..<size + 1, size + 9..<size + 10,
            3..<2 * Self.part + 3,
        ] {
            let expected = Array(bytes[range.clamped(to: 0..<size)])
            #expect(try await test.store.read(digest, range: range) == expected, "\(range)")
            var streamed: [UInt8] = []
            try await test.store.stream(digest, range: range) { piece in
                #expect(!piece.isEmpty && piece.count <= 1 << 20)
                streamed += piece
            }
            #expect(streamed == expected, "\(range)")
        }
        var pieces = 0
        var streamed: [UInt8] = []
        try await test.store.stream(digest) { piece in
            #expect(!piece.isEmpty && piece.count <= 1 << 20)
            pieces += 1
            streamed += piece
        }
        #expect(streamed == bytes)
        #expect(pieces >= 3)
    }

    private struct Enough: Error {}

    @Test(arguments: StoreKind.allCases, ObjectEncoding.allCases)
    func aReaderMayStop(_ kind: StoreKind, _ encoding: ObjectEncoding) async throws {
        let test = try await kind.make()
        let bytes = lines(3 * Self.part)
        let digest = try await test.store.put(bytes, encoding: encoding)
        var taken = 0
        await #expect(throws: Enough.self) {
            try await test.store.stream(digest) { piece in
                taken += piece.count
                throw Enough()
            }
        }
        #expect(taken > 0 && taken <= 1 << 20)
        #expect(try await test.store.get(digest) == bytes)
    }

    @Test(arguments: StoreKind.allCases)
    func anEmptyObject(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        for encoding in [ObjectEncoding.lz4, .raw] {
            let digest = try await test.store.put([], encoding: encoding)
            #expect(digest.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            #expect(try await test.store.get(digest) == [])
            #expect(try await test.store.size(digest) == 0)
            #expect(try await test.store.read(digest, range: 0..<10) == [])
            try await test.store.verify(digest)
            try await test.store.write(digest, to: test.directory.path + "/empty")
            #expect(try test.directory.read("empty") == [])
        }
        #expect(try await test.store.list(after: nil, limit: 10).count == 1)
    }

    @Test(arguments: StoreKind.allCases)
    func aMissingObjectIsNamed(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let (store, digest) = (test.store, Digest.of([9]))
        #expect(try await !store.contains(digest))
        #expect(try await !store.delete(digest))
        let errors = [
            await #expect(throws: ObjectError.self) { _ = try await store.get(digest) },
            await #expect(throws: ObjectError.self) { try await store.verify(digest) },
            await #expect(throws: ObjectError.self) { _ = try await store.size(digest) },
            await #expect(throws: ObjectError.self) { _ = try await store.read(digest, range: 0..<3) },
            await #expect(throws: ObjectError.self) { _ = try await store.read(digest, range: 3..<3) },
            await #expect(throws: ObjectError.self) { try await store.stream(digest) { _ in } },
            await #expect(throws: ObjectError.self) { _ = try await store.localPath(digest) },
            await #expect(throws: ObjectError.self) {
                try await store.write(digest, to: test.directory.path + "/out")
            },
        ]
        for error in errors {
            guard case .missing(digest, _) = error else {
                Issue.record("\(error.map { "\($0)" } ?? "nothing") was thrown")
                continue
            }
        }
        #expect(!(try test.directory.files().contains("out")))
        #expect(try test.directory.files().allSatisfy { !$0.contains(".lockstep-") && !$0.contains("tmp/") })
    }

    @Test(arguments: StoreKind.allCases, ObjectEncoding.allCases)
    func corruptionIsNoticed(_ kind: StoreKind, _ encoding: ObjectEncoding) async throws {
        let test = try await kind.make()
        let store = test.store
        for size in [1, 5_000, Self.part + 77] {
            let digest = try await store.put(lines(size), encoding: encoding)
            let kept = try await test.stored(digest, encoding)
            var flipped = kept
            flipped[kept.count / 2] ^= 0x10
            for damage in [flipped, Array(kept.dropLast()), kept + [0], []] {
                try await test.replace(digest, encoding, with: damage)
                try test.directory.write([42], to: "out")
                await #expect(throws: ObjectError.self) { _ = try await store.get(digest) }
                await #expect(throws: ObjectError.self) { try await store.verify(digest) }
                await #expect(throws: ObjectError.self) { try await store.stream(digest) { _ in } }
                await #expect(throws: ObjectError.self) {
                    try await store.write(digest, to: test.directory.path + "/out")
                }
                // What was there is untouched, and nothing is left beside it.
                #expect(try test.directory.read("out") == [42])
                #expect(try test.directory.files().allSatisfy { !$0.contains(".lockstep-") })
            }
            // Deleting and putting mends it.
            #expect(try await store.delete(digest))
            _ = try await store.put(lines(size), encoding: encoding)
            try await store.verify(digest)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func bothFormsAreOneObject(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let store = test.store
        let bytes = lines(50_000)
        let digest = try await store.put(bytes, encoding: .lz4)
        let compressed = try await test.stored(digest, .lz4).count
        #expect(compressed < bytes.count / 10)
        _ = try await store.put(bytes, encoding: .raw)
        let listed = try await store.list(after: nil, limit: 100)
        #expect(listed.map(\.digest) == [digest])
        #expect(listed[0].storedSize == bytes.count + compressed)
        let path = try #require(try await store.localPath(digest))
        #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == bytes)
        // One damaged form is found although the other is whole.
        var damaged = try await test.stored(digest, .lz4)
        damaged[20] ^= 1
        try await test.replace(digest, .lz4, with: damaged)
        await #expect(throws: ObjectError.self) { try await store.verify(digest) }
        #expect(try await store.get(digest) == bytes)
        #expect(try await store.delete(digest))
        #expect(try await !store.contains(digest))
        #expect(try await store.list(after: nil, limit: 100) == [])
        #expect(try await !store.delete(digest))
    }

    @Test(arguments: StoreKind.allCases, ["sp ace/é ü/日本/a+b&c=d%20~'(x)!*;:@,$", "plain"])
    func anyPrefix(_ kind: StoreKind, _ prefix: String) async throws {
        let test = try await kind.make(prefix: prefix)
        var digests: [Digest] = []
        for encoding in ObjectEncoding.allCases {
            let bytes = lines(encoding == .raw ? 2_000_000 : 3_000)
            let digest = try await test.store.put(bytes, encoding: encoding)
            digests.append(digest)
            #expect(try await test.open().get(digest) == bytes)
            #expect(try await test.stored(digest, encoding).count > 0)
        }
        #expect(try await test.store.list(after: nil, limit: 10).map(\.digest) == digests.sorted())
        for digest in digests { #expect(try await test.store.delete(digest)) }
        #expect(try await test.store.list(after: nil, limit: 10) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func aListHasEveryObjectOnce(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        #expect(try await test.store.list(after: nil, limit: 5) == [])
        let before = Int64(Date().timeIntervalSince1970 * 1_000_000)
        var sizes: [Digest: Int] = [:]
        try await withThrowingTaskGroup(of: (Digest, Int).self) { group in
            for number in 0..<60 {
                let bytes = Array("object \(number)".utf8)
                group.addTask {
                    let digest = try await test.store.put(bytes, encoding: .raw)
                    guard number.isMultiple(of: 7) else { return (digest, bytes.count) }
                    // Some have both forms.
                    let second = Array("second \(number)".utf8)
                    let other = try await test.store.put(second, encoding: .lz4)
                    _ = try await test.store.put(second, encoding: .raw)
                    let frame = try await test.stored(other, .lz4).count
                    _ = try await test.store.put(bytes, encoding: .lz4)
                    return (other, second.count + frame)
                }
            }
            for try await (digest, size) in group { sizes[digest] = size }
        }
        for number in 0..<60 where number.isMultiple(of: 7) {
            let bytes = Array("object \(number)".utf8)
            sizes[Digest.of(bytes)] = bytes.count
        }
        // What is no object is not listed.
        if test.server == nil {
            for name in ["sha256/zz/x", "sha256/00/notes.txt", "sha256/readme", "tmp/1-2", "other/ab"] {
                try test.directory.write("x", to: test.location.dropFirst(test.directory.path.count + 1) + "/" + name)
            }
        } else if let server = test.server {
            for name in ["sha256/00/notes.txt", "sha256/readme", "other", "sha256/zz/x"] {
                try await server.server.overwrite(server.bucket, test.location + name, with: [1])
            }
        }
        let digests = sizes.keys.sorted()
        for limit in [1, 2, 7, 33, sizes.count, 1_000] {
            var found: [StoredObject] = []
            try await test.store.forEachObject(pageSize: limit) { found.append($0) }
            #expect(found.map(\.digest) == digests, "pages of \(limit)")
            #expect(found.map(\.storedSize) == digests.map { sizes[$0] })
            let after = Int64(Date().timeIntervalSince1970 * 1_000_000)
            #expect(found.allSatisfy { $0.modified >= before - 2_000_000 && $0.modified <= after + 2_000_000 })
        }
        let last = try #require(digests.last)
        #expect(try await test.store.list(after: last, limit: 10) == [])
        #expect(try await test.store.list(after: digests[10], limit: 3).map(\.digest) == Array(digests[11...13]))
        // A page begins after a digest, whether the store has that or not.
        #expect(try await test.store.delete(digests[10]))
        #expect(try await test.store.list(after: digests[10], limit: 1).map(\.digest) == [digests[11]])
        #expect(try await test.store.list(after: digests[9], limit: 1).map(\.digest) == [digests[11]])
    }

    @Test(arguments: StoreKind.allCases)
    func putsOfOneObjectMeet(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let bytes = noise(Self.part + 5, seed: 11)
        let other = test.open()
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for writer in 0..<12 {
                let target = writer.isMultiple(of: 2) ? test.store : other
                group.addTask { try await target.put(bytes, encoding: writer < 9 ? .raw : .lz4) }
            }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests == [Digest.of(bytes)])
        try await test.store.verify(Digest.of(bytes))
        #expect(try await test.store.list(after: nil, limit: 10).count == 1)
        #expect(try await test.store.removeUnfinished(before: .max) == 0)
    }

    /// Clients that write, read and list the same objects at once see whole objects or none.
    @Test(arguments: StoreKind.allCases)
    func severalClientsShareAStore(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let contents = (0..<12).map { noise($0 == 0 ? Self.part + 99 : 500 * $0, seed: UInt64($0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<6 {
                group.addTask {
                    let store = test.open()
                    var order = contents
                    if client.isMultiple(of: 2) { order.reverse() }
                    for bytes in order {
                        let digest = Digest.of(bytes)
                        if client < 4 {
                            #expect(try await store.put(bytes, encoding: client == 3 ? .lz4 : .raw) == digest)
                        }
                        do {
                            #expect(try await store.get(digest) == bytes)
                        } catch ObjectError.missing where client >= 4 {}
                        for object in try await store.list(after: nil, limit: 50) {
                            #expect(try await store.get(object.digest).count >= 0)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for bytes in contents { #expect(try await test.store.get(Digest.of(bytes)) == bytes) }
    }

    /// An object that is deleted and put again at the same time is there whole, or missing.
    @Test(arguments: StoreKind.allCases)
    func deletionMeetsReaders(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let bytes = noise(200_000, seed: 4)
        let digest = Digest.of(bytes)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<20 {
                    _ = try await test.store.put(bytes, encoding: .raw)
                    try await test.store.delete(digest)
                }
            }
            for _ in 0..<2 {
                group.addTask { () async throws -> Void in
                    let store = test.open()
                    for _ in 0..<30 {
                        do {
                            #expect(try await store.get(digest) == bytes)
                        } catch let error as ObjectError {
                            guard case .missing = error else { throw error }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await !test.store.contains(digest))
    }

    @Test(arguments: StoreKind.allCases)
    func aFileThatIsNone(_ kind: StoreKind) async throws {
        let test = try await kind.make()
        let path = test.directory.path
        await #expect(throws: ObjectError.notAFile(path: path)) {
            try await test.store.putFile(at: path, encoding: .raw)
        }
        await #expect(throws: ObjectError.system(operation: "open", path: path + "/no", code: ENOENT)) {
            try await test.store.putFile(at: path + "/no", encoding: .lz4)
        }
    }

    /// Whatever a file holds while it is stored, what is stored is what its name says.
    @Test(arguments: StoreKind.allCases, ObjectEncoding.allCases)
    func aFileOverwrittenWhileStored(_ kind: StoreKind, _ encoding: ObjectEncoding) async throws {
        let test = try await kind.make()
        let size = 2 * Self.part + 5
        try test.directory.write([UInt8](repeating: 0, count: size), to: "moving")
        let path = test.directory.path + "/moving"
        let writer = try Overwriter(path, at: size - 4_096)
        for _ in 0..<5 {
            do {
                let stored = try await test.store.putFile(at: path, encoding: encoding)
                #expect(stored.size == size)
                try await test.store.verify(stored.digest)
            } catch ObjectError.changedWhileRead(let changed) {
                #expect(changed == path)
            }
        }
        writer.stop()
        for object in try await test.store.list(after: nil, limit: 100) { try await test.store.verify(object.digest) }
        #expect(try await test.store.removeUnfinished(before: .max) == 0)
    }
}

/// Writes to a file again and again, on a thread of its own, as it never waits.
private final class Overwriter: Sendable {
    private let isStopped = Mutex(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    init(_ path: String, at offset: Int) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        Thread.detachNewThread { [self] in
            var round: UInt8 = 1
            while !isStopped.withLock({ $0 }) {
                try? handle.seek(toOffset: UInt64(offset))
                try? handle.write(contentsOf: Data(repeating: round, count: 4_096))
                round &+= 1
            }
            try? handle.close()
            hasEnded.signal()
        }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        hasEnded.wait()
    }
}
