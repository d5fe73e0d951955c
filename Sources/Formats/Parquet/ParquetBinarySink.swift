import Columns

/// Text and byte strings, and what is shown as text.
struct ParquetBinarySink: ParquetSink {
    enum Form {
        /// The stored bytes.
        case bytes
        /// The stored bytes, which must be UTF-8.
        case text
        case uuid
        case decimal(scale: Int)
    }

    private let form: Form
    private let leaf: ParquetSchemaElement
    private let firstRow: Int
    /// The most bytes the rows may take together: a dictionary can repeat one long value without end.
    private let limit: Int
    private(set) var strings = ParquetStrings()
    private var validity = ValidityBits()
    private var dictionary: Dictionary?
    /// Values as stored, where they are shown in another form.
    private var stored = ParquetStrings()

    private struct Dictionary {
        var entries = ParquetStrings()
        /// What is wrong with entries, which matters only where a row uses one.
        var refusals: [Int: String] = [:]
    }

    init(_ form: Form, _ column: ParquetColumn, firstRow: Int, reserving rows: Int, bytes: Int, limit: Int) {
        self.form = form
        self.leaf = column.element
        self.firstRow = firstRow
        self.limit = limit
        strings.reserve(rows: rows, bytes: min(bytes, limit))
    }

    var rowCount: Int { strings.count }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        var result = Dictionary()
        var values = ParquetStrings()
        try leaf.decode(bytes, .plain, count: count, into: &values, limit: limit)
        switch form {
        case .bytes: result.entries = values
        case .text:
            var next = 0
            while let invalid = values.firstInvalidUTF8(from: next) {
                result.refusals[invalid] = Self.invalidText
                next = invalid + 1
                if next == values.count { break }
            }
            result.entries = values
        case .uuid, .decimal:
            values.withRows { ends, data in
                var start = 0
                var text: [UInt8] = []
                for (entry, end) in ends.enumerated() {
                    text.removeAll(keepingCapacity: true)
                    if let refusal = show(UnsafeRawBufferPointer(rebasing: data[start..<end]), &text) {
                        result.refusals[entry] = refusal
                    }
                    result.entries.append(text)
                    start = end
                }
            }
        }
        dictionary = result
    }

    private static let invalidText = "the text is not valid UTF-8; write it as UTF-8, or read the column as bytes"

    /// Appends what a value is shown as, or returns what is wrong with it.
    private func show(_ value: UnsafeRawBufferPointer, _ text: inout [UInt8]) -> String? {
        switch form {
        case .bytes, .text: text.append(contentsOf: value)
        case .uuid: appendUUIDText(value, to: &text)
        case .decimal(let scale):
            // 32 bytes hold the 76 digits of the widest decimals; more would take long to divide.
            guard !value.isEmpty, value.count <= 64 else { return "a decimal of \(value.count) bytes; cast the column" }
            let isBigEndian = leaf.type == .byteArray || leaf.type == .fixedLengthByteArray
            appendDecimalText(twosComplement: value, isBigEndian: isBigEndian, scale: scale, to: &text)
        }
        return nil
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page)
        let first = strings.count
        switch page.encoding {
        case .rleDictionary, .plainDictionary:
            guard rows.validCount > 0 else { break }
            guard let dictionary else { throw .noDictionary }
            try appendEntries(dictionary, page, rows)
        default:
            switch form {
            case .bytes, .text:
                try leaf.decode(page.values, page.encoding, count: rows.validCount, into: &strings, limit: limit)
                if case .text = form, rows.validCount > 0, let invalid = strings.firstInvalidUTF8(from: first) {
                    let row = firstRow + first + rows.row(ofValue: invalid - first)
                    throw .value(row: row, Self.invalidText)
                }
            case .uuid, .decimal: try appendShown(page, rows)
            }
        }
        strings.spread(rows)
        rows.append(to: &validity)
    }

    private mutating func appendShown(_ page: ParquetPage, _ rows: ParquetRows) throws(ParquetValueFault) {
        stored.removeAll()
        try leaf.decode(page.values, page.encoding, count: rows.validCount, into: &stored, limit: limit)
        let first = firstRow + strings.count
        let shown = try stored.withRows { (ends, data) throws(ParquetValueFault) -> ParquetStrings in
            var shown = ParquetStrings()
            var start = 0
            var text: [UInt8] = []
            for (position, end) in ends.enumerated() {
                text.removeAll(keepingCapacity: true)
                if let refusal = show(UnsafeRawBufferPointer(rebasing: data[start..<end]), &text) {
                    throw .value(row: first + rows.row(ofValue: position), refusal)
                }
                shown.append(text)
                start = end
            }
            return shown
        }
        try strings.append(shown, limit: limit)
    }

    private mutating func appendEntries(
        _ dictionary: Dictionary,
        _ page: ParquetPage,
        _ rows: ParquetRows
    ) throws(ParquetValueFault) {
        let first = firstRow + strings.count
        let limit = limit
        try ParquetIndices.forEachBlock(page.values, count: rows.validCount, dictionaryCount: dictionary.entries.count)
        {
            (indices, start) throws(ParquetValueFault) in
            if !dictionary.refusals.isEmpty {
                for (position, index) in indices.enumerated() {
                    guard let refusal = dictionary.refusals[Int(index)] else { continue }
                    throw .value(row: first + rows.row(ofValue: start + position), refusal)
                }
            }
            try strings.appendEntries(dictionary.entries, indices, limit: limit)
        }
    }

    mutating func endChunk() { dictionary = nil }

    mutating func finishStrings() -> BinaryColumn {
        let (offsets, data) = strings.finish()
        return BinaryColumn(offsets: offsets, data: data, validity: validity.finish())
    }

    mutating func finish() -> Column {
        if case .bytes = form { return .bytes(finishStrings()) }
        return .string(finishStrings())
    }
}

extension ParquetSchemaElement {
    /// Appends values in an encoding that has no dictionary as byte strings.
    func decode(
        _ values: UnsafeRawBufferPointer,
        _ encoding: ParquetEncoding,
        count: Int,
        into strings: inout ParquetStrings,
        limit: Int
    ) throws(ParquetValueFault) {
        switch (encoding, type) {
        case (.plain, .byteArray): try strings.appendPlain(values, count: count, limit: limit)
        case (.deltaLengthByteArray, .byteArray): try strings.appendDeltaLengths(values, count: count, limit: limit)
        case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray):
            let first = strings.count
            try strings.appendDeltaStrings(values, count: count, limit: limit)
            guard type == .fixedLengthByteArray else { break }
            for row in first..<first + count where strings.offsets[row + 1] - strings.offsets[row] != length {
                throw ParquetValueFault(detail: "a value does not have \(length) bytes")
            }
        case (.plain, .some) where width > 0:
            try strings.appendFixed(values, width: width, count: count, limit: limit)
        case (_, .some(let type)) where type != .byteArray && width > 0:
            let stored = ParquetScratch()
            guard count > 0 else { break }
            guard count <= limit / width else { throw .cutShort }
            let room = stored.room(count * width)
            if let base = room.baseAddress { try decode(values, encoding, count: count, into: base) }
            try strings.appendFixed(UnsafeRawBufferPointer(room), width: width, count: count, limit: limit)
        default: throw .encoding(encoding, type)
        }
    }
}
