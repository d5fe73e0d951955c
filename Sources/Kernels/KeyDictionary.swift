import Columns

/// The distinct keys of a column, numbered densely in order of first appearance.
///
/// An open-addressed hash table over keys; null keys are left out.
public struct KeyDictionary: Sendable {
    /// The distinct keys, none of them null: key `id` stands in row `id`.
    public let keys: KeyColumn
    /// The row in which each distinct key first appeared.
    public let firstRows: [Int]
    /// A power of two of slots, at most half of them in use.
    let table: KeyTable

    /// The number of distinct keys.
    public var count: Int { firstRows.count }

    /// Numbers the keys.
    ///
    /// - Complexity: O(rows) expected; rows whose key equals the row before cost one comparison.
    public init(_ keys: KeyColumn) {
        self = KeyDictionary.numbering(keys).dictionary
    }

    /// Numbers the keys, and gives the number of each row's key, -1 where it is null.
    public static func numbering(_ keys: KeyColumn) -> (dictionary: KeyDictionary, ids: [Int]) {
        var table = KeyTable()
        var firstRows: [Int] = []
        var ids = [Int](repeating: -1, count: keys.count)
        var previous = -1
        switch keys.storage {
        case .fixed(_, let values):
            var distinct: [Int64] = []
            for row in 0..<keys.count where !keys.isNull(row) {
                let value = values[row]
                if previous < 0 || distinct[previous] != value {
                    if let id = table.find(value) {
                        previous = id
                    } else {
                        previous = distinct.count
                        distinct.append(value)
                        firstRows.append(row)
                        table.insert(value, id: previous)
                    }
                }
                ids[row] = previous
            }
        case .variable(_, let column), .composite(let column):
            column.data.withUnsafeBytes { data in
                for row in 0..<keys.count where !keys.isNull(row) {
                    let bytes = UnsafeRawBufferPointer(rebasing: data[column.range(row)])
                    if previous < 0 || !KeyHash.areEqual(bytes, data, column.range(firstRows[previous])) {
                        let hash = KeyHash.hash(bytes, seed: table.seed)
                        if let id = table.find(
                            hash,
                            where: { KeyHash.areEqual(bytes, data, column.range(firstRows[$0])) }
                        ) {
                            previous = id
                        } else {
                            previous = firstRows.count
                            firstRows.append(row)
                            table.insert(hash: hash, id: previous)
                        }
                    }
                    ids[row] = previous
                }
            }
        }
        return (KeyDictionary(keys: keys.take(firstRows), firstRows: firstRows, table: table), ids)
    }

    init(keys: KeyColumn, firstRows: [Int], table: KeyTable) {
        self.keys = keys
        self.firstRows = firstRows
        self.table = table
    }

    /// The number of each sought key in a range of rows; -1 where it is null or not in the dictionary.
    ///
    /// Keys of other types are in no dictionary.
    ///
    /// - Precondition: the range lies within the keys.
    /// - Complexity: O(rows) expected.
    public func ids(of sought: KeyColumn, rows: Range<Int>) -> [Int] {
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= sought.count,
            "rows \(rows) lie outside \(sought.count) keys"
        )
        var ids = [Int](repeating: -1, count: rows.count)
        let start = rows.lowerBound
        switch (keys.storage, sought.storage) {
        case (.fixed(let type, _), .fixed(let soughtType, let values)) where type == soughtType:
            // Equal keys stand together in sorted history: one probe serves a run of them.
            var previous = -1
            for row in rows where !sought.isNull(row) {
                if previous >= 0, values[previous] == values[row] {
                    ids[row &- start] = ids[previous &- start]
                } else {
                    ids[row &- start] = table.find(values[row]) ?? -1
                }
                previous = row
            }
        case (.variable(let type, let column), .variable(let soughtType, let soughtColumn)) where type == soughtType:
            find(soughtColumn, in: column, sought: sought, rows: rows, into: &ids)
        case (.composite(let column), .composite(let soughtColumn)):
            find(soughtColumn, in: column, sought: sought, rows: rows, into: &ids)
        default: break
        }
        return ids
    }

    private func find(
        _ soughtColumn: BinaryColumn,
        in column: BinaryColumn,
        sought: KeyColumn,
        rows: Range<Int>,
        into ids: inout [Int]
    ) {
        column.data.withUnsafeBytes { data in
            soughtColumn.data.withUnsafeBytes { soughtData in
                var previous = -1
                for row in rows where !sought.isNull(row) {
                    let bytes = UnsafeRawBufferPointer(rebasing: soughtData[soughtColumn.range(row)])
                    defer { previous = row }
                    if previous >= 0, KeyHash.areEqual(bytes, soughtData, soughtColumn.range(previous)) {
                        ids[row &- rows.lowerBound] = ids[previous &- rows.lowerBound]
                        continue
                    }
                    let hash = KeyHash.hash(bytes, seed: table.seed)
                    ids[row &- rows.lowerBound] =
                        table.find(hash, where: { KeyHash.areEqual(bytes, data, column.range($0)) }) ?? -1
                }
            }
        }
    }
}

extension KeyHash {
    @inline(__always)
    static func areEqual(_ left: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        areEqual(left, UnsafeRawBufferPointer(rebasing: data[range]))
    }
}
