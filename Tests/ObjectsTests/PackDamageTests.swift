import Foundation
import Testing

@testable import Objects

/// No damage to a pack makes a reader return other content, trap, or allocate what the pack does not have.
@Suite struct PackDamageTests {
    private let directory: TemporaryDirectory
    private let contents: [[UInt8]]
    private let pack: SealedPack
    private let bytes: [UInt8]

    init() throws {
        directory = try TemporaryDirectory()
        contents = [randomBytes(60, seed: 1), repetitiveBytes(500), [], randomBytes(10, seed: 2), repetitiveBytes(90)]
        let writer = PackWriter(directory: directory.path)
        for content in contents { _ = try writer.append(content) }
        pack = try #require(try writer.finish().first)
        bytes = try directory.read("\(pack.digest.hex).pack")
    }

    /// Reads everything; returns the errors, of which there must be one unless `mayBeUnnoticed`.
    private func errors(_ damaged: [UInt8]) throws -> [PackError] {
        try directory.write(damaged, to: "damaged")
        let path = directory.path + "/damaged"
        var errors: [PackError] = []
        do {
            let reader = try PackReader(path: path)
            for content in contents {
                do {
                    let found = try reader.content(Digest.of(content))
                    #expect(found == content)
                } catch let error as PackError {
                    errors.append(error)
                }
            }
            errors += try reader.verify(name: pack.digest)
        } catch let error as PackError {
            errors.append(error)
        }
        // Whatever can be salvaged has the digest it is given under.
        _ = try PackSalvage(path: path) { digest, content in #expect(Digest.of(content) == digest) }
        for error in errors {
            #expect("\(error)".contains(path))
            #expect("\(error)".contains(";"))
        }
        return errors
    }

    @Test func everyFlippedBitIsNoticed() throws {
        for position in bytes.indices where position % 3 == 0 || position < 120 || position > bytes.count - 120 {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8(position % 8)
            #expect(try !errors(damaged).isEmpty, "byte \(position)")
        }
    }

    @Test func everyTruncationIsNoticed() throws {
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(try !errors(Array(bytes[..<length])).isEmpty)
        }
        #expect(try !errors(Array(bytes.dropLast())).isEmpty)
        #expect(try !errors(bytes + [0]).isEmpty)
        #expect(try !errors(bytes + bytes).isEmpty)
    }

    @Test func randomDamage() throws {
        var random = randomBytes(6_000, seed: 12).makeIterator()
        func next(_ bound: Int) -> Int { (Int(random.next() ?? 0) << 8 | Int(random.next() ?? 0)) % bound }
        for _ in 0..<400 {
            var damaged = bytes
            let start = next(bytes.count)
            let count = 1 + next(20)
            let end = min(start + count, bytes.count)
            switch next(3) {
            case 0: damaged.replaceSubrange(start..<end, with: repeatElement(0, count: end - start))
            case 1: damaged.removeSubrange(start..<end)
            default: damaged.replaceSubrange(start..<end, with: repeatElement(0xFF, count: end - start))
            }
            if damaged != bytes { #expect(try !errors(damaged).isEmpty) }
        }
    }

    /// An index with a right checksum may still lie; it is refused, or its entries are.
    @Test func anIndexThatLies() throws {
        let footer = bytes.count - PackFooter.size
        let index = Int(bytes[footer]) | Int(bytes[footer + 1]) << 8
        for position in index..<footer + 16 where position % 9 == 0 || position >= index + 1_024 {
            for value in [0, 1, 0x7F, 0xFF] as [UInt8] where bytes[position] != value {
                var damaged = bytes
                damaged[position] = value
                let checksum = Digest.of(Array(damaged[index..<footer + 16]))
                damaged.replaceSubrange(footer + 16..<footer + 48, with: checksum.bytes)
                #expect(try !errors(damaged).isEmpty, "byte \(position)")
            }
        }
    }

    @Test func aNewerVersionIsNamed() throws {
        var newer = bytes
        newer[7] = 2
        #expect(try errors(newer) == [.unsupportedVersion(2, pack: directory.path + "/damaged")])
        newer[newer.count - 1] = 2
        #expect(try errors(newer) == [.unsupportedVersion(2, pack: directory.path + "/damaged")])
    }

    @Test func errorsNamePackAndOffset() throws {
        let entry = try #require(pack.entries.first { $0.digest == Digest.of(contents[0]) })
        var damaged = bytes
        damaged[entry.offset + 9 + 5] ^= 4
        let found = Array(damaged[entry.offset + 9..<entry.range.upperBound])
        let path = directory.path + "/damaged"
        let expected = PackError.corrupt(entry.digest, found: Digest.of(found), pack: path, offset: entry.offset)
        #expect(try errors(damaged).first == expected)
        #expect("\(expected)".contains("at byte \(entry.offset)"))
    }
}
