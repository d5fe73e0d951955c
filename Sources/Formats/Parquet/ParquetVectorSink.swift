import Columns

/// Lists of floats, all of one length, as vectors.
struct ParquetVectorSink: ParquetSink {
    private let dimension: Int
    private let emptyLevel: Int
    private let valueLevel: Int
    /// The most elements the rows may take together, null rows included.
    private let limit: Int
    private var values: [Float] = []
    private var validity = ValidityBits()
    private var dictionary: [Float]?
    /// Elements the last row still lacks; rows may go on in the next page.
    private var missing = 0

    init(dimension: Int, emptyLevel: Int, valueLevel: Int, limit: Int) {
        self.dimension = dimension
        self.emptyLevel = emptyLevel
        self.valueLevel = valueLevel
        self.limit = limit
    }

    var rowCount: Int { validity.count }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        guard count <= bytes.count / 4 else { throw .cutShort }
        dictionary = Self.floats(bytes, count: count)
    }

    private static func floats(_ bytes: UnsafeRawBufferPointer, count: Int) -> [Float] {
        (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let elementCount = page.definition.count(of: UInt8(valueLevel))
        let elements: [Float]
        switch page.encoding {
        case .plain:
            guard elementCount <= page.values.count / 4 else { throw .cutShort }
            elements = Self.floats(page.values, count: elementCount)
        case .rleDictionary, .plainDictionary:
            guard let dictionary else { throw .noDictionary }
            elements = try dictionaryIndices(page, count: elementCount, dictionaryCount: dictionary.count)
                .map { dictionary[Int($0)] }
        default: throw .encoding(page.encoding)
        }
        let repetition = page.repetition.expanded
        let definition = page.definition.expanded
        var next = 0
        for (repeated, level) in zip(repetition, definition) {
            if repeated == 0 {
                try endRow()
                guard values.count <= limit - dimension else {
                    throw ParquetValueFault(
                        reason: .unsupported,
                        detail: "the vectors take more than \(limit) elements"
                    )
                }
                if level < emptyLevel {
                    values.append(contentsOf: repeatElement(0, count: dimension))
                    validity.append(false)
                    continue
                }
                guard level > emptyLevel else { throw length(found: 0) }
                validity.append(true)
                missing = dimension
            }
            guard level == valueLevel else {
                throw ParquetValueFault(reason: .unsupported, detail: "row \(rowCount) has a null element")
            }
            guard missing > 0 else { throw length(found: dimension + 1) }
            values.append(elements[next])
            next += 1
            missing -= 1
        }
    }

    mutating func endChunk() throws(ParquetValueFault) {
        dictionary = nil
        try endRow()
    }

    /// Checks that the last row is whole.
    private func endRow() throws(ParquetValueFault) {
        guard missing == 0 else { throw length(found: dimension - missing) }
    }

    private func length(found: Int) -> ParquetValueFault {
        let number = found > dimension ? "more" : "\(found)"
        return ParquetValueFault(
            reason: .unsupported,
            detail: "row \(rowCount) has \(number) elements where others have \(dimension); vectors have one length"
        )
    }

    mutating func finish() -> Column {
        defer { self = Self(dimension: dimension, emptyLevel: emptyLevel, valueLevel: valueLevel, limit: limit) }
        return .vector(VectorColumn(dimension: dimension, values: values, validity: validity.finish()))
    }
}
