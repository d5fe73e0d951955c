import CZlib

/// Gzip members (RFC 1952) by the system's zlib, decompression only.
enum Gzip {
    /// Decompresses one member or several, back to back, into exactly `count` bytes.
    ///
    /// A zlib stream (RFC 1950), which some writers store under the same name, is read too. Returns false for damaged
    /// bytes, a wrong checksum or another length.
    static func decompress(
        _ bytes: UnsafeRawBufferPointer,
        into content: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        precondition(count <= content.count, "the content has no room for \(count) bytes")
        guard let size = UInt32(exactly: bytes.count), let room = UInt32(exactly: count) else { return false }
        var stream = z_stream()
        // 15 is the largest window; 32 more detects gzip and zlib headers.
        let version = ZLIB_VERSION
        guard inflateInit2_(&stream, 15 + 32, version, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return false }
        defer { inflateEnd(&stream) }
        // zlib wants somewhere to write even where there is nothing to write.
        var nowhere: UInt8 = 0
        return withUnsafeMutablePointer(to: &nowhere) { nowhere in
            stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.avail_in = size
            stream.next_out = content.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nowhere
            stream.avail_out = room
            while true {
                guard inflate(&stream, Z_FINISH) == Z_STREAM_END else { return false }
                if stream.avail_in == 0 { return stream.avail_out == 0 }
                guard inflateReset(&stream) == Z_OK else { return false }
            }
        }
    }
}
