import Catalog
import Columns
import Features
import Formats
import Kernels
import Synchronization
import Wire

/// Takes live rows: evaluates them once for each view over their source and commits history and online rows together.
final class PushWriter: Sendable {
    private let catalog: Catalog
    private let kept = Mutex<Kept>(Kept())

    private struct Kept {
        var targets: [String: Target] = [:]
        var generation = 0
    }

    /// A source and the views over it.
    private struct Target {
        let record: VersionRecord
        let source: SourcePlan
        let views: [LoadedView]
    }

    init(catalog: Catalog) { self.catalog = catalog }

    func invalidate() {
        kept.withLock { kept in
            kept.targets = [:]
            kept.generation += 1
        }
    }

    func push(_ request: PushRequest, project: Int64, namespace: Namespace, clock: Int64) async throws -> PushResponse {
        let target = try await target(request.source, project: project, namespace: namespace.id)
        let rows = try request.rows(
            target.source.schema,
            naiveTimestamps: target.source.source.naiveTimestamps
        )
        let timed = try target.source.timed(rows, arrival: clock)
        let raw = ViewRows(
            features: timed.batch.columns.map { FeatureColumn($0, invalid: nil) },
            rowCount: timed.batch.rowCount
        )
        let head = (0..<timed.batch.rowCount).map { row in
            HeadRow(
                position: row,
                eventTime: timed.eventTimes[row],
                knownAt: timed.knownTimes[row],
                packed: PackedRow.encode(raw, row: row)
            )
        }
        let views = target.views.map { view in
            let (stored, inputs) = view.plan.evaluateWithWindows(timed.batch)
            let keys = view.plan.keys(timed.batch)
            func rows(_ packed: (Int) -> [UInt8]) -> [OnlineRow] {
                (0..<timed.batch.rowCount).compactMap { row in
                    guard let key = keys.bytes(row) else { return nil }
                    return OnlineRow(
                        key: key,
                        eventTime: timed.eventTimes[row],
                        knownAt: timed.knownTimes[row],
                        sequence: Int64(row),
                        features: packed(row)
                    )
                }
            }
            return Push.View(
                version: view.record.id,
                rows: rows { PackedRow.encode(stored, row: $0) },
                events: view.plan.windows.map { windows in
                    let packed = ViewWindows.pack(inputs, rowCount: timed.batch.rowCount)
                    return ViewEvents(rows: rows { packed[$0] }, widest: windows.widest)
                }
            )
        }
        if !head.isEmpty {
            _ = try await catalog.push(
                Push(sourceVersion: target.record.id, rows: head, views: views),
                namespace: namespace,
                clock: clock
            )
        }
        let last = timed.knownTimes.max() ?? clock
        return PushResponse(
            rows: head.count,
            filtered: timed.filteredCount,
            replay: namespace.isReplay ? namespace.id : nil,
            visibleFrom: last > clock ? Instant.text(last) : nil
        )
    }

    /// The source version and its views: the current ones, and in this namespace also older ones that are online.
    private func target(_ text: String, project: Int64, namespace: Int64) async throws -> Target {
        let key = "\(project) \(namespace) \(text)"
        let (known, generation) = kept.withLock { ($0.targets[key], $0.generation) }
        if let known { return known }
        let record = try await catalog.version(project, .source, try VersionReference(request: text))
        guard case .source(let source) = try record.definition() else {
            throw CatalogError(.conflict, "\(record.name) is not a source in the catalog")
        }
        var candidates = try await catalog.currentVersions(project, .view)
        for online in try await catalog.materializations(namespace)
        where !candidates.contains(where: { $0.id == online.view.id }) {
            candidates.append(online.view)
        }
        var views: [LoadedView] = []
        for candidate in candidates {
            guard let view = try await catalog.loadStored(candidate) else { continue }
            if view.sourceRecord.id == record.id { views.append(view) }
        }
        let target = Target(record: record, source: try SourcePlan(source), views: views)
        kept.withLock { kept in
            guard kept.generation == generation else { return }
            if kept.targets.count > 1000 { kept.targets = [:] }
            kept.targets[key] = target
        }
        return target
    }
}
