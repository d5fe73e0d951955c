extension ParquetCodec {
    /// The most bytes that `count` compressed bytes can expand to, so that memory is taken only for what can be there.
    ///
    /// Snappy copies at most 64 bytes for two, LZ4 255 for one, deflate 1,032 for one, Zstandard a block of 128 KiB for
    /// four.
    func mostBytes(from count: Int) -> Int {
        switch self {
        case .uncompressed: count
        case .snappy: 64 * count
        case .lz4Raw, .lz4Hadoop: 255 * count + 64
        case .gzip: 1_032 * count + 64
        case .zstd: 32_768 * count
        case .lzo, .brotli: 0
        }
    }

    /// Decompresses a page to exactly `content.count` bytes; false for damage or another length.
    func decompress(_ stored: UnsafeRawBufferPointer, into content: UnsafeMutableRawBufferPointer) -> Bool {
        let count = content.count
        switch self {
        case .uncompressed:
            guard stored.count == count else { return false }
            content.copyMemory(from: stored)
            return true
        case .snappy: return Snappy.decompress(stored, into: content, count: count)
        case .lz4Raw: return LZ4.decompressBlock(stored, into: content, count: count)
        case .gzip: return Gzip.decompress(stored, into: content, count: count)
        case .zstd: return Zstd.decompress(stored, into: content, count: count)
        case .lz4Hadoop:
            // The specification never said which LZ4 this is: Hadoop's blocks, a frame or a raw block.
            return Self.decompressHadoop(stored, into: content)
                || LZ4.decompressFrame(stored, into: content, count: count)
                || LZ4.decompressBlock(stored, into: content, count: count)
        case .lzo, .brotli: return false
        }
    }

    /// Hadoop's framing of LZ4: blocks that follow their two lengths, decompressed and compressed, big-endian.
    private static func decompressHadoop(
        _ stored: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer
    ) -> Bool {
        var position = 0
        var filled = 0
        while position < stored.count {
            guard stored.count - position >= 8 else { return false }
            let size = Int(UInt32(bigEndian: stored.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            let storedSize = Int(UInt32(bigEndian: stored.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)))
            position += 8
            guard storedSize <= stored.count - position, size <= content.count - filled else { return false }
            let block = UnsafeRawBufferPointer(rebasing: stored[position..<position + storedSize])
            let target = UnsafeMutableRawBufferPointer(rebasing: content[filled..<filled + size])
            guard LZ4.decompressBlock(block, into: target, count: size) else { return false }
            position += storedSize
            filled += size
        }
        return filled == content.count
    }
}
