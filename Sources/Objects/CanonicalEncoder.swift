/// Bytes that mean one value and no other, for hashing identities.
///
/// Every value is a one-byte tag and its content; integers and lengths are big-endian, lengths count bytes:
///
/// | tag | value | content |
/// |---|---|---|
/// | `00` | null | none |
/// | `01` | false | none |
/// | `02` | true | none |
/// | `03` | integer | 8 bytes, two's complement |
/// | `04` | float64 | 8 bytes, the IEEE 754 bit pattern |
/// | `05` | float32 | 4 bytes, the IEEE 754 bit pattern |
/// | `06` | string | 8-byte length, UTF-8 |
/// | `07` | bytes | 8-byte length, the bytes |
/// | `08` | digest | 32 bytes |
/// | `09` | list | 8-byte count, then that many values |
/// | `0a` | record | 8-byte count, then that many fields, each `0b`, an 8-byte length, its UTF-8 name, and a value |
///
/// Nothing is normalised: −0.0 differs from 0.0, one NaN from another, and a composed letter from a decomposed one.
/// Fields stand in the order in which they are written, which each user of the encoder documents.
/// The layout is version ``formatVersion``; it never changes under that number.
public struct CanonicalEncoder: Sendable {
    /// The version of the layout above, hashed in front of every identity.
    public static let formatVersion: UInt8 = 1

    /// What has been written so far.
    public private(set) var encoded: [UInt8] = []
    // The lists and records that still expect values, innermost last.
    private var opened: [Opened] = []

    private struct Opened {
        var remaining: Int
        let isRecord: Bool
        var awaitsField: Bool
    }

    public init() {}

    public mutating func null() {
        begin(0x00)
    }

    public mutating func bool(_ value: Bool) {
        begin(value ? 0x02 : 0x01)
    }

    public mutating func int(_ value: Int64) {
        begin(0x03)
        append(UInt64(bitPattern: value))
    }

    public mutating func int(_ value: Int) {
        int(Int64(value))
    }

    public mutating func double(_ value: Double) {
        begin(0x04)
        append(value.bitPattern)
    }

    public mutating func float(_ value: Float) {
        begin(0x05)
        append(value.bitPattern)
    }

    public mutating func string(_ value: String) {
        begin(0x06)
        append(counted: value.utf8)
    }

    /// Writes a string, or null for `nil`.
    public mutating func string(_ value: String?) {
        if let value { string(value) } else { null() }
    }

    public mutating func bytes(_ value: [UInt8]) {
        begin(0x07)
        append(counted: value)
    }

    public mutating func digest(_ value: Digest) {
        begin(0x08)
        value.append(to: &encoded)
    }

    /// Writes a digest, or null for `nil`.
    public mutating func digest(_ value: Digest?) {
        if let value { digest(value) } else { null() }
    }

    /// Opens a list of the `count` values that follow.
    public mutating func list(_ count: Int) {
        open(0x09, count, isRecord: false)
    }

    /// Opens a record of the `count` fields that follow, each a ``field(_:)`` and a value.
    public mutating func record(_ count: Int) {
        open(0x0A, count, isRecord: true)
    }

    /// Names the value that follows.
    ///
    /// - Precondition: the innermost open value is a record whose last field has its value.
    public mutating func field(_ name: String) {
        precondition(
            opened.last?.awaitsField == true,
            "field '\(name)' stands outside a record or after another field's name"
        )
        opened[opened.count - 1].awaitsField = false
        encoded.append(0x0B)
        append(counted: name.utf8)
    }

    /// The SHA-256 of the format version byte, the domain (8-byte length, UTF-8), and what has been written.
    ///
    /// The domain says what kind of thing is identified, so that two kinds with equal bytes have different digests.
    ///
    /// - Precondition: every list and record has as many values as it announced.
    public func digest(domain: String) -> Digest {
        precondition(opened.isEmpty, "a list or record in '\(domain)' has fewer values than it announced")
        var prefix = CanonicalEncoder()
        prefix.encoded.append(Self.formatVersion)
        prefix.append(counted: domain.utf8)
        var hasher = Digest.Hasher()
        hasher.update(prefix.encoded)
        hasher.update(encoded)
        return hasher.finalize()
    }

    private mutating func open(_ tag: UInt8, _ count: Int, isRecord: Bool) {
        precondition(count >= 0, "a count cannot be negative")
        checkNamed()
        encoded.append(tag)
        append(UInt64(count))
        if count == 0 {
            closeValue()
        } else {
            opened.append(Opened(remaining: count, isRecord: isRecord, awaitsField: isRecord))
        }
    }

    private mutating func begin(_ tag: UInt8) {
        checkNamed()
        encoded.append(tag)
        closeValue()
    }

    private func checkNamed() {
        precondition(opened.last?.awaitsField != true, "a value in a record needs a field's name first")
    }

    // One value of the innermost open list or record is complete, and with the last of them that list or record is.
    private mutating func closeValue() {
        while let last = opened.indices.last {
            opened[last].remaining -= 1
            if opened[last].remaining > 0 {
                opened[last].awaitsField = opened[last].isRecord
                return
            }
            opened.removeLast()
        }
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { encoded.append(contentsOf: $0) }
    }

    private mutating func append(counted content: some Collection<UInt8>) {
        append(UInt64(content.count))
        encoded.append(contentsOf: content)
    }
}
