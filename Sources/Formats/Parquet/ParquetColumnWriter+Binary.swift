import Columns

extension ParquetColumnWriter {
    /// Writes byte strings: by dictionary where that is clearly smaller.
    mutating func writeBinary(_ column: BinaryColumn, _ rows: Range<Int>, _ name: String, isText: Bool) throws {
        if let row = rows.first(where: { column.range($0).count > Self.pageLimit }) {
            throw UnwritableValue(
                format: "Parquet",
                column: name,
                detail: "a value has \(column.range(row).count) bytes; a page holds at most \(Self.pageLimit)"
            )
        }
        // The rows that are not null, where some are.
        let valid = statistics.nullCount == 0 ? nil : rows.filter { column.isValid($0) }
        let first = rows.lowerBound
        let count = rows.count - statistics.nullCount
        let dictionary = column.data.withUnsafeBytes { data in
            column.offsets.withUnsafeBufferPointer { offsets in
                @inline(__always)
                func range(_ position: Int) -> Range<Int> {
                    let row = valid?[position] ?? first &+ position
                    return offsets[row]..<offsets[row &+ 1]
                }
                let dictionary = Self.dictionary(data, count: count, range: range)
                let isUsed = dictionary.map { Self.isUseful($0, count: count, range: range) } ?? false
                guard let dictionary, isUsed else {
                    statistics.bounds = ParquetBounds.of(data, count: count, isText: isText, range: range)
                    return nil as ParquetDictionary?
                }
                let entries = dictionary.entries
                statistics.distinctCount = entries.count
                statistics.bounds = ParquetBounds.of(data, count: entries.count, isText: isText) { range(entries[$0]) }
                return dictionary
            }
        }
        guard let dictionary else { return try writePlainBinary(column, rows) }
        var entries: [UInt8] = []
        for entry in dictionary.entries { entries.appendPlain(column, valid?[entry] ?? first + entry) }
        try writeIndices(dictionary, entries, column.validity, rows)
    }

    @inline(__always)
    private static func dictionary(
        _ data: UnsafeRawBufferPointer,
        count: Int,
        range: (Int) -> Range<Int>
    ) -> ParquetDictionary? {
        let seed = dictionarySeed
        @inline(__always)
        func hash(_ position: Int) -> UInt64 { hashed(UnsafeRawBufferPointer(rebasing: data[range(position)]), seed) }
        @inline(__always)
        func areEqual(_ left: Int, _ right: Int) -> Bool {
            areSame(data, range(left), range(right))
        }
        guard count > 0, ParquetDictionary.isPromising(count: count, hash: hash, areEqual: areEqual) else { return nil }
        // An entry takes at least its length's four bytes.
        let limit = min(count, dictionaryBytes / 4)
        return ParquetDictionary(count: count, entryLimit: limit, hash: hash, areEqual: areEqual)
    }

    /// Whether a dictionary and its indices take three quarters of the plain values or less.
    @inline(__always)
    private static func isUseful(_ dictionary: ParquetDictionary, count: Int, range: (Int) -> Range<Int>) -> Bool {
        let entryBytes = dictionary.entries.reduce(0) { $0 + 4 + range($1).count }
        let plainBytes = (0..<count).reduce(0) { $0 + 4 + range($1).count }
        return entryBytes <= dictionaryBytes && entryBytes + dictionary.width * count / 8 <= plainBytes / 4 * 3
    }

    private mutating func writePlainBinary(_ column: BinaryColumn, _ rows: Range<Int>) throws {
        let validity = column.validity
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
            let page = row..<end
            let validCount = validity?.setCount(in: page) ?? page.count
            try writePage(page, validity, validCount: validCount, encoding: .plain) { body in
                body.reserveCapacity(body.count + size)
                for row in page where validity?[row] ?? true { body.appendPlain(column, row) }
            }
            row = end
        }
    }

    @inline(__always)
    private static func areSame(_ data: UnsafeRawBufferPointer, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        var position = 0
        while position &+ 8 <= left.count {
            guard
                data.loadUnaligned(fromByteOffset: left.lowerBound &+ position, as: UInt64.self)
                    == data.loadUnaligned(fromByteOffset: right.lowerBound &+ position, as: UInt64.self)
            else { return false }
            position &+= 8
        }
        while position < left.count {
            guard data[left.lowerBound &+ position] == data[right.lowerBound &+ position] else { return false }
            position &+= 1
        }
        return true
    }
}

extension [UInt8] {
    /// Appends a byte string with its length before it.
    @inline(__always)
    fileprivate mutating func appendPlain(_ column: BinaryColumn, _ row: Int) {
        let range = column.range(row)
        Swift.withUnsafeBytes(of: UInt32(range.count).littleEndian) { append(contentsOf: $0) }
        column.data.withUnsafeBytes { append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
