import Formats
import Postgres

/// A piece of long work: a row that workers claim, report on and finish.
public struct JobRecord: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case queued, running, done, failed
    }

    public let id: Int64
    public let project: Int64
    public let kind: String
    /// JSON text.
    public let arguments: String
    public let state: State
    /// What it is doing now, for people.
    public let step: String
    public let done: Int64
    /// Zero while unknown.
    public let total: Int64
    /// JSON text.
    public let result: String?
    public let error: String?
    public let attempts: Int64
}

extension JobRecord {
    static let columns = """
        id, project_id, kind, arguments, state, step, done, total, result, error, attempts::bigint as attempts
        """

    init(_ row: Row) throws {
        guard let state = State(rawValue: try row.text("state")) else {
            throw CatalogError(.conflict, "the database holds a job in an unknown state")
        }
        self.id = try row.int64("id")
        self.project = try row.int64("project_id")
        self.kind = try row.text("kind")
        self.arguments = try row.json("arguments")
        self.state = state
        self.step = try row.text("step")
        self.done = try row.int64("done")
        self.total = try row.int64("total")
        self.result = try row.jsonIfPresent("result")
        self.error = try row.textIfPresent("error")
        self.attempts = try row.int64("attempts")
    }
}

extension Catalog {
    /// How long a worker may stay silent before its job is taken up again.
    private static let lease = "interval '30 seconds'"
    /// A job that kills its worker this often is failed instead.
    private static let attemptLimit = 3

    public func enqueue(_ kind: String, _ arguments: JSON, in project: Int64) async throws -> Int64 {
        try await run { connection in
            let id = try connection.query(
                "insert into jobs (project_id, kind, arguments) values ($1, $2, $3::json) returning id",
                [.int64(project), .text(kind), .text(arguments.text)]
            ).only().int64("id")
            try connection.execute("notify jobs")
            return id
        }
    }

    public func job(_ project: Int64, _ id: Int64) async throws -> JobRecord {
        try await read { connection in
            let rows = try connection.query(
                "select \(JobRecord.columns) from jobs where project_id = $1 and id = $2",
                [.int64(project), .int64(id)]
            )
            guard let row = rows.first else { throw CatalogError(.notFound, "there is no job \(id)") }
            return try JobRecord(row)
        }
    }

    /// Claims the oldest job that nobody works on, or whose worker fell silent.
    public func claimJob() async throws -> JobRecord? {
        try await run { connection in
            try connection.execute(
                """
                update jobs set state = 'failed', finished_at = now(), lease_until = null,
                    error = 'its worker died ' || attempts || ' times; see the service''s log, then start it again'
                where state = 'running' and lease_until < now() and attempts >= \(Self.attemptLimit)
                """
            )
            let rows = try connection.query(
                """
                update jobs set state = 'running', attempts = attempts + 1, lease_until = now() + \(Self.lease),
                    step = '', done = 0, total = 0
                where id = (
                    select id from jobs where state = 'queued' or (state = 'running' and lease_until < now())
                    order by id for update skip locked limit 1
                ) returning \(JobRecord.columns)
                """
            )
            return try rows.first.map { try JobRecord($0) }
        }
    }

    /// Reports progress and keeps the lease.
    public func report(_ job: JobRecord, step: String, done: Int, total: Int) async throws {
        try await change(job) { connection in
            try connection.execute(
                """
                update jobs set step = $2, done = $3, total = $4, lease_until = now() + \(Self.lease)
                where id = $1 and state = 'running' and attempts = $5
                """,
                [.int64(job.id), .text(step), .int64(Int64(done)), .int64(Int64(total)), .int64(job.attempts)]
            )
        }
    }

    /// Keeps the lease of a job that has nothing new to say.
    public func keepLease(_ job: JobRecord) async throws {
        try await change(job) { connection in
            try connection.execute(
                """
                update jobs set lease_until = now() + \(Self.lease)
                where id = $1 and state = 'running' and attempts = $2
                """,
                [.int64(job.id), .int64(job.attempts)]
            )
        }
    }

    public func finish(_ job: JobRecord, result: JSON) async throws {
        try await change(job) { connection in
            try connection.execute(
                """
                update jobs set state = 'done', result = $3::json, finished_at = now(), lease_until = null
                where id = $1 and state = 'running' and attempts = $2
                """,
                [.int64(job.id), .int64(job.attempts), .text(result.text)]
            )
        }
    }

    public func fail(_ job: JobRecord, error: String) async throws {
        try await change(job) { connection in
            try connection.execute(
                """
                update jobs set state = 'failed', error = $3, finished_at = now(), lease_until = null
                where id = $1 and state = 'running' and attempts = $2
                """,
                [.int64(job.id), .int64(job.attempts), .text(error)]
            )
        }
    }

    /// Gives a job back to the queue: its worker was told to stop, which is not the job's fault.
    public func giveBack(_ job: JobRecord) async throws {
        try await change(job) { connection in
            try connection.execute(
                """
                update jobs set state = 'queued', lease_until = null, step = '', attempts = attempts - 1
                where id = $1 and state = 'running' and attempts = $2
                """,
                [.int64(job.id), .int64(job.attempts)]
            )
        }
    }

    /// Changes a job that its worker still holds.
    ///
    /// - Throws: `CatalogError.conflict` when the lease lapsed and another worker has taken the job up.
    private func change(_ job: JobRecord, _ body: @Sendable @escaping (Connection) throws -> Int) async throws {
        let changed = try await run(body)
        guard changed == 1 else {
            throw CatalogError(
                .conflict,
                "job \(job.id) is no longer this worker's: its lease lapsed and it was taken up again"
            )
        }
    }
}
