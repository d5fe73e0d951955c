import Columns

/// Why a spine row has a history row, or has none.
public enum AsOfStatus: UInt8, Hashable, Sendable {
    /// A history row was visible.
    case matched
    /// The key is null or was never seen, or nothing of it was known yet.
    case notFound
    /// A row was known, but the newest is older than the time to live allows.
    case outsideMaxAge
}

/// The outcome of an as-of match: one history row and one status for each spine row, in spine order.
public struct AsOfMatches: Hashable, Sendable {
    /// The winning history row, or -1, as `Column.take` expects it.
    public var rows: [Int]
    public var statuses: [AsOfStatus]

    public init(rows: [Int], statuses: [AsOfStatus]) {
        self.rows = rows
        self.statuses = statuses
    }
}

/// What each key's newest visible row is at one time, and what will become visible later.
///
/// Keys stand in ascending order of their bytes.
public struct LatestRows: Hashable, Sendable {
    /// A history row that has the key, for each key: the first of the input.
    public var keyRows: [Int]
    /// The winning history row of each key, or -1 where nothing is visible yet.
    public var winners: [Int]
    /// The rows known only later, key after key, each in the order they become visible.
    public var pending: [Int]
    /// Where the pending rows of each key start; one entry more than there are keys.
    public var pendingOffsets: [Int]
}

/// History rows arranged to find, for a key and a time, the row that was visible then.
///
/// A row is visible at t when `event_time <= t`, `known_at <= t` and, with a time to live, `event_time >= t - ttl`. Of
/// the visible rows the greatest (event_time, known_at, sequence) wins. The values of a row play no part: a null value
/// is a value.
///
/// How it is fast whatever the lag. No row is known before it is true, so without a time to live a row is visible
/// exactly when `known_at <= t`. Inside each key, rows are ordered by `known_at`, and beside each stands the winner
/// among the rows up to it. A spine row is then a hash probe, a binary search for the last `known_at <= t`, and the
/// winner found there. The time to live is tested on that winner alone: it has the greatest event time of all rows
/// known at t, so where it is too old all of them are.
public struct AsOfIndex: Sendable {
    private let dictionary: KeyDictionary
    /// Where the rows of each key start in the arrays below; one entry more than there are keys.
    private let starts: [Int]
    /// Ascending within each key.
    private let knownTimes: [Int64]
    /// The history rows in the order of `knownTimes`.
    private let rows: [Int]
    /// The winner among the rows of the key up to and including this one, and its event time.
    private let winners: [Int]
    private let winnerEventTimes: [Int64]

    /// Builds the index over history rows.
    ///
    /// Rows with a null key match nothing and are left out. Sequences tell apart rows of one key at equal times; where
    /// they too are equal, the later row of the input wins.
    ///
    /// - Precondition: all inputs have one entry for each row, and no row is known before its event time.
    /// - Complexity: O(n) for rows in order of known time within each key, else O(n log n). Memory: about 40 bytes a row.
    public init(keys: KeyColumn, eventTimes: [Int64], knownTimes: [Int64], sequences: [Int64]) {
        precondition(eventTimes.count == keys.count, "\(eventTimes.count) event times for \(keys.count) keys")
        precondition(knownTimes.count == keys.count, "\(knownTimes.count) known times for \(keys.count) keys")
        precondition(sequences.count == keys.count, "\(sequences.count) sequences for \(keys.count) keys")
        for row in 0..<keys.count {
            precondition(knownTimes[row] >= eventTimes[row], "a history row is known before its event time")
        }
        let (dictionary, ids) = KeyDictionary.numbering(keys)
        var groups = GroupedRows(ids: ids, count: dictionary.count)
        groups.sortWithin { left, right in
            if knownTimes[left] != knownTimes[right] { return knownTimes[left] < knownTimes[right] }
            if eventTimes[left] != eventTimes[right] { return eventTimes[left] < eventTimes[right] }
            return (sequences[left], left) < (sequences[right], right)
        }
        let rowCount = groups.starts[dictionary.count]
        var known: [Int64] = []
        var winners: [Int] = []
        var winnerEventTimes: [Int64] = []
        known.reserveCapacity(rowCount)
        winners.reserveCapacity(rowCount)
        winnerEventTimes.reserveCapacity(rowCount)
        for group in 0..<dictionary.count {
            var winner = -1
            for position in groups.starts[group]..<groups.starts[group + 1] {
                let row = groups.rows[position]
                // Later rows are known no earlier, and at equal known times are ordered by sequence: an equal event
                // time is enough to win.
                if winner < 0 || eventTimes[row] >= eventTimes[winner] { winner = row }
                known.append(knownTimes[row])
                winners.append(winner)
                winnerEventTimes.append(eventTimes[winner])
            }
        }
        self.dictionary = dictionary
        self.starts = groups.starts
        self.knownTimes = known
        self.rows = rowCount == groups.rows.count ? groups.rows : Array(groups.rows[..<rowCount])
        self.winners = winners
        self.winnerEventTimes = winnerEventTimes
    }

    /// The number of distinct keys.
    public var keyCount: Int { dictionary.count }

    /// The number of history rows, without those whose key is null.
    public var count: Int { rows.count }

    /// Matches every spine row.
    ///
    /// - Parameter times: microseconds, one for each key.
    /// - Parameter ttl: the greatest age in microseconds that is still visible, or `nil` for no limit.
    /// - Precondition: `ttl` is positive.
    /// - Complexity: O(log n) for each spine row.
    public func match(keys: KeyColumn, at times: [Int64], ttl: Int64?) -> AsOfMatches {
        match(keys: keys, at: times, ttl: ttl, rows: 0..<keys.count)
    }

    /// Matches a range of spine rows; the result's first entry is that of the range's first row.
    ///
    /// A pure function: threads may call it on ranges of one spine, and the results laid end to end are those of the
    /// whole spine however it is split.
    ///
    /// - Precondition: `times` has one entry for each key, the range lies within them, `ttl` is positive.
    public func match(keys: KeyColumn, at times: [Int64], ttl: Int64?, rows: Range<Int>) -> AsOfMatches {
        precondition(times.count == keys.count, "\(times.count) times for \(keys.count) keys")
        precondition(ttl.map { $0 > 0 } ?? true, "a time to live is positive; absent means no limit")
        // Numbers of keys at first, overwritten by the winning rows.
        var result = dictionary.ids(of: keys, rows: rows)
        var statuses = [AsOfStatus](repeating: .notFound, count: rows.count)
        for position in result.indices {
            let group = result[position]
            guard group >= 0 else { continue }
            let time = times[rows.lowerBound &+ position]
            let last = lastKnown(in: group, at: time)
            guard last >= starts[group] else {
                result[position] = -1
                continue
            }
            if let ttl {
                let (earliest, overflow) = time.subtractingReportingOverflow(ttl)
                if !overflow, winnerEventTimes[last] < earliest {
                    result[position] = -1
                    statuses[position] = .outsideMaxAge
                    continue
                }
            }
            result[position] = winners[last]
            statuses[position] = .matched
        }
        return AsOfMatches(rows: result, statuses: statuses)
    }

    /// The newest visible row of every key at one time, with no time to live, and the rows that are known only later.
    ///
    /// - Complexity: O(n + k log k) for k distinct keys.
    public func latest(at time: Int64) -> LatestRows {
        var latest = LatestRows(keyRows: [], winners: [], pending: [], pendingOffsets: [0])
        for group in dictionary.keys.sortedRows() {
            let last = lastKnown(in: group, at: time)
            latest.keyRows.append(dictionary.firstRows[group])
            latest.winners.append(last >= starts[group] ? winners[last] : -1)
            latest.pending.append(contentsOf: rows[(last + 1)..<starts[group + 1]])
            latest.pendingOffsets.append(latest.pending.count)
        }
        return latest
    }

    /// The last position of a group that is known at a time, or the position before its first.
    @inline(__always)
    private func lastKnown(in group: Int, at time: Int64) -> Int {
        var lower = starts[group]
        var length = starts[group &+ 1] &- lower
        // Halves the range without an unpredictable branch: only the base moves.
        while length > 0 {
            let half = (length &+ 1) &>> 1
            if knownTimes[lower &+ half &- 1] <= time { lower &+= half }
            length &-= half
        }
        return lower &- 1
    }
}
