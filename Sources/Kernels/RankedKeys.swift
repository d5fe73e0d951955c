import Columns

extension KeyColumn {
    /// Keys that order as the columns do: column by column, text by its bytes, nulls after every value.
    ///
    /// Encoded keys order text by length first, which serves lookups; files are read by others, who expect the order of
    /// the values. Each column is replaced by the rank of its values.
    ///
    /// - Throws: when a column is of a type that cannot be a key.
    /// - Complexity: O(rows) and a sort of each column's distinct values.
    public static func ranked(_ columns: [Column], rowCount: Int) throws(KeyError) -> KeyColumn {
        var ranks: [Column] = []
        for column in columns {
            let (dictionary, ids) = KeyDictionary.numbering(try KeyColumn([column], rowCount: rowCount))
            let distinct = column.take(dictionary.firstRows)
            let order =
                switch distinct {
                case .string(let values), .bytes(let values): values.rowsInByteOrder()
                default: dictionary.keys.sortedRows()
                }
            var rank = [Int64](repeating: 0, count: dictionary.count)
            for (position, id) in order.enumerated() { rank[id] = Int64(position) }
            let last = Int64(dictionary.count)
            ranks.append(.int64(PrimitiveColumn(ids.map { $0 >= 0 ? rank[$0] : last })))
        }
        return try KeyColumn(ranks, rowCount: rowCount)
    }
}
