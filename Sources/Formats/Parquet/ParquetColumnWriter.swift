import Columns

/// Encodes a range of one column's rows as a column chunk.
struct ParquetColumnWriter {
    /// The body of a page is kept near this size, and always holds whole rows.
    private static let pageBytes = 1 << 20
    private static let pageRows = 1 << 17
    /// A page must fit the 31-bit sizes of its header and one LZ4 block.
    private static let pageLimit = 2_000_000_000

    private(set) var pages: ParquetPages
    private(set) var statistics = ParquetRawStatistics()
    /// Levels of the chunk: its rows, or for vectors the elements and null rows.
    private(set) var valueCount = 0
    private var body: [UInt8] = []

    init(_ options: ParquetOptions) { pages = ParquetPages(options) }

    mutating func write(_ column: Column, rows: Range<Int>, name: String) throws(UnwritableValue) {
        valueCount = rows.count
        let validity = column.validity
        statistics.nullCount = validity.map { rows.count - $0.setCount(in: rows) } ?? 0
        switch column {
        case .bool(let column): writeBools(dense(column.values, validity, rows), validity, rows)
        case .int64(let column), .timestamp(let column):
            let values = dense(column.values, validity, rows)
            setBounds(ParquetBounds.of(values))
            writeWords(values, validity, rows)
        case .float64(let column):
            let values = dense(column.values, validity, rows)
            setBounds(ParquetBounds.of(values))
            writeWords(values, validity, rows)
        case .float32(let column):
            let values = dense(column.values, validity, rows)
            setBounds(ParquetBounds.of(values))
            writePlain(values, validity, rows)
        case .string(let column), .bytes(let column): try writeBinary(column, rows, name)
        case .vector(let column): writeVectors(column, rows)
        }
    }

    private mutating func setBounds(_ bounds: (minimum: [UInt8], maximum: [UInt8])?) {
        statistics.minimum = bounds?.minimum
        statistics.maximum = bounds?.maximum
    }

    /// The non-null values of a range of rows.
    private func dense<Value>(_ values: [Value], _ validity: Bitmap?, _ rows: Range<Int>) -> ArraySlice<Value> {
        guard let validity, validity.setCount(in: rows) < rows.count else { return values[rows] }
        var result: [Value] = []
        result.reserveCapacity(rows.count)
        for row in rows where validity[row] { result.append(values[row]) }
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
    ) {
        var row = rows.lowerBound
        var first = 0
        while row < rows.upperBound {
            let pageRows = row..<min(rows.upperBound, row + max(1, min(rowsPerPage, Self.pageRows)))
            let valid = validity.map { $0.setCount(in: pageRows) } ?? pageRows.count
            body.removeAll(keepingCapacity: true)
            appendDefinitionLevels(validity, pageRows)
            writeValues(&body, first..<first + valid)
            pages.appendDataPage(body, valueCount: pageRows.count, encoding: encoding)
            first += valid
            row = pageRows.upperBound
        }
    }

    private mutating func appendDefinitionLevels(_ validity: Bitmap?, _ rows: Range<Int>) {
        let start = body.count
        body.append(contentsOf: [0, 0, 0, 0])
        HybridEncoder.appendLevels(validity, rows: rows, to: &body)
        body.storeLength(at: start)
    }

    private mutating func writeBools(_ values: ArraySlice<Bool>, _ validity: Bitmap?, _ rows: Range<Int>) {
        if !values.isEmpty {
            statistics.minimum = [values.contains(false) ? 0 : 1]
            statistics.maximum = [values.contains(true) ? 1 : 0]
        }
        eachPage(rows, validity, rowsPerPage: Self.pageRows, encoding: .plain) { body, range in
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

    private mutating func writePlain<Value>(_ values: ArraySlice<Value>, _ validity: Bitmap?, _ rows: Range<Int>) {
        let rowsPerPage = Self.pageBytes / MemoryLayout<Value>.stride
        eachPage(rows, validity, rowsPerPage: rowsPerPage, encoding: .plain) { body, range in
            values.withUnsafeBytes { bytes in
                let stride = MemoryLayout<Value>.stride
                body.append(contentsOf: bytes[range.lowerBound * stride..<range.upperBound * stride])
            }
        }
    }

    /// Eight-byte values: by dictionary where that is smaller.
    private mutating func writeWords<Value>(_ values: ArraySlice<Value>, _ validity: Bitmap?, _ rows: Range<Int>) {
        let seed = dictionarySeed
        let dictionary = values.withUnsafeBytes { bytes in
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            return ParquetDictionary(
                count: words.count,
                hash: { mixed(words[$0], seed) },
                areEqual: { words[$0] == words[$1] }
            )
        }
        guard let dictionary, !values.isEmpty,
            8 * dictionary.entries.count + dictionary.width * values.count / 8 < 8 * values.count
        else { return writePlain(values, validity, rows) }
        var entries: [UInt8] = []
        values.withUnsafeBytes { bytes in
            for entry in dictionary.entries { entries.append(contentsOf: bytes[entry * 8..<entry * 8 + 8]) }
        }
        writeIndices(dictionary, entries, validity, rows)
    }

    private mutating func writeIndices(
        _ dictionary: ParquetDictionary,
        _ entries: [UInt8],
        _ validity: Bitmap?,
        _ rows: Range<Int>
    ) {
        let width = dictionary.width
        pages.appendDictionaryPage(entries, valueCount: dictionary.entries.count)
        eachPage(rows, validity, rowsPerPage: Self.pageRows, encoding: .rleDictionary) { body, range in
            body.append(UInt8(width))
            dictionary.indices.withUnsafeBufferPointer { indices in
                HybridEncoder.append(UnsafeBufferPointer(rebasing: indices[range]), width: width, to: &body)
            }
        }
    }

    private mutating func writeBinary(_ column: BinaryColumn, _ rows: Range<Int>, _ name: String)
        throws(UnwritableValue)
    {
        let validity = column.validity
        let validRows = rows.filter { column.isValid($0) }
        setBounds(ParquetBounds.of(column, validRows))
        if let row = validRows.first(where: { column.range($0).count > Self.pageLimit }) {
            throw UnwritableValue(
                format: "Parquet",
                column: name,
                detail: "a value has \(column.range(row).count) bytes; a page holds at most \(Self.pageLimit)"
            )
        }
        let seed = dictionarySeed
        let dictionary = column.data.withUnsafeBytes { data in
            column.offsets.withUnsafeBufferPointer { offsets in
                validRows.withUnsafeBufferPointer { rows in
                    func bytes(_ position: Int) -> UnsafeRawBufferPointer {
                        UnsafeRawBufferPointer(rebasing: data[offsets[rows[position]]..<offsets[rows[position] &+ 1]])
                    }
                    return ParquetDictionary(
                        count: rows.count,
                        hash: { hashed(bytes($0), seed) },
                        areEqual: { bytes($0).elementsEqualFast(bytes($1)) }
                    )
                }
            }
        }
        if let dictionary {
            var entries: [UInt8] = []
            for entry in dictionary.entries { entries.appendPlain(column, validRows[entry]) }
            let plainSize = validRows.reduce(0) { $0 + 4 + column.range($1).count }
            if entries.count <= Self.pageBytes, entries.count + dictionary.width * validRows.count / 8 < plainSize {
                return writeIndices(dictionary, entries, validity, rows)
            }
        }
        writePlainBinary(column, rows)
    }

    private mutating func writePlainBinary(_ column: BinaryColumn, _ rows: Range<Int>) {
        var row = rows.lowerBound
        while row < rows.upperBound {
            var end = row
            var size = 0
            while end < rows.upperBound, end - row < Self.pageRows, size < Self.pageBytes {
                let next = column.range(end).count + 4
                if end > row, size + next > Self.pageBytes { break }
                size += next
                end += 1
            }
            body.removeAll(keepingCapacity: true)
            appendDefinitionLevels(column.validity, row..<end)
            for row in row..<end where column.isValid(row) { body.appendPlain(column, row) }
            pages.appendDataPage(body, valueCount: end - row, encoding: .plain)
            row = end
        }
    }

    /// Vectors are lists of required elements: a level pair for each element, or one for a null row.
    private mutating func writeVectors(_ column: VectorColumn, _ rows: Range<Int>) {
        let dimension = column.dimension
        let rowsPerPage = max(1, min(Self.pageRows, Self.pageBytes / 4) / dimension)
        valueCount = 0
        var row = rows.lowerBound
        while row < rows.upperBound {
            let end = min(rows.upperBound, row + rowsPerPage)
            var repetition: [UInt32] = []
            var definition: [UInt32] = []
            for row in row..<end {
                repetition.append(0)
                if column.isValid(row) {
                    repetition.append(contentsOf: repeatElement(1, count: dimension - 1))
                    definition.append(contentsOf: repeatElement(2, count: dimension))
                } else {
                    definition.append(0)
                }
            }
            body.removeAll(keepingCapacity: true)
            for (levels, width) in [(repetition, 1), (definition, 2)] {
                let start = body.count
                body.append(contentsOf: [0, 0, 0, 0])
                levels.withUnsafeBufferPointer { HybridEncoder.append($0, width: width, to: &body) }
                body.storeLength(at: start)
            }
            column.values.withUnsafeBytes { bytes in
                for row in row..<end where column.isValid(row) {
                    body.append(contentsOf: bytes[row * dimension * 4..<(row + 1) * dimension * 4])
                }
            }
            pages.appendDataPage(body, valueCount: definition.count, encoding: .plain)
            valueCount += definition.count
            row = end
        }
    }
}

extension [UInt8] {
    /// Fills in the four bytes at `start` with the count of the bytes after them.
    fileprivate mutating func storeLength(at start: Int) {
        let length = UInt32(count - start - 4)
        for byte in 0..<4 { self[start + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte)) }
    }

    /// A byte string with its length before it.
    fileprivate mutating func appendPlain(_ column: BinaryColumn, _ row: Int) {
        let range = column.range(row)
        Swift.withUnsafeBytes(of: UInt32(range.count).littleEndian) { append(contentsOf: $0) }
        column.data.withUnsafeBytes { append(contentsOf: $0[range]) }
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func elementsEqualFast(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var position = 0
        while position &+ 8 <= count {
            guard
                loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    == other.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            else { return false }
            position &+= 8
        }
        while position < count {
            guard self[position] == other[position] else { return false }
            position &+= 1
        }
        return true
    }
}
