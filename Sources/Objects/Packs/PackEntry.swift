import CLZ4

/// Where a pack keeps one content, and how.
public struct PackEntry: Hashable, Sendable {
    /// The SHA-256 of the content.
    public let digest: Digest
    /// Where the entry starts in the pack.
    public let offset: Int
    /// Bytes in the pack, without the entry's header.
    public let storedSize: Int
    /// Bytes of the content.
    public let size: Int
    public let encoding: PackEncoding

    /// The bytes of the pack that ``content(from:pack:)`` needs.
    public var range: Range<Int> { offset..<offset + PackFormat.entryHeaderSize + storedSize }

    /// Decodes the content and checks it against its digest.
    ///
    /// - Parameters:
    ///   - bytes: those of the pack in ``range``.
    ///   - pack: the pack's name or path, for errors.
    /// - Throws: ``PackError`` if the bytes are not this entry, whatever they are.
    public func content(from bytes: Span<UInt8>, pack: String) throws(PackError) -> [UInt8] {
        guard bytes.count == range.count else {
            throw .damaged(pack: pack, offset: offset, reason: "it has \(bytes.count) bytes of \(range.count)")
        }
        let (content, found) = try bytes.withUnsafeBufferPointer { bytes throws(PackError) in
            let header = PackEntryHeader(UnsafeRawBufferPointer(bytes))
            guard header.encoding == encoding.rawValue, header.storedSize == storedSize, header.size == size else {
                throw .damaged(pack: pack, offset: offset, reason: "the entry's header differs from the index")
            }
            let stored = UnsafeBufferPointer(rebasing: bytes[PackFormat.entryHeaderSize...])
            guard let content = encoding.decode(stored, size: size) else {
                throw .damaged(pack: pack, offset: offset, reason: "the entry is not an LZ4 block of \(size) bytes")
            }
            return (content, Digest.of(content))
        }
        guard found == digest else { throw .corrupt(digest, found: found, pack: pack, offset: offset) }
        return content
    }
}

/// The first bytes of an entry.
struct PackEntryHeader {
    let encoding: UInt8
    let storedSize: Int
    let size: Int

    /// Reads the header at the start of `bytes`, which has at least that.
    init(_ bytes: UnsafeRawBufferPointer) {
        encoding = bytes[0]
        storedSize = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        size = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)))
    }

    /// Why no pack has an entry of these sizes.
    static func fault(_ encoding: PackEncoding?, storedSize: Int, size: Int) -> String? {
        guard let encoding else { return "the entry has an unknown encoding" }
        guard size <= PackedContent.maximumSize else { return "the entry claims \(size) bytes" }
        switch encoding {
        case .raw: return storedSize == size ? nil : "the entry claims \(size) bytes as they are in \(storedSize)"
        case .lz4: return storedSize < size ? nil : "the entry claims \(size) bytes compressed to \(storedSize)"
        }
    }
}

extension PackEncoding {
    /// `size` bytes of content; `nil` unless `stored` is exactly that.
    func decode(_ stored: UnsafeBufferPointer<UInt8>, size: Int) -> [UInt8]? {
        switch self {
        case .raw:
            return stored.count == size ? Array(stored) : nil
        case .lz4:
            let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                let written = stored.withMemoryRebound(to: CChar.self) { source in
                    buffer.withMemoryRebound(to: CChar.self) { target in
                        LZ4_decompress_safe(source.baseAddress, target.baseAddress, Int32(source.count), Int32(size))
                    }
                }
                count = Int(max(written, 0))
            }
            return content.count == size ? content : nil
        }
    }
}
