import Columns

/// The rows ordered by (key bytes, event time, known time, position); null keys come last.
///
/// The order is total, so it does not depend on the algorithm. It is the order of a sealed history segment.
///
/// - Precondition: times have one entry for each key.
/// - Complexity: O(n) for input already in order within each key, plus sorting the distinct keys; else O(n log n).
public func sortedRows(by keys: KeyColumn, eventTimes: [Int64], knownTimes: [Int64]) -> [Int] {
    precondition(eventTimes.count == keys.count, "\(eventTimes.count) event times for \(keys.count) keys")
    precondition(knownTimes.count == keys.count, "\(knownTimes.count) known times for \(keys.count) keys")
    let (dictionary, ids) = KeyDictionary.numbering(keys)
    var groups = GroupedRows(ids: ids, count: dictionary.count, order: dictionary.keys.sortedRows())
    groups.sortWithin { left, right in
        (eventTimes[left], knownTimes[left], left) < (eventTimes[right], knownTimes[right], right)
    }
    return groups.rows
}

extension KeyColumn {
    /// The rows ordered by key bytes, equal keys by position; null keys come last.
    public func sortedRows() -> [Int] {
        var valid: [Int] = []
        valid.reserveCapacity(count)
        var null: [Int] = []
        for row in 0..<count { if isNull(row) { null.append(row) } else { valid.append(row) } }
        switch storage {
        case .fixed(_, let values):
            // The encoding flips the sign bit, so byte order is numeric order.
            valid.sort { (values[$0], $0) < (values[$1], $1) }
        case .variable(_, let column):
            // The encoding puts the length before the bytes.
            column.data.withUnsafeBytes { data in
                valid.sort { left, right in
                    let (a, b) = (column.range(left), column.range(right))
                    if a.count != b.count { return a.count < b.count }
                    let order = KeyHash.compare(
                        UnsafeRawBufferPointer(rebasing: data[a]),
                        UnsafeRawBufferPointer(rebasing: data[b])
                    )
                    return order != 0 ? order < 0 : left < right
                }
            }
        case .composite(let column):
            column.data.withUnsafeBytes { data in
                valid.sort { left, right in
                    let order = KeyHash.compare(
                        UnsafeRawBufferPointer(rebasing: data[column.range(left)]),
                        UnsafeRawBufferPointer(rebasing: data[column.range(right)])
                    )
                    return order != 0 ? order < 0 : left < right
                }
            }
        }
        return valid + null
    }
}

/// Rows gathered by group: group after group, each in input order at first, rows without a group at the end.
struct GroupedRows: Sendable {
    private(set) var rows: [Int]
    /// Where each group starts in `rows`, in the order of groups given; one entry more than there are groups.
    let starts: [Int]

    /// - Parameter ids: the group of each row, or -1.
    /// - Parameter order: the groups in the order they shall stand.
    init(ids: [Int], count: Int, order: [Int]) {
        var rank = [Int](repeating: 0, count: count)
        for (position, group) in order.enumerated() { rank[group] = position }
        self.init(ids: ids, count: count) { rank[$0] }
    }

    /// Groups in the order of their ids.
    init(ids: [Int], count: Int) {
        self.init(ids: ids, count: count) { $0 }
    }

    @inline(__always)
    private init(ids: [Int], count: Int, rank: (Int) -> Int) {
        // A counting sort; the last bucket is for rows without a group.
        var starts = [Int](repeating: 0, count: count + 2)
        for id in ids { starts[(id >= 0 ? rank(id) : count) &+ 1] &+= 1 }
        for bucket in 1..<starts.count { starts[bucket] &+= starts[bucket &- 1] }
        var cursors = starts
        var rows = [Int](repeating: 0, count: ids.count)
        for (row, id) in ids.enumerated() {
            let bucket = id >= 0 ? rank(id) : count
            rows[cursors[bucket]] = row
            cursors[bucket] &+= 1
        }
        self.rows = rows
        self.starts = Array(starts.dropLast())
    }

    /// Sorts the rows of each group, and those without one, by a strict total order.
    @inline(__always)
    mutating func sortWithin(_ isOrderedBefore: (Int, Int) -> Bool) {
        var start = 0
        for end in starts.dropFirst() + [rows.count] {
            // History mostly arrives in time order: one pass to see that is cheaper than a sort.
            var isSorted = true
            var position = start &+ 1
            while position < end {
                if isOrderedBefore(rows[position], rows[position &- 1]) {
                    isSorted = false
                    break
                }
                position &+= 1
            }
            if !isSorted { rows[start..<end].sort(by: isOrderedBefore) }
            start = end
        }
    }
}
