#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A set of bytes, for the tests of the scanner.
struct SecretBytes: Sendable {
    private let isMember: [Bool]

    init(_ ranges: ClosedRange<UInt8>..., others: String = "") {
        var isMember = [Bool](repeating: false, count: 256)
        for range in ranges { for byte in range { isMember[Int(byte)] = true } }
        for byte in others.utf8 { isMember[Int(byte)] = true }
        self.isMember = isMember
    }

    func contains(_ byte: UInt8) -> Bool { isMember[Int(byte)] }

    static let digits: ClosedRange<UInt8> = UInt8(ascii: "0")...UInt8(ascii: "9")
    static let upper: ClosedRange<UInt8> = UInt8(ascii: "A")...UInt8(ascii: "Z")
    static let lower: ClosedRange<UInt8> = UInt8(ascii: "a")...UInt8(ascii: "z")

    static let alphanumeric = SecretBytes(digits, upper, lower)
    static let word = SecretBytes(digits, upper, lower, others: "_")
    static let base64URL = SecretBytes(digits, upper, lower, others: "-_")
    static let base64 = SecretBytes(digits, upper, lower, others: "+/=")
    static let base32 = SecretBytes(UInt8(ascii: "2")...UInt8(ascii: "7"), upper)
    static let hex = SecretBytes(digits, UInt8(ascii: "a")...UInt8(ascii: "f"))
}

/// Bytes with their numbers of letters, digits and repetitions: whether someone typed them as an example.
struct SecretValue {
    let bytes: Slice<UnsafeBufferPointer<UInt8>>

    init(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        self.bytes = bytes
    }

    private static let placeholderWords = [
        "example", "changeme", "change-me", "change_me", "placeholder", "replace", "your", "xxx", "***", "...", "dummy",
        "sample", "redacted", "insert", "todo", "fixme", "test", "fake", "mock", "demo", "default", "password",
        "passwd", "hunter2",
        "${", "$(", "{{", "%(", "<", ">",
    ].map { Array($0.utf8) }

    /// Whether the bytes stand for a value to be filled in, rather than being one.
    var isPlaceholder: Bool {
        guard let first = bytes.first else { return true }
        if first == UInt8(ascii: "$") || first == UInt8(ascii: "{") || first == UInt8(ascii: "%") { return true }
        return Self.placeholderWords.contains { contains($0) } || isMonotonous
    }

    /// Whether the bytes say `example`, or repeat or count.
    ///
    /// What a published token format allows; its random part may hold any other word by chance.
    var isExample: Bool {
        contains(Array("example".utf8)) || contains(Array("xxxx".utf8)) || isMonotonous
    }

    /// Whether half of the bytes, or more, repeat the byte before or count on from it.
    private var isMonotonous: Bool {
        var steps = 0
        var isSeen = [Bool](repeating: false, count: 256)
        var distinct = 0
        var previous: UInt8?
        for byte in bytes {
            if let previous, byte == previous || byte == previous &+ 1 { steps += 1 }
            if !isSeen[Int(byte)] {
                isSeen[Int(byte)] = true
                distinct += 1
            }
            previous = byte
        }
        return steps * 2 >= bytes.count || distinct < min(5, bytes.count)
    }

    /// Whether `word`, in lower case, is in the bytes, in any case.
    func contains(_ word: [UInt8]) -> Bool {
        guard bytes.count >= word.count else { return false }
        return (bytes.startIndex...bytes.endIndex - word.count).contains { start in
            zip(bytes[start...], word).allSatisfy { Self.lowercased($0) == $1 }
        }
    }

    /// Whether the bytes are 8, 4, 4, 4 and 12 hexadecimal digits, with hyphens between.
    var isUUID: Bool {
        let parts = bytes.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { SecretBytes.hex.contains(Self.lowercased($0)) }
    }

    var hasDigit: Bool { bytes.contains { SecretBytes.digits.contains($0) } }
    var hasLetter: Bool { bytes.contains { SecretBytes.lower.contains(Self.lowercased($0)) } }
    var isPrintable: Bool { bytes.allSatisfy { (0x21...0x7E).contains($0) } }

    /// The number of different bytes, less the case of letters.
    var distinctBytes: Int {
        Set(bytes.lazy.map(Self.lowercased)).count
    }

    /// Shannon's entropy of the bytes' frequencies, bits a byte.
    var entropy: Double {
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        let total = Double(bytes.count)
        return counts.reduce(0) { sum, count in
            guard count > 0 else { return sum }
            return sum - Double(count) / total * log2(Double(count) / total)
        }
    }

    static func lowercased(_ byte: UInt8) -> UInt8 { SecretBytes.upper.contains(byte) ? byte | 0x20 : byte }
}
