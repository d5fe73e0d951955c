/// The history rows that a spine needs, by the part of history they stand in.
public struct AsOfPlaces: Sendable {
    public struct Part: Sendable {
        public var number: Int
        /// The winning rows of the part; one may win several times.
        public var rows: [Int]
        /// The spine row of each.
        public var spineRows: [Int]
    }

    /// Ascending by number; parts without a winner are left out, and a part may come once for each shard of the spine.
    public var parts: [Part]
    /// The spine rows whose winner is too old.
    public var expired: [Int]

    /// Puts the places of disjoint shards together.
    public static func joined(_ places: [AsOfPlaces]) -> AsOfPlaces {
        // In order of shards for equal numbers: the sort is stable.
        AsOfPlaces(
            parts: places.flatMap(\.parts).sorted { $0.number < $1.number },
            expired: places.flatMap(\.expired)
        )
    }
}

extension AsOfWinners {
    /// Where the winners of one shard of the spine stand, part by part.
    ///
    /// - Parameters:
    ///   - winners: what each thread found.
    ///   - ttl: the greatest age in microseconds that is still visible, or `nil` for no limit. It is tested on the winner
    ///     alone: where that is too old, so is every other row known then.
    /// - Precondition: all are of one spine, and no part passed by two of them; `ttl` is positive.
    public static func places(_ winners: [AsOfWinners], shard: Int, ttl: Int64?) -> AsOfPlaces {
        precondition(ttl.map { $0 > 0 } ?? true, "a time to live is positive; absent means no limit")
        guard let first = winners.first else { return AsOfPlaces(parts: [], expired: []) }
        let entries = first.spine.shards[shard].entries
        let base = first.spine.entryBases[shard]
        var parts: [AsOfPlaces.Part] = []
        var expired: [Int] = []
        for position in entries.indices {
            var winner = first.winners[base &+ position]
            for other in winners.dropFirst() where winner < other.winners[base &+ position] {
                winner = other.winners[base &+ position]
            }
            guard winner.place >= 0 else { continue }
            let entry = entries[position]
            if let ttl, case let (earliest, overflow) = entry.time.subtractingReportingOverflow(ttl), !overflow,
                winner.eventTime < earliest
            {
                expired.append(entry.row)
                continue
            }
            let number = winner.place &>> 32
            while parts.count <= number {
                parts.append(AsOfPlaces.Part(number: parts.count, rows: [], spineRows: []))
            }
            parts[number].rows.append(winner.place & 0xFFFF_FFFF)
            parts[number].spineRows.append(entry.row)
        }
        return AsOfPlaces(parts: parts.filter { !$0.rows.isEmpty }, expired: expired)
    }

    /// Where the winners of the whole spine stand.
    public static func places(_ winners: [AsOfWinners], ttl: Int64?) -> AsOfPlaces {
        let shards = winners.first?.spine.shards.indices ?? 0..<0
        return .joined(shards.map { places(winners, shard: $0, ttl: ttl) })
    }
}
