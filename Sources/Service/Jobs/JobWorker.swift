import Catalog
import Logging
import Objects
import Postgres
import ServiceLifecycle
import Wire

/// Takes jobs from the queue, one at a time, until it is told to stop.
struct JobWorker: ServiceLifecycle.Service {
    let catalog: Catalog
    let objects: any ManagedObjectStore
    let allowsReplay: Bool
    let logger: Logger
    /// Called after each job: versions may have changed.
    let finished: @Sendable () -> Void

    private static let sweepInterval = Duration.seconds(300)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var swept: ContinuousClock.Instant?
            while !Task.isCancelled {
                do {
                    if swept.map({ ContinuousClock.now - $0 > Self.sweepInterval }) ?? true {
                        // Entities to which nothing is pushed any more are not tidied by pushes.
                        while try await catalog.expireEvents() > 0 {}
                        swept = .now
                    }
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
            // What the job stores is kept until it records it.
            let session = try await catalog.openSession(job.project)
            let result = try await withThrowingTaskGroup(of: JobResult?.self) { group in
                group.addTask { try await perform(job, in: session) }
                group.addTask { try await keepLease(of: job, session) }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            try await catalog.closeSession(job.project, session.id)
            finished()
            try await catalog.finish(job, result: try WireCoding.json(result ?? JobResult()))
            logger.info("job done", metadata: ["job": "\(job.id)"])
        } catch {
            // The worker's own task may be cancelled already, and the database must still be told.
            await Task.detached { await end(job, after: error) }.value
        }
    }

    /// Keeps a job until it is done, through a database that stumbles; ends only when the job is another worker's.
    private func keepLease(of job: JobRecord, _ session: ObjectSession) async throws -> JobResult? {
        while true {
            try await Task.sleep(for: .seconds(5))
            do {
                try await catalog.keepLease(job)
                _ = try? await catalog.renewSession(job.project, session.id)
            } catch let error as CatalogError {
                throw error
            } catch {
                logger.warning("a lease cannot be kept", metadata: ["job": "\(job.id)", "error": "\(error)"])
            }
        }
    }

    private func end(_ job: JobRecord, after error: any Error) async {
        do {
            if error is CancellationError || Self.isShutdown(error) {
                logger.info("job given back", metadata: ["job": "\(job.id)"])
                try await catalog.giveBack(job)
            } else {
                logger.warning("job failed", metadata: ["job": "\(job.id)", "error": "\(error)"])
                try await catalog.fail(job, error: Problem(error).detail)
            }
        } catch {
            logger.error("a job's end cannot be recorded", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
    }

    private static func isShutdown(_ error: any Error) -> Bool { (error as? PostgresError)?.code == .poolClosed }

    private func perform(_ job: JobRecord, in session: ObjectSession) async throws -> JobResult {
        let request = try WireCoding.decode(JobRequest.self, from: Array(job.arguments.utf8))
        let context = JobContext(
            catalog: catalog,
            objects: (objects as? CatalogedObjectStore)?.within(session) ?? objects,
            project: job.project,
            allowsReplay: allowsReplay
        ) { step, done, total in
            try await catalog.report(job, step: step, done: done, total: total)
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
        case .collect(let request): try await CollectJob(context: context, request: request).run()
        case .erase(let request): try await EraseJob(context: context, request: request).run()
        }
    }
}
