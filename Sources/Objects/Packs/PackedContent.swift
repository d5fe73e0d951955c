import CLZ4

/// Content as a pack keeps it: hashed, and compressed where that makes it shorter.
///
/// Making one is all the work of storing content but the writing, and needs nothing else: make them on as many threads
/// as there are, and append them on one.
public struct PackedContent: Sendable {
    /// The most bytes that one entry holds, 16 MiB; readers refuse more before they allocate it.
    public static let maximumSize = 16 << 20

    /// The SHA-256 of the content.
    public let digest: Digest
    /// Bytes of the content.
    public let size: Int
    public let encoding: PackEncoding
    /// What stands in the pack.
    public let stored: [UInt8]

    /// Hashes and compresses `content`.
    ///
    /// - Throws: ``PackError/contentTooLarge(size:maximum:)`` for more than ``maximumSize`` bytes.
    public init(_ content: Span<UInt8>) throws(PackError) {
        guard content.count <= Self.maximumSize else {
            throw .contentTooLarge(size: content.count, maximum: Self.maximumSize)
        }
        self = content.withUnsafeBufferPointer { PackedContent($0, digest: Self.digest(of: $0)) }
    }

    /// Hashes `content`, and compresses it only if it is not known: what a store has need not be packed.
    ///
    /// - Returns: the digest, and `nil` for content that `isKnown` of it.
    /// - Throws: ``PackError/contentTooLarge(size:maximum:)`` for more than ``maximumSize`` bytes.
    public static func make(
        _ content: UnsafeBufferPointer<UInt8>,
        unless isKnown: (Digest) -> Bool
    ) throws(PackError) -> (digest: Digest, packed: PackedContent?) {
        guard content.count <= maximumSize else {
            throw .contentTooLarge(size: content.count, maximum: maximumSize)
        }
        let digest = digest(of: content)
        return (digest, isKnown(digest) ? nil : PackedContent(content, digest: digest))
    }

    private init(_ content: UnsafeBufferPointer<UInt8>, digest: Digest) {
        self.digest = digest
        size = content.count
        if let compressed = Self.compressed(content) {
            (encoding, stored) = (.lz4, compressed)
        } else {
            (encoding, stored) = (.raw, Array(content))
        }
    }

    private static func digest(of content: UnsafeBufferPointer<UInt8>) -> Digest {
        var hasher = Digest.Hasher()
        hasher.update(UnsafeRawBufferPointer(content))
        return hasher.finalize()
    }

    /// One LZ4 block, `nil` unless it is shorter than the content.
    private static func compressed(_ content: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard content.count > 1 else { return nil }
        let block = [UInt8](unsafeUninitializedCapacity: content.count - 1) { buffer, count in
            let written = content.withMemoryRebound(to: CChar.self) { source in
                buffer.withMemoryRebound(to: CChar.self) { target in
                    LZ4_compress_default(
                        source.baseAddress,
                        target.baseAddress,
                        Int32(source.count),
                        Int32(target.count)
                    )
                }
            }
            count = Int(max(written, 0))
        }
        return block.isEmpty ? nil : block
    }
}
