import CLZ4
import Foundation
import Testing

@testable import Objects

/// What packs keep, and that their bytes are those of the format.
@Suite struct PackTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func contents(_ count: Int) -> [[UInt8]] {
        (0..<count).map { number in
            let size = (number * 37) % 900
            return number % 3 == 0
                ? randomBytes(size, seed: UInt64(number)) : Array(repetitiveBytes(size) + [UInt8(number % 251)])
        }
    }

    @Test func everyContentComesBack() throws {
        let contents = contents(400)
        let writer = PackWriter(directory: directory.path)
        var digests: [Digest] = []
        for content in contents {
            let digest = try writer.append(content)
            #expect(digest == Digest.of(content))
            #expect(writer.contains(digest))
            digests.append(digest)
        }
        // Nothing is there before it is sealed.
        #expect(try directory.files().allSatisfy { $0.hasPrefix("tmp/pack-") })
        let packs = try writer.finish()
        let pack = try #require(packs.first)
        #expect(packs.count == 1)
        #expect(try directory.files() == ["\(pack.digest.hex).pack"])
        #expect(pack.path == "\(directory.path)/\(pack.digest.hex).pack")
        let bytes = try directory.read("\(pack.digest.hex).pack")
        #expect(Digest.of(bytes) == pack.digest)
        #expect(bytes.count == pack.size)

        let reader = try PackReader(path: pack.path)
        #expect(reader.index.entries == pack.entries)
        #expect(reader.index.count == Set(digests).count)
        #expect(reader.index.packSize == pack.size)
        for (content, digest) in zip(contents, digests) { #expect(try reader.content(digest) == content) }
        #expect(try reader.verify(name: pack.digest).isEmpty)
        let other = Digest.of(Array("other".utf8))
        #expect(!reader.index.contains(other))
        #expect(throws: PackError.missing(other, pack: pack.path)) { try reader.content(other) }
        #expect(try reader.verify(name: other) == [.wrongName(expected: other, found: pack.digest, pack: pack.path)])
    }

    @Test func oneContentIsKeptOnce() throws {
        let writer = PackWriter(directory: directory.path, bound: 400)
        let content = randomBytes(300, seed: 1)
        let packed = try PackedContent(content.span)
        #expect(try writer.append(packed))
        #expect(try !writer.append(packed))
        _ = try writer.append(randomBytes(300, seed: 2))
        // It is in a pack that is sealed by now.
        #expect(try !writer.append(packed))
        let packs = try writer.finish()
        #expect(packs.map(\.entries.count) == [1, 1])
    }

    @Test func packsAreSealedAtTheBound() throws {
        let writer = PackWriter(directory: directory.path, bound: 5_000)
        let contents = (0..<40).map { randomBytes(300, seed: $0) } + [randomBytes(9_000, seed: 99)]
        for content in contents { _ = try writer.append(content) }
        let packs = try writer.finish()
        #expect(packs.count == 4)
        for pack in packs {
            let ends = pack.entries.map(\.range.upperBound)
            #expect(ends.allSatisfy { $0 <= 5_000 } || pack.entries.count == 1)
            #expect(try PackReader(path: pack.path).verify(name: pack.digest).isEmpty)
        }
        #expect(packs.reduce(0) { $0 + $1.entries.count } == contents.count)
        // Nothing was in progress: the same packs again.
        #expect(try writer.finish().map(\.digest) == packs.map(\.digest))
        _ = try writer.append([1, 2, 3])
        #expect(try writer.finish().count == 5)
    }

    @Test func contentThatDoesNotShrinkIsKeptAsItIs() throws {
        let random = try PackedContent(randomBytes(1_000, seed: 3).span)
        #expect(random.encoding == .raw)
        #expect(random.stored == randomBytes(1_000, seed: 3))
        let repetitive = try PackedContent(repetitiveBytes(1_000).span)
        #expect(repetitive.encoding == .lz4)
        #expect(repetitive.stored.count < 200)
        for size in [0, 1, 2, 12] {
            let content = [UInt8](repeating: 5, count: size)
            let packed = try PackedContent(content.span)
            #expect(packed.stored.count <= size)
            #expect(packed.digest == Digest.of(content))
        }
        // liblz4 itself reads the block.
        var content = [CChar](repeating: 0, count: 2_000)
        let block = repetitive.stored.map { CChar(bitPattern: $0) }
        #expect(LZ4_decompress_safe(block, &content, Int32(block.count), 2_000) == 1_000)
        #expect(content[..<1_000].map { UInt8(bitPattern: $0) } == repetitiveBytes(1_000))
    }

    @Test func tooLargeContentIsRefused() throws {
        let content = [UInt8](repeating: 0, count: PackedContent.maximumSize + 1)
        let error = PackError.contentTooLarge(size: content.count, maximum: PackedContent.maximumSize)
        let writer = PackWriter(directory: directory.path)
        #expect(throws: error) { try writer.append(content) }
        // That is no failure of the writer.
        _ = try writer.append([1])
        #expect(try writer.finish().count == 1)
    }

    @Test func aWriterWithoutContentWritesNothing() throws {
        let writer = PackWriter(directory: directory.path + "/none")
        #expect(try writer.finish().isEmpty)
        #expect(try directory.files().isEmpty)
    }

    @Test func anUnfinishedPackIsGoneWithItsWriter() throws {
        do {
            let writer = PackWriter(directory: directory.path)
            _ = try writer.append(randomBytes(100, seed: 1))
            #expect(try directory.files().count == 1)
        }
        #expect(try directory.files().isEmpty)
    }

    @Test func aFailedWriterSaysSo() throws {
        try directory.write([1], to: "file")
        let writer = PackWriter(directory: directory.path + "/file")
        #expect(throws: ObjectError.self) { try writer.append([1]) }
        #expect(throws: PackError.writerFailed(directory: directory.path + "/file")) { try writer.append([2]) }
        #expect(throws: PackError.writerFailed(directory: directory.path + "/file")) { try writer.finish() }
    }

    /// Two contents, of which the second is compressed, byte by byte as the formats document says.
    @Test func theBytesAreThoseOfTheFormat() throws {
        let writer = PackWriter(directory: directory.path)
        let first = Array("hello\n".utf8)
        let second = [UInt8](repeating: UInt8(ascii: "a"), count: 40)
        _ = try writer.append(first)
        _ = try writer.append(second)
        let pack = try #require(try writer.finish().first)
        let bytes = try directory.read("\(pack.digest.hex).pack")

        // Taken apart by the document alone.
        #expect(Array(bytes[..<8]) == Array("LSTPACK".utf8) + [1])
        #expect(Array(bytes[8..<23]) == [0, 6, 0, 0, 0, 6, 0, 0, 0] + first)
        let storedSize = Int(bytes[24])
        #expect(Array(bytes[23..<32]) == [1, UInt8(storedSize), 0, 0, 0, 40, 0, 0, 0])
        let end = 32 + storedSize
        #expect(bytes[end] == 0xFF)
        let index = end + 1
        #expect(bytes.count == index + 1_024 + 2 * 49 + 56)
        let digests = [Digest.of(first), Digest.of(second)].sorted()
        for byte in 0..<256 {
            #expect(Int(bytes[index + 4 * byte]) == digests.filter { $0.bytes[0] <= byte }.count)
        }
        #expect(Array(bytes[index + 1_024..<index + 1_088]) == digests.flatMap(\.bytes))
        let places: [Digest: [UInt8]] = [
            Digest.of(first): [8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 6, 0, 0, 0, 0],
            Digest.of(second): [23, 0, 0, 0, 0, 0, 0, 0, UInt8(storedSize), 0, 0, 0, 40, 0, 0, 0, 1],
        ]
        #expect(Array(bytes[index + 1_088..<index + 1_122]) == digests.flatMap { places[$0] ?? [] })
        let footer = index + 1_122
        #expect(Array(bytes[footer..<footer + 8]) == [UInt8(index), 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[footer + 8..<footer + 16]) == [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[footer + 16..<footer + 48]) == Digest.of(Array(bytes[index..<footer + 16])).bytes)
        #expect(Array(bytes[footer + 48..<footer + 56]) == Array("LSTPACK".utf8) + [1])
    }

    /// The name of the pack that holds `hello` and a line feed; written by the document and hashed elsewhere.
    @Test func theWorkedExampleHasItsName() throws {
        let writer = PackWriter(directory: directory.path)
        _ = try writer.append(Array("hello\n".utf8))
        let pack = try #require(try writer.finish().first)
        #expect(pack.size == 1153)
        #expect(pack.digest.hex == "d888897acbecf30c6b7a6037307688789eff9e96d7a3390600eaa96631d9f0d5")
    }

    /// What a store without files needs: the footer, then the tail, then one entry, each by its range.
    @Test func aPackIsReadByRanges() throws {
        let writer = PackWriter(directory: directory.path)
        let contents = contents(50)
        for content in contents { _ = try writer.append(content) }
        let pack = try #require(try writer.finish().first)
        let bytes = try directory.read("\(pack.digest.hex).pack")
        let footer = try PackFooter(Array(bytes.suffix(PackFooter.size)), packSize: bytes.count, pack: "p")
        let index = try PackIndex(tail: Array(bytes[footer.tail]), footer: footer, pack: "p")
        for content in contents {
            let entry = try #require(index.entry(Digest.of(content)))
            let part = Array(bytes[entry.range])
            #expect(try entry.content(from: part.span, pack: "p") == content)
            let short = Array(part.dropLast())
            #expect(throws: PackError.self) { try entry.content(from: short.span, pack: "p") }
        }
    }

    @Test func salvageFindsAllWithoutAnIndex() throws {
        let writer = PackWriter(directory: directory.path)
        let contents = contents(50)
        for content in contents { _ = try writer.append(content) }
        let pack = try #require(try writer.finish().first)
        var bytes = try directory.read("\(pack.digest.hex).pack")
        let end = try #require(pack.entries.map(\.range.upperBound).max())
        for damage in [0, 1] {
            if damage == 0 { bytes.removeLast(bytes.count - end - 1) } else { bytes[end - 1] ^= 0xFF }
            try directory.write(bytes, to: "damaged")
            var found: [Digest: [UInt8]] = [:]
            let salvage = try PackSalvage(path: directory.path + "/damaged") { found[$0] = $1 }
            #expect(found.allSatisfy { Digest.of($1) == $0 })
            let wanted = contents.filter { found[Digest.of($0)] == $0 }
            #expect(wanted.count >= contents.count - damage)
            #expect(salvage.problem == nil ? salvage.end == end : salvage.end < end)
        }
    }
}
