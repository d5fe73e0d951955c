/// A page as it is stored: its header read and its checksum verified.
struct ParquetStoredPage {
    /// Where its header begins in the file.
    let offset: Int
    let header: ParquetPageHeader
    let bytes: UnsafeRawBufferPointer
}

/// Walks the pages of a column chunk, checking each against its chunk, its checksum and the file.
struct ParquetPageCursor {
    private let file: String
    private let bytes: UnsafeRawBufferPointer
    private let column: ParquetColumn
    let codec: ParquetCodec
    /// No page may expand to more bytes.
    private let limit: Int
    private let valueCount: Int
    private var position: Int
    private let end: Int
    private var valuesLeft: Int
    private var isDictionarySeen = false
    private let verifiesChecksums: Bool

    /// - Parameter bytes: the whole file.
    init(
        _ bytes: UnsafeRawBufferPointer,
        file: String,
        column: ParquetColumn,
        chunk: ParquetChunk,
        limit: Int,
        verifiesChecksums: Bool
    ) throws(MalformedFile) {
        self.bytes = bytes
        self.verifiesChecksums = verifiesChecksums
        self.file = file
        self.column = column
        self.limit = limit
        // Writers leave the offsets of a chunk without values at zero; nothing is read of it.
        let start = chunk.start
        position = start
        func fault(_ reason: MalformedFile.Reason, _ detail: String) -> MalformedFile {
            MalformedFile(reason, file: file, format: "Parquet", offset: start, "column '\(column.name)': \(detail)")
        }
        guard !chunk.isEncrypted else { throw fault(.unsupported, "it is encrypted; write it unencrypted") }
        guard !chunk.isExternal else { throw fault(.unsupported, "its data is in another file; write one file") }
        let isPlaced = start >= 4 && chunk.compressedSize >= 0 && start <= bytes.count
        guard chunk.valueCount == 0 || isPlaced && chunk.compressedSize <= bytes.count - start else {
            throw fault(.malformed, "its \(chunk.compressedSize) bytes run past the end of the file")
        }
        end = chunk.valueCount == 0 ? start : start + chunk.compressedSize
        guard chunk.valueCount >= 0 else { throw fault(.malformed, "\(chunk.valueCount) values") }
        valueCount = chunk.valueCount
        valuesLeft = chunk.valueCount
        guard let codec = ParquetCodec(rawValue: chunk.codec), codec != .brotli, codec != .lzo else {
            let name = ParquetCodec.name(chunk.codec)
            throw fault(.unsupported, "it is compressed with \(name), which is not read; write it with ZSTD or SNAPPY")
        }
        self.codec = codec
    }

    func fault(_ detail: String, at offset: Int, _ reason: MalformedFile.Reason = .malformed) -> MalformedFile {
        MalformedFile(reason, file: file, format: "Parquet", offset: offset, "column '\(column.name)': \(detail)")
    }

    /// The next dictionary or data page, or `nil` when all of the chunk's values have come.
    mutating func next() throws(MalformedFile) -> ParquetStoredPage? {
        while valuesLeft > 0 {
            let offset = position
            var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: bytes[..<end]), position: position)
            let header: ParquetPageHeader
            do throws(ThriftReader.Fault) {
                header = try ParquetPageHeader(&reader)
            } catch {
                throw fault("page header: \(error.detail)", at: error.position)
            }
            let start = reader.position
            guard header.compressedSize >= 0, header.compressedSize <= end - start else {
                throw fault("a page of \(header.compressedSize) bytes runs past its column chunk", at: offset)
            }
            position = start + header.compressedSize
            let stored = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            if verifiesChecksums, let checksum = header.checksum, checksum != CRC32.checksum(stored) {
                throw fault("the checksum of a page does not match its bytes; the file is damaged", at: offset)
            }
            guard header.uncompressedSize >= 0, header.uncompressedSize <= min(limit, Int(Int32.max)),
                header.uncompressedSize <= max(stored.count, codec.mostBytes(from: stored.count))
            else {
                throw fault("\(stored.count) bytes cannot decompress to \(header.uncompressedSize)", at: offset)
            }
            switch header.kind {
            case .dictionary:
                guard !isDictionarySeen, valuesLeft == valueCount, header.valueCount >= 0,
                    header.encoding == ParquetEncoding.plain.rawValue
                        || header.encoding == ParquetEncoding.plainDictionary.rawValue
                else { throw fault("a misplaced or unknown dictionary page", at: offset) }
                isDictionarySeen = true
            case .data, .dataV2:
                guard header.valueCount >= 0, header.valueCount <= valuesLeft else {
                    let left = "\(valuesLeft) left in the chunk"
                    throw fault("a page of \(header.valueCount) values, with \(left)", at: offset)
                }
                valuesLeft -= header.valueCount
            case .index: continue
            case nil: throw fault("an unknown kind of page", at: offset)
            }
            return ParquetStoredPage(offset: offset, header: header, bytes: stored)
        }
        return nil
    }

    /// The bytes of a dictionary page.
    func dictionary(
        _ page: ParquetStoredPage,
        _ scratch: ParquetScratch
    ) throws(MalformedFile) -> UnsafeRawBufferPointer {
        try content(page.bytes, page.header.uncompressedSize, page.offset, scratch)
    }

    /// A data page, its levels decoded; its values lie in `scratch` or in the file.
    func page(_ stored: ParquetStoredPage, _ scratch: ParquetScratch) throws(MalformedFile) -> ParquetPage {
        let encoding = try encoding(stored)
        let header = stored.header
        guard header.kind == .dataV2 else {
            let content = try content(stored.bytes, header.uncompressedSize, stored.offset, scratch)
            return try page(stored, encoding, content)
        }
        var levels = stored.bytes
        let levelLength = try levelLength(stored)
        let repetition = try self.levels(&levels, header.repetitionLength, column.maxRepetition, stored)
        let definition = try self.levels(&levels, header.definitionLength, column.maxDefinition, stored)
        let count = header.uncompressedSize - levelLength
        let values =
            header.isCompressed
            ? try content(levels, count, stored.offset, scratch)
            : try uncompressed(levels, count, stored.offset)
        return page(stored, encoding, definition, repetition, values)
    }

    func encoding(_ stored: ParquetStoredPage) throws(MalformedFile) -> ParquetEncoding {
        guard let encoding = ParquetEncoding(rawValue: stored.header.encoding) else {
            let name = ParquetEncoding.name(stored.header.encoding)
            throw fault("its values are in \(name), which is not read; write PLAIN", at: stored.offset, .unsupported)
        }
        return encoding
    }

    /// A data page of version 1 from its decompressed content.
    func page(
        _ stored: ParquetStoredPage,
        _ encoding: ParquetEncoding,
        _ content: UnsafeRawBufferPointer
    ) throws(MalformedFile) -> ParquetPage {
        var rest = content
        let header = stored.header
        let repetition = try takeLevels(&rest, header.repetitionEncoding, column.maxRepetition, stored)
        let definition = try takeLevels(&rest, header.definitionEncoding, column.maxDefinition, stored)
        return page(stored, encoding, definition, repetition, rest)
    }

    private func page(
        _ stored: ParquetStoredPage,
        _ encoding: ParquetEncoding,
        _ definition: ParquetLevels,
        _ repetition: ParquetLevels,
        _ values: UnsafeRawBufferPointer
    ) -> ParquetPage {
        ParquetPage(
            offset: stored.offset,
            valueCount: stored.header.valueCount,
            encoding: encoding,
            maxDefinition: UInt8(column.maxDefinition),
            definition: definition,
            repetition: repetition,
            values: values
        )
    }
}

extension ParquetPageCursor {
    /// Takes levels from the front of a page of version 1.
    private func takeLevels(
        _ rest: inout UnsafeRawBufferPointer,
        _ encoding: Int,
        _ maximum: Int,
        _ stored: ParquetStoredPage
    ) throws(MalformedFile) -> ParquetLevels {
        guard maximum > 0 else { return .constant(0) }
        let count = stored.header.valueCount
        if encoding == ParquetEncoding.bitPacked.rawValue {
            let size = ParquetLevels.bitPackedSize(maximum: maximum, count: count)
            let isFlat = column.maxRepetition == 0
            guard let levels = ParquetLevels(bitPacked: rest, maximum: maximum, count: count, isFlat: isFlat) else {
                throw fault("levels are cut short or out of range", at: stored.offset)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[size...])
            return levels
        }
        guard encoding == ParquetEncoding.rle.rawValue else {
            throw fault("levels in \(ParquetEncoding.name(encoding)) are not legal", at: stored.offset)
        }
        guard rest.count >= 4 else { throw fault("levels are cut short", at: stored.offset) }
        let size = Int(UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self)))
        rest = UnsafeRawBufferPointer(rebasing: rest[4...])
        return try levels(&rest, size, maximum, stored)
    }

    /// Takes `size` bytes of levels from the front.
    private func levels(
        _ rest: inout UnsafeRawBufferPointer,
        _ size: Int,
        _ maximum: Int,
        _ stored: ParquetStoredPage
    ) throws(MalformedFile) -> ParquetLevels {
        guard size >= 0, size <= rest.count else { throw fault("levels run past their page", at: stored.offset) }
        let bytes = UnsafeRawBufferPointer(rebasing: rest[..<size])
        rest = UnsafeRawBufferPointer(rebasing: rest[size...])
        guard maximum > 0 else { return .constant(0) }
        let (count, isFlat) = (stored.header.valueCount, column.maxRepetition == 0)
        guard let levels = ParquetLevels(bytes, maximum: maximum, count: count, isFlat: isFlat) else {
            throw fault("levels are cut short or out of range", at: stored.offset)
        }
        return levels
    }

    /// Bytes of both levels of a page of version 2.
    func levelLength(_ stored: ParquetStoredPage) throws(MalformedFile) -> Int {
        let (repetition, definition) = (stored.header.repetitionLength, stored.header.definitionLength)
        guard repetition >= 0, definition >= 0, repetition <= stored.bytes.count,
            definition <= stored.bytes.count - repetition, repetition + definition <= stored.header.uncompressedSize
        else { throw fault("levels run past their page", at: stored.offset) }
        return repetition + definition
    }

    /// Exactly `count` decompressed bytes.
    private func content(
        _ stored: UnsafeRawBufferPointer,
        _ count: Int,
        _ offset: Int,
        _ scratch: ParquetScratch
    ) throws(MalformedFile) -> UnsafeRawBufferPointer {
        if codec == .uncompressed { return try uncompressed(stored, count, offset) }
        // Some writers store a byte or two for nothing, others nothing.
        if count == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let content = scratch.room(count)
        guard codec.decompress(stored, into: content) else {
            throw fault("a page does not decompress with \(codec) to \(count) bytes", at: offset)
        }
        return UnsafeRawBufferPointer(content)
    }

    private func uncompressed(
        _ stored: UnsafeRawBufferPointer,
        _ count: Int,
        _ offset: Int
    ) throws(MalformedFile) -> UnsafeRawBufferPointer {
        guard stored.count == count else {
            throw fault("a page has \(stored.count) bytes, its header says \(count)", at: offset)
        }
        return stored
    }
}
