import Columns

/// The rows of a spine arranged by key and time, for history that passes by in parts.
///
/// Where `AsOfIndex` holds history and lets spines pass, this holds the spine: history may be larger than memory, in any
/// order, and shared among threads, each with `AsOfWinners` of its own. The keys are divided into shards, which threads may
/// arrange at the same time; no result depends on their number.
public struct AsOfSpine: Sendable {
    /// A row of the spine.
    struct Entry: Sendable {
        let time: Int64
        let row: Int
    }

    /// The rows of some of the keys.
    public struct Shard: Sendable {
        let dictionary: KeyDictionary
        /// Where the rows of each key start below; one entry more than there are keys.
        let starts: [Int]
        /// By key and time, without rows whose key is null.
        let entries: [Entry]

        /// Arranges the rows whose keys fall into one of several shards.
        ///
        /// - Parameter times: microseconds, one for each key.
        /// - Complexity: O(n) to find the shard's rows among all, and O(m log m) for m of them, less where the times of each
        ///   key ascend. Memory: 16 bytes for each of its rows, and its distinct keys.
        public init(_ number: Int, of count: Int, keys: KeyColumn, times: [Int64]) {
            precondition(times.count == keys.count, "\(times.count) times for \(keys.count) keys")
            precondition((0..<count).contains(number), "no shard \(number) of \(count)")
            let (dictionary, rows, ids) = KeyDictionary.numbering(keys, shard: number, of: count)
            var starts = [Int](repeating: 0, count: dictionary.count + 1)
            for id in ids { starts[id &+ 1] &+= 1 }
            for key in 0..<dictionary.count { starts[key &+ 1] &+= starts[key] }
            var cursors = starts
            // Times stand beside their rows: through an index each comparison is a miss of the cache.
            let entries = [Entry](unsafeUninitializedCapacity: rows.count) { entries, written in
                for (id, row) in zip(ids, rows) {
                    entries[cursors[id]] = Entry(time: times[row], row: row)
                    cursors[id] &+= 1
                }
                for key in 0..<dictionary.count { Self.sort(entries, starts[key]..<starts[key &+ 1]) }
                written = rows.count
            }
            self.dictionary = dictionary
            self.starts = starts
            self.entries = entries
        }

        /// Sorts the rows of one key by time, equal times as they were: by row.
        @inline(__always)
        private static func sort(_ entries: UnsafeMutableBufferPointer<Entry>, _ range: Range<Int>) {
            // Few rows have one key. Insertion is also one pass over those in order.
            guard range.count <= 24 else {
                entries[range].sort { ($0.time, $0.row) < ($1.time, $1.row) }
                return
            }
            for next in range.dropFirst() {
                let entry = entries[next]
                var place = next
                while place > range.lowerBound, entries[place &- 1].time > entry.time {
                    entries[place] = entries[place &- 1]
                    place &-= 1
                }
                entries[place] = entry
            }
        }
    }

    let shards: [Shard]
    /// Where the entries of each shard stand among those of all, and its keys.
    let entryBases: [Int]
    let keyBases: [Int]
    /// The rows of the spine, with those whose key is null.
    public let count: Int

    /// The number of rows whose key is not null.
    var entryCount: Int { entryBases[shards.count] }
    var keyCount: Int { keyBases[shards.count] }

    /// Puts the shards of one spine together.
    ///
    /// - Parameter count: the rows of the spine.
    /// - Precondition: the shards are all of one number, in order.
    public init(_ shards: [Shard], count: Int) {
        self.shards = shards
        self.count = count
        entryBases = shards.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.entries.count) }
        keyBases = shards.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.dictionary.count) }
        precondition(entryBases[shards.count] <= count, "the shards have more rows than the spine")
    }

    /// Arranges a spine on one thread.
    public init(keys: KeyColumn, times: [Int64]) {
        self.init([Shard(0, of: 1, keys: keys, times: times)], count: keys.count)
    }

    /// The number of shards.
    public var shardCount: Int { shards.count }
}
