/// How large the chunks of ``ContentDefinedChunker`` are, in bytes.
///
/// A chunk is never longer than `maximum`, and never shorter than `minimum` unless content ends with it. Boundaries are
/// four times rarer before `normal` than one in `normal` bytes, and four times likelier after it.
public struct ChunkSizes: Hashable, Sendable {
    public let minimum: Int
    public let normal: Int
    public let maximum: Int

    /// 32 KiB, 128 KiB and 512 KiB: version 1 of the chunking format.
    public static let standard = ChunkSizes(minimum: 32 << 10, normal: 128 << 10, maximum: 512 << 10)

    /// - Precondition: `64 <= minimum <= normal <= maximum`, and `normal` is a power of two from 64 to 2³⁰.
    public init(minimum: Int, normal: Int, maximum: Int) {
        precondition(64 <= minimum, "a chunk's minimum is the hash's window of 64 bytes")
        precondition(minimum <= normal && normal <= maximum, "chunk sizes must not decrease")
        precondition(normal & (normal - 1) == 0 && normal <= 1 << 30, "a chunk's normal size is a power of two")
        self.minimum = minimum
        self.normal = normal
        self.maximum = maximum
    }

    /// The bits of the hash that are zero at a boundary before `normal` bytes: two more than log2 of `normal`, the
    /// highest, which depend on all of the window.
    var strictMask: UInt64 { Self.highest(normal.trailingZeroBitCount + 2) }

    /// The same after `normal` bytes: two fewer.
    var looseMask: UInt64 { Self.highest(normal.trailingZeroBitCount - 2) }

    private static func highest(_ count: Int) -> UInt64 { ~(.max >> UInt64(count)) }
}
