import Columns

/// The winning history row of each spine row among the parts of history that one thread has seen.
///
/// The winner is the greatest (event_time, known_at, sequence) of the rows known at the spine row's time, which is a
/// maximum: parts may come in any order and be divided among threads, and `places` finds in what they found what one thread
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

    let spine: AsOfSpine
    /// By position in the arranged spine, shard after shard.
    private(set) var winners: [Winner]
    /// The last part in which each key was seen, shard after shard.
    private var lastParts: [Int]

    /// - Complexity: 32 bytes for each row of the spine.
    public init(_ spine: AsOfSpine) {
        self.spine = spine
        winners = [Winner](repeating: .none, count: spine.entryCount)
        lastParts = [Int](repeating: -1, count: spine.keyCount)
    }

    /// Lets a part of history pass: its rows win where they are greater than what is there.
    ///
    /// - Parameter part: its number, by which `places` tells it again.
    /// - Throws: `AsOfError` when a row is known before its event time, before anything has changed.
    /// - Precondition: all inputs have one entry for each row, parts have fewer than 2^31 rows and positive numbers below
    ///   2^31.
    /// - Complexity: O(n + m) for n rows that stand together by key in order of time, as in a sealed segment, and m spine
    ///   rows with their keys; else O(n log n + m log n).
    public mutating func absorb(
        part: Int,
        keys: KeyColumn,
        eventTimes: [Int64],
        knownTimes: [Int64],
        sequences: [Int64]
    ) throws(AsOfError) {
        let count = keys.count
        precondition(
            eventTimes.count == count && knownTimes.count == count && sequences.count == count,
            "\(eventTimes.count), \(knownTimes.count) and \(sequences.count) times and sequences for \(count) keys"
        )
        precondition(part >= 0 && part < 1 << 31 && count < 1 << 31, "part \(part) or its \(count) rows are too many")
        let early = eventTimes.withUnsafeBufferPointer { events in
            knownTimes.withUnsafeBufferPointer { known -> Int? in
                // Without a way out of the loop, which would keep it from being unrolled.
                var isEarly = false
                for row in 0..<count {
                    let isWrong = known[row] < events[row]
                    isEarly = isEarly || isWrong
                }
                return isEarly ? (0..<count).first { known[$0] < events[$0] } : nil
            }
        }
        if let early { throw AsOfError(row: early) }
        let runs = KeyDictionary.runs(of: keys, in: spine.shards.map(\.dictionary))
        let spine = spine
        var lastParts = lastParts
        self.lastParts = []
        winners.withUnsafeMutableBufferPointer { winners in
            eventTimes.withUnsafeBufferPointer { events in
                knownTimes.withUnsafeBufferPointer { known in
                    sequences.withUnsafeBufferPointer { sequences in
                        let history = HistoryRows(events: events, known: known, sequences: sequences, part: part)
                        let pass = Pass(spine: spine, history: history, winners: winners)
                        for run in runs {
                            let key = spine.keyBases[run.shard] &+ run.id
                            guard lastParts[key] != part else { return pass.absorbScattered(runs) }
                            lastParts[key] = part
                            pass.absorb(run)
                        }
                    }
                }
            }
        }
        self.lastParts = lastParts
    }
}

/// The rows of one part.
private struct HistoryRows {
    let events: UnsafeBufferPointer<Int64>
    let known: UnsafeBufferPointer<Int64>
    let sequences: UnsafeBufferPointer<Int64>
    let part: Int

    @inline(__always)
    func winner(_ row: Int) -> AsOfWinners.Winner {
        AsOfWinners.Winner(
            eventTime: events[row],
            knownTime: known[row],
            sequence: sequences[row],
            place: part &<< 32 | row
        )
    }
}

/// One part of history that passes by the winners of a spine.
private struct Pass {
    let spine: AsOfSpine
    let history: HistoryRows
    let winners: UnsafeMutableBufferPointer<AsOfWinners.Winner>

    /// Rows whose keys are scattered over the part.
    ///
    /// Rows that passed already lose nothing by passing again.
    func absorbScattered(_ runs: [KeyRun]) {
        let groups = GroupedRows(ids: runs.map { spine.keyBases[$0.shard] &+ $0.id }, count: spine.keyCount)
        for key in 0..<spine.keyCount where groups.starts[key] < groups.starts[key + 1] {
            let own = groups.rows[groups.starts[key]..<groups.starts[key + 1]].map { runs[$0] }
            absorb(own.flatMap { Array($0.rows) }, like: own[0])
        }
    }

    /// Rows of one key that stand together.
    @inline(__always)
    func absorb(_ run: KeyRun) {
        let range = run.rows
        // In order of all three, each row wins over those before it, and is known no earlier. Event times that ascend and
        // known times that do not descend are the common case, told without a branch for each row.
        var ascend = true
        var row = range.lowerBound &+ 1
        while row < range.upperBound {
            let isNext = history.events[row] > history.events[row &- 1]
            let isKnownNext = history.known[row] >= history.known[row &- 1]
            ascend = ascend && isNext && isKnownNext
            row &+= 1
        }
        guard ascend || isInOrder(range) else { return absorb(Array(range), like: run) }
        settle(run, count: range.count) {
            history.known[range.lowerBound &+ $0]
        } winner: {
            history.winner(range.lowerBound &+ $0)
        }
    }

    private func isInOrder(_ range: Range<Int>) -> Bool {
        range.dropFirst().allSatisfy { row in
            history.known[row] >= history.known[row &- 1] && !(history.winner(row) < history.winner(row &- 1))
        }
    }

    /// Rows of one key in any order: sorted by when they became known, with the winner so far beside each.
    private func absorb(_ rows: [Int], like run: KeyRun) {
        let known = history.known
        let sorted = rows.sorted { (known[$0], $0) < (known[$1], $1) }
        var winners: [AsOfWinners.Winner] = []
        winners.reserveCapacity(sorted.count)
        for row in sorted {
            let winner = history.winner(row)
            if let best = winners.last, winner < best { winners.append(best) } else { winners.append(winner) }
        }
        settle(run, count: sorted.count) {
            known[sorted[$0]]
        } winner: {
            winners[$0]
        }
    }

    /// Gives each spine row of a run's key the winner among the rows known at its time, where that is greater.
    ///
    /// Both sides ascend in time, so that each row is sought from where the last was found: by halves, without a branch that
    /// could be mispredicted, in the rows that are left; where those are many, first in steps that double. (Steps that double
    /// were a third of the join: with 50 rows of history and ten of the spine for a key, each step is a coin toss.)
    @inline(__always)
    private func settle(
        _ run: KeyRun,
        count: Int,
        known: (Int) -> Int64,
        winner: (Int) -> AsOfWinners.Winner
    ) {
        let shard = spine.shards[run.shard]
        let base = spine.entryBases[run.shard]
        var cursor = 0
        for position in shard.starts[run.id]..<shard.starts[run.id &+ 1] {
            let time = shard.entries[position].time
            var length = count &- cursor
            if length > 256 {
                var step = 128
                while cursor &+ step <= count, known(cursor &+ step &- 1) <= time {
                    cursor &+= step
                    step &*= 2
                }
                length = min(step &- 1, count &- cursor)
            }
            while length > 0 {
                let half = (length &+ 1) &>> 1
                cursor = known(cursor &+ half &- 1) <= time ? cursor &+ half : cursor
                length &-= half
            }
            guard cursor > 0 else { continue }
            let found = winner(cursor &- 1)
            if winners[base &+ position] < found { winners[base &+ position] = found }
        }
    }
}

/// A history row that is known before it is true, which no history has: it is damaged.
public struct AsOfError: Error, Hashable, CustomStringConvertible {
    /// The row of its part.
    public let row: Int

    public init(row: Int) { self.row = row }

    public var description: String { "history row \(row) is known before its event time" }
}
