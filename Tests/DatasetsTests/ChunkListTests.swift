import Foundation
import Objects
import Testing

@testable import Datasets

/// Lists of chunks, and large files through them.
@Suite struct ChunkListTests {
    private let workspace: Workspace

    init() throws { workspace = try Workspace() }

    private func hex(_ bytes: some Sequence<UInt8>) -> String { HexText.of(bytes) }

    /// The worked example of `docs/formats.md`, whose digest was computed with Python's `hashlib` and `struct`.
    @Test func workedExample() throws {
        let content = (0..<32768).flatMap { Digest.of(Array("\($0)".utf8)).bytes }
        var parts: [ChunkList.Part] = []
        var start = 0
        for length in ContentDefinedChunker.lengths(of: content) {
            parts.append(ChunkList.Part(digest: .of(Array(content[start..<start + length])), size: length))
            start += length
        }
        let list = ChunkList(parts: parts).encoded
        #expect(list.count == 381)
        #expect(hex(list.prefix(21)) == "4c535443484e4b01" + "00" + "0000100000000000" + "09000000")
        #expect(Digest.of(list).hex == "094ab6eddd7a440322096267d1e8179a7c07a6af116bcfdc3a100b3eaddf5ec5")
        #expect(try ChunkList(list, digest: .of(list)) == ChunkList(parts: parts))
    }

    @Test func everyDamageIsRefused() throws {
        let parts = (0..<5).map { ChunkList.Part(digest: .of([$0]), size: Int($0) + 1) }
        let bytes = ChunkList(level: 1, parts: parts).encoded
        for count in 0..<bytes.count {
            #expect(throws: SnapshotError.self) { try ChunkList(Array(bytes[..<count]), digest: .of(bytes)) }
        }
        // Header, size, count, and the sizes of parts; digests say nothing of themselves.
        for position in Array(0..<8) + Array(9..<21) + Array(53..<61) {
            var damaged = bytes
            damaged[position] ^= 0x80
            #expect(throws: SnapshotError.self) { try ChunkList(damaged, digest: .of(bytes)) }
        }
    }

    /// Lists of lists are read as one, in order.
    @Test func listsOfLists() async throws {
        let chunks = (0..<23).map { [UInt8](repeating: UInt8($0), count: 10 + $0) }
        let parts = chunks.map { ChunkList.Part(digest: .of($0), size: $0.count) }
        let lists = ChunkList.lists(of: parts, partLimit: 3)
        #expect(lists.count == 8 + 3 + 1)
        let writer = PackWriter(directory: workspace("packs"))
        for content in chunks + lists { _ = try writer.append(content) }
        var packs: [PackReference] = []
        for pack in try writer.finish() {
            _ = try await workspace.store.adopt(pack.path, as: pack.digest)
            packs.append(PackReference(digest: pack.digest, size: pack.size))
        }
        let source = ObjectPacks(workspace.store)
        let contents = try await SnapshotContents(try await PackCatalog(packs, from: source), from: source)
        let whole = Array(chunks.joined())
        let list = Digest.of(try #require(lists.last))
        let reference = ObjectReference(size: whole.count, digest: .of(whole), chunks: list)
        #expect(try contents.bytes(reference) == whole)
        var named = 0
        try contents.forEachContent(of: reference) { _ in named += 1 }
        #expect(named == 23 + 12)
        // A list that gives another file than the manifest names is refused.
        let other = ObjectReference(size: whole.count, digest: .of([1]), chunks: list)
        #expect(throws: SnapshotError.wrongContent(.of([1]), found: "\(Digest.of(whole))")) {
            try contents.bytes(other)
        }
        // A list that names itself, or one of its own level, has no end.
        let deep = ChunkList(level: 1, parts: [.init(digest: Digest.of(lists[0]), size: 33)])
        let loop = ChunkList(level: 1, parts: [.init(digest: .of(deep.encoded), size: 33)])
        let second = PackWriter(directory: workspace("packs"))
        for content in [deep.encoded, loop.encoded] { _ = try second.append(content) }
        for pack in try second.finish() {
            _ = try await workspace.store.adopt(pack.path, as: pack.digest)
            packs.append(PackReference(digest: pack.digest, size: pack.size))
        }
        let more = try await SnapshotContents(try await PackCatalog(packs, from: source), from: source)
        #expect(throws: SnapshotError.self) {
            try more.bytes(ObjectReference(size: 33, digest: .of([]), chunks: .of(loop.encoded)))
        }
    }

    /// What is inserted into a large file costs the chunks it touches.
    @Test func anInsertionCostsAFewChunks() async throws {
        var random = SeededBytes(seed: 11)
        let content = random.bytes(5 << 19)
        try FileManager.default.createDirectory(atPath: workspace("data"), withIntermediateDirectories: true)
        try Data(content).write(to: URL(filePath: workspace("data/large")))
        let first = try await workspace.capture(["data"])
        let inserted = Array(content[..<1_000_001]) + random.bytes(1000) + Array(content[1_000_001...])
        try Data(inserted).write(to: URL(filePath: workspace("data/large")))
        let second = try await workspace.capture(["data"], known: try await workspace.catalog(first))
        #expect(second.newPacks.reduce(0) { $0 + $1.size } < 3 * 512 << 10)
        try await Checkout.write(second.manifest, try await workspace.contents(second), to: workspace("out"), .assets)
        #expect(try workspace.bytes("out/large") == inserted)
        try await Checkout.write(first.manifest, try await workspace.contents(first), to: workspace("old"), .assets)
        #expect(try workspace.bytes("old/large") == content)
    }
}

/// Bytes that are the same for the same seed.
struct SeededBytes: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        (0..<8).reduce(0) { value, _ in value << 8 | UInt64(byte()) }
    }

    private mutating func byte() -> UInt8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }
}
