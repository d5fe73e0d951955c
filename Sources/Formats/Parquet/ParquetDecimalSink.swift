import Columns

/// Decimals as numbers: the text of each is read as its column's type, rounded once.
struct ParquetDecimalSink: ParquetSink {
    private var text: ParquetBinarySink
    private let type: DataType
    private let firstRow: Int

    init(_ text: ParquetBinarySink, as type: DataType, firstRow: Int) {
        self.text = text
        self.type = type
        self.firstRow = firstRow
    }

    var rowCount: Int { text.rowCount }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        try text.setDictionary(bytes, count: count)
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) { try text.append(page) }

    mutating func endChunk() { text.endChunk() }

    mutating func finish() throws(ParquetValueFault) -> Column {
        let decimals = text.finishStrings()
        switch type {
        case .int64: return .int64(try numbers(decimals, zero: 0, parseInt64))
        case .float64: return .float64(try numbers(decimals, zero: 0, parseDouble))
        default: return .string(decimals)
        }
    }

    private func numbers<Value>(
        _ decimals: BinaryColumn,
        zero: Value,
        _ parse: (UnsafeBufferPointer<UInt8>) -> Value?
    ) throws(ParquetValueFault) -> PrimitiveColumn<Value> {
        var values: [Value] = []
        values.reserveCapacity(decimals.count)
        for row in 0..<decimals.count {
            guard decimals.isValid(row) else {
                values.append(zero)
                continue
            }
            let value = decimals.data.withUnsafeBufferPointer {
                parse(UnsafeBufferPointer(rebasing: $0[decimals.range(row)]))
            }
            guard let value else {
                let found = decimals.string(row) ?? ""
                throw .value(row: firstRow + row, "\(found) is past \(type); read the column as string, or cast it")
            }
            values.append(value)
        }
        return PrimitiveColumn(values, validity: decimals.validity)
    }
}
