import Catalog
import Logging
import Objects
import ServiceLifecycle
import Wire

/// Takes jobs from the queue, one at a time, until it is told to stop.
struct JobWorker: ServiceLifecycle.Service {
    let catalog: Catalog
    let objects: any ObjectStore
    let allowsReplay: Bool
    let logger: Logger
    /// Called after each job: versions may have changed.
    let finished: @Sendable () -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    guard let job = try await catalog.claimJob() else {
                        try await Task.sleep(for: .milliseconds(50))
                        continue
                    }
                    await work(job)
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("the job queue cannot be read", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    private func work(_ job: JobRecord) async {
        logger.info("job started", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
        do {
            let result = try await withThrowingTaskGroup(of: JobResult?.self) { group in
                group.addTask { try await perform(job) }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(5))
                        try await catalog.keepLease(job.id)
                    }
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            finished()
            let json = try WireCoding.json(result ?? JobResult())
            try await catalog.finish(job.id, result: json)
            logger.info("job done", metadata: ["job": "\(job.id)"])
        } catch {
            logger.warning("job failed", metadata: ["job": "\(job.id)", "error": "\(error)"])
            do {
                try await catalog.fail(job.id, error: Problem(error).detail)
            } catch {
                logger.error("the failure cannot be recorded", metadata: ["job": "\(job.id)", "error": "\(error)"])
            }
        }
    }

    private func perform(_ job: JobRecord) async throws -> JobResult {
        let request = try WireCoding.decode(JobRequest.self, from: Array(job.arguments.utf8))
        let context = JobContext(
            catalog: catalog,
            objects: objects,
            project: job.project,
            allowsReplay: allowsReplay
        ) { step, done, total in
            try await catalog.report(job.id, step: step, done: done, total: total)
        }
        return switch request {
        case .ingest(let request): try await IngestJob(context: context, request: request).run()
        case .fit(let request): try await FitJob(context: context, request: request).run()
        case .importEmbeddings(let request): try await EmbeddingsJob(context: context, request: request).run()
        case .materialize(let request): try await MaterializeJob(context: context, request: request).run()
        case .lock(let request):
            try await LockJob(
                context: context,
                projectName: try await catalog.projectName(job.project),
                request: request
            ).run()
        }
    }
}
