import Columns

/// Numbers and timestamps.
struct ParquetFixedSink<Conversion: ParquetConversion>: ParquetSink {
    private let conversion: Conversion
    private let leaf: ParquetSchemaElement
    private let type: DataType
    /// The row of the file that the first row read is.
    private let firstRow: Int
    private var values = ParquetBuffer<Conversion.Value>()
    private var validity = ValidityBits()
    private var dictionary: Dictionary?
    private let scratch = ParquetScratch()

    private struct Dictionary {
        var entries: [Conversion.Value] = []
        /// What is wrong with entries that are not converted, which matters only where a row uses one.
        var refusals: [Int: String] = [:]
    }

    init(_ conversion: Conversion, _ column: ParquetColumn, _ type: DataType, firstRow: Int, reserving rows: Int) {
        self.conversion = conversion
        self.leaf = column.element
        self.type = type
        self.firstRow = firstRow
        values.reserve(rows)
    }

    var rowCount: Int { values.count }

    static var verbatimWidth: Int? { Conversion.isVerbatim ? MemoryLayout<Conversion.Value>.size : nil }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        let width = leaf.width
        guard count <= bytes.count / width else { throw .cutShort }
        var refusals: [Int: String] = [:]
        let entries = [Conversion.Value](unsafeUninitializedCapacity: count) { entries, written in
            written = count
            guard let base = bytes.baseAddress else { return }
            for position in 0..<count {
                let address = base + position &* width
                if let value = conversion.value(address) {
                    entries[position] = value
                } else {
                    entries[position] = .zero
                    refusals[position] = conversion.refusal(address)
                }
            }
        }
        dictionary = Dictionary(entries: entries, refusals: refusals)
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page)
        let (conversion, leaf, scratch, dictionary) = (conversion, leaf, scratch, dictionary)
        let first = firstRow + values.count
        try values.withRoom(for: rows.count) { target throws(ParquetValueFault) in
            switch page.encoding {
            case .rleDictionary, .plainDictionary:
                guard rows.validCount > 0 else { break }
                guard let dictionary else { throw .noDictionary }
                try Self.gather(page.values, dictionary, rows, target, first)
            case .plain:
                guard rows.validCount <= page.values.count / leaf.width else { throw .cutShort }
                if let base = page.values.baseAddress {
                    try Self.convert(base, leaf.width, conversion, rows, target, first)
                }
            default:
                if Conversion.isVerbatim {
                    try leaf.decode(page.values, page.encoding, count: rows.validCount, into: target)
                } else {
                    let stored = scratch.room(rows.validCount * leaf.width)
                    guard let base = stored.baseAddress else { break }
                    try leaf.decode(page.values, page.encoding, count: rows.validCount, into: base)
                    try Self.convert(base, leaf.width, conversion, rows, target, first)
                }
            }
            rows.spread(target, zero: .zero)
        }
        values.advance(by: rows.count)
        rows.append(to: &validity)
    }

    /// - Parameter first: the row of the file that the page begins with.
    @inline(__always)
    private static func convert(
        _ base: UnsafeRawPointer,
        _ width: Int,
        _ conversion: Conversion,
        _ rows: ParquetRows,
        _ target: UnsafeMutablePointer<Conversion.Value>,
        _ first: Int
    ) throws(ParquetValueFault) {
        let count = rows.validCount
        if Conversion.isVerbatim {
            UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: count * width)
            return
        }
        for position in 0..<count {
            guard let value = conversion.value(base + position &* width) else {
                let row = first + rows.row(ofValue: position)
                throw .value(row: row, conversion.refusal(base + position * width))
            }
            target[position] = value
        }
    }

    @inline(__always)
    private static func gather(
        _ values: UnsafeRawBufferPointer,
        _ dictionary: Dictionary,
        _ rows: ParquetRows,
        _ target: UnsafeMutablePointer<Conversion.Value>,
        _ first: Int
    ) throws(ParquetValueFault) {
        try ParquetIndices.forEachBlock(values, count: rows.validCount, dictionaryCount: dictionary.entries.count) {
            (indices, start) throws(ParquetValueFault) in
            if !dictionary.refusals.isEmpty {
                for (position, index) in indices.enumerated() {
                    guard let refusal = dictionary.refusals[Int(index)] else { continue }
                    throw .value(row: first + rows.row(ofValue: start + position), refusal)
                }
            }
            dictionary.entries.withUnsafeBufferPointer { entries in
                guard let base = entries.baseAddress else { return }
                for position in 0..<indices.count { target[start &+ position] = base[Int(indices[position])] }
            }
        }
    }

    mutating func appendVerbatim(
        count: Int,
        prefix: Int,
        _ body: (UnsafeMutableRawPointer) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) -> Bool? {
        let width = MemoryLayout<Conversion.Value>.size
        guard Conversion.isVerbatim, prefix <= 64, prefix <= values.count * width else { return nil }
        let isDone = try values.withRoom(for: count) { target throws(MalformedFile) -> Bool in
            let start = UnsafeMutableRawPointer(target) - prefix
            let outcome = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { kept in
                Result<Bool, MalformedFile> { () throws(MalformedFile) in
                    kept.copyMemory(from: UnsafeRawBufferPointer(start: start, count: prefix))
                    defer { start.copyMemory(from: UnsafeRawPointer(kept.baseAddress ?? start), byteCount: prefix) }
                    return try body(start)
                }
            }
            return try outcome.get()
        }
        if isDone {
            values.advance(by: count)
            validity.append(repeating: true, count: count)
        }
        return isDone
    }

    mutating func endChunk() { dictionary = nil }

    mutating func finish() -> Column {
        Conversion.Value.column(PrimitiveColumn(values.finish(), validity: validity.finish()), type)
    }
}

extension ParquetSchemaElement {
    /// Bytes of a stored value of fixed width; 0 for byte arrays and booleans.
    var width: Int {
        switch type {
        case .int32, .float: 4
        case .int64, .double: 8
        case .int96: 12
        case .fixedLengthByteArray: length
        case .boolean, .byteArray, nil: 0
        }
    }

    /// Decodes fixed-width values in an encoding that has no dictionary, packed one after the other.
    func decode(
        _ values: UnsafeRawBufferPointer,
        _ encoding: ParquetEncoding,
        count: Int,
        into target: UnsafeMutableRawPointer
    ) throws(ParquetValueFault) {
        switch (encoding, type) {
        case (.plain, _):
            guard count <= values.count / width else { throw .cutShort }
            if let base = values.baseAddress { target.copyMemory(from: base, byteCount: count * width) }
        case (.deltaBinaryPacked, .int32):
            let integers = target.assumingMemoryBound(to: Int32.self)
            _ = try DeltaDecoder.decode(values, count: count, into: integers)
        case (.deltaBinaryPacked, .int64):
            let integers = target.assumingMemoryBound(to: Int64.self)
            _ = try DeltaDecoder.decode(values, count: count, into: integers)
        case (.byteStreamSplit, .int32), (.byteStreamSplit, .int64), (.byteStreamSplit, .float),
            (.byteStreamSplit, .double), (.byteStreamSplit, .fixedLengthByteArray):
            try unsplit(values, count: count, into: target)
        case (.deltaByteArray, .fixedLengthByteArray):
            var strings = ParquetStrings()
            try strings.appendDeltaStrings(values, count: count, limit: count * width)
            let width = width
            try strings.withRows { (ends, data) throws(ParquetValueFault) in
                for position in 0..<count {
                    guard ends[position] == (position + 1) * width else {
                        throw ParquetValueFault(detail: "a value does not have \(width) bytes")
                    }
                }
                if let base = data.baseAddress { target.copyMemory(from: base, byteCount: count * width) }
            }
        default: throw .encoding(encoding, type)
        }
    }

    /// BYTE_STREAM_SPLIT: the first bytes of all values, then the second bytes, and so on.
    private func unsplit(
        _ values: UnsafeRawBufferPointer,
        count: Int,
        into target: UnsafeMutableRawPointer
    ) throws(ParquetValueFault) {
        let width = width
        let stride = values.count / width
        guard count <= stride, values.count % width == 0 else { throw .cutShort }
        guard let base = values.baseAddress else { return }
        for byte in 0..<width {
            let stream = base + byte &* stride
            for position in 0..<count {
                target.storeBytes(
                    of: stream.load(fromByteOffset: position, as: UInt8.self),
                    toByteOffset: position &* width &+ byte,
                    as: UInt8.self
                )
            }
        }
    }
}
