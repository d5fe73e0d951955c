import Catalog
import Hummingbird
import Logging
import NIOCore
import Objects
import Postgres
import ServiceLifecycle
import UnixSignals

/// The service: routes, and optionally a job worker beside them.
public struct LockstepService: Sendable {
    public static let version = "0.1.0"

    private let configuration: ServiceConfiguration
    private let logger: Logger

    public init(_ configuration: ServiceConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Migrates the database and serves until the process is told to stop.
    ///
    /// - Parameters:
    ///   - worksJobs: whether to take jobs from the queue as well.
    ///   - started: called once the port answers.
    /// - Throws: when the database cannot be reached or the port is taken.
    public func run(worksJobs: Bool, started: @escaping @Sendable () async -> Void) async throws {
        let pool = ConnectionPool(target: configuration.database, size: configuration.connectionCount)
        do {
            try await run(pool: pool, worksJobs: worksJobs, started: started)
        } catch {
            await pool.shutdown()
            throw error
        }
        await pool.shutdown()
    }

    private func run(pool: ConnectionPool, worksJobs: Bool, started: @escaping @Sendable () async -> Void) async throws
    {
        let catalog = Catalog(pool: pool)
        for name in try await catalog.migrate() { logger.info("migration applied", metadata: ["name": "\(name)"]) }
        if configuration.allowsReplay { try await catalog.endAbandonedReplays() }
        let state = ServiceState(
            configuration: configuration,
            catalog: catalog,
            objects: CatalogedObjectStore(try configuration.openObjects(), catalog: catalog)
        )
        var application = Application(
            router: Self.router(state),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "lockstep"
            ),
            onServerRunning: { _ in await started() },
            logger: logger
        )
        let feed = ChangeFeed(target: configuration.database) { state.invalidate() }
        feed.start()
        defer { feed.stop() }
        if worksJobs {
            application.addServices(
                JobWorker(
                    catalog: catalog,
                    objects: state.objects,
                    allowsReplay: configuration.allowsReplay,
                    logger: logger,
                    finished: { state.invalidate() }
                )
            )
        }
        try await application.runService()
    }

    /// Takes jobs from the queue, and nothing else, until the process is told to stop.
    ///
    /// - Parameter started: called once the queue is open.
    public func work(started: @escaping @Sendable () async -> Void) async throws {
        let pool = ConnectionPool(target: configuration.database, size: configuration.connectionCount)
        do {
            let catalog = Catalog(pool: pool)
            _ = try await catalog.migrate()
            let worker = JobWorker(
                catalog: catalog,
                objects: CatalogedObjectStore(try configuration.openObjects(), catalog: catalog),
                allowsReplay: false,
                logger: logger,
                finished: {}
            )
            await started()
            let group = ServiceGroup(
                services: [worker],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
            try await group.run()
        } catch {
            await pool.shutdown()
            throw error
        }
        await pool.shutdown()
    }

    static func router(_ state: ServiceState) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: ProblemMiddleware())
        DefinitionRoutes(state: state).add(to: router)
        DatasetRoutes(state: state).add(to: router)
        SessionRoutes(state: state).add(to: router)
        ObjectRoutes(state: state).add(to: router)
        SnapshotRoutes(state: state).add(to: router)
        WorkRoutes(state: state).add(to: router)
        OnlineRoutes(state: state).add(to: router)
        return router
    }
}
