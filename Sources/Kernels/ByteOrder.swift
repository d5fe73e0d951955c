import Columns

extension BinaryColumn {
    /// The rows in ascending order of their bytes, equal rows by position; nulls come last.
    ///
    /// A prefix sorts before what it begins. For text this is the order of code points.
    ///
    /// - Complexity: O(n log n); O(n) where the rows are in order already.
    public func rowsInByteOrder() -> [Int] {
        var rows: [Int] = []
        rows.reserveCapacity(count)
        var null: [Int] = []
        for row in 0..<count { if isValid(row) { rows.append(row) } else { null.append(row) } }
        data.withUnsafeBytes { data in
            func isOrderedBefore(_ left: Int, _ right: Int) -> Bool {
                let order = KeyHash.compare(
                    UnsafeRawBufferPointer(rebasing: data[range(left)]),
                    UnsafeRawBufferPointer(rebasing: data[range(right)])
                )
                return order != 0 ? order < 0 : left < right
            }
            if zip(rows, rows.dropFirst()).contains(where: { isOrderedBefore($1, $0) }) {
                rows.sort(by: isOrderedBefore)
            }
        }
        return rows + null
    }
}
