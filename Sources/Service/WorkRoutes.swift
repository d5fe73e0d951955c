import Catalog
import Features
import Formats
import Hummingbird
import Objects
import Wire

/// Jobs and reports.
struct WorkRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/projects/{project}/jobs") { request, context in
            let project = try await state.project(context.parameters.require("project"))
            let job = try await request.message(JobRequest.self)
            let id = try await state.catalog.enqueue(job.kind, try WireCoding.json(job), in: project)
            return try Response.message(try await status(id, project: project), status: .accepted)
        }
        router.get("/v1/projects/{project}/jobs/{id}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            return try Response.message(
                try await status(context.parameters.require("id", as: Int64.self), project: project)
            )
        }
        router.post("/v1/projects/{project}/reports") { request, context in
            let project = try await state.project(context.parameters.require("project"))
            let report = try await request.message(ReportRequest.self)
            guard let lock = Digest(report.lock) else { throw RequestError("'\(report.lock)' is not a lock's digest") }
            guard let record = try await state.catalog.lock(project, digest: lock) else {
                throw RequestError("the service does not know lock \(lock); it was made by another")
            }
            let document = try JSON(parsing: report.document)
            guard let passed = document["passed"]?.bool, document["lock"]?.string == "\(lock)" else {
                throw RequestError("the document is not a parity report under lock \(lock)")
            }
            let digest = Digest.of(Array(report.document.utf8))
            let isNew = try await state.catalog.recordReport(
                digest: digest,
                passed: passed,
                lock: record.id,
                document: report.document,
                in: project
            )
            return try Response.message(
                RecordedVersion(reference: "report", digest: "\(digest)", isNew: isNew),
                status: .created
            )
        }
        router.get("/v1/projects/{project}/reports/{digest}") { _, context in
            let project = try await state.project(context.parameters.require("project"))
            let text = try context.parameters.require("digest")
            guard let digest = Digest(text) else { throw RequestError("'\(text)' is not a digest") }
            return Response.json(Array(try await state.catalog.report(project, digest: digest).document.utf8))
        }
    }

    private func status(_ id: Int64, project: Int64) async throws -> JobStatus {
        let job = try await state.catalog.job(project, id)
        return JobStatus(
            id: job.id,
            kind: job.kind,
            state: job.state.rawValue,
            step: job.step,
            done: job.done,
            total: job.total,
            result: try job.result.map { try WireCoding.decode(JobResult.self, from: Array($0.utf8)) },
            error: job.error
        )
    }
}
