/// The layout of a pack: contents, one behind the other, and an index of them at the end.
///
/// Integers are little-endian. A pack is
///
/// | part | bytes |
/// |---|---|
/// | header | the ASCII text `LSTPACK`, the version byte `01` |
/// | entries | each: encoding byte, stored size u32, content size u32, the stored bytes |
/// | end of the entries | the byte `ff` |
/// | fan-out | 256 × u32: how many digests begin with at most this byte |
/// | digests | 32 bytes each, in byte order, none twice |
/// | places | for each digest: offset of its entry u64, stored size u32, content size u32, encoding byte |
/// | footer | offset of the fan-out u64, entries u64, SHA-256 of the index and these 16 bytes, the header |
///
/// Entries follow one another from the header to the byte `ff` without gaps, each named once by the index. A digest is
/// the SHA-256 of the content. The encoding is `00` for the content as it is, `01` for one LZ4 block, which is shorter
/// than the content. The pack's name is the SHA-256 of all its bytes.
enum PackFormat {
    static let version: UInt8 = 1
    static let header: [UInt8] = Array("LSTPACK".utf8) + [version]
    static let endOfEntries: UInt8 = 0xFF
    /// Encoding byte, stored size, content size.
    static let entryHeaderSize = 9
    static let fanOutSize = 256 * 4
    static let placeSize = 17
    /// Offset, count, checksum, and the header again.
    static let footerSize = 8 + 8 + Digest.byteCount + 8
    /// The bytes of the index of so many entries, without the footer.
    static func indexSize(_ count: Int) -> Int { fanOutSize + count * (Digest.byteCount + placeSize) }
}

/// How a pack keeps one content.
public enum PackEncoding: UInt8, Hashable, Sendable, CaseIterable {
    /// As it is.
    case raw = 0
    /// One LZ4 block.
    case lz4 = 1
}

extension [UInt8] {
    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// The integer at `offset`; all its bytes must be there.
    func littleEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        precondition(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "the integer lies outside the bytes")
        return withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
    }
}
