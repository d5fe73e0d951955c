import Columns

/// The rows of a spine arranged by key and time, for history that passes by in parts.
///
/// Where `AsOfIndex` holds history and lets spines pass, this holds the spine: history may be larger than memory, in any
/// order, and shared among threads, each with `AsOfWinners` of its own.
public struct AsOfSpine: Sendable {
    let dictionary: KeyDictionary
    /// Where the rows of each key start below; one entry more than there are keys.
    let starts: [Int]
    /// Spine rows by key and time, without those whose key is null.
    let rows: [Int]
    /// The times of `rows`.
    let times: [Int64]
    /// The rows of the spine, with those whose key is null.
    public let count: Int

    /// - Parameter times: microseconds, one for each key.
    /// - Complexity: O(n log n); O(n) where the times of each key ascend. Memory: 16 bytes a row, and the distinct keys.
    public init(keys: KeyColumn, times: [Int64]) {
        precondition(times.count == keys.count, "\(times.count) times for \(keys.count) keys")
        let (dictionary, ids) = KeyDictionary.numbering(keys)
        let groups = GroupedRows(ids: ids, count: dictionary.count)
        // Times are sorted with their rows beside them: through an index each comparison is a miss of the cache.
        var entries: [(time: Int64, row: Int)] = []
        entries.reserveCapacity(groups.starts[dictionary.count])
        for row in groups.rows[..<groups.starts[dictionary.count]] { entries.append((times[row], row)) }
        entries.withUnsafeMutableBufferPointer { entries in
            for key in 0..<dictionary.count {
                var start = groups.starts[key] &+ 1
                let end = groups.starts[key &+ 1]
                while start < end, entries[start &- 1].time <= entries[start].time { start &+= 1 }
                if start < end {
                    entries[groups.starts[key]..<end].sort { ($0.time, $0.row) < ($1.time, $1.row) }
                }
            }
        }
        self.dictionary = dictionary
        self.starts = groups.starts
        self.rows = entries.map(\.row)
        self.times = entries.map(\.time)
        self.count = keys.count
    }
}

/// The winning history row of each spine row among the parts of history seen so far.
///
/// The winner is the greatest (event_time, known_at, sequence) of the rows known at the spine row's time, which is a
/// maximum: parts may come in any order and be divided among threads, and `merge` of what they found is what one thread
/// finds. Rows equal in all three are told apart by their place.
public struct AsOfWinners: Sendable {
    struct Winner: Sendable {
        var eventTime: Int64
        var knownTime: Int64
        var sequence: Int64
        /// The part's number in the upper half, the row in the lower; -1 for none.
        var place: Int

        static let none = Winner(eventTime: .min, knownTime: .min, sequence: .min, place: -1)

        @inline(__always)
        static func < (left: Winner, right: Winner) -> Bool {
            if left.eventTime != right.eventTime { return left.eventTime < right.eventTime }
            if left.knownTime != right.knownTime { return left.knownTime < right.knownTime }
            if left.sequence != right.sequence { return left.sequence < right.sequence }
            return left.place < right.place
        }
    }

    private let spine: AsOfSpine
    /// By position in the arranged spine.
    private var winners: [Winner]
    /// The last part in which each key was seen.
    private var lastParts: [Int]

    /// - Complexity: 32 bytes for each row of the spine.
    public init(_ spine: AsOfSpine) {
        self.spine = spine
        winners = [Winner](repeating: .none, count: spine.rows.count)
        lastParts = [Int](repeating: -1, count: spine.dictionary.count)
    }

    /// Lets a part of history pass: its rows win where they are greater than what is there.
    ///
    /// - Parameter part: its number, by which `places` tells it again.
    /// - Precondition: all inputs have one entry for each row, parts have fewer than 2^31 rows and positive numbers below
    ///   2^31, and no row is known before its event time.
    /// - Complexity: O(n + m) for n rows that stand together by key in order of time, as in a sealed segment, and m spine
    ///   rows with their keys; else O(n log n + m log n).
    public mutating func absorb(
        part: Int,
        keys: KeyColumn,
        eventTimes: [Int64],
        knownTimes: [Int64],
        sequences: [Int64]
    ) {
        let count = keys.count
        precondition(
            eventTimes.count == count && knownTimes.count == count && sequences.count == count,
            "\(eventTimes.count), \(knownTimes.count) and \(sequences.count) times and sequences for \(count) keys"
        )
        precondition(part >= 0 && part < 1 << 31 && count < 1 << 31, "part \(part) or its \(count) rows are too many")
        let history = HistoryRows(events: eventTimes, known: knownTimes, sequences: sequences, part: part)
        for row in 0..<count {
            precondition(knownTimes[row] >= eventTimes[row], "a history row is known before its event time")
        }
        let ids = spine.dictionary.ids(of: keys, rows: 0..<count)
        var row = 0
        while row < count {
            let id = ids[row]
            var end = row &+ 1
            while end < count, ids[end] == id { end &+= 1 }
            if id >= 0 {
                guard lastParts[id] != part else { return absorbScattered(history, ids) }
                lastParts[id] = part
                absorb(history, row..<end, key: id)
            }
            row = end
        }
    }

    private struct HistoryRows {
        let events: [Int64]
        let known: [Int64]
        let sequences: [Int64]
        let part: Int

        @inline(__always)
        func winner(_ row: Int) -> Winner {
            Winner(eventTime: events[row], knownTime: known[row], sequence: sequences[row], place: part &<< 32 | row)
        }
    }

    /// Rows whose keys are scattered over the part.
    ///
    /// Rows that passed already lose nothing by passing again.
    private mutating func absorbScattered(_ history: HistoryRows, _ ids: [Int]) {
        let groups = GroupedRows(ids: ids, count: spine.dictionary.count)
        for key in 0..<spine.dictionary.count where groups.starts[key] < groups.starts[key + 1] {
            absorb(history, groups.rows[groups.starts[key]..<groups.starts[key + 1]], key: key)
        }
    }

    /// Rows of one key that stand together.
    private mutating func absorb(_ history: HistoryRows, _ range: Range<Int>, key: Int) {
        var row = range.lowerBound &+ 1
        while row < range.upperBound {
            // In order of all three, each row wins over those before it, and is known no earlier. Times that both ascend
            // are the common case, told without the sequences.
            let (event, before) = (history.events[row], history.events[row &- 1])
            let isInOrder =
                event > before
                ? history.known[row] >= history.known[row &- 1]
                : history.known[row] >= history.known[row &- 1] && !(history.winner(row) < history.winner(row &- 1))
            guard isInOrder else { return absorb(history, Array(range)[...], key: key) }
            row &+= 1
        }
        let known = history.known
        settle(key: key, count: range.count) {
            known[range.lowerBound &+ $0]
        } winner: {
            history.winner(range.lowerBound &+ $0)
        }
    }

    /// Rows of one key in any order: sorted by when they became known, with the winner so far beside each.
    private mutating func absorb(_ history: HistoryRows, _ rows: ArraySlice<Int>, key: Int) {
        let known = history.known
        let sorted = rows.sorted { (known[$0], $0) < (known[$1], $1) }
        var winners: [Winner] = []
        winners.reserveCapacity(sorted.count)
        for row in sorted {
            let winner = history.winner(row)
            if let best = winners.last, winner < best { winners.append(best) } else { winners.append(winner) }
        }
        settle(key: key, count: sorted.count) {
            known[sorted[$0]]
        } winner: {
            winners[$0]
        }
    }

    /// Gives each spine row of a key the winner among the rows known at its time, where that is greater.
    ///
    /// Both sides ascend in time, so one cursor moves over the rows, in doubling steps where spine rows are far apart.
    @inline(__always)
    private mutating func settle(key: Int, count: Int, known: (Int) -> Int64, winner: (Int) -> Winner) {
        var cursor = 0
        for position in spine.starts[key]..<spine.starts[key &+ 1] {
            let time = spine.times[position]
            var step = 1
            while cursor &+ step <= count, known(cursor &+ step &- 1) <= time {
                cursor &+= step
                step &*= 2
            }
            while step > 0 {
                if cursor &+ step <= count, known(cursor &+ step &- 1) <= time { cursor &+= step }
                step &>>= 1
            }
            guard cursor > 0 else { continue }
            let found = winner(cursor &- 1)
            if winners[position] < found { winners[position] = found }
        }
    }

    /// Takes over what passed by another.
    ///
    /// - Precondition: both are of one spine, and their parts have different numbers.
    public mutating func merge(_ other: AsOfWinners) {
        precondition(other.winners.count == winners.count, "winners of another spine are merged")
        for position in winners.indices where winners[position] < other.winners[position] {
            winners[position] = other.winners[position]
        }
    }

    /// Where the winners stand, part by part.
    ///
    /// - Parameter ttl: the greatest age in microseconds that is still visible, or `nil` for no limit. It is tested on the
    ///   winner alone: where that is too old, so is every other row known then.
    /// - Precondition: `ttl` is positive.
    public func places(ttl: Int64?) -> AsOfPlaces {
        precondition(ttl.map { $0 > 0 } ?? true, "a time to live is positive; absent means no limit")
        var statuses = [AsOfStatus](repeating: .notFound, count: spine.count)
        let count = (winners.lazy.map(\.place).max() ?? -1) &>> 32 &+ 1
        var parts = (0..<count).map { AsOfPlaces.Part(number: $0, rows: [], spineRows: []) }
        for position in winners.indices {
            let winner = winners[position]
            guard winner.place >= 0 else { continue }
            let row = spine.rows[position]
            if let ttl {
                let (earliest, overflow) = spine.times[position].subtractingReportingOverflow(ttl)
                if !overflow, winner.eventTime < earliest {
                    statuses[row] = .outsideMaxAge
                    continue
                }
            }
            statuses[row] = .matched
            parts[winner.place &>> 32].rows.append(winner.place & 0xFFFF_FFFF)
            parts[winner.place &>> 32].spineRows.append(row)
        }
        return AsOfPlaces(parts: parts.filter { !$0.rows.isEmpty }, statuses: statuses)
    }
}

/// The history rows that a spine needs, by the part of history they stand in.
public struct AsOfPlaces: Sendable {
    public struct Part: Sendable {
        public var number: Int
        /// The winning rows of the part; one may win several times.
        public var rows: [Int]
        /// The spine row of each.
        public var spineRows: [Int]
    }

    /// Ascending by number; parts without a winner are left out.
    public var parts: [Part]
    /// For each spine row.
    public var statuses: [AsOfStatus]
}
