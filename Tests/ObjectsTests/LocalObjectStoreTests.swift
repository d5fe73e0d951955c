import Foundation
import Objects
import Synchronization
import Testing

@Suite struct LocalObjectStoreTests {
    private let directory: TemporaryDirectory
    private let store: LocalObjectStore

    init() throws {
        directory = try TemporaryDirectory()
        store = LocalObjectStore(directory: directory.path + "/deep/store")
    }

    private static let mebibyte = 1 << 20

    private func name(_ digest: Digest, _ encoding: ObjectEncoding) -> String {
        "deep/store/sha256/\(digest.hex.prefix(2))/\(digest.hex)" + (encoding == .lz4 ? ".lz4" : "")
    }

    @Test(
        arguments: [0, 1, 100, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 7],
        [(ObjectEncoding.raw, false), (.raw, true), (.lz4, false), (.lz4, true)]
    )
    func bytesRoundTrip(_ size: Int, _ form: (encoding: ObjectEncoding, isRandom: Bool)) async throws {
        let bytes = form.isRandom ? randomBytes(size, seed: 7) : repetitiveBytes(size)
        let digest = try await store.put(bytes, encoding: form.encoding)
        #expect(digest == Digest.of(bytes))
        #expect(try await store.contains(digest))
        #expect(try await store.get(digest) == bytes)
        try await store.verify(digest)
        let target = directory.path + "/out"
        try await store.write(digest, to: target)
        #expect(try directory.read("out") == bytes)

        // A file gives the same object, in a store of its own.
        let second = LocalObjectStore(directory: directory.path + "/second")
        let stored = try await second.putFile(at: target, encoding: form.encoding)
        #expect(stored.digest == digest)
        #expect(stored.size == size)
        #expect(try await second.get(digest) == bytes)
        let files = try directory.files().filter { $0 != "out" }
        #expect(
            files == [name(digest, form.encoding), name(digest, form.encoding).replacing("deep/store", with: "second")]
        )
    }

    @Test func aRawObjectIsReadByItsPath() async throws {
        let bytes = randomBytes(5_000, seed: 3)
        let digest = try await store.put(bytes, encoding: .raw)
        let path = try #require(try await store.localPath(digest))
        #expect(path == "\(store.directory)/sha256/\(digest.hex.prefix(2))/\(digest.hex)")
        #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == bytes)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o444)
    }

    @Test func aCompressedObjectHasNoPathUntilPutRaw() async throws {
        let bytes = repetitiveBytes(5_000)
        let digest = try await store.put(bytes, encoding: .lz4)
        #expect(try await store.localPath(digest) == nil)
        _ = try await store.put(bytes, encoding: .raw)
        #expect(try await store.localPath(digest) != nil)
        // And compressing what is there raw adds nothing.
        let other = try await store.put([1, 2, 3], encoding: .raw)
        _ = try await store.put([1, 2, 3], encoding: .lz4)
        #expect(try directory.files() == [name(digest, .raw), name(digest, .lz4), name(other, .raw)].sorted())
    }

    @Test func anObjectThatIsThereIsNotWrittenAgain() async throws {
        let bytes = repetitiveBytes(5_000)
        let digest = try await store.put(bytes, encoding: .lz4)
        let path = "\(directory.path)/\(name(digest, .lz4))"
        func inode() throws -> NSNumber? {
            try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? NSNumber
        }
        let before = try inode()
        try directory.write(bytes, to: "again")
        _ = try await store.put(bytes, encoding: .lz4)
        _ = try await store.putFile(at: directory.path + "/again", encoding: .lz4)
        #expect(try inode() == before)
    }

    @Test func manyWritersOfOneObject() async throws {
        let bytes = randomBytes(Self.mebibyte + 5, seed: 11)
        let other = LocalObjectStore(directory: store.directory)
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for writer in 0..<24 {
                let target = writer.isMultiple(of: 2) ? store : other
                group.addTask { try await target.put(bytes, encoding: .lz4) }
            }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests == [Digest.of(bytes)])
        #expect(try await store.get(Digest.of(bytes)) == bytes)
        #expect(try directory.files() == [name(Digest.of(bytes), .lz4)])
    }

    @Test func aMissingObjectIsNamed() async throws {
        let digest = Digest.of([9])
        #expect(try await !store.contains(digest))
        let expected = ObjectError.missing(digest, directory: store.directory)
        await #expect(throws: expected) { try await store.get(digest) }
        await #expect(throws: expected) { try await store.verify(digest) }
        await #expect(throws: expected) { try await store.localPath(digest) }
        await #expect(throws: expected) { try await store.write(digest, to: directory.path + "/out") }
        #expect("\(expected)".contains(digest.description))
        #expect("\(expected)".contains("restore it from"))
        #expect(try directory.files().isEmpty)
    }

    @Test func onlyRegularFilesAreStored() async throws {
        await #expect(throws: ObjectError.notAFile(path: directory.path)) {
            try await store.putFile(at: directory.path, encoding: .raw)
        }
        await #expect(throws: ObjectError.notAFile(path: "/dev/null")) {
            try await store.putFile(at: "/dev/null", encoding: .raw)
        }
        await #expect(throws: ObjectError.system(operation: "open", path: "/no/such/file", code: ENOENT)) {
            try await store.putFile(at: "/no/such/file", encoding: .raw)
        }
    }

    /// Whatever a file holds while it is stored, what is stored is what the digest says.
    @Test func aFileOverwrittenWhileStored() async throws {
        let path = directory.path + "/moving"
        let size = 3 * Self.mebibyte
        try Data(repeating: 0, count: size).write(to: URL(filePath: path))
        let isOver = Mutex(false)
        // On a thread of its own: a task that never waits would take one of the few threads that all tests share.
        let writer = Thread {
            guard let handle = FileHandle(forWritingAtPath: path) else { return }
            var round: UInt8 = 1
            while !isOver.withLock({ $0 }) {
                handle.seek(toFileOffset: UInt64(size - 4_096))
                handle.write(Data(repeating: round, count: 4_096))
                round &+= 1
            }
            try? handle.close()
        }
        writer.start()
        defer { isOver.withLock { $0 = true } }
        for _ in 0..<10 {
            do {
                let stored = try await store.putFile(at: path, encoding: .lz4)
                #expect(stored.size == size)
                try await store.verify(stored.digest)
            } catch ObjectError.changedWhileRead(let changed) {
                #expect(changed == path)
            }
        }
        isOver.withLock { $0 = true }
        while !writer.isFinished { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try directory.files().allSatisfy { !$0.contains("/tmp/") })
    }
}
