import CLZ4
import Foundation
import Objects
import Testing

/// Every kind of damage to a stored file is noticed by every way to read it.
@Suite struct CorruptionTests {
    private let directory: TemporaryDirectory
    private let store: LocalObjectStore

    init() throws {
        directory = try TemporaryDirectory()
        store = LocalObjectStore(directory: directory.path)
    }

    private func name(_ digest: Digest, _ encoding: ObjectEncoding) -> String {
        "sha256/\(digest.hex.prefix(2))/\(digest.hex)" + (encoding == .lz4 ? ".lz4" : "")
    }

    /// The error of reading `digest`, the same by `get`, `verify` and `write`.
    private func error(reading digest: Digest) async throws -> ObjectError? {
        let target = directory.path + "/out"
        try directory.write([42], to: "out")
        let errors = [
            await #expect(throws: ObjectError.self) { try await store.get(digest) },
            await #expect(throws: ObjectError.self) { try await store.verify(digest) },
            await #expect(throws: ObjectError.self) { try await store.write(digest, to: target) },
        ]
        #expect(Set(errors).count == 1)
        // What was at the target is untouched, and nothing is left beside it.
        #expect(try directory.read("out") == [42])
        #expect(try directory.files().allSatisfy { !$0.hasPrefix(".lockstep-") })
        return errors[0]
    }

    @Test func aFlippedBitInARawObject() async throws {
        let bytes = randomBytes(3_000, seed: 5)
        let digest = try await store.put(bytes, encoding: .raw)
        var damaged = bytes
        damaged[1_234] ^= 0x10
        try directory.write(damaged, to: name(digest, .raw))
        let path = "\(directory.path)/\(name(digest, .raw))"
        let expected = ObjectError.corrupt(digest, found: Digest.of(damaged), path: path)
        let error = try #require(try await error(reading: digest))
        #expect(error == expected)
        for part in [digest.description, Digest.of(damaged).description, path, "restore it from"] {
            #expect("\(error)".contains(part))
        }
    }

    @Test func everyBitOfASmallFrameMatters() async throws {
        let bytes = repetitiveBytes(300)
        let digest = try await store.put(bytes, encoding: .lz4)
        let frame = try directory.read(name(digest, .lz4))
        for position in frame.indices {
            for bit in 0..<8 {
                var damaged = frame
                damaged[position] ^= 1 << bit
                try directory.write(damaged, to: name(digest, .lz4))
                do {
                    // A flip may leave the content as it was (a reserved bit); it may never change it unnoticed.
                    let content = try await store.get(digest)
                    #expect(content == bytes)
                } catch let error as ObjectError {
                    switch error {
                    case .corrupt(digest, _, _), .damagedFrame(digest, _, _): break
                    default: Issue.record("\(error)")
                    }
                }
            }
        }
    }

    @Test(arguments: [ObjectEncoding.raw, .lz4])
    func everyTruncation(_ encoding: ObjectEncoding) async throws {
        let digest = try await store.put(randomBytes(200, seed: 2), encoding: encoding)
        let whole = try directory.read(name(digest, encoding))
        for length in 0..<whole.count {
            try directory.write(Array(whole[..<length]), to: name(digest, encoding))
            _ = try await error(reading: digest)
        }
        try directory.write(whole + [0], to: name(digest, encoding))
        _ = try await error(reading: digest)
        try directory.write(whole, to: name(digest, encoding))
        try await store.verify(digest)
    }

    @Test func aLongFrameCutAtAnEndOfABlock() async throws {
        let digest = try await store.put(randomBytes(3 << 20, seed: 4), encoding: .lz4)
        let frame = try directory.read(name(digest, .lz4))
        // Header of 15 bytes, then 4 bytes and 1 MiB for each stored block.
        for length in [15, 15 + 4 + (1 << 20), 15 + 2 * (4 + (1 << 20)), frame.count - 8, frame.count - 4] {
            try directory.write(Array(frame[..<length]), to: name(digest, .lz4))
            let error = try #require(try await error(reading: digest))
            guard case .damagedFrame(digest, _, let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason == "the file ends before the frame does")
        }
    }

    @Test(arguments: [ObjectEncoding.raw, .lz4])
    func aSwappedFile(_ encoding: ObjectEncoding) async throws {
        let digest = try await store.put(repetitiveBytes(1_000), encoding: encoding)
        let other = try await store.put(repetitiveBytes(1_001), encoding: encoding)
        try directory.write(try directory.read(name(other, encoding)), to: name(digest, encoding))
        let path = "\(directory.path)/\(name(digest, encoding))"
        #expect(try await error(reading: digest) == .corrupt(digest, found: other, path: path))
        try await store.verify(other)
    }

    @Test func verifyReadsBothFormsOfAnObject() async throws {
        let bytes = repetitiveBytes(1_000)
        let digest = try await store.put(bytes, encoding: .lz4)
        _ = try await store.put(bytes, encoding: .raw)
        try directory.write(Array(bytes.dropLast()), to: name(digest, .raw))
        await #expect(throws: ObjectError.self) { try await store.verify(digest) }
        try directory.write(bytes, to: name(digest, .raw))
        try await store.verify(digest)
        try directory.write([], to: name(digest, .lz4))
        await #expect(throws: ObjectError.self) { try await store.verify(digest) }
    }

    /// liblz4 itself, in one call, gives the content back, and finds size and checksum in the header.
    @Test(arguments: [0, 1, 70_000, (1 << 20) + 1])
    func theFrameIsOneThatLiblz4Reads(_ size: Int) async throws {
        let bytes = repetitiveBytes(size)
        let digest = try await store.put(bytes, encoding: .lz4)
        let frame = try directory.read(name(digest, .lz4))
        var context: OpaquePointer?
        #expect(LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0)
        defer { LZ4F_freeDecompressionContext(context) }
        var info = LZ4F_frameInfo_t()
        var headerSize = frame.count
        #expect(LZ4F_isError(LZ4F_getFrameInfo(context, &info, frame, &headerSize)) == 0)
        #expect(info.contentSize == UInt64(size))
        #expect(info.contentChecksumFlag == LZ4F_contentChecksumEnabled)
        #expect(info.blockMode == LZ4F_blockIndependent)

        var content = [UInt8](repeating: 0, count: size + 1)
        var produced = content.count
        var taken = frame.count - headerSize
        let rest = Array(frame[headerSize...])
        let hint = LZ4F_decompress(context, &content, &produced, rest, &taken, nil)
        #expect(hint == 0)
        #expect(taken == rest.count)
        #expect(Array(content[..<produced]) == bytes)
    }
}
