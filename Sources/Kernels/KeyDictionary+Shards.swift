import Columns

/// Neighbouring rows of one key that a dictionary holds.
struct KeyRun: Sendable {
    let rows: Range<Int>
    let shard: Int
    /// The key's number in its shard.
    let id: Int
}

/// Dictionaries that divide the keys among them by hash, so that several threads may each build one.
extension KeyDictionary {
    /// Numbers the keys of one of several shards, and gives its rows, ascending, with the number of each one's key.
    ///
    /// Keys are numbered in the order in which sorted history has them, unless there are too many to be worth sorting: what is
    /// arranged by key is then walked from front to back when history passes. (By first appearance, three quarters of the
    /// time of that pass were misses of the cache.)
    ///
    /// - Complexity: O(rows) expected, every key being hashed, those of other shards only that; and sorting distinct keys.
    static func numbering(
        _ keys: KeyColumn,
        shard: Int,
        of count: Int
    ) -> (dictionary: KeyDictionary, rows: [Int], ids: [Int]) {
        var table = KeyTable()
        let seed = table.seed
        var firstRows: [Int] = []
        var rows: [Int] = []
        var ids: [Int] = []
        rows.reserveCapacity(keys.count / count * 9 / 8)
        ids.reserveCapacity(keys.count / count * 9 / 8)
        switch keys.storage {
        case .fixed(_, let values):
            for row in 0..<keys.count where !keys.isNull(row) {
                let value = values[row]
                let hash = KeyHash.hash(value, seed: seed)
                guard KeyHash.shard(hash, of: count) == shard else { continue }
                let found = table.find(value, hash: hash)
                if found == nil {
                    table.insert(value, id: firstRows.count)
                    firstRows.append(row)
                }
                rows.append(row)
                ids.append(found ?? firstRows.count &- 1)
            }
        case .variable(_, let column), .composite(let column):
            column.data.withUnsafeBytes { data in
                for row in 0..<keys.count where !keys.isNull(row) {
                    let bytes = UnsafeRawBufferPointer(rebasing: data[column.range(row)])
                    let hash = KeyHash.hash(bytes, seed: seed)
                    guard KeyHash.shard(hash, of: count) == shard else { continue }
                    let found = table.find(hash) { KeyHash.areEqual(bytes, data, column.range(firstRows[$0])) }
                    if found == nil {
                        table.insert(hash: hash, id: firstRows.count)
                        firstRows.append(row)
                    }
                    rows.append(row)
                    ids.append(found ?? firstRows.count &- 1)
                }
            }
        }
        let distinct = keys.take(firstRows)
        guard let order = distinct.sortedForPassing(rowCount: rows.count) else {
            return (KeyDictionary(keys: distinct, firstRows: firstRows, table: table), rows, ids)
        }
        var numbers = [Int](repeating: 0, count: order.count)
        for (number, id) in order.enumerated() { numbers[id] = number }
        table.renumber(numbers)
        for position in ids.indices { ids[position] = numbers[ids[position]] }
        let dictionary = KeyDictionary(keys: distinct.take(order), firstRows: order.map { firstRows[$0] }, table: table)
        return (dictionary, rows, ids)
    }

    /// The runs of equal keys that one of the shards holds, in order of rows; null keys and those of other types are in none.
    ///
    /// - Complexity: O(rows); a run costs one probe.
    static func runs(of sought: KeyColumn, in shards: [KeyDictionary]) -> [KeyRun] {
        guard let storage = shards.first?.keys.storage else { return [] }
        var runs: [KeyRun] = []
        switch (storage, sought.storage) {
        case (.fixed(let type, _), .fixed(let soughtType, let values)) where type == soughtType:
            // Where both are sorted, the next key of history is mostly the next of its shard: no table needs to be asked.
            let known = shards.map { shard -> [Int64] in
                if case .fixed(_, let values) = shard.keys.storage { values } else { [] }
            }
            var next = [Int](repeating: 0, count: shards.count)
            values.withUnsafeBufferPointer { values in
                var row = 0
                while row < values.count {
                    let value = values[row]
                    var end = row &+ 1
                    while end < values.count, values[end] == value { end &+= 1 }
                    defer { row = end }
                    let hash = KeyHash.hash(value, seed: KeyHash.seed)
                    let shard = KeyHash.shard(hash, of: shards.count)
                    var id = next[shard]
                    if id >= known[shard].count || known[shard][id] != value {
                        guard let found = shards[shard].table.find(value, hash: hash) else { continue }
                        id = found
                    }
                    next[shard] = id &+ 1
                    sought.appendValid(row..<end, shard: shard, id: id, to: &runs)
                }
            }
        case (.variable(let type, _), .variable(let soughtType, let column)) where type == soughtType:
            appendRuns(of: sought, column, in: shards, to: &runs)
        case (.composite, .composite(let column)): appendRuns(of: sought, column, in: shards, to: &runs)
        default: break
        }
        return runs
    }

    private static func appendRuns(
        of sought: KeyColumn,
        _ column: BinaryColumn,
        in shards: [KeyDictionary],
        to runs: inout [KeyRun]
    ) {
        column.data.withUnsafeBytes { data in
            var row = 0
            while row < sought.count {
                let bytes = UnsafeRawBufferPointer(rebasing: data[column.range(row)])
                var end = row &+ 1
                while end < sought.count, KeyHash.areEqual(bytes, data, column.range(end)) { end &+= 1 }
                defer { row = end }
                let hash = KeyHash.hash(bytes, seed: KeyHash.seed)
                let shard = KeyHash.shard(hash, of: shards.count)
                guard let id = shards[shard].id(of: bytes, hash: hash) else { continue }
                sought.appendValid(row..<end, shard: shard, id: id, to: &runs)
            }
        }
    }

    /// The number of a key of variable width.
    private func id(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        switch keys.storage {
        case .variable(_, let column), .composite(let column):
            column.data.withUnsafeBytes { data in
                table.find(hash) { KeyHash.areEqual(bytes, data, column.range($0)) }
            }
        case .fixed: nil
        }
    }
}

extension KeyColumn {
    /// The rows in the order of their keys, or `nil` where that would cost more than it gains for so many rows of a spine.
    ///
    /// - Precondition: no key is null.
    fileprivate func sortedForPassing(rowCount: Int) -> [Int]? {
        let values: [Int64]
        switch storage {
        case .fixed(_, let numbers): values = numbers
        // As segments order text, and nearly as they order several columns.
        case .variable(_, let column), .composite(let column):
            return count <= rowCount / 4 ? column.rowsInByteOrder() : nil
        }
        var entries = values.enumerated().map { (value: $1, row: $0) }
        entries.sort { $0.value < $1.value }
        return entries.map(\.row)
    }

    /// Appends a run of equal values, cut where keys are null: what stands under a null may be equal to anything.
    @inline(__always)
    fileprivate func appendValid(_ rows: Range<Int>, shard: Int, id: Int, to runs: inout [KeyRun]) {
        guard validity != nil else { return runs.append(KeyRun(rows: rows, shard: shard, id: id)) }
        var start = rows.lowerBound
        while start < rows.upperBound {
            if isNull(start) {
                start &+= 1
                continue
            }
            var end = start &+ 1
            while end < rows.upperBound, !isNull(end) { end &+= 1 }
            runs.append(KeyRun(rows: start..<end, shard: shard, id: id))
            start = end
        }
    }
}
