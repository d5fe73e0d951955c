import Catalog
import Columns
import Features
import Formats
import Kernels
import Objects

/// Seals history rows into a sorted Parquet object.
struct SegmentWriter {
    let catalog: Catalog
    let objects: any ObjectStore
    let project: Int64

    /// The columns that a source's segments are sorted by: the join keys of the first view over it.
    ///
    /// Only the order of rows in the file depends on this, never a value: a view with other keys reads the same segments.
    func sortKeys(of source: VersionRecord) async throws -> [String] {
        for view in try await catalog.currentVersions(project, .view) {
            guard let loaded = try await catalog.loadStored(view) else { continue }
            if loaded.sourceRecord.id == source.id, !loaded.plan.joinKeys.isEmpty {
                return loaded.plan.joinKeys.map(\.name)
            }
        }
        return []
    }

    /// Writes and records one segment.
    ///
    /// - Parameters:
    ///   - rows: the source's history columns, at least one row.
    ///   - inputs: the identity of what the rows were read from, for the record.
    func write(
        _ rows: RecordBatch,
        source: VersionRecord,
        snapshot: Int64?,
        inputs: Digest? = nil,
        replacingHead head: (namespace: Int64, through: Int64)? = nil
    ) async throws -> (segment: VersionRecord, isNew: Bool) {
        let sortedBy = try await sortKeys(of: source)
        guard case .timestamp(let events)? = rows["__event_time"],
            case .timestamp(let known)? = rows["__known_at"], case .int64(let sequences)? = rows["__sequence"],
            let firstSequence = sequences.values.min(), let lastSequence = sequences.values.max(),
            let firstEvent = events.values.min(), let lastEvent = events.values.max(),
            let firstKnown = known.values.min(), let lastKnown = known.values.max()
        else { preconditionFailure("a segment needs history rows") }
        let keys = try KeyColumn.ranked(sortedBy.compactMap { rows[$0] }, rowCount: rows.rowCount)
        let order = sortedRows(by: keys, eventTimes: events.values, knownTimes: known.values)
        let bytes = try Parquet.encode(
            [rows.take(order)],
            options: ParquetOptions(
                sortedBy: sortedBy + ["__event_time", "__known_at"],
                metadata: [("lockstep.source", "\(source.reference)"), ("lockstep.source.digest", "\(source.digest)")]
            )
        )
        let object = try await objects.put(bytes, encoding: .raw)
        return try await catalog.recordSegment(
            NewSegment(
                sourceName: source.name.name,
                sourceVersion: source.id,
                object: object,
                byteCount: bytes.count,
                rowCount: rows.rowCount,
                sequences: firstSequence...lastSequence,
                eventTimes: firstEvent...lastEvent,
                knownTimes: firstKnown...lastKnown,
                sortedBy: sortedBy,
                snapshot: snapshot,
                inputs: inputs
            ),
            in: project,
            replacingHead: head
        )
    }
}
