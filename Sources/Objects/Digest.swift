import Crypto
import FoundationEssentials

/// The SHA-256 of some bytes: the name of an object, and the identity of everything with a version.
///
/// Written as `sha256:` and 64 lower-case hexadecimal digits; no other spelling is read, so one digest has one text.
/// Digests order as their bytes do. The digest of an object is the plain SHA-256 of its content: `sha256sum` agrees.
public struct Digest: Hashable, Sendable {
    /// The number of bytes in a digest.
    public static let byteCount = 32

    // Big-endian words, so that comparing words compares bytes.
    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    /// The digest at the start of `raw`, which has at least 32 bytes.
    package init(_ raw: UnsafeRawBufferPointer) {
        func word(_ position: Int) -> UInt64 {
            UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: position * 8, as: UInt64.self))
        }
        (word0, word1, word2, word3) = (word(0), word(1), word(2), word(3))
    }

    /// Reads 32 bytes; `nil` for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self = bytes.withUnsafeBytes { Digest($0) }
    }

    /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard let digest = Array(hex.utf8).withUnsafeBufferPointer({ Digest(hexDigits: $0) }) else { return nil }
        self = digest
    }

    /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
    private init?(hexDigits digits: UnsafeBufferPointer<UInt8>) {
        guard digits.count == Self.byteCount * 2 else { return nil }
        var invalid: UInt64 = 0
        func word(_ position: Int) -> UInt64 {
            var word: UInt64 = 0
            for digit in digits[position..<position + 16] {
                let (number, letter) = (digit &- UInt8(ascii: "0"), digit &- UInt8(ascii: "a"))
                let isNumber = number < 10
                if !isNumber, letter >= 6 { invalid = 1 }
                word = word << 4 | UInt64(isNumber ? number : letter &+ 10)
            }
            return word
        }
        (word0, word1, word2, word3) = (word(0), word(16), word(32), word(48))
        guard invalid == 0 else { return nil }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        append(to: &bytes)
        return bytes
    }

    /// Appends the 32 bytes.
    package func append(to bytes: inout [UInt8]) {
        var words = (word0.bigEndian, word1.bigEndian, word2.bigEndian, word3.bigEndian)
        withUnsafeBytes(of: &words) { bytes.append(contentsOf: $0) }
    }

    /// The first of the 32 bytes.
    var firstByte: Int { Int(word0 >> 56) }

    /// The 64 lower-case hexadecimal digits, without the `sha256:` in front.
    public var hex: String {
        String(unsafeUninitializedCapacity: Self.byteCount * 2) { buffer in
            writeHex(to: buffer)
            return Self.byteCount * 2
        }
    }

    /// Appends what ``description`` is, in UTF-8.
    package func appendText(to text: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.byteCount * 2) { digits in
            writeHex(to: digits)
            text.append(contentsOf: Self.prefix.utf8)
            text.append(contentsOf: digits)
        }
    }

    private func writeHex(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        func write(_ word: UInt64, at position: Int) {
            for digit in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit * 4)) & 15
                buffer[position + digit] = nibble &+ (nibble < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            }
        }
        write(word0, at: 0)
        write(word1, at: 16)
        write(word2, at: 32)
        write(word3, at: 48)
    }

    /// The SHA-256 of `bytes`.
    public static func of(_ bytes: [UInt8]) -> Digest {
        var hasher = Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// The SHA-256 of `bytes`.
    public static func of(_ bytes: some ContiguousBytes) -> Digest {
        var hasher = Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// The SHA-256 of bytes that come piece by piece.
    public struct Hasher: Sendable {
        private var state = SHA256()

        public init() {}

        public mutating func update(_ bytes: [UInt8]) {
            bytes.withUnsafeBytes { state.update(bufferPointer: $0) }
        }

        public mutating func update(_ bytes: some ContiguousBytes) {
            bytes.withUnsafeBytes { state.update(bufferPointer: $0) }
        }

        /// The digest of everything given so far; more may follow.
        public func finalize() -> Digest {
            state.finalize().withUnsafeBytes { Digest($0) }
        }
    }
}

extension Digest {
    /// Any eight bytes of a digest are as random as all of them.
    public func hash(into hasher: inout Swift.Hasher) { hasher.combine(word0) }
}

extension Digest: Comparable {
    public static func < (left: Digest, right: Digest) -> Bool {
        (left.word0, left.word1, left.word2, left.word3) < (right.word0, right.word1, right.word2, right.word3)
    }
}

extension Digest: LosslessStringConvertible {
    private static let prefix = "sha256:"

    public var description: String { Self.prefix + hex }

    /// Reads `sha256:` and 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(_ text: String) {
        var text = text
        guard let digest = text.withUTF8({ Digest(utf8: $0) }) else { return nil }
        self = digest
    }

    /// Reads what ``init(_:)`` does from bytes.
    package init?(utf8: UnsafeBufferPointer<UInt8>) {
        let count = Self.prefix.utf8.count
        guard utf8.count > count, utf8.prefix(count).elementsEqual(Self.prefix.utf8) else { return nil }
        self.init(hexDigits: UnsafeBufferPointer(rebasing: utf8[count...]))
    }
}

extension Digest: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is not a digest; expected sha256: and 64 lower-case hexadecimal digits"
            )
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
