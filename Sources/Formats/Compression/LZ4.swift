import CLZ4

/// LZ4 by the system's liblz4: frames for stored blobs, raw blocks inside other formats.
public enum LZ4 {
    /// Compresses to one LZ4 frame that `lz4 -d` reads, with the content size and a checksum of the content.
    public static func compressFrame(_ bytes: [UInt8]) -> [UInt8] {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.contentSize = UInt64(bytes.count)
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.blockSizeID = LZ4F_max4MB
        let bound = LZ4F_compressFrameBound(bytes.count, &preferences)
        return [UInt8](unsafeUninitializedCapacity: bound) { frame, count in
            count = bytes.withUnsafeBytes {
                LZ4F_compressFrame(frame.baseAddress, frame.count, $0.baseAddress, $0.count, &preferences)
            }
            precondition(LZ4F_isError(count) == 0, "a frame fits the bound that liblz4 gives for it")
        }
    }

    /// Decompresses exactly one LZ4 frame, with nothing after it.
    ///
    /// - Parameter limit: the most bytes the content may have.
    /// - Throws: `MalformedFile` for damage, truncation, trailing bytes or content past the limit.
    public static func decompressFrame(_ frame: [UInt8], limit: Int) throws(MalformedFile) -> [UInt8] {
        func fault(_ offset: Int, _ detail: String) -> MalformedFile {
            MalformedFile(.malformed, file: "bytes", format: "LZ4 frame", offset: offset, detail)
        }
        var opened: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&opened, UInt32(LZ4F_VERSION))) == 0, let context = opened
        else { throw fault(0, "no memory for decompression") }
        defer { LZ4F_freeDecompressionContext(context) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var position = 0
        while true {
            var produced = chunk.count
            var consumed = frame.count - position
            let hint = frame.withUnsafeBytes { source in
                let rest = UnsafeRawBufferPointer(rebasing: source[position...])
                return LZ4F_decompress(context, &chunk, &produced, rest.baseAddress, &consumed, nil)
            }
            guard LZ4F_isError(hint) == 0 else { throw fault(position, String(cString: LZ4F_getErrorName(hint))) }
            position += consumed
            guard produced <= limit - result.count else { throw fault(position, "content is over \(limit) bytes") }
            result.append(contentsOf: chunk[..<produced])
            if hint == 0 {
                guard position == frame.count else { throw fault(position, "bytes after the end of the frame") }
                return result
            }
            guard consumed > 0 || produced > 0 else { throw fault(position, "the frame is cut short") }
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
