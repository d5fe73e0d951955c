import ArgumentParser
import Foundation
import Lockstep
import Logging
import Postgres
import Service

struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service here, with a PostgreSQL of its own.",
        discussion: "State is kept in .lockstep beside lockstep.yaml; stop with Control-C."
    )

    @Option(help: "The port on 127.0.0.1.")
    var port = 6566
    @Flag(help: "Let requests start replays and move their clocks; /health says so.")
    var replay = false
    @Flag(name: .shortAndLong, help: "Log more.")
    var verbose = false

    func run() async throws {
        let repository = try Repository.find()
        guard (1...65535).contains(port) else { throw UsageError("--port is \(port), expected 1 to 65535") }
        try Ports.requireFree(port)
        let fallback = "/var/lib/lockstep"
        let cluster = Cluster(
            directory: repository.state + "/postgres",
            database: "lockstep",
            fallbackDirectory: fallback
        )
        let logger = Loggers.make("lockstep.dev", isVerbose: verbose)
        Terminal.error("starting PostgreSQL")
        try await Blocking.run { try cluster.start() }
        do {
            let service = LockstepService(
                ServiceConfiguration(
                    port: port,
                    database: try cluster.connectionTarget,
                    objects: repository.state + "/objects",
                    project: repository.project,
                    allowsReplay: replay
                ),
                logger: logger
            )
            let (project, port, replay) = (repository.project, port, replay)
            let (location, state) = (cluster.location, repository.state)
            try await service.run(worksJobs: true) {
                print(
                    "lockstep dev: project '\(project)' at http://127.0.0.1:\(port)\(replay ? ", with a replay clock" : "")"
                )
                if port != 6566 { print("elsewhere, first: export LOCKSTEP_URL=http://127.0.0.1:\(port)") }
                if let location, !location.hasPrefix(state) { print("PostgreSQL's data is in \(location)") }
                print("stop with Control-C")
                fflush(nil)
            }
        } catch {
            try? await Blocking.run { try cluster.stop() }
            throw error
        }
        try await Blocking.run { try cluster.stop() }
    }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the service beside a PostgreSQL: DATABASE_URL, OBJECT_STORE.",
        discussion: """
            Jobs are taken from the queue too, unless --no-work is given and workers run elsewhere.

            OBJECT_STORE is a directory, or s3://bucket/prefix. S3 takes its credentials from AWS_ACCESS_KEY_ID and \
            AWS_SECRET_ACCESS_KEY or the shared credentials file, its region from AWS_REGION, and another service than that \
            of AWS from S3_ENDPOINT.
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "The port.")
    var port = 6566
    @Option(help: "The project of requests that name none.")
    var project = "default"
    @Flag(help: "Refused: a production service follows its own clock.")
    var replay = false
    @Flag(inversion: .prefixedNo, help: "Whether to take jobs from the queue.")
    var work = true
    @Flag(name: .shortAndLong, help: "Log more.")
    var verbose = false

    func run() async throws {
        guard !replay else {
            throw UsageError("a production service has no replay clock; use: lockstep dev --replay")
        }
        let service = LockstepService(
            ServiceConfiguration(
                host: host,
                port: port,
                database: try Environment.require(
                    "DATABASE_URL",
                    "a PostgreSQL URL such as postgres://user@host/lockstep"
                ),
                objects: try Environment.require("OBJECT_STORE", "a directory, or s3://bucket/prefix"),
                project: project
            ),
            logger: Loggers.make("lockstep.serve", isVerbose: verbose)
        )
        let (host, port) = (host, port)
        try await service.run(worksJobs: work) {
            print("lockstep serve: http://\(host):\(port)")
            fflush(nil)
        }
    }
}

struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Work jobs beside 'lockstep serve', and nothing else: DATABASE_URL, OBJECT_STORE."
    )

    @Flag(name: .shortAndLong, help: "Log more.")
    var verbose = false

    func run() async throws {
        let service = LockstepService(
            ServiceConfiguration(
                database: try Environment.require(
                    "DATABASE_URL",
                    "a PostgreSQL URL such as postgres://user@host/lockstep"
                ),
                objects: try Environment.require("OBJECT_STORE", "a directory, or s3://bucket/prefix"),
                project: "default"
            ),
            logger: Loggers.make("lockstep.work", isVerbose: verbose)
        )
        try await service.work {
            print("lockstep work: taking jobs")
            fflush(nil)
        }
    }
}

enum Environment {
    static func require(_ name: String, _ what: String) throws -> String {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
            throw UsageError("the environment variable \(name) is not set; give \(what)")
        }
        return value
    }
}

enum Loggers {
    static func make(_ label: String, isVerbose: Bool) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = isVerbose ? .debug : .warning
        return logger
    }
}

/// Work that blocks, kept off the cooperative threads.
enum Blocking {
    static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }
}
