import Foundation
import Testing

@testable import Objects

/// The boundaries of ``ContentDefinedChunker`` against a twin that does what the format says, byte by byte.
@Suite struct ChunkBoundaryTests {
    private static let small = ChunkSizes(minimum: 64, normal: 256, maximum: 1_024)

    /// The lengths of the chunks, straight from the definition: no state but where the chunk began.
    private func naiveLengths(_ content: [UInt8], _ sizes: ChunkSizes) -> [Int] {
        let bits = sizes.normal.trailingZeroBitCount
        var lengths: [Int] = []
        var start = 0
        while start < content.count {
            var length = 1
            while start + length < content.count, length < sizes.maximum {
                if length >= sizes.minimum {
                    var hash: UInt64 = 0
                    for byte in content[(start + length - 64)..<(start + length)] {
                        hash = hash &* 2 &+ GearTable.words[Int(byte)]
                    }
                    if hash.leadingZeroBitCount >= (length <= sizes.normal ? bits + 2 : bits - 2) { break }
                }
                length += 1
            }
            lengths.append(length)
            start += length
        }
        return lengths
    }

    private func lengths(_ content: [UInt8], _ sizes: ChunkSizes, pieces: () -> Int) -> [Int] {
        var chunker = ContentDefinedChunker(sizes: sizes)
        var lengths: [Int] = []
        var begun = 0
        var position = 0
        while position < content.count {
            var end = min(content.count, position + pieces())
            while true {
                let piece = Array(content[position..<end])
                guard let found = chunker.nextBoundary(in: piece.span) else { break }
                lengths.append(position + found - begun)
                position += found
                begun = position
                end = max(end, position)
            }
            #expect(chunker.length == end - begun)
            position = end
        }
        if chunker.length > 0 { lengths.append(chunker.length) }
        return lengths
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func theTwinFindsTheSame(_ seed: UInt64) {
        let contents = [
            randomBytes(10_000, seed: seed), repetitiveBytes(2_000), [UInt8](repeating: 0, count: 2_000),
            randomBytes(63, seed: seed), randomBytes(64, seed: seed), randomBytes(65, seed: seed), [], [7],
        ]
        for content in contents {
            for sizes in [Self.small, ChunkSizes(minimum: 100, normal: 128, maximum: 300)] {
                let found = ContentDefinedChunker.lengths(of: content, sizes: sizes)
                #expect(found == naiveLengths(content, sizes))
                #expect(found.reduce(0, +) == content.count)
                #expect(found.dropLast().allSatisfy { (sizes.minimum...sizes.maximum).contains($0) })
                #expect(found.allSatisfy { (1...sizes.maximum).contains($0) })
            }
        }
    }

    /// Long enough for the stretches that are hashed side by side.
    @Test func theTwinFindsTheSameInLongChunks() {
        let sizes = ChunkSizes(minimum: 2_048, normal: 32_768, maximum: 131_072)
        let content = randomBytes(400_000, seed: 11)
        let found = ContentDefinedChunker.lengths(of: content, sizes: sizes)
        // The definition again, with the hash rolled.
        var expected: [Int] = []
        var start = 0
        while start < content.count {
            var hash: UInt64 = 0
            var length = 0
            repeat {
                hash = hash &* 2 &+ GearTable.words[Int(content[start + length])]
                length += 1
            } while start + length < content.count && length < sizes.maximum
                && (length < sizes.minimum || hash.leadingZeroBitCount < (length <= sizes.normal ? 17 : 13))
            expected.append(length)
            start += length
        }
        #expect(found == expected)
        #expect(found.count > 5)
    }

    @Test func piecesMakeNoDifference() {
        let content = randomBytes(20_000, seed: 4)
        let whole = ContentDefinedChunker.lengths(of: content, sizes: Self.small)
        for size in [1, 2, 63, 64, 65, 255, 1_000, 4_096, 30_000] {
            #expect(lengths(content, Self.small) { size } == whole)
        }
        let random = randomBytes(40_000, seed: 5)
        var next = 0
        #expect(
            lengths(content, Self.small) {
                next = (next + 1) % random.count
                return 1 + Int(random[next]) * 3
            } == whole
        )
        let long = randomBytes(300_000, seed: 6)
        let sizes = ChunkSizes(minimum: 2_048, normal: 32_768, maximum: 131_072)
        #expect(lengths(long, sizes) { 50_001 } == ContentDefinedChunker.lengths(of: long, sizes: sizes))
    }

    /// An insertion changes the chunks it touches and few more: the others come again, at other places.
    @Test func anInsertionMovesFewChunks() {
        func chunks(_ content: [UInt8]) -> Set<[UInt8]> {
            var start = 0
            return Set(
                ContentDefinedChunker.lengths(of: content, sizes: Self.small).map { length in
                    start += length
                    return Array(content[start - length..<start])
                }
            )
        }
        let content = randomBytes(30_000, seed: 8)
        let before = chunks(content)
        for (position, count) in [(0, 1), (15_000, 1), (15_000, 700), (29_999, 10), (12_345, 3)] {
            let changed = content[..<position] + randomBytes(count, seed: 9) + content[position...]
            let added = chunks(Array(changed)).subtracting(before)
            #expect(added.reduce(0) { $0 + $1.count } < count + 3 * 1_024 + 1_024)
            let removed = content[..<position] + content[min(position + count, content.count)...]
            let left = chunks(Array(removed)).subtracting(before)
            #expect(left.reduce(0) { $0 + $1.count } < 4 * 1_024)
        }
    }

    /// The example of the formats document.
    @Test func theWorkedExample() {
        #expect(GearTable.words[0] == 0x0B31_D44F_77FC_ED5F)
        #expect(GearTable.words[255] == 0x5FF8_4067_75E9_E689)
        #expect(Set(GearTable.words).count == 256)
        // Byte i is the i-th of the SHA-256 digests of the ASCII decimals 0, 1, 2, …, one behind the other.
        let content = (0..<32_768).flatMap { Digest.of(Array(String($0).utf8)).bytes }
        #expect(content.count == 1 << 20)
        #expect(
            ContentDefinedChunker.lengths(of: content) == [
                155_192, 176_583, 181_074, 156_388, 181_360, 86_774, 38_678, 54_174, 18_353,
            ]
        )
    }

    @Test func aFileInBoundedMemory() throws {
        let directory = try TemporaryDirectory()
        let sizes = ChunkSizes(minimum: 4_096, normal: 65_536, maximum: 262_144)
        for (name, content) in [
            ("empty", []), ("one", [1]), ("random", randomBytes(3_000_000, seed: 3)),
            ("zero", [UInt8](repeating: 0, count: 1_500_000)),
        ] {
            try directory.write(content, to: name)
            var joined: [UInt8] = []
            var lengths: [Int] = []
            let size = try FileChunks(path: "\(directory.path)/\(name)", sizes: sizes).read { chunk in
                chunk.withUnsafeBufferPointer { joined.append(contentsOf: $0) }
                lengths.append(chunk.count)
            }
            #expect(size == content.count)
            #expect(joined == content)
            #expect(lengths == ContentDefinedChunker.lengths(of: content, sizes: sizes))
        }
        #expect(throws: ObjectError.notAFile(path: directory.path)) {
            try FileChunks(path: directory.path).read { _ in }
        }
    }
}
