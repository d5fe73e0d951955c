import Columns

/// History rows arranged for windowed aggregates: key after key, each key's rows by (event time, known time, sequence).
///
/// ## How it is fast
/// Rows are sorted once, whatever the aggregates. A key's spine rows are answered in order of time, so that both ends of
/// every window only move forward. Where no row of the key is known later than a row of a later event (always so with a
/// constant lag), a window is a contiguous range of rows: sums are differences of exact running sums, and one stack of
/// candidates gives the extrema of all windows. Else rows enter when they are known and leave by event time, and nothing
/// costs more than O(log n) a row. Either way a key costs its history plus its spine rows, never their product.
public struct WindowIndex: Sendable {
    let dictionary: KeyDictionary
    /// Where the rows of each key start in the arrays below; one entry more than there are keys.
    let starts: [Int]
    let eventTimes: [Int64]
    let knownTimes: [Int64]
    /// The input row of each entry.
    let rows: [Int]
    private struct Entry {
        let event: Int64
        let known: Int64
        let row: Int
    }

    /// The number of input rows, null keys included: the length of the columns.
    public let rowCount: Int

    /// Builds the index over history rows.
    ///
    /// Rows with a null key match nothing and are left out. Sequences tell apart rows of one key at equal times; where
    /// they too are equal, the later row of the input is the greater.
    ///
    /// - Precondition: all inputs have one entry for each row, and no row is known before its event time.
    /// - Complexity: O(n) for rows in order of event time within each key, else O(n log n). Memory: 24 bytes a row.
    public init(keys: KeyColumn, eventTimes: [Int64], knownTimes: [Int64], sequences: [Int64]) {
        precondition(eventTimes.count == keys.count, "\(eventTimes.count) event times for \(keys.count) keys")
        precondition(knownTimes.count == keys.count, "\(knownTimes.count) known times for \(keys.count) keys")
        precondition(sequences.count == keys.count, "\(sequences.count) sequences for \(keys.count) keys")
        let (dictionary, ids) = KeyDictionary.numbering(keys)
        var starts = [Int](repeating: 0, count: dictionary.count + 1)
        for id in ids where id >= 0 { starts[id &+ 1] &+= 1 }
        for group in 0..<dictionary.count { starts[group &+ 1] &+= starts[group] }
        let count = starts[dictionary.count]
        var cursors = starts
        var events = [Int64](repeating: 0, count: count)
        var known = [Int64](repeating: 0, count: count)
        var rows = [Int](repeating: 0, count: count)
        for row in 0..<keys.count where ids[row] >= 0 {
            precondition(knownTimes[row] >= eventTimes[row], "a history row is known before its event time")
            let position = cursors[ids[row]]
            cursors[ids[row]] = position &+ 1
            events[position] = eventTimes[row]
            known[position] = knownTimes[row]
            rows[position] = row
        }
        var entries: [Entry] = []
        for group in 0..<dictionary.count {
            let range = starts[group]..<starts[group &+ 1]
            // Rows mostly come in time order: one pass over neighbours is cheaper than a sort.
            var isSorted = true
            for position in range.dropFirst() {
                if events[position &- 1] > events[position]
                    || (events[position &- 1] == events[position]
                        && (known[position &- 1], sequences[rows[position &- 1]])
                            > (known[position], sequences[rows[position]]))
                {
                    isSorted = false
                    break
                }
            }
            if isSorted { continue }
            // Sorted with the times beside the rows: through the rows each comparison was a miss of the cache, and a third of
            // seven windows' time.
            entries.removeAll(keepingCapacity: true)
            for position in range {
                entries.append(Entry(event: events[position], known: known[position], row: rows[position]))
            }
            entries.sort { left, right in
                if left.event != right.event { return left.event < right.event }
                if left.known != right.known { return left.known < right.known }
                return (sequences[left.row], left.row) < (sequences[right.row], right.row)
            }
            for (position, entry) in zip(range, entries) {
                events[position] = entry.event
                known[position] = entry.known
                rows[position] = entry.row
            }
        }
        self.dictionary = dictionary
        self.starts = starts
        self.eventTimes = events
        self.knownTimes = known
        self.rows = rows
        self.rowCount = keys.count
    }

    /// Builds the index over the history of one key.
    public init(eventTimes: [Int64], knownTimes: [Int64], sequences: [Int64]) {
        self.init(
            keys: .constant(count: eventTimes.count),
            eventTimes: eventTimes,
            knownTimes: knownTimes,
            sequences: sequences
        )
    }

    /// The number of distinct keys.
    public var keyCount: Int { dictionary.count }

    /// The number of history rows, without those whose key is null.
    public var count: Int { rows.count }
}

extension KeyColumn {
    /// One and the same key in every row.
    fileprivate static func constant(count: Int) -> KeyColumn {
        KeyColumn(
            storage: .fixed(.int64, [Int64](repeating: 0, count: count)),
            validity: nil,
            count: count
        )
    }
}

/// Spine rows arranged for a `WindowIndex`: by key, each key's rows in ascending order of time.
///
/// Positions number the arranged rows. Threads take ranges of positions; `split(into:)` proposes them.
public struct WindowSpine: Sendable {
    /// The spine row at each position: keys that the index has, in its order, then all other rows.
    let order: [Int]
    /// The time at each position.
    let times: [Int64]
    /// The keys that occur, by their number in the index.
    let groups: [Int]
    /// Where the rows of each of these keys start; the last entry is where rows without a key of the index start.
    let starts: [Int]
    /// What each of these keys costs, in rows.
    private let weights: [Int]

    /// - Precondition: there is one time for each key.
    /// - Complexity: O(n), and a sort of each key's rows where they are not in order of time.
    public init(keys: KeyColumn, at times: [Int64], index: WindowIndex) {
        self.init(keys: keys, at: times, rows: 0..<keys.count, index: index)
    }

    /// Arranges a range of spine rows, numbered from the range's first row.
    public init(keys: KeyColumn, at times: [Int64], rows: Range<Int>, index: WindowIndex) {
        precondition(times.count == keys.count, "\(times.count) times for \(keys.count) keys")
        let ids = index.dictionary.ids(of: keys, rows: rows)
        let keyCount = index.dictionary.count
        var counts = [Int](repeating: 0, count: keyCount + 2)
        for id in ids { counts[(id >= 0 ? id : keyCount) &+ 1] &+= 1 }
        var groups: [Int] = []
        var starts: [Int] = []
        var weights: [Int] = []
        for group in 0..<keyCount {
            if counts[group &+ 1] > 0 {
                groups.append(group)
                starts.append(counts[group])
                weights.append(8 &* counts[group &+ 1] &+ index.starts[group &+ 1] &- index.starts[group])
            }
            counts[group &+ 1] &+= counts[group]
        }
        starts.append(counts[keyCount])
        var order = [Int](repeating: 0, count: rows.count)
        for (row, id) in ids.enumerated() {
            let group = id >= 0 ? id : keyCount
            order[counts[group]] = row
            counts[group] &+= 1
        }
        let first = rows.lowerBound
        for (start, end) in zip(starts, starts.dropFirst()) where end &- start > 1 {
            let isSorted = (start &+ 1..<end).allSatisfy { times[first &+ order[$0 &- 1]] <= times[first &+ order[$0]] }
            if !isSorted {
                order[start..<end].sort { (times[first &+ $0], $0) < (times[first &+ $1], $1) }
            }
        }
        self.times = order.map { times[first &+ $0] }
        self.order = order
        self.groups = groups
        self.starts = starts
        self.weights = weights
    }

    /// The number of spine rows.
    public var count: Int { order.count }

    /// Ranges of positions of about equal cost, for as many threads.
    ///
    /// Cuts fall between keys, but for a key so large that it would leave a thread idle: its later part then reads the
    /// history of its own windows only.
    public func split(into parts: Int) -> [Range<Int>] {
        precondition(parts > 0, "a spine is split into at least one part")
        let total = weights.reduce(0, +)
        var cuts = [0]
        var passed = 0
        for (key, weight) in weights.enumerated() {
            while cuts.count < parts, passed + weight >= total / parts * cuts.count {
                let (start, end) = (starts[key], starts[key + 1])
                let share = Double(total / parts * cuts.count - passed) / Double(weight)
                let isLarge = weight > total / parts / 4
                cuts.append(max(cuts[cuts.count - 1], isLarge ? start + Int(share * Double(end - start)) : start))
            }
            passed += weight
        }
        while cuts.count < parts { cuts.append(count) }
        return zip(cuts, cuts.dropFirst() + [count]).map { $0..<$1 }
    }
}
