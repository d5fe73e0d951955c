import Columns
import Expressions
import Features
import Formats
import Kernels
import Synchronization

/// The pinned history of one source: verified segment files, read a row group at a time.
struct HistoryFiles: Sendable {
    /// One row group of one file.
    struct Part: Sendable {
        let file: ParquetFile
        let rowGroup: Int

        func read(_ columns: [String]) throws -> RecordBatch { try file.read(rowGroup: rowGroup, columns: columns) }
    }

    let parts: [Part]

    init(_ files: [ParquetFile]) {
        parts = files.flatMap { file in (0..<file.rowGroupCount).map { Part(file: file, rowGroup: $0) } }
    }

    /// Joins a view with a spine while its history passes by, in bounded memory.
    ///
    /// The threads take row groups as they get to them; the result is the same for any number of them.
    func join(_ plan: ViewPlan, keys: KeyColumn, at times: [Int64], threads: Int) async throws -> ViewRows {
        let join = StreamedJoin(plan, keys: keys, at: times)
        let next = Counter()
        let seen = try await Self.run(threads: min(threads, max(1, parts.count))) {
            var winners = join.winners()
            while let number = next.take(below: parts.count) {
                try Task.checkCancellation()
                join.absorb(try parts[number].read(join.timeColumns), part: number, into: &winners)
            }
            return winners
        }
        guard var winners = seen.first else { preconditionFailure("at least one thread joins") }
        for other in seen.dropFirst() { winners.merge(other) }
        let places = winners.places(ttl: plan.ttl)

        let nextPlace = Counter()
        let evaluated = try await Self.run(threads: min(threads, max(1, places.parts.count))) {
            var values: [(Int, [FeatureColumn])] = []
            while let number = nextPlace.take(below: places.parts.count) {
                try Task.checkCancellation()
                let part = places.parts[number]
                values.append((number, join.evaluate(part, rows: try parts[part.number].read(join.valueColumns))))
            }
            return values
        }
        let values = evaluated.joined().sorted { $0.0 < $1.0 }.map(\.1)
        let stored = join.assemble(places, parts: values)
        return plan.finish(
            stored,
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
        var finished: [StreamedWindows.Finished] = []
        for number in 0..<streamed.shareCount {
            let next = Counter()
            let kept = try await Self.run(threads: min(threads, max(1, parts.count))) {
                var kept: [(Int, StreamedWindows.Kept)] = []
                while let part = next.take(below: parts.count) {
                    try Task.checkCancellation()
                    kept.append((part, streamed.keep(try parts[part].read(streamed.columns), share: number)))
                }
                return kept
            }
            let share = streamed.arrange(kept.joined().sorted { $0.0 < $1.0 }.map(\.1), share: number)
            // More ranges than threads, so that none waits long for the last.
            let ranges = share.split(into: threads == 1 ? 1 : threads * 4)
            let nextRange = Counter()
            let aggregated = try await Self.run(threads: min(threads, ranges.count)) {
                var done: [(Int, WindowPart)] = []
                while let range = nextRange.take(below: ranges.count) {
                    try Task.checkCancellation()
                    done.append((range, share.aggregate(ranges[range])))
                }
                return done
            }
            finished.append(share.finish(aggregated.joined().sorted { $0.0 < $1.0 }.map(\.1)))
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
}

/// Hands out numbers to threads, each once, ascending.
private final class Counter: Sendable {
    private let next = Atomic(0)

    func take(below limit: Int) -> Int? {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < limit ? number : nil
    }
}
