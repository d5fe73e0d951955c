import Objects

/// The chunks that a large file is made of, in order: what is stored instead of the file.
///
/// Integers are little-endian. A list is the ASCII text `LSTCHNK`, the version byte `01`, a level byte, the file's size
/// u64, the number of parts u32, and for each part its digest and the bytes of the file in it, u64. The parts of level 0
/// are chunks; those of a higher level are lists of the level below. A list is stored in a pack like a chunk.
public struct ChunkList: Hashable, Sendable {
    /// A stretch of the file.
    public struct Part: Hashable, Sendable {
        public let digest: Digest
        /// Bytes of the file.
        public let size: Int

        public init(digest: Digest, size: Int) {
            self.digest = digest
            self.size = size
        }
    }

    public let level: UInt8
    public let parts: [Part]
    /// Bytes of the file that the parts hold.
    public var size: Int { parts.reduce(0) { $0 + $1.size } }

    /// The most parts of one list, so that it fits an entry of a pack.
    static let partLimit = 1 << 18
    private static let header = Array("LSTCHNK".utf8) + [1]
    private static let prefixSize = header.count + 1 + 8 + 4
    private static let partSize = Digest.byteCount + 8

    public init(level: UInt8 = 0, parts: [Part]) {
        self.level = level
        self.parts = parts
    }

    /// The lists that hold a file's chunks, each before the one that names it; the last is the file's.
    static func lists(of chunks: [Part], partLimit: Int = ChunkList.partLimit) -> [[UInt8]] {
        var lists: [[UInt8]] = []
        var parts = chunks
        var level: UInt8 = 0
        while true {
            var names: [Part] = []
            for start in stride(from: 0, to: max(parts.count, 1), by: partLimit) {
                let list = ChunkList(level: level, parts: Array(parts[start..<min(start + partLimit, parts.count)]))
                let bytes = list.encoded
                lists.append(bytes)
                names.append(Part(digest: Digest.of(bytes), size: list.size))
            }
            if names.count == 1 { return lists }
            parts = names
            level += 1
        }
    }

    public var encoded: [UInt8] {
        var bytes = Self.header
        bytes.reserveCapacity(Self.prefixSize + parts.count * Self.partSize)
        bytes.append(level)
        Self.append(UInt64(size), to: &bytes)
        Self.append(UInt32(parts.count), to: &bytes)
        for part in parts {
            bytes += part.digest.bytes
            Self.append(UInt64(part.size), to: &bytes)
        }
        return bytes
    }

    /// Reads a list.
    ///
    /// - Throws: ``SnapshotError/malformedChunkList(_:reason:)``
    public init(_ bytes: [UInt8], digest: Digest) throws(SnapshotError) {
        guard bytes.count >= Self.prefixSize, bytes.starts(with: Self.header) else {
            throw .malformedChunkList(digest, reason: "it does not begin as one of version \(Self.header.last ?? 0)")
        }
        level = bytes[Self.header.count]
        let count = Int(Self.integer(bytes, at: Self.header.count + 9, 4))
        guard bytes.count == Self.prefixSize + count * Self.partSize else {
            throw .malformedChunkList(digest, reason: "\(bytes.count) bytes do not hold \(count) parts")
        }
        var parts: [Part] = []
        parts.reserveCapacity(count)
        var total: UInt64 = 0
        for position in 0..<count {
            let start = Self.prefixSize + position * Self.partSize
            let size = Self.integer(bytes, at: start + Digest.byteCount, 8)
            guard let part = Digest(bytes: Array(bytes[start..<start + Digest.byteCount])),
                size <= UInt64(Int.max) - total
            else { throw .malformedChunkList(digest, reason: "part \(position) has \(size) bytes") }
            total += size
            parts.append(Part(digest: part, size: Int(size)))
        }
        guard total == Self.integer(bytes, at: Self.header.count + 1, 8) else {
            throw .malformedChunkList(digest, reason: "its parts have \(total) bytes, not what it says")
        }
        self.parts = parts
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func integer(_ bytes: [UInt8], at offset: Int, _ count: Int) -> UInt64 {
        bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
