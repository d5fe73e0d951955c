import Columns
import Features
import Formats
import NIOHTTP1
import Objects
import Parity
import Wire

/// Where requests of one comparison go: a replay and its clock, or whatever the service's own clock says.
struct OnlinePlace: Sendable {
    var replay: Int64?
    /// Microseconds UTC; moves the replay's clock.
    var clock: Int64?

    func headers(lock: Digest?) throws -> [(String, String)] {
        var headers = [("content-type", "application/json")]
        if let replay { headers.append((WireHeader.replay, String(replay))) }
        if let clock {
            guard let text = Instant.text(clock) else {
                throw PinError("instant \(clock) is outside the years 0000 to 9999, which a request cannot name")
            }
            headers.append((WireHeader.clock, text))
        }
        if let lock { headers.append((WireHeader.lock, "\(lock)")) }
        return headers
    }
}

extension Client {
    /// Online features of some entities, as any client asks for them.
    public func onlineFeatures(_ request: OnlineRequest, lock: Digest? = nil) async throws -> OnlineResponse {
        try await onlineFeatures(request, lock: lock, place: OnlinePlace())
    }

    func onlineFeatures(_ request: OnlineRequest, lock: Digest?, place: OnlinePlace) async throws -> OnlineResponse {
        let headers = try place.headers(lock: lock)
        return try OnlineResponse(
            parsing: try await send(.POST, "/get-online-features", headers: headers, body: request.body)
        )
    }

    /// Pushes live rows to a source: durable and online in one transaction.
    public func push(_ request: PushRequest) async throws -> PushResponse {
        try await push(request, place: OnlinePlace())
    }

    func push(_ request: PushRequest, place: OnlinePlace) async throws -> PushResponse {
        let body = try await send(.POST, "/push", headers: try place.headers(lock: nil), body: request.body)
        return try WireCoding.decode(PushResponse.self, from: body)
    }

    func onlineStatus(_ place: OnlinePlace = OnlinePlace()) async throws -> OnlineStatus {
        let body = try await send(.GET, projectPath("online"), headers: try place.headers(lock: nil))
        return try WireCoding.decode(OnlineStatus.self, from: body)
    }

    /// Starts a job and waits for its end, telling of its progress.
    ///
    /// - Throws: `ClientError.refused` with the job's error when it fails.
    public func run(
        _ job: JobRequest,
        progress: @Sendable (JobStatus) -> Void = { _ in }
    ) async throws -> JobResult {
        var status = try await post(projectPath("jobs"), job, as: JobStatus.self)
        var wait = Duration.milliseconds(5)
        while true {
            switch status.state {
            case "done": return status.result ?? JobResult()
            case "failed":
                throw ClientError.refused(
                    Problem(
                        type: "job-failed",
                        title: "Job failed",
                        status: 422,
                        detail: status.error ?? "the job failed"
                    )
                )
            default: break
            }
            progress(status)
            try await Task.sleep(for: wait)
            wait = min(wait * 2, .milliseconds(200))
            status = try await get(projectPath("jobs/\(status.id)"), as: JobStatus.self)
        }
    }
}

extension OnlineRequest {
    /// A request for some rows of a service.
    ///
    /// - Parameter rows: holds the join keys, by name.
    init(service: String, keys: [Field], rows: RecordBatch) {
        self.init(
            selection: .service(service),
            entities: keys.map { field in
                let column = rows[field.name]
                return JSON.Member(
                    field.name,
                    .array((0..<rows.rowCount).map { row in column.map { ValueCoding.json($0[row]) } ?? .null })
                )
            }
        )
    }
}

extension OnlineResponse {
    /// The answer as a side of a comparison: the service's outputs, typed.
    /// - Throws: when a feature is missing, or has another number of rows than was asked for.
    func side(of plan: ServicePlan, rowCount: Int) throws -> ParitySide {
        ParitySide(
            features: try plan.outputs.map { output in
                guard let position = names.firstIndex(of: output.name) else {
                    throw PinError("the service's answer has no feature '\(output.name)' of '\(plan.service.name)'")
                }
                let result = results[position]
                guard result.values.count == rowCount else {
                    throw PinError(
                        "the service answered \(result.values.count) rows of '\(output.name)', asked were \(rowCount)"
                    )
                }
                return ParitySide.Feature(
                    name: output.name,
                    view: output.view.map { plan.views[$0].plan.view.name },
                    column: try ValueCoding.column(
                        result.values,
                        type: output.type,
                        subject: "feature '\(output.name)'"
                    ),
                    statuses: result.statuses,
                    eventTimes: result.eventTimes
                )
            }
        )
    }
}
