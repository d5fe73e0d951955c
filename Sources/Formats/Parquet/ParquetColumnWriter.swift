import Columns

/// Encodes a range of one column's rows as a column chunk.
struct ParquetColumnWriter {
    /// The body of a page is kept near this size, and always holds whole rows.
    static let pageBytes = 1 << 20
    static let pageRows = 1 << 17
    /// A page must fit the 31-bit sizes of its header and one LZ4 block.
    static let pageLimit = 2_000_000_000
    /// A dictionary page takes no more, so that a reader's look-ups stay in its cache.
    static let dictionaryBytes = 1 << 20

    private(set) var pages: ParquetPages
    var statistics = ParquetWrittenStatistics()
    /// The page that is being filled; kept, so that the next one takes no new memory.
    private var body: [UInt8] = []

    init(_ pages: ParquetPages) { self.pages = pages }

    /// Bytes that are no page: the file's frame.
    mutating func append(_ bytes: [UInt8]) throws { try pages.append(bytes) }

    /// Writes the rows as one chunk and returns what the footer says of it.
    mutating func write(_ column: Column, rows: Range<Int>, name: String) throws -> ParquetWrittenChunk {
        pages.beginChunk()
        let validity = column.validity
        statistics = ParquetWrittenStatistics()
        statistics.nullCount = validity.map { rows.count - $0.setCount(in: rows) } ?? 0
        switch column {
        case .bool(let column): try writeBools(dense(column.values, validity, rows), validity, rows)
        case .int64(let column), .timestamp(let column):
            try dense(column.values, validity, rows).withUnsafeBytes { values in
                let entries = try writeWords(values.bindMemory(to: UInt64.self), validity, rows)
                statistics.distinctCount = entries?.count
                statistics.bounds = bounds(values, entries) { ParquetBounds.of($0.bindMemory(to: Int64.self)) }
            }
        case .float64(let column):
            try dense(column.values, validity, rows).withUnsafeBytes { values in
                // The entries are bit patterns, so their number is not that of distinct numbers.
                let entries = try writeWords(values.bindMemory(to: UInt64.self), validity, rows)
                statistics.bounds = bounds(values, entries) { ParquetBounds.of($0.bindMemory(to: Double.self)) }
            }
        case .float32(let column):
            try dense(column.values, validity, rows).withUnsafeBytes { values in
                try writePlain(values, stride: 4, validity, rows)
                statistics.bounds = ParquetBounds.of(values.bindMemory(to: Float.self))
            }
        case .string(let column): try writeBinary(column, rows, name, isText: true)
        case .bytes(let column): try writeBinary(column, rows, name, isText: false)
        case .vector(let column): try writeVectors(column, rows)
        }
        var chunk = pages.chunk
        chunk.statistics = statistics
        return chunk
    }

    /// The bounds of a dictionary's entries are those of the values, and there are fewer of them.
    private func bounds(
        _ values: UnsafeRawBufferPointer,
        _ entries: [UInt64]?,
        _ find: (UnsafeRawBufferPointer) -> ParquetBounds?
    ) -> ParquetBounds? {
        entries.map { $0.withUnsafeBytes(find) } ?? find(values)
    }

    /// The values of a range of rows that are not null.
    private func dense<Value: BitwiseCopyable>(
        _ values: [Value],
        _ validity: Bitmap?,
        _ rows: Range<Int>
    ) -> ArraySlice<Value> {
        guard let validity, statistics.nullCount > 0 else { return values[rows] }
        // Each value is stored and kept or overwritten: no branch to foresee, and room for one more at the end.
        let capacity = rows.count - statistics.nullCount + 1
        let result = [Value](unsafeUninitializedCapacity: capacity) { result, count in
            values.withUnsafeBufferPointer { values in
                var row = rows.lowerBound
                while row < rows.upperBound {
                    let end = min(rows.upperBound, row &+ 64)
                    var bits = validity.bits(at: row, count: end &- row)
                    while row < end {
                        result[count] = values[row]
                        count &+= Int(truncatingIfNeeded: bits & 1)
                        bits &>>= 1
                        row &+= 1
                    }
                }
            }
        }
        return result[...]
    }

    /// Calls `writeValues` for each page with the positions of its values among the dense ones.
    @inline(__always)
    private mutating func eachPage(
        _ rows: Range<Int>,
        _ validity: Bitmap?,
        rowsPerPage: Int,
        encoding: ParquetEncoding,
        _ writeValues: (inout [UInt8], Range<Int>) -> Void
    ) throws {
        var row = rows.lowerBound
        var first = 0
        while row < rows.upperBound {
            let pageRows = row..<min(rows.upperBound, row + max(1, min(rowsPerPage, Self.pageRows)))
            let valid = statistics.nullCount == 0 ? pageRows.count : validity?.setCount(in: pageRows) ?? pageRows.count
            try writePage(pageRows, validity, validCount: valid, encoding: encoding) {
                writeValues(&$0, first..<first + valid)
            }
            first += valid
            row = pageRows.upperBound
        }
    }

    /// Writes one page: the definition levels of its rows, and what `writeValues` appends.
    @inline(__always)
    mutating func writePage(
        _ rows: Range<Int>,
        _ validity: Bitmap?,
        validCount: Int,
        encoding: ParquetEncoding,
        _ writeValues: (inout [UInt8]) -> Void
    ) throws {
        try writePage(valueCount: rows.count, encoding: encoding) { body in
            body.appendSized { HybridEncoder.appendLevels(validity, rows: rows, validCount: validCount, to: &$0) }
            writeValues(&body)
        }
    }

    @inline(__always)
    mutating func writePage(
        valueCount: Int,
        encoding: ParquetEncoding,
        _ write: (inout [UInt8]) -> Void
    ) throws {
        body.removeAll(keepingCapacity: true)
        write(&body)
        try pages.appendDataPage(body, valueCount: valueCount, encoding: encoding)
    }

    private mutating func writeBools(_ values: ArraySlice<Bool>, _ validity: Bitmap?, _ rows: Range<Int>) throws {
        if !values.isEmpty {
            statistics.bounds = ParquetBounds(
                minimum: [values.contains(false) ? 0 : 1],
                maximum: [values.contains(true) ? 1 : 0]
            )
        }
        try eachPage(rows, validity, rowsPerPage: Self.pageRows, encoding: .plain) { body, range in
            var packed: UInt8 = 0
            for position in range {
                let bit = (position - range.lowerBound) & 7
                if values[values.startIndex + position] { packed |= 1 << UInt8(bit) }
                if bit == 7 || position == range.upperBound - 1 {
                    body.append(packed)
                    packed = 0
                }
            }
        }
    }

    private mutating func writePlain(
        _ values: UnsafeRawBufferPointer,
        stride: Int,
        _ validity: Bitmap?,
        _ rows: Range<Int>
    ) throws {
        try eachPage(rows, validity, rowsPerPage: Self.pageBytes / stride, encoding: .plain) { body, range in
            let bytes = range.lowerBound * stride..<range.upperBound * stride
            body.append(contentsOf: UnsafeRawBufferPointer(rebasing: values[bytes]))
        }
    }

    /// Writes eight-byte values: by dictionary where that is clearly smaller, and then returns its entries.
    private mutating func writeWords(
        _ words: UnsafeBufferPointer<UInt64>,
        _ validity: Bitmap?,
        _ rows: Range<Int>
    ) throws -> [UInt64]? {
        let seed = dictionarySeed
        let limit = Self.entryLimit(wordCount: words.count)
        let isPromising = ParquetDictionary.isPromising(
            count: words.count,
            hash: { permuted(words[$0], seed) },
            areEqual: { _, _ in true }
        )
        guard limit > 0, isPromising,
            let dictionary = ParquetDictionary(
                count: words.count,
                entryLimit: limit,
                hash: { permuted(words[$0], seed) },
                areEqual: { _, _ in true }
            )
        else {
            try writePlain(UnsafeRawBufferPointer(words), stride: 8, validity, rows)
            return nil
        }
        let entries = dictionary.entries.map { words[$0] }
        try writeIndices(dictionary, entries.withUnsafeBytes { Array($0) }, validity, rows)
        return entries
    }

    /// The most entries with which a dictionary and its indices take three quarters of the plain values or less.
    private static func entryLimit(wordCount: Int) -> Int {
        for width in stride(from: 17, through: 1, by: -1) {
            let entries = min(1 << width, (6 * wordCount - wordCount * width / 8) / 8)
            // With fewer entries the indices are narrower, which the next width counts.
            if entries > 1 << (width - 1) { return min(entries, dictionaryBytes / 8) }
        }
        return wordCount > 1 ? 1 : 0
    }

    mutating func writeIndices(
        _ dictionary: ParquetDictionary,
        _ entries: [UInt8],
        _ validity: Bitmap?,
        _ rows: Range<Int>
    ) throws {
        let width = dictionary.width
        try pages.appendDictionaryPage(entries, valueCount: dictionary.entries.count)
        try eachPage(rows, validity, rowsPerPage: Self.pageRows, encoding: .rleDictionary) { body, range in
            body.append(UInt8(width))
            dictionary.indices.withUnsafeBufferPointer { indices in
                HybridEncoder.append(UnsafeBufferPointer(rebasing: indices[range]), width: width, to: &body)
            }
        }
    }
}

extension [UInt8] {
    /// Appends what `write` appends, with its length in four bytes before it.
    mutating func appendSized(_ write: (inout [UInt8]) -> Void) {
        let start = count
        append(contentsOf: [0, 0, 0, 0])
        write(&self)
        let length = UInt32(count - start - 4)
        for byte in 0..<4 { self[start + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte)) }
    }
}
