import Columns
import Dispatch
import Formats
import Foundation
import Kernels
import Measure

/// Windowed aggregates of events for a spine in this process; `windows.py` starts it, asks it for runs, and checks its
/// answer.
///
/// A run reads both files from disk, arranges the events and the spine, and makes one column for each aggregate, in spine
/// order. Events are known at their event time, or at `known_at` where they have one, and stand in the order of the file.
let usage = "usage: windows-bench EVENTS SPINE THREADS OUTPUT FUNCTION:COLUMN:DAYS…"

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// What each of the numbers gives, computed by several threads.
func concurrently<Result: Sendable>(
    _ count: Int,
    threads: Int,
    _ work: @escaping @Sendable (Int) throws -> Result
) throws -> [Result] {
    let results = Shared<[Int: Result]>([:])
    let failure = Shared<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { thread in
        for number in stride(from: thread, to: count, by: threads) {
            do {
                let result = try work(number)
                results.change { $0[number] = result }
            } catch {
                failure.change { $0 = error }
            }
        }
    }
    if let error = failure.value { throw error }
    return (0..<count).compactMap { results.value[$0] }
}

/// A value behind a lock.
final class Shared<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }

    var value: Value { lock.withLock { stored } }

    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&stored) } }
}

func aggregate(_ text: String, columns: [String]) throws -> WindowAggregate {
    let parts = text.split(separator: ":")
    let functions: [String: WindowFunction] = [
        "sum": .sum, "count": .count, "avg": .average, "min": .minimum, "max": .maximum, "stddev": .standardDeviation,
        "count_distinct": .countDistinct,
    ]
    guard parts.count == 3, let function = functions[String(parts[0])],
        let column = columns.firstIndex(of: String(parts[1])), let days = Int64(parts[2])
    else { throw Failure(description: "'\(text)' is no aggregate; \(usage)") }
    return WindowAggregate(function, column: column, width: days * 86_400_000_000)
}

func times(_ column: Column?) throws -> [Int64] {
    guard case .timestamp(let times)? = column else { throw Failure(description: "a column of times is missing") }
    return times.values
}

func run(_ arguments: [String]) throws {
    guard arguments.count > 4, let threads = Int(arguments[2]), threads > 0 else { throw Failure(description: usage) }
    let texts = Array(arguments[4...])
    let names = Array(Set(texts.compactMap { $0.split(separator: ":").dropFirst().first.map(String.init) })).sorted()
    let aggregates = try texts.map { try aggregate($0, columns: names) }

    try Runner().run { () -> [Column] in
        let file = try ParquetFile(path: arguments[0])
        let hasKnownTimes = file.schema.position(of: "known_at") != nil
        let read = ["key", "event_time"] + (hasKnownTimes ? ["known_at"] : []) + names
        let events = RecordBatch.concatenate(
            try concurrently(file.rowGroupCount, threads: threads) { try file.read(rowGroup: $0, columns: read) }
        )
        let spineRows = try ParquetFile(path: arguments[1]).read(columns: ["key", "event_timestamp"])
        guard let key = events["key"], let spineKey = spineRows["key"] else { throw Failure(description: usage) }
        let eventTimes = try times(events["event_time"])
        let index = WindowIndex(
            keys: try KeyColumn([key], rowCount: events.rowCount),
            eventTimes: eventTimes,
            knownTimes: hasKnownTimes ? try times(events["known_at"]) : eventTimes,
            sequences: (0..<Int64(events.rowCount)).map { $0 }
        )
        let spine = WindowSpine(
            keys: try KeyColumn([spineKey], rowCount: spineRows.rowCount),
            at: try times(spineRows["event_timestamp"]),
            index: index
        )
        let columns = names.compactMap { events[$0] }
        let plan = try WindowPlan(aggregates, columns: columns.map(\.type))
        let ranges = spine.split(into: 4 * threads)
        let parts = try concurrently(ranges.count, threads: threads) {
            index.aggregate(plan, columns: columns, spine: spine, positions: ranges[$0])
        }
        return try concurrently(aggregates.count, threads: threads) {
            plan.column(of: $0, parts: parts, spine: spine, columns: columns).column
        }
    } answer: { columns in
        let fields = zip(texts, columns).map { Field($0.replacing(":", with: "_"), $1.type) }
        let rowCount = columns.first?.count ?? 0
        try writeAnswer(
            RecordBatch(schema: Schema(fields), columns: columns, rowCount: rowCount),
            to: arguments[3]
        )
        return [("rows", "\(rowCount)")] + zip(fields, columns).map { ($0.name, "\($1.nullCount) nulls") }
    }
}

do {
    try run(Array(CommandLine.arguments.dropFirst()))
} catch {
    FileHandle.standardError.write(Data("windows-bench: \(error)\n".utf8))
    exit(1)
}
