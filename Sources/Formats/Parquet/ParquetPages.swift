/// The pages of one column chunk as they are written: framed, compressed, checksummed.
struct ParquetPages {
    private let compression: ParquetOptions.Compression
    private let hasChecksums: Bool
    /// The chunk's bytes so far.
    private(set) var bytes: [UInt8] = []
    private(set) var uncompressedSize = 0
    private(set) var dictionarySize: Int?
    private var scratch: [UInt8] = []

    init(_ options: ParquetOptions) {
        compression = options.compression
        hasChecksums = options.pageChecksums
    }

    mutating func appendDictionaryPage(_ body: [UInt8], valueCount: Int) {
        append(body, kind: .dictionary) { header in
            header.structure(7) {
                $0.int32(1, valueCount)
                $0.int32(2, ParquetEncoding.plain.rawValue)
            }
        }
        dictionarySize = bytes.count
    }

    /// - Parameter valueCount: levels of the page, nulls included.
    mutating func appendDataPage(_ body: [UInt8], valueCount: Int, encoding: ParquetEncoding) {
        append(body, kind: .data) { header in
            header.structure(5) {
                $0.int32(1, valueCount)
                $0.int32(2, encoding.rawValue)
                $0.int32(3, ParquetEncoding.rle.rawValue)
                $0.int32(4, ParquetEncoding.rle.rawValue)
            }
        }
    }

    private mutating func append(
        _ body: [UInt8],
        kind: ParquetPageHeader.Kind,
        _ writeKind: (inout ThriftWriter) -> Void
    ) {
        body.withUnsafeBytes { body in
            switch compression {
            case .none: frame(body, uncompressedCount: body.count, kind, writeKind)
            case .lz4:
                var block = scratch
                scratch = []
                let bound = LZ4.blockBound(body.count)
                if block.count < bound { block = [UInt8](repeating: 0, count: bound) }
                block.withUnsafeMutableBytes { block in
                    let size = LZ4.compressBlock(body, into: block)
                    frame(
                        UnsafeRawBufferPointer(rebasing: block[..<size]),
                        uncompressedCount: body.count,
                        kind,
                        writeKind
                    )
                }
                scratch = block
            }
        }
    }

    private mutating func frame(
        _ stored: UnsafeRawBufferPointer,
        uncompressedCount: Int,
        _ kind: ParquetPageHeader.Kind,
        _ writeKind: (inout ThriftWriter) -> Void
    ) {
        var header = ThriftWriter()
        header.structureElement {
            $0.int32(1, kind.rawValue)
            $0.int32(2, uncompressedCount)
            $0.int32(3, stored.count)
            if hasChecksums { $0.int32(4, Int(Int32(bitPattern: CRC32.checksum(stored)))) }
            writeKind(&$0)
        }
        bytes.append(contentsOf: header.bytes)
        bytes.append(contentsOf: stored)
        uncompressedSize += header.bytes.count + uncompressedCount
    }
}
