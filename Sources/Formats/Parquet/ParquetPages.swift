/// Writes pages: compresses, checksums and frames them, and counts what a chunk's metadata must say.
struct ParquetPages {
    private let compression: ParquetOptions.Compression
    private let hasChecksums: Bool
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var scratch: [UInt8] = []

    /// The bytes written so far, and so where the next page begins.
    private(set) var position: Int
    private(set) var chunk: ParquetWrittenChunk

    init(_ options: ParquetOptions, sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        compression = options.compression
        hasChecksums = options.pageChecksums
        self.sink = sink
        position = 0
        chunk = ParquetWrittenChunk(start: 0)
    }

    /// Bytes that are no page: the file's frame.
    mutating func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes(sink)
        position += bytes.count
    }

    /// The pages that follow are those of another chunk.
    mutating func beginChunk() { chunk = ParquetWrittenChunk(start: position) }

    mutating func appendDictionaryPage(_ body: [UInt8], valueCount: Int) throws {
        try append(body, kind: .dictionary) { header in
            header.structure(7) {
                $0.int32(1, valueCount)
                $0.int32(2, ParquetEncoding.plain.rawValue)
            }
        }
        chunk.dictionarySize = position - chunk.start
    }

    /// - Parameter valueCount: levels of the page, nulls included.
    mutating func appendDataPage(_ body: [UInt8], valueCount: Int, encoding: ParquetEncoding) throws {
        try append(body, kind: .data) { header in
            header.structure(5) {
                $0.int32(1, valueCount)
                $0.int32(2, encoding.rawValue)
                $0.int32(3, ParquetEncoding.rle.rawValue)
                $0.int32(4, ParquetEncoding.rle.rawValue)
            }
        }
        chunk.valueCount += valueCount
        chunk.dataPageCount += 1
    }

    private mutating func append(
        _ body: [UInt8],
        kind: ParquetPageHeader.Kind,
        _ writeKind: (inout ThriftWriter) -> Void
    ) throws {
        let bound =
            switch compression {
            case .none: 0
            case .lz4: LZ4.blockBound(body.count)
            case .zstd: Zstd.bound(body.count)
            }
        var scratch = self.scratch
        self.scratch = []
        defer { self.scratch = scratch }
        if scratch.count < bound { scratch = [UInt8](repeating: 0, count: bound) }
        try body.withUnsafeBytes { body in
            try scratch.withUnsafeMutableBytes { scratch in
                let stored =
                    switch compression {
                    case .none: body
                    case .lz4: UnsafeRawBufferPointer(rebasing: scratch[..<LZ4.compressBlock(body, into: scratch)])
                    case .zstd: UnsafeRawBufferPointer(rebasing: scratch[..<Zstd.compress(body, into: scratch)])
                    }
                var header = ThriftWriter()
                header.structureElement {
                    $0.int32(1, kind.rawValue)
                    $0.int32(2, body.count)
                    $0.int32(3, stored.count)
                    if hasChecksums { $0.int32(4, Int(Int32(bitPattern: CRC32.checksum(stored)))) }
                    writeKind(&$0)
                }
                try header.bytes.withUnsafeBytes(sink)
                try sink(stored)
                position += header.bytes.count + stored.count
                chunk.compressedSize += header.bytes.count + stored.count
                chunk.uncompressedSize += header.bytes.count + body.count
            }
        }
    }
}

/// What the footer says of a column chunk.
struct ParquetWrittenChunk {
    /// The file position of the first page.
    var start: Int
    /// The bytes of the dictionary page, which then is the first.
    var dictionarySize: Int?
    var dataPageCount = 0
    /// Levels: rows, or for vectors the elements and null rows.
    var valueCount = 0
    var compressedSize = 0
    var uncompressedSize = 0
    var statistics = ParquetWrittenStatistics()
}
