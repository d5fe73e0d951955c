import Catalog
import Datasets
import Features
import Formats
import Hummingbird
import Objects
import Wire

/// Snapshots, jobs and reports.
struct WorkRoutes {
    let state: ServiceState

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/projects/{project}/snapshots") { request, context in
            try await snapshot(
                try await request.message(SnapshotRequest.self),
                project: try await state.project(context.parameters.require("project"), isMade: true)
            )
        }
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

    /// Records a snapshot whose manifest and objects are stored; every one of them is looked for first.
    private func snapshot(_ request: SnapshotRequest, project: Int64) async throws -> Response {
        guard isName(request.dataset) else { throw RequestError("'\(request.dataset)' cannot name a dataset") }
        guard let object = Digest(request.manifest) else { throw RequestError("'\(request.manifest)' is not a digest") }
        let bytes = try await state.objects.get(object)
        let manifest = try SnapshotManifest(json: bytes)
        try await state.catalog.refuseErased(manifest.objects.sorted())
        var objects: [(digest: Digest, byteCount: Int)] = [(object, bytes.count)]
        for reference in manifest.objectReferences {
            guard try await state.objects.contains(reference.digest) else {
                throw RequestError(
                    "the snapshot names object \(reference.digest), which is not stored; create the snapshot again"
                )
            }
            objects.append((reference.digest, reference.size))
        }
        let made = try await state.catalog.record(
            NewVersion(
                name: DefinitionName(kind: .snapshot, name: request.dataset),
                digest: manifest.digest,
                object: object,
                document: .object([
                    "assets": .int(manifest.assets.count),
                    "bytes": .int(manifest.assetSize),
                    "parents": .array(manifest.parents.map { .string("\($0)") }),
                ]),
                objects: objects
            ),
            in: project
        )
        return try Response.message(RecordedVersion(made.version, isNew: made.isNew), status: .created)
    }
}
