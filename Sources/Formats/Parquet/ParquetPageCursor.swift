/// One data page, decompressed.
struct ParquetPage {
    /// Where its header begins in the file.
    let offset: Int
    let valueCount: Int
    let encoding: ParquetEncoding
    let definition: ParquetLevels
    let repetition: ParquetLevels
    let values: UnsafeRawBufferPointer
}

/// Walks the pages of a column chunk, checking each against its chunk, its checksum and the file.
struct ParquetPageCursor {
    let file: String
    private let bytes: UnsafeRawBufferPointer
    private let column: ParquetColumn
    private let chunk: ParquetChunk
    private let codec: ParquetCodec
    private var position: Int
    private let end: Int
    private var valuesLeft: Int
    private var isDictionarySeen = false
    private var buffer: [UInt8] = []

    /// - Parameter bytes: the whole file.
    init(
        _ bytes: UnsafeRawBufferPointer,
        file: String,
        column: ParquetColumn,
        chunk: ParquetChunk
    ) throws(MalformedFile) {
        self.bytes = bytes
        self.file = file
        self.column = column
        self.chunk = chunk
        let start =
            chunk.dictionaryPageOffset.map { $0 > 0 ? min($0, chunk.dataPageOffset) : chunk.dataPageOffset }
            ?? chunk.dataPageOffset
        position = start
        func fault(_ reason: MalformedFile.Reason, _ detail: String) -> MalformedFile {
            MalformedFile(reason, file: file, format: "Parquet", offset: start, "column '\(column.name)': \(detail)")
        }
        guard start >= 4, chunk.compressedSize >= 0, start <= bytes.count,
            chunk.compressedSize <= bytes.count - start
        else { throw fault(.malformed, "its \(chunk.compressedSize) bytes run past the end of the file") }
        end = start + chunk.compressedSize
        guard chunk.valueCount >= 0 else { throw fault(.malformed, "\(chunk.valueCount) values") }
        valuesLeft = chunk.valueCount
        guard !chunk.isExternal else { throw fault(.unsupported, "its data is in another file") }
        guard let codec = ParquetCodec(rawValue: chunk.codec), [.uncompressed, .snappy, .lz4Raw].contains(codec) else {
            let name = ParquetCodec(rawValue: chunk.codec).map { "\($0)" } ?? "codec \(chunk.codec)"
            throw fault(.unsupported, "compressed with \(name); write it uncompressed, or with LZ4_RAW or SNAPPY")
        }
        self.codec = codec
    }

    func fault(_ detail: String, at offset: Int, _ reason: MalformedFile.Reason = .malformed) -> MalformedFile {
        MalformedFile(reason, file: file, format: "Parquet", offset: offset, "column '\(column.name)': \(detail)")
    }

    /// Calls `body` for the chunk's dictionary page, if it has one, and then for each data page until it returns false.
    mutating func forEachPage(
        dictionary: (UnsafeRawBufferPointer, Int, Int) throws(MalformedFile) -> Void,
        _ body: (ParquetPage) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) {
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
            guard header.compressedSize >= 0, header.compressedSize <= end - start, header.uncompressedSize >= 0,
                header.uncompressedSize <= Int32.max
            else {
                throw fault("a page of \(header.compressedSize) bytes runs past its column chunk", at: offset)
            }
            position = start + header.compressedSize
            let stored = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            if let checksum = header.checksum, checksum != CRC32.checksum(stored) {
                throw fault("the checksum of a page does not match its bytes; the file is damaged", at: offset)
            }
            switch header.kind {
            case .dictionary:
                guard !isDictionarySeen, valuesLeft == chunk.valueCount, header.valueCount >= 0,
                    header.encoding == ParquetEncoding.plain.rawValue
                        || header.encoding == ParquetEncoding.plainDictionary.rawValue
                else { throw fault("a misplaced or unknown dictionary page", at: offset) }
                isDictionarySeen = true
                try decompressed(stored, header.uncompressedSize, isCompressed: true, offset) {
                    (_, content) throws(MalformedFile) in try dictionary(content, header.valueCount, offset)
                }
            case .data, .dataV2:
                guard header.valueCount >= 0, header.valueCount <= valuesLeft else {
                    throw fault(
                        "a page of \(header.valueCount) values, with \(valuesLeft) left in the chunk",
                        at: offset
                    )
                }
                guard let encoding = ParquetEncoding(rawValue: header.encoding) else {
                    throw fault("unknown encoding \(header.encoding)", at: offset)
                }
                valuesLeft -= header.valueCount
                let isGoingOn =
                    header.kind == .data
                    ? try readPage(stored, header, encoding, offset, body)
                    : try readPageV2(stored, header, encoding, offset, body)
                guard isGoingOn else { return }
            case .index: break
            case nil: throw fault("an unknown kind of page", at: offset)
            }
        }
    }

    private func levelWidth(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

    private func levels(_ bytes: UnsafeRawBufferPointer, max: Int, count: Int, _ offset: Int) throws(MalformedFile)
        -> ParquetLevels
    {
        guard max > 0 else { return .constant(0, count: count) }
        var decoder = HybridDecoder(bytes, width: levelWidth(max))
        guard let levels = decoder.levels(count: count) else { throw fault("levels are cut short", at: offset) }
        let isInRange =
            switch levels {
            case .constant(let level, _): level <= max
            case .each(let each): each.allSatisfy { $0 <= max }
            }
        guard isInRange else { throw fault("a level is over \(max)", at: offset) }
        return levels
    }

    private mutating func readPage(
        _ stored: UnsafeRawBufferPointer,
        _ header: ParquetPageHeader,
        _ encoding: ParquetEncoding,
        _ offset: Int,
        _ body: (ParquetPage) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) -> Bool {
        let rle = ParquetEncoding.rle.rawValue
        guard column.maxDefinition == 0 || header.definitionEncoding == rle,
            column.maxRepetition == 0 || header.repetitionEncoding == rle
        else { throw fault("levels are not RLE-encoded", at: offset, .unsupported) }
        let result = try decompressed(stored, header.uncompressedSize, isCompressed: true, offset) {
            (cursor, content) throws(MalformedFile) in
            var rest = content
            func takeLevels(max: Int) throws(MalformedFile) -> ParquetLevels {
                guard max > 0 else { return .constant(0, count: header.valueCount) }
                guard rest.count >= 4 else { throw cursor.fault("levels are cut short", at: offset) }
                let size = Int(UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self)))
                guard size <= rest.count - 4 else { throw cursor.fault("levels run past their page", at: offset) }
                let levels = UnsafeRawBufferPointer(rebasing: rest[4..<4 + size])
                rest = UnsafeRawBufferPointer(rebasing: rest[(4 + size)...])
                return try cursor.levels(levels, max: max, count: header.valueCount, offset)
            }
            let repetition = try takeLevels(max: cursor.column.maxRepetition)
            let definition = try takeLevels(max: cursor.column.maxDefinition)
            return try body(
                ParquetPage(
                    offset: offset,
                    valueCount: header.valueCount,
                    encoding: encoding,
                    definition: definition,
                    repetition: repetition,
                    values: rest
                )
            )
        }
        return result
    }

    private mutating func readPageV2(
        _ stored: UnsafeRawBufferPointer,
        _ header: ParquetPageHeader,
        _ encoding: ParquetEncoding,
        _ offset: Int,
        _ body: (ParquetPage) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) -> Bool {
        let (repetitionLength, definitionLength) = (header.repetitionLength, header.definitionLength)
        guard repetitionLength >= 0, definitionLength >= 0, repetitionLength <= stored.count,
            definitionLength <= stored.count - repetitionLength,
            repetitionLength + definitionLength <= header.uncompressedSize
        else { throw fault("levels run past their page", at: offset) }
        let levelLength = repetitionLength + definitionLength
        let repetition = try levels(
            UnsafeRawBufferPointer(rebasing: stored[..<repetitionLength]),
            max: column.maxRepetition,
            count: header.valueCount,
            offset
        )
        let definition = try levels(
            UnsafeRawBufferPointer(rebasing: stored[repetitionLength..<levelLength]),
            max: column.maxDefinition,
            count: header.valueCount,
            offset
        )
        return try decompressed(
            UnsafeRawBufferPointer(rebasing: stored[levelLength...]),
            header.uncompressedSize - levelLength,
            isCompressed: header.isCompressed,
            offset
        ) { (_, content) throws(MalformedFile) in
            try body(
                ParquetPage(
                    offset: offset,
                    valueCount: header.valueCount,
                    encoding: encoding,
                    definition: definition,
                    repetition: repetition,
                    values: content
                )
            )
        }
    }

    /// Gives `body` the page's content of exactly `count` bytes.
    private mutating func decompressed<Result>(
        _ stored: UnsafeRawBufferPointer,
        _ count: Int,
        isCompressed: Bool,
        _ offset: Int,
        _ body: (ParquetPageCursor, UnsafeRawBufferPointer) throws(MalformedFile) -> Result
    ) throws(MalformedFile) -> Result {
        guard isCompressed, codec != .uncompressed, count > 0 else {
            guard stored.count == count || (isCompressed && count == 0) else {
                throw fault("a page has \(stored.count) bytes, its header says \(count)", at: offset)
            }
            return try body(self, count == 0 ? UnsafeRawBufferPointer(start: nil, count: 0) : stored)
        }
        // Neither codec can expand its input more than 255 times, so memory is taken only for what can be there.
        guard count / 255 <= stored.count else {
            throw fault("\(stored.count) bytes cannot decompress to \(count)", at: offset)
        }
        var content = buffer
        buffer = []
        if content.count < count { content = [UInt8](repeating: 0, count: count) }
        let isSnappy = codec == .snappy
        let isWhole = content.withUnsafeMutableBytes { content in
            isSnappy
                ? Snappy.decompress(stored, into: content, count: count)
                : LZ4.decompressBlock(stored, into: content, count: count)
        }
        guard isWhole else { throw fault("a page does not decompress to \(count) bytes", at: offset) }
        let cursor = self
        let outcome = content.withUnsafeBytes { content in
            Swift.Result<Result, MalformedFile> { () throws(MalformedFile) -> Result in
                try body(cursor, UnsafeRawBufferPointer(rebasing: content[..<count]))
            }
        }
        buffer = content
        return try outcome.get()
    }
}
