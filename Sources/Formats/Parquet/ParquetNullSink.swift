import Columns

/// A column that has only nulls.
struct ParquetNullSink: ParquetSink {
    private let type: DataType
    private(set) var rowCount = 0

    init(_ type: DataType) { self.type = type }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) {}

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        guard ParquetRows(page).validCount == 0 else {
            throw ParquetValueFault(detail: "values in a column of type NULL")
        }
        rowCount += page.valueCount
    }

    mutating func endChunk() {}

    mutating func finish() -> Column { .nulls(type, count: rowCount) }
}
