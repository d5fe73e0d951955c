import CZstd

/// Zstandard frames by the system's libzstd.
enum Zstd {
    /// The level that pyarrow, DuckDB and Spark write with, or near it: beyond it a file takes longer than it shrinks.
    static let level: Int32 = 1

    /// The room that `compress` needs.
    static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// Compresses to one frame that holds its content size, and returns the frame's length.
    static func compress(_ bytes: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer) -> Int {
        let written = ZSTD_compress(frame.baseAddress, frame.count, bytes.baseAddress, bytes.count, level)
        precondition(ZSTD_isError(written) == 0, "a frame fits the bound that libzstd gives for it")
        return written
    }

    /// Decompresses one frame or several, back to back, into exactly `count` bytes.
    ///
    /// Returns false for damaged bytes or another length.
    static func decompress(
        _ frame: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        precondition(count <= content.count, "the content has no room for \(count) bytes")
        let written = ZSTD_decompress(content.baseAddress, count, frame.baseAddress, frame.count)
        return ZSTD_isError(written) == 0 && written == count
    }
}
