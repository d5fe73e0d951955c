import Catalog
import Columns
import Features
import Formats
import Kernels
import Objects
import Wire

/// Brings views online: for each entity the newest row visible at an instant, evaluated and packed.
struct MaterializeJob {
    let context: JobContext
    let request: JobRequest.Materialize

    func run() async throws -> JobResult {
        let catalog = context.catalog
        let lock = try await pinnedLock()
        let views = try await views(lock: lock)
        let target = try await target()
        var counts: [String: Int64] = [:]
        var invalid: [String: Int64] = [:]
        var materialized: [MaterializedView] = []
        for (done, view) in views.enumerated() {
            try await context.report("materializing \(view.record.reference)", done, views.count)
            let (rows, events, undefined) = try await onlineRows(view, lock: lock, target: target)
            counts["\(view.record.reference)"] = Int64(rows.count)
            for (feature, count) in undefined { invalid["\(view.record.name.name):\(feature)"] = count }
            materialized.append(MaterializedView(version: view.record.id, rows: rows, events: events))
        }
        try await catalog.materialize(
            materialized,
            project: context.project,
            namespace: target.namespace,
            through: target.clock,
            isDefault: target.isDefault
        )
        counts["rows"] = Int64(materialized.reduce(0) { $0 + $1.rows.count })
        return JobResult(
            counts: counts,
            invalid: invalid,
            text: Instant.text(target.clock),
            replay: target.namespace.isReplay ? target.namespace.id : nil
        )
    }

    /// What a view has online at the target's clock, and by feature how many of its rows are undefined.
    private func onlineRows(
        _ view: LoadedView,
        lock: Lock?,
        target: Target
    ) async throws -> (rows: [OnlineRow], events: ViewEvents?, invalid: [String: Int64]) {
        let catalog = context.catalog
        // A replay starts from what was known at its clock, and is told the rest; the live store also takes the rows that
        // wait for their time. The head is read before the segments: rows that are sealed in between are then seen twice,
        // which changes nothing, and not missed.
        let head =
            target.namespace.isReplay ? [] : try await catalog.head(target.namespace.id, source: view.sourceRecord.id)
        let history = try await SourceHistory(catalog: catalog, objects: context.objects).rows(
            view.source,
            segments: try await segments(of: view, lock: lock),
            columns: ViewHistory.columns(for: view.plan),
            head: head
        )
        let includesPending = !target.namespace.isReplay
        let index = ViewHistory(view.plan, rows: history)
        let stored = index.onlineRows(at: target.clock, includesPending: includesPending)
        // Another service's clock may be behind.
        let oldest = target.namespace.isReplay ? target.clock : target.clock - Catalog.clockSlack
        let events = view.plan.windows.map { windows in
            ViewEvents(
                rows: index.onlineEvents(at: oldest, includesPending: includesPending).map(\.row),
                widest: windows.widest
            )
        }
        return (stored.rows.map(\.row), events, stored.invalid)
    }

    /// Where to write, and at which instant.
    private struct Target {
        var namespace: Namespace
        var clock: Int64
        var isDefault: Bool
    }

    private func pinnedLock() async throws -> Lock? {
        guard let text = request.lock else { return nil }
        let loader = LockLoader(catalog: context.catalog, objects: context.objects)
        let lock = try await loader.lock(text, in: context.project)
        if lock == nil { throw RequestError("the service does not know lock \(text); it was made by another") }
        return lock
    }

    private func views(lock: Lock?) async throws -> [LoadedView] {
        var records: [VersionRecord] = []
        if let lock {
            for pin in lock.pins(of: .view) {
                records.append(try await context.catalog.version(context.project, .view, pin.reference))
            }
        } else if request.views.isEmpty {
            records = try await context.catalog.currentVersions(context.project, .view)
        } else {
            for name in request.views {
                let reference = try VersionReference(request: name)
                records.append(try await context.catalog.version(context.project, .view, reference))
            }
        }
        var views: [LoadedView] = []
        for record in records {
            if let view = try await context.catalog.loadStored(record) {
                views.append(view)
            } else if !request.views.isEmpty {
                throw RequestError(
                    "'\(record.name.name)' is computed on demand and has nothing to bring online; materialize the views that"
                        + " it reads"
                )
            }
        }
        guard !views.isEmpty else { throw RequestError("the project has no feature views; run: lockstep apply") }
        return views
    }

    private func segments(of view: LoadedView, lock: Lock?) async throws -> [Digest] {
        if let lock {
            return lock.pins(of: .segment).filter { $0.source == view.sourceRecord.reference }.map(\.digest)
        }
        return try await context.catalog.segments(of: view.sourceRecord.id).map(\.object)
    }

    /// The namespace to fill and its clock; nothing that is served changes before all rows are ready.
    private func target() async throws -> Target {
        let catalog = context.catalog
        if let id = request.replay {
            let namespace = try await catalog.namespace(context.project, id: id)
            guard let clock = namespace.clock else { throw RequestError("\(id) is not a replay") }
            return Target(namespace: namespace, clock: clock, isDefault: false)
        }
        guard let text = request.at else {
            return Target(
                namespace: try await catalog.liveNamespace(context.project),
                clock: serverClock(),
                isDefault: false
            )
        }
        guard context.allowsReplay else {
            throw RequestError(
                "materializing at an instant needs a replay clock; start the service with: lockstep dev --replay"
            )
        }
        guard let clock = Instant.parse(text) else {
            throw RequestError("'\(text)' is not an instant; write it as 2013-10-01T00:00:00Z")
        }
        if let replay = try await catalog.defaultReplay(context.project), let now = replay.clock, now <= clock {
            return Target(namespace: replay, clock: clock, isDefault: true)
        }
        // A replay's clock moves forward only, so that going back is another replay.
        let replay = try await catalog.startReplay(context.project, clock: clock)
        return Target(namespace: replay, clock: clock, isDefault: true)
    }
}

extension PackedOnlineRow {
    fileprivate var row: OnlineRow {
        OnlineRow(key: key, eventTime: eventTime, knownAt: knownAt, sequence: sequence, features: packed)
    }
}
