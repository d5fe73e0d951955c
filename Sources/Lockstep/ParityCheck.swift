import Columns
import Features
import Formats
import Kernels
import NIOHTTP1
import Objects
import Parity
import Wire

/// Proves that what the service serves is what training reads.
public struct ParityCheck: Sendable {
    private let client: Client
    private let service: LockedService
    private let offline: OfflineSide

    /// How many rows one request asks for.
    private static let requestRows = 500

    public init(_ service: LockedService, client: Client) async throws {
        self.client = client
        self.service = service
        self.offline = try await OfflineSide(service)
    }

    /// Compares entities at one instant.
    ///
    /// - Parameters:
    ///   - rows: what to ask for; every entity of every view where `nil`.
    ///   - at: microseconds UTC; moves a replay's clock. `nil` for the service's own clock.
    ///   - sample: at most so many of every entity.
    public func run(
        rows: RecordBatch? = nil,
        at: Int64? = nil,
        sample: Int? = nil,
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> ParityReport {
        if rows == nil, !service.plan.requestFields.isEmpty {
            let names = service.plan.requestFields.map { "'\($0.name)'" }.joined(separator: ", ")
            throw ParityError(
                "service '\(service.lock.service)' computes features from values of the request (\(names)), which entities do"
                    + " not have; give them with --spine FILE"
            )
        }
        let asked = if let rows { rows } else { try await offline.everyEntity(sample: sample) }
        guard asked.rowCount > 0 else { throw ParityError("there is no row to compare; a proof needs at least one") }
        let status = try await client.onlineStatus(OnlinePlace(clock: at))
        guard let clock = at ?? Instant.parse(status.now) else {
            throw PinError("the service's clock reads '\(status.now)', which is not an instant")
        }
        guard at != nil || status.clockKind == "replay" else {
            throw ParityError(
                "a live clock moves between the two sides; give --at T with a replay clock (lockstep dev --replay)"
            )
        }
        let states = states(status, at: clock)
        var comparison = ParityComparison(features: service.plan.outputs.map(\.name))
        var start = 0
        while start < asked.rowCount {
            let end = min(start + Self.requestRows, asked.rowCount)
            let part = asked.slice(start..<end)
            let online = try await ask(part, OnlinePlace(clock: at == nil ? nil : clock))
            let expected = try offline.side(part, at: [Int64](repeating: clock, count: part.rowCount))
            comparison.add(offline: expected, online: online, states: states, firstRow: start)
            start = end
            progress(start, asked.rowCount)
        }
        return ParityReport(
            lock: service.lock.digest,
            service: "\(service.lock.service)",
            scope: .instant(at: Instant.text(clock) ?? "\(clock)"),
            rows: Self.digest(asked, times: nil, plan: service.plan),
            comparison: comparison
        )
    }

    /// Replays the history between two instants through the live path and asks for every spine row at its own time.
    ///
    /// - Parameters:
    ///   - from: the replay's clock at its start; what was known by then is materialized.
    ///   - to: rows known after it, and spine rows at or after it, take no part.
    public func replay(
        spine: Spine,
        from: Int64,
        to: Int64,
        progress: @Sendable (_ step: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
    ) async throws -> ParityReport {
        guard let fromText = Instant.text(from), let toText = Instant.text(to), from < to else {
            throw ParityError("the replay must start before it ends")
        }
        let chosen = spine.times.indices.filter { spine.times[$0] >= from && spine.times[$0] < to }
            .sorted { (spine.times[$0], $0) < (spine.times[$1], $1) }
        guard !chosen.isEmpty else { throw ParityError("the spine has no row from \(fromText) until \(toText)") }
        let asked = spine.rows.take(chosen)
        let times = chosen.map { spine.times[$0] }
        let pushes = try await pushes(from: from, to: to)
        let replay = try await client.post(
            client.projectPath("replays"),
            ReplayRequest(at: fromText),
            as: ReplayStatus.self
        )
        do {
            let comparison = try await walk(asked, times: times, pushes: pushes, replay: replay.id, progress)
            try await end(replay.id)
            return ParityReport(
                lock: service.lock.digest,
                service: "\(service.lock.service)",
                scope: .replay(from: fromText, to: toText),
                rows: Self.digest(asked, times: times, plan: service.plan),
                comparison: comparison
            )
        } catch {
            try? await end(replay.id)
            throw error
        }
    }

    private func end(_ replay: Int64) async throws {
        _ = try await client.send(.DELETE, client.projectPath("replays/\(replay)"))
    }

    private func walk(
        _ asked: RecordBatch,
        times: [Int64],
        pushes: [TimedPush],
        replay: Int64,
        _ progress: @Sendable (_ step: String, _ done: Int, _ total: Int) -> Void
    ) async throws -> ParityComparison {
        _ = try await client.run(.materialize(JobRequest.Materialize(replay: replay, lock: "\(service.lock.digest)")))
        let status = try await client.onlineStatus(OnlinePlace(replay: replay))
        let states = states(status, at: nil)
        var comparison = ParityComparison(features: service.plan.outputs.map(\.name))
        var nextPush = 0
        var row = 0
        while row < asked.rowCount {
            let clock = times[row]
            while nextPush < pushes.count, pushes[nextPush].time <= clock {
                let push = pushes[nextPush]
                _ = try await client.push(push.request, place: OnlinePlace(replay: replay, clock: push.time))
                nextPush += 1
            }
            var end = row + 1
            while end < asked.rowCount, times[end] == clock, end - row < Self.requestRows { end += 1 }
            let part = asked.slice(row..<end)
            let online = try await ask(part, OnlinePlace(replay: replay, clock: clock))
            let expected = try offline.side(part, at: Array(times[row..<end]))
            comparison.add(offline: expected, online: online, states: states, firstRow: row)
            row = end
            progress("asked", row, asked.rowCount)
        }
        return comparison
    }

    private func ask(_ rows: RecordBatch, _ place: OnlinePlace) async throws -> ParitySide {
        let request = OnlineRequest(
            service: "\(service.lock.service)",
            keys: service.plan.requiredFields,
            rows: rows
        )
        let answer = try await client.onlineFeatures(request, lock: service.lock.digest, place: place)
        return try answer.side(of: service.plan, rowCount: rows.rowCount)
    }

    /// How each of the plan's views came online.
    ///
    /// - Parameter clock: the instant of the comparison; `nil` where what becomes known is pushed.
    private func states(_ status: OnlineStatus, at clock: Int64?) -> [String: OnlineViewState] {
        var states: [String: OnlineViewState] = [:]
        for pin in service.lock.pins(of: .view) {
            let served = status.views.filter { VersionReference($0.reference)?.name == pin.reference.name }
            let same = served.first { $0.digest == "\(pin.digest)" }
            let through = same.flatMap { Instant.parse($0.through) }
            states[pin.reference.name] = OnlineViewState(
                through: through,
                otherVersion: same == nil ? served.first?.reference : nil,
                isPushed: clock == nil && through != nil,
                isBehind: clock.flatMap { clock in through.map { $0 < clock } } ?? false
            )
        }
        return states
    }

    private struct TimedPush: Sendable {
        let time: Int64
        let request: PushRequest
    }

    /// The pinned history that became known in the time, as pushes in the order it became known.
    private func pushes(from: Int64, to: Int64) async throws -> [TimedPush] {
        var pushes: [TimedPush] = []
        for (name, source) in service.sources.sorted(by: { $0.key < $1.key }) {
            let columns = source.historySchema.fields.map(\.name)
            let rows = try await service.history(of: name, columns: columns)
            guard case .timestamp(let known)? = rows["__known_at"], case .int64(let sequences)? = rows["__sequence"]
            else {
                throw PinError("the pinned history of '\(name)' lacks its times")
            }
            let order = known.values.indices.filter { known.values[$0] > from && known.values[$0] <= to }
                .sorted { (known.values[$0], sequences.values[$0]) < (known.values[$1], sequences.values[$1]) }
            var start = 0
            while start < order.count {
                let time = known.values[order[start]]
                var end = start
                while end < order.count, known.values[order[end]] == time { end += 1 }
                let part = rows.take(Array(order[start..<end]))
                let sent = RecordBatch(
                    schema: source.schema,
                    columns: source.schema.fields.compactMap { part[$0.name] },
                    rowCount: part.rowCount
                )
                let reference = service.lock.pins(of: .source).first { $0.reference.name == name }?.reference
                    .description
                pushes.append(TimedPush(time: time, request: PushRequest(source: reference ?? name, rows: sent)))
                start = end
            }
        }
        return pushes.sorted { $0.time < $1.time }
    }

    /// What was asked for, as one digest: the keys, request values and times of every row.
    private static func digest(_ rows: RecordBatch, times: [Int64]?, plan: ServicePlan) -> Digest {
        var hasher = Digest.Hasher()
        var form = CanonicalEncoder()
        form.list(plan.requiredFields.count)
        for field in plan.requiredFields { form.string(field.name) }
        hasher.update(form.encoded)
        let columns = plan.requiredFields.compactMap { rows[$0.name] }
        for row in 0..<rows.rowCount {
            var form = CanonicalEncoder()
            for column in columns { form.string(ValueCoding.json(column[row]).text) }
            if let times { form.int(times[row]) }
            hasher.update(form.encoded)
        }
        return hasher.finalize()
    }

    /// Keeps a report with the service.
    public func record(_ report: ParityReport) async throws -> RecordedVersion {
        try await client.post(
            client.projectPath("reports"),
            ReportRequest(
                lock: "\(report.lock)",
                document: String(decoding: report.document, as: UTF8.self)
            ),
            as: RecordedVersion.self
        )
    }
}

/// Why two sides cannot be compared, which is not to say that they differ.
public struct ParityError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
