import Foundation
import Objects
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 example values.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func publishedValues(_ text: String, _ hex: String) {
        #expect(Digest.of(Array(text.utf8)).hex == hex)
        #expect(Digest.of(Data(text.utf8)).description == "sha256:\(hex)")
    }

    @Test func piecesHashAsTheWhole() {
        let bytes = randomBytes(10_000, seed: 1)
        var hasher = Digest.Hasher()
        var start = 0
        for length in [0, 1, 63, 64, 65, 4_000, 5_807] {
            hasher.update(bytes[start..<(start + length)])
            start += length
        }
        #expect(start == bytes.count)
        #expect(hasher.finalize() == Digest.of(bytes))
    }

    @Test func textAndBytesRoundTrip() throws {
        for seed in 0..<50 {
            let digest = Digest.of(randomBytes(20, seed: UInt64(seed)))
            #expect(Digest(digest.description) == digest)
            #expect(Digest(hex: digest.hex) == digest)
            #expect(Digest(bytes: digest.bytes) == digest)
            let json = try JSONEncoder().encode([digest])
            #expect(String(decoding: json, as: UTF8.self) == "[\"\(digest)\"]")
            #expect(try JSONDecoder().decode([Digest].self, from: json) == [digest])
        }
    }

    @Test func onlyOneSpellingIsRead() {
        let hex = String(repeating: "ab", count: 32)
        #expect(Digest("sha256:\(hex)") != nil)
        for text in [
            hex, "SHA256:\(hex)", "sha256:\(hex.uppercased())", "sha256:\(hex.dropLast())", "sha256:\(hex.dropLast(2))",
            "sha256:\(hex)0", "sha256:\(hex)00", "sha256:\(hex.dropLast())g", "sha256: \(hex.dropLast())", "",
        ] { #expect(Digest(text) == nil, "\(text)") }
        #expect(Digest(bytes: [UInt8](repeating: 0, count: 31)) == nil)
    }

    @Test func orderIsThatOfTheBytes() {
        let digests = (0..<200).map { Digest.of([UInt8($0)]) }
        let byBytes = digests.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        #expect(digests.sorted() == byBytes)
    }
}
