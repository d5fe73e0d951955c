import Columns
import Features
import Formats
import Kernels
import Objects

/// A point-in-time training set: one row for each spine row, in spine order, with the features of a locked service.
public struct TrainingSet: Sendable {
    /// The spine's columns, then the service's features.
    public let rows: RecordBatch
    /// The lock it was made under.
    public let lock: Lock
    /// By feature, how many rows have an undefined value.
    public let invalidCounts: [String: Int]

    /// Joins a spine with the pinned history.
    ///
    /// The result is the same to the bit for any number of threads: each joins a part of the spine, and parts are put
    /// together in order.
    ///
    /// - Parameters:
    ///   - spine: holds the join keys, `event_timestamp` and any further columns, which are carried through.
    ///   - threads: how many parts are joined at once.
    ///   - full: whether features are written `view__feature`.
    public static func build(
        _ service: LockedService,
        spine: Spine,
        threads: Int,
        full: Bool = false
    ) async throws -> TrainingSet {
        let histories = try await service.viewHistories()
        let parts = try await join(service, histories: histories, spine: spine, threads: threads)
        var fields = spine.rows.schema.fields
        var columns = spine.rows.columns
        var invalid: [String: Int] = [:]
        for (position, output) in service.plan.outputs.enumerated() {
            let name = full ? output.fullName : output.name
            fields.append(Field(name, output.type))
            columns.append(Column.concatenate(parts.map { $0[position].column }))
            let count = parts.reduce(0) { $0 + $1[position].statuses.count { $0 == .invalid } }
            if count > 0 { invalid[name] = count }
        }
        return TrainingSet(
            rows: RecordBatch(schema: Schema(fields), columns: columns, rowCount: spine.rows.rowCount),
            lock: service.lock,
            invalidCounts: invalid
        )
    }

    private static func join(
        _ service: LockedService,
        histories: [ViewHistory],
        spine: Spine,
        threads: Int
    ) async throws -> [[FeatureColumn]] {
        let rowCount = spine.rows.rowCount
        let partRows = max(1, (rowCount + threads - 1) / threads)
        var ranges: [Range<Int>] = []
        var start = 0
        repeat {
            ranges.append(start..<min(start + partRows, rowCount))
            start += partRows
        } while start < rowCount
        return try await withThrowingTaskGroup(of: (Int, [FeatureColumn]).self) { group in
            for (position, range) in ranges.enumerated() {
                group.addTask {
                    let part = spine.rows.slice(range)
                    let times = Array(spine.times[range])
                    let rows = histories.map { $0.join(part, at: times) }
                    return (position, try service.plan.assemble(rows, keys: part, fitted: service.fitted))
                }
            }
            var parts = [[FeatureColumn]](repeating: [], count: ranges.count)
            for try await (position, columns) in group { parts[position] = columns }
            return parts
        }
    }

    /// Writes the set, by its path's extension where no format is given; a Parquet file names its lock in the metadata.
    ///
    /// - Returns: the SHA-256 of the file.
    public func write(to path: String, format: TableFormat? = nil) throws -> Digest {
        try writeTable(
            rows,
            to: path,
            format: format,
            parquet: ParquetOptions(metadata: [
                (Self.lockKey, "\(lock.digest)"), ("lockstep.service", "\(lock.service)"),
            ])
        )
        return try FileDigest.of(path).digest
    }

    static let lockKey = "lockstep.lock"

    /// Opens a training set that was written as Parquet, and refuses one that was not made under the lock.
    ///
    /// - Throws: `PinError` when the file names another lock or none.
    public static func open(path: String, lock: Lock) throws -> TrainingSet {
        let file = try ParquetFile(path: path)
        let stated = file.metadata.first { $0.0 == lockKey }?.1
        guard let stated else {
            throw PinError("'\(path)' names no lock; make it with: lockstep training-set --lock FILE -o \(path)")
        }
        guard stated == "\(lock.digest)" else {
            throw PinError(
                "'\(path)' was made under lock \(stated), not under \(lock.digest); make it again with: lockstep training-set"
            )
        }
        return TrainingSet(rows: try file.read(), lock: lock, invalidCounts: [:])
    }

    private init(rows: RecordBatch, lock: Lock, invalidCounts: [String: Int]) {
        self.rows = rows
        self.lock = lock
        self.invalidCounts = invalidCounts
    }
}
