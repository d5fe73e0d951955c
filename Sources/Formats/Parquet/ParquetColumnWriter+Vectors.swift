import Columns

extension ParquetColumnWriter {
    /// Writes vectors, which are lists of required elements: a level pair for each element, or one for a null row.
    mutating func writeVectors(_ column: VectorColumn, _ rows: Range<Int>) throws {
        let dimension = column.dimension
        let rowsPerPage = max(1, min(Self.pageRows, Self.pageBytes / 4) / dimension)
        var row = rows.lowerBound
        while row < rows.upperBound {
            let page = row..<min(rows.upperBound, row + rowsPerPage)
            let validCount = column.validity?.setCount(in: page) ?? page.count
            let valueCount = validCount * dimension + page.count - validCount
            let levels = Self.levels(column, page, count: valueCount)
            try writePage(valueCount: valueCount, encoding: .plain) { body in
                for (levels, width) in [(levels.repetition, 1), (levels.definition, 2)] {
                    body.appendSized { body in
                        levels.withUnsafeBufferPointer { HybridEncoder.append($0, width: width, to: &body) }
                    }
                }
                column.values.withUnsafeBytes { bytes in
                    let size = dimension * 4
                    if validCount == page.count {
                        let part = bytes[page.lowerBound * size..<page.upperBound * size]
                        return body.append(contentsOf: UnsafeRawBufferPointer(rebasing: part))
                    }
                    for row in page where column.isValid(row) {
                        body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size]))
                    }
                }
            }
            row = page.upperBound
        }
    }

    private static func levels(
        _ column: VectorColumn,
        _ rows: Range<Int>,
        count: Int
    ) -> (repetition: [UInt32], definition: [UInt32]) {
        var repetition = [UInt32](repeating: 1, count: count)
        var definition = [UInt32](repeating: 2, count: count)
        var position = 0
        for row in rows {
            repetition[position] = 0
            if column.isValid(row) {
                position += column.dimension
            } else {
                definition[position] = 0
                position += 1
            }
        }
        return (repetition, definition)
    }
}
