import Columns

extension Column {
    /// A column of `count` rows, each taken from one of several parts, or null where no part has a row for it.
    ///
    /// Equal results have equal bytes: nulls hold zero, and validity is absent when no row is null.
    ///
    /// - Parameter parts: columns of the type, each with the row of the result that each of its rows becomes.
    /// - Precondition: no row of the result is given twice.
    /// - Complexity: O(`count`), plus the bytes copied; text and vectors are copied twice.
    public static func scattered(_ parts: [(column: Column, rows: [Int])], _ type: DataType, count: Int) -> Column {
        for (column, rows) in parts {
            precondition(column.type == type, "cannot scatter a \(column.type) column into a \(type) column")
            precondition(column.count == rows.count, "\(rows.count) places for \(column.count) rows")
        }
        func values<Value>(_ pick: (Column) -> [Value]?) -> [(values: [Value], rows: [Int])] {
            parts.compactMap { part in pick(part.column).map { ($0, part.rows) } }
        }
        switch type {
        case .bool:
            let values = values { if case .bool(let column) = $0 { column.values } else { nil } }
            return .bool(PrimitiveColumn(scatter(values, false, count), validity: validity(parts, count)))
        case .int64:
            let values = values { if case .int64(let column) = $0 { column.values } else { nil } }
            return .int64(PrimitiveColumn(scatter(values, 0, count), validity: validity(parts, count)))
        case .timestamp:
            let values = values { if case .timestamp(let column) = $0 { column.values } else { nil } }
            return .timestamp(PrimitiveColumn(scatter(values, 0, count), validity: validity(parts, count)))
        case .float32:
            let values = values { if case .float32(let column) = $0 { column.values } else { nil } }
            return .float32(PrimitiveColumn(scatter(values, 0, count), validity: validity(parts, count)))
        case .float64:
            let values = values { if case .float64(let column) = $0 { column.values } else { nil } }
            return .float64(PrimitiveColumn(scatter(values, 0, count), validity: validity(parts, count)))
        case .string, .bytes, .vector:
            var places = [Int](repeating: -1, count: count)
            var next = 0
            for row in parts.lazy.flatMap(\.rows) {
                places[row] = next
                next += 1
            }
            guard next > 0 else { return .nulls(type, count: count) }
            return Column.concatenate(parts.map(\.column)).take(places)
        }
    }

    private static func scatter<Value: BitwiseCopyable>(
        _ parts: [(values: [Value], rows: [Int])],
        _ zero: Value,
        _ count: Int
    ) -> [Value] {
        var result = [Value](repeating: zero, count: count)
        for (values, rows) in parts {
            for position in values.indices { result[rows[position]] = values[position] }
        }
        return result
    }

    private static func validity(_ parts: [(column: Column, rows: [Int])], _ count: Int) -> Bitmap? {
        let given = parts.reduce(0) { $0 + $1.rows.count }
        // The common case has no null at all: find that out before touching any word.
        if given == count, parts.allSatisfy({ $0.column.nullCount == 0 }) { return nil }
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        var valid = 0
        for (column, rows) in parts {
            let bits = column.validity
            for (position, row) in rows.enumerated() where bits.map({ $0[position] }) ?? true {
                words[row &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: row & 63)
                valid &+= 1
            }
        }
        return valid == count ? nil : Bitmap(words: words, count: count)
    }
}
