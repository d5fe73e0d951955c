import Columns

/// Text and byte strings.
struct ParquetBinarySink: ParquetSink {
    private let isOptional: Bool
    private let isText: Bool
    /// The most bytes the rows may take together: a dictionary can repeat one long value without end.
    private let limit: Int
    private var offsets = [0]
    private var data: [UInt8] = []
    private var validity = ValidityBits()
    private var entryOffsets: [Int]?
    private var entryData: [UInt8] = []

    init(isOptional: Bool, isText: Bool, limit: Int) {
        self.isOptional = isOptional
        self.isText = isText
        self.limit = limit
    }

    var rowCount: Int { offsets.count - 1 }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        guard count <= bytes.count / 4 else { throw .cutShort }
        var offsets = [0]
        entryData = []
        var position = 0
        for _ in 0..<count {
            let text = try Self.next(bytes, &position)
            entryData.append(contentsOf: text)
            offsets.append(entryData.count)
        }
        entryOffsets = offsets
        if isText, firstRowOfInvalidUTF8(offsets: offsets, data: entryData, from: 0) != nil {
            throw ParquetValueFault(detail: "a string is not valid UTF-8")
        }
    }

    /// The byte string at `position`, which moves past it.
    @inline(__always)
    private static func next(
        _ bytes: UnsafeRawBufferPointer,
        _ position: inout Int
    ) throws(ParquetValueFault) -> UnsafeRawBufferPointer {
        guard bytes.count &- position >= 4 else { throw .cutShort }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        position &+= 4
        guard length <= bytes.count &- position else { throw .cutShort }
        defer { position &+= length }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position &+ length])
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page, isOptional: isOptional)
        let firstRow = rowCount
        switch page.encoding {
        case .plain:
            guard rows.validCount <= page.values.count / 4 else { throw .cutShort }
            try appendPlain(page.values, rows)
            if isText, firstRowOfInvalidUTF8(offsets: offsets, data: data, from: firstRow) != nil {
                throw ParquetValueFault(detail: "a string is not valid UTF-8")
            }
        case .rleDictionary, .plainDictionary:
            guard let entryOffsets else { throw .noDictionary }
            let indices = try dictionaryIndices(page, count: rows.validCount, dictionaryCount: entryOffsets.count - 1)
            try appendEntries(indices, entryOffsets, rows)
        default: throw .encoding(page.encoding)
        }
        rows.append(to: &validity)
    }

    private mutating func appendPlain(
        _ values: UnsafeRawBufferPointer,
        _ rows: ParquetRows
    ) throws(ParquetValueFault) {
        offsets.reserveCapacity(max(offsets.capacity, offsets.count + rows.count))
        var position = 0
        for row in 0..<rows.count {
            if rows.levels.map({ $0[row] != 0 }) ?? (rows.validCount > 0) {
                data.append(contentsOf: try Self.next(values, &position))
            }
            offsets.append(data.count)
        }
    }

    private mutating func appendEntries(
        _ indices: [UInt32],
        _ entries: [Int],
        _ rows: ParquetRows
    ) throws(ParquetValueFault) {
        var added = 0
        entries.withUnsafeBufferPointer { entries in
            for index in indices { added &+= entries[Int(index) &+ 1] &- entries[Int(index)] }
        }
        guard added <= limit - data.count else {
            throw ParquetValueFault(reason: .unsupported, detail: "the values take more than \(limit) bytes")
        }
        let needed = data.count + added
        if data.capacity < needed { data.reserveCapacity(max(needed, min(2 * data.count, limit))) }
        offsets.reserveCapacity(max(offsets.capacity, offsets.count + rows.count))
        var next = 0
        entryData.withUnsafeBufferPointer { bytes in
            for row in 0..<rows.count {
                if rows.levels.map({ $0[row] != 0 }) ?? (rows.validCount > 0) {
                    let index = Int(indices[next])
                    next &+= 1
                    data.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[entries[index]..<entries[index &+ 1]]))
                }
                offsets.append(data.count)
            }
        }
    }

    mutating func endChunk() { entryOffsets = nil }

    mutating func finish() -> Column {
        defer { self = Self(isOptional: isOptional, isText: isText, limit: limit) }
        let column = BinaryColumn(offsets: offsets, data: data, validity: validity.finish())
        return isText ? .string(column) : .bytes(column)
    }
}
