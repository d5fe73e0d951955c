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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        var high: UInt8?
        for character in hex.utf8 {
            let nibble: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = character - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: bytes)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for word in [word0, word1, word2, word3] {
            withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// The first of the 32 bytes.
    var firstByte: Int { Int(word0 >> 56) }

    /// The 64 lower-case hexadecimal digits, without the `sha256:` in front.
    public var hex: String {
        String(unsafeUninitializedCapacity: Self.byteCount * 2) { buffer in
            var position = 0
            for word in [word0, word1, word2, word3] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    let nibble = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
                    buffer[position] = nibble + (nibble < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
                    position += 1
                }
            }
            return position
        }
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
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        self.init(hex: text.dropFirst(Self.prefix.count))
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
