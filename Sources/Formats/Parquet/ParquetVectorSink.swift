import Columns

/// Lists of floats, all of one length, as vectors.
struct ParquetVectorSink: ParquetSink {
    private let leaf: ParquetSchemaElement
    private let dimension: Int
    private let emptyLevel: Int
    private let firstRow: Int
    /// The most elements the rows may take together, null rows included.
    private let limit: Int
    private var values = ParquetBuffer<Float>()
    private var validity = ValidityBits()
    private var dictionary: [Float]?
    private let scratch = ParquetScratch()
    /// Elements the last row still lacks; rows may go on in the next page.
    private var missing = 0

    init(_ column: ParquetColumn, dimension: Int, emptyLevel: Int, firstRow: Int, limit: Int) {
        self.leaf = column.element
        self.dimension = dimension
        self.emptyLevel = emptyLevel
        self.firstRow = firstRow
        self.limit = limit
    }

    var rowCount: Int { validity.count }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        guard count <= bytes.count / 4 else { throw .cutShort }
        dictionary = (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let definition = page.definition.expanded(page.valueCount)
        let repetition = page.repetition.expanded(page.valueCount)
        let elementCount = definition.reduce(0) { $0 &+ ($1 == page.maxDefinition ? 1 : 0) }
        let room = scratch.room(4 * elementCount)
        guard let base = room.baseAddress else { return }
        let elements = base.assumingMemoryBound(to: Float.self)
        try decode(page, elementCount, into: elements)
        if elementCount == page.valueCount, try appendWhole(repetition, elements) { return }
        var next = 0
        for position in 0..<page.valueCount {
            let level = Int(definition[position])
            if repetition[position] == 0 {
                try endRow()
                try checkLimit(dimension)
                if level < emptyLevel {
                    append(repeating: 0, count: dimension)
                    validity.append(false)
                    continue
                }
                guard level > emptyLevel else { throw length(found: 0, row: firstRow + rowCount) }
                validity.append(true)
                missing = dimension
            } else if rowCount == 0 {
                throw ParquetValueFault(detail: "a list goes on before it begins")
            }
            guard level == Int(page.maxDefinition) else {
                throw .value(
                    row: firstRow + rowCount - 1,
                    "the list has a null element, which a vector has not; fill it"
                )
            }
            guard missing > 0 else { throw length(found: dimension + 1, row: firstRow + rowCount - 1) }
            values.append(elements[next])
            next &+= 1
            missing -= 1
        }
    }

    private func decode(
        _ page: ParquetPage,
        _ count: Int,
        into target: UnsafeMutablePointer<Float>
    ) throws(ParquetValueFault) {
        switch page.encoding {
        case .rleDictionary, .plainDictionary:
            guard count > 0 else { return }
            guard let dictionary else { throw .noDictionary }
            try ParquetIndices.forEachBlock(page.values, count: count, dictionaryCount: dictionary.count) {
                (indices, start) throws(ParquetValueFault) in
                for position in 0..<indices.count {
                    target[start &+ position] = dictionary[Int(indices[position])]
                }
            }
        default: try leaf.decode(page.values, page.encoding, count: count, into: target)
        }
    }

    /// Appends a page that has only elements, where its rows are of the right length throughout; false, with nothing
    /// appended, where they are not.
    private mutating func appendWhole(
        _ repetition: [UInt8],
        _ elements: UnsafeMutablePointer<Float>
    ) throws(ParquetValueFault) -> Bool {
        var left = missing
        var added = 0
        for level in repetition {
            if left == 0 {
                guard level == 0 else { return false }
                left = dimension
                added &+= 1
            } else {
                guard level != 0 else { return false }
            }
            left &-= 1
        }
        try checkLimit(repetition.count)
        values.withRoom(for: repetition.count) { $0.update(from: elements, count: repetition.count) }
        values.advance(by: repetition.count)
        validity.append(repeating: true, count: added)
        missing = left
        return true
    }

    private mutating func append(repeating value: Float, count: Int) {
        values.withRoom(for: count) { $0.update(repeating: value, count: count) }
        values.advance(by: count)
    }

    private func checkLimit(_ added: Int) throws(ParquetValueFault) {
        guard added <= limit - values.count else {
            throw ParquetValueFault(
                reason: .unsupported,
                detail: "the vectors take more than \(limit) elements; read fewer row groups at a time"
            )
        }
    }

    mutating func endChunk() throws(ParquetValueFault) {
        dictionary = nil
        try endRow()
    }

    /// Checks that the last row is whole.
    private func endRow() throws(ParquetValueFault) {
        guard missing == 0 else { throw length(found: dimension - missing, row: firstRow + rowCount - 1) }
    }

    private func length(found: Int, row: Int) -> ParquetValueFault {
        let number = found > dimension ? "more" : "\(found)"
        return .value(row: row, "the list has \(number) elements, expected \(dimension); vectors have one length")
    }

    mutating func finish() -> Column {
        .vector(VectorColumn(dimension: dimension, values: values.finish(), validity: validity.finish()))
    }
}
