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
    /// History passes by a row group at a time, so it may be larger than memory: what is held is the spine, the result, 32
    /// bytes for each spine row and thread, and one row group for each thread. The result is the same to the bit for any
    /// number of threads.
    ///
    /// - Parameters:
    ///   - spine: holds the join keys, `event_timestamp` and any further columns, which are carried through.
    ///   - threads: how many row groups are read at once.
    ///   - full: whether features are written `view__feature`.
    public static func build(
        _ service: LockedService,
        spine: Spine,
        threads: Int,
        full: Bool = false
    ) async throws -> TrainingSet {
        var rows: [ViewRows] = []
        for view in service.plan.views {
            let files = try await service.files(of: view.plan.view.source)
            rows.append(
                try await files.join(view.plan, keys: view.keys(spine.rows), at: spine.times, threads: threads)
            )
        }
        let features = try service.plan.assemble(rows, keys: spine.rows, at: spine.times, fitted: service.fitted)
        var fields = spine.rows.schema.fields
        var columns = spine.rows.columns
        var invalid: [String: Int] = [:]
        for (output, feature) in zip(service.plan.outputs, features) {
            let name = full ? output.fullName : output.name
            fields.append(Field(name, output.type))
            columns.append(feature.column)
            let count = feature.statuses.count { $0 == .invalid }
            if count > 0 { invalid[name] = count }
        }
        return TrainingSet(
            rows: RecordBatch(schema: Schema(fields), columns: columns, rowCount: spine.rows.rowCount),
            lock: service.lock,
            invalidCounts: invalid
        )
    }

    /// Writes the set, by its path's extension where no format is given; a Parquet or Arrow file names its lock in the
    /// metadata.
    ///
    /// - Returns: the SHA-256 of the file.
    public func write(to path: String, format: TableFormat? = nil) throws -> Digest {
        let metadata = [(Self.lockKey, "\(lock.digest)"), ("lockstep.service", "\(lock.service)")]
        var arrow = ArrowOptions(path: path)
        arrow.metadata = metadata
        try writeTable(rows, to: path, format: format, parquet: ParquetOptions(metadata: metadata), arrow: arrow)
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
