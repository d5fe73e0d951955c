import CSnappy

/// Raw Snappy blocks by the system's libsnappy, decompression only.
enum Snappy {
    /// Decompresses into exactly `count` bytes.
    ///
    /// Returns false for damaged bytes or another length.
    static func decompress(
        _ block: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        precondition(count <= content.count, "the content has no room for \(count) bytes")
        guard let input = block.baseAddress?.assumingMemoryBound(to: CChar.self) else { return false }
        var declared = 0
        guard snappy_uncompressed_length(input, block.count, &declared) == SNAPPY_OK, declared == count else {
            return false
        }
        guard count > 0, let output = content.baseAddress?.assumingMemoryBound(to: CChar.self) else {
            return count == 0
        }
        var written = count
        return snappy_uncompress(input, block.count, output, &written) == SNAPPY_OK && written == count
    }
}
