import Columns
import Expressions
import Features
import Formats
import Kernels
import Synchronization

/// The pinned history of one source: segment files, read a row group at a time.
struct HistoryFiles: Sendable {
    /// One row group of one file.
    struct Part: Sendable {
        let file: ParquetFile
        let rowGroup: Int

        func read(_ columns: [String]) throws -> RecordBatch { try file.read(rowGroup: rowGroup, columns: columns) }
    }

    private let segments: [Segment]
    /// What is read from them may be given out when `verify` has returned.
    let parts: [Part]

    init(_ segments: [Segment]) {
        self.segments = segments
        parts = segments.flatMap { segment in
            (0..<segment.file.rowGroupCount).map { Part(file: segment.file, rowGroup: $0) }
        }
    }

    /// Returns when every segment has been found to have its digest.
    func verify() async throws {
        for segment in segments { try await segment.verify() }
    }

    /// Hashes the segments, several at a time, while the caller does something else.
    func beginVerifying() { for segment in segments { segment.beginVerifying() } }

    /// Joins a view with a spine while its history passes by, in bounded memory.
    ///
    /// The threads take row groups as they get to them; the result is the same for any number of them. Segments are hashed at
    /// the same time: one digest follows from its bytes in their order, so one core hashes a segment while the others join.
    func join(_ plan: ViewPlan, keys: KeyColumn, at times: [Int64], threads: Int) async throws -> ViewRows {
        if threads == 1 { try await verify() } else { beginVerifying() }
        do {
            let rows = try await joinUnverified(plan, keys: keys, at: times, threads: threads)
            try await verify()
            return rows
        } catch {
            // What is wrong with bytes that are not the pinned ones does not matter.
            try await verify()
            throw error
        }
    }

    private func joinUnverified(
        _ plan: ViewPlan,
        keys: KeyColumn,
        at times: [Int64],
        threads: Int
    ) async throws -> ViewRows {
        let shards = try await Self.map(threads, threads: threads) { number in
            AsOfSpine.Shard(number, of: threads, keys: keys, times: times)
        }
        let join = StreamedJoin(plan, spine: AsOfSpine(shards, count: keys.count))

        let next = Counter()
        let winners = try await Self.run(threads: min(threads, max(1, parts.count))) {
            var winners = join.winners()
            while let number = next.take(below: parts.count) {
                try Task.checkCancellation()
                try join.absorb(try parts[number].read(join.timeColumns), part: number, into: &winners)
            }
            return winners
        }
        let places = AsOfPlaces.joined(
            try await Self.map(join.spine.shardCount, threads: threads) {
                AsOfWinners.places(winners, shard: $0, ttl: plan.ttl)
            }
        )

        // A row group is read once for all shards of the spine.
        let needed = Array(Set(places.parts.map(\.number))).sorted()
        let byPart = Dictionary(grouping: places.parts.indices) { places.parts[$0].number }
        let evaluated = try await Self.map(needed.count, threads: threads) { number in
            let rows = try parts[needed[number]].read(join.valueColumns)
            return (byPart[needed[number]] ?? []).map { ($0, join.evaluate(places.parts[$0], rows: rows)) }
        }
        let values = evaluated.joined().sorted { $0.0 < $1.0 }.map(\.1)
        let features = try await Self.map(plan.storedFields.count, threads: threads) { field in
            join.assemble(places, parts: values, field: field)
        }
        return plan.finish(
            ViewRows(features: features, rowCount: keys.count),
            windows: try await windows(plan, keys: keys, at: times, threads: threads),
            keys: keys
        )
    }

    /// The aggregates of a view's windows for each spine row; none where it has no windows.
    private func windows(
        _ plan: ViewPlan,
        keys: KeyColumn,
        at times: [Int64],
        threads: Int
    ) async throws -> [Evaluation] {
        let rowCount = parts.reduce(0) { $0 + $1.file.rowCount(rowGroup: $1.rowGroup) }
        guard let streamed = StreamedWindows(plan, keys: keys, at: times, historyRows: rowCount) else { return [] }
        // Windows take every row for one that history can have.
        try await verify()
        var finished: [StreamedWindows.Finished] = []
        for number in 0..<streamed.shareCount {
            let kept = try await Self.map(parts.count, threads: threads) { part in
                streamed.keep(try parts[part].read(streamed.columns), share: number)
            }
            let share = streamed.arrange(kept, share: number)
            // More ranges than threads, so that none waits long for the last.
            let ranges = share.split(into: threads == 1 ? 1 : threads * 4)
            let aggregated = try await Self.map(ranges.count, threads: threads) { share.aggregate(ranges[$0]) }
            finished.append(share.finish(aggregated))
        }
        return streamed.results(finished)
    }

    /// What each of several threads gives for a piece of work that they share.
    private static func run<Result: Sendable>(
        threads: Int,
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            for _ in 0..<threads { group.addTask { try work() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// What a piece of work gives for each number, in order; the threads take numbers as they get to them.
    private static func map<Result: Sendable>(
        _ count: Int,
        threads: Int,
        _ work: @escaping @Sendable (Int) throws -> Result
    ) async throws -> [Result] {
        let next = Counter()
        let results = try await run(threads: min(threads, max(1, count))) {
            var results: [(Int, Result)] = []
            while let number = next.take(below: count) {
                try Task.checkCancellation()
                results.append((number, try work(number)))
            }
            return results
        }
        return results.joined().sorted { $0.0 < $1.0 }.map(\.1)
    }
}

/// Hands out numbers to threads, each once, ascending.
private final class Counter: Sendable {
    private let next = Atomic(0)

    func take(below limit: Int) -> Int? {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < limit ? number : nil
    }
}
