import CLZ4

/// LZ4 by the system's liblz4: raw blocks for Parquet's pages, frames for Arrow's buffers.
public enum LZ4 {
    /// The room that `compressFrame` needs.
    static func frameBound(_ count: Int) -> Int {
        var preferences = Self.preferences(count)
        return LZ4F_compressFrameBound(count, &preferences)
    }

    /// Compresses to one frame that `lz4 -d` reads, and returns its length.
    static func compressFrame(_ bytes: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer) -> Int {
        var preferences = Self.preferences(bytes.count)
        let written = LZ4F_compressFrame(
            frame.baseAddress,
            frame.count,
            bytes.baseAddress,
            bytes.count,
            &preferences
        )
        precondition(LZ4F_isError(written) == 0, "a frame fits the bound that liblz4 gives for it")
        return written
    }

    private static func preferences(_ count: Int) -> LZ4F_preferences_t {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.contentSize = UInt64(count)
        preferences.frameInfo.blockSizeID = LZ4F_max4MB
        return preferences
    }

    /// Decompresses exactly one frame, with nothing after it, into exactly `count` bytes.
    ///
    /// Returns false for damage, truncation, trailing bytes or another length.
    static func decompressFrame(
        _ frame: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        precondition(count <= content.count, "the content has no room for \(count) bytes")
        var opened: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&opened, UInt32(LZ4F_VERSION))) == 0, let context = opened
        else { return false }
        defer { LZ4F_freeDecompressionContext(context) }
        // liblz4 wants somewhere to write even where there is nothing to write.
        var nowhere: UInt8 = 0
        return withUnsafeMutablePointer(to: &nowhere) { nowhere in
            let output = content.baseAddress ?? UnsafeMutableRawPointer(nowhere)
            var position = 0
            var written = 0
            while true {
                var produced = count - written
                var consumed = frame.count - position
                let rest = UnsafeRawBufferPointer(rebasing: frame[position...])
                let hint = LZ4F_decompress(context, output + written, &produced, rest.baseAddress, &consumed, nil)
                guard LZ4F_isError(hint) == 0 else { return false }
                position += consumed
                written += produced
                if hint == 0 { return position == frame.count && written == count }
                guard consumed > 0 || produced > 0 else { return false }
            }
        }
    }

    /// Compresses to one raw block, which holds neither its length nor a checksum.
    ///
    /// - Precondition: there are at most `LZ4_MAX_INPUT_SIZE` (2 113 929 216) bytes.
    public static func compressBlock(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: blockBound(source.count)) { block, count in
                count = compressBlock(source, into: UnsafeMutableRawBufferPointer(block))
            }
        }
    }

    /// Decompresses one raw block of known content length.
    ///
    /// - Throws: `MalformedFile` unless the block is whole and gives exactly `count` bytes.
    public static func decompressBlock(_ block: [UInt8], count: Int) throws(MalformedFile) -> [UInt8] {
        // A block cannot expand more than 255 times, so the claimed length is checked before memory is taken.
        let isPossible = count >= 0 && count / 255 <= block.count
        if isPossible {
            var isComplete = false
            let content = [UInt8](unsafeUninitializedCapacity: count) { content, written in
                isComplete = block.withUnsafeBytes {
                    decompressBlock($0, into: UnsafeMutableRawBufferPointer(content), count: count)
                }
                written = isComplete ? count : 0
            }
            if isComplete { return content }
        }
        throw MalformedFile(
            .malformed,
            file: "bytes",
            format: "LZ4 block",
            "\(block.count) bytes do not decompress to \(count)"
        )
    }

    static func blockBound(_ count: Int) -> Int {
        precondition(count <= LZ4_MAX_INPUT_SIZE, "an LZ4 block holds at most \(LZ4_MAX_INPUT_SIZE) bytes")
        return Int(LZ4_compressBound(Int32(count)))
    }

    static func compressBlock(_ bytes: UnsafeRawBufferPointer, into block: UnsafeMutableRawBufferPointer) -> Int {
        let written = LZ4_compress_default(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
            block.baseAddress?.assumingMemoryBound(to: CChar.self),
            Int32(bytes.count),
            Int32(clamping: block.count)
        )
        precondition(written > 0, "a block fits the bound that liblz4 gives for it")
        return Int(written)
    }

    static func decompressBlock(
        _ block: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        guard let size = Int32(exactly: block.count), let capacity = Int32(exactly: count) else { return false }
        let written = LZ4_decompress_safe(
            block.baseAddress?.assumingMemoryBound(to: CChar.self),
            content.baseAddress?.assumingMemoryBound(to: CChar.self),
            size,
            capacity
        )
        return written == capacity
    }
}
