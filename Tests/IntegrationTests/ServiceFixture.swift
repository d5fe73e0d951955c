import Foundation
import Lockstep
import Logging
import Postgres
import Service
import Testing

/// A service on a database and an object store of its own, and a feature repository that speaks to it.
final class ServiceFixture {
    let repository: FeatureRepository
    let client: Client
    /// The libpq target of the database.
    let database: String
    /// The object store's location: its directory, where it is one.
    var objects: String { placed.location }
    let placed: PlacedObjects
    private let scratch: Scratch

    private init(repository: FeatureRepository, database: String, placed: PlacedObjects, scratch: Scratch) {
        self.repository = repository
        self.client = Client(url: repository.url, project: FeatureRepository.project)
        self.database = database
        self.placed = placed
        self.scratch = scratch
    }

    /// Runs a test against a service that ends with it.
    ///
    /// - Parameters:
    ///   - place: what keeps the objects.
    ///   - location: what the service is told instead.
    ///   - environment: what the service has besides the test program's.
    static func run(
        allowsReplay: Bool = true,
        worksJobs: Bool = true,
        place: ObjectPlace = .directory,
        location: String? = nil,
        environment: [String: String] = [:],
        _ body: (ServiceFixture) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let port = try freePort()
        let repository = try FeatureRepository(directory: scratch.path + "/repository", port: port)
        let database = try TemporaryCluster.shared().makeDatabase()
        let fixture = ServiceFixture(
            repository: repository,
            database: database,
            placed: try await PlacedObjects(place, in: scratch.path),
            scratch: scratch
        )
        var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .critical
        let service = LockstepService(
            ServiceConfiguration(
                port: port,
                database: database,
                objects: location ?? fixture.objects,
                project: FeatureRepository.project,
                allowsReplay: allowsReplay,
                connectionCount: 6,
                environment: ProcessInfo.processInfo.environment.merging(fixture.placed.environment) { $1 }
                    .merging(environment) { $1 }
            ),
            logger: logger
        )
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            defer { signal.finish() }
            try await service.run(worksJobs: worksJobs) { signal.yield() }
        }
        var isStarted = false
        for await _ in started {
            isStarted = true
            break
        }
        guard isStarted else { return try await task.value }
        do {
            try await body(fixture)
        } catch {
            task.cancel()
            _ = await task.result
            throw error
        }
        task.cancel()
        _ = await task.result
    }

    /// A port of 127.0.0.1 that was free just now.
    static func freePort() throws -> Int {
        let listener = try Listener()
        return listener.port
    }

    func connect() throws -> Connection { try Connection(database) }

    func count(_ table: String) throws -> Int {
        Int(try connect().query("select count(*) from \(table)").only().int64(0))
    }

    func countVersions(_ kind: String) throws -> Int {
        try count("versions v join definitions d on d.id = v.definition_id where d.kind = '\(kind)'")
    }

    /// How many rows each table has that a half-finished piece of work could leave some in.
    func rowCounts() throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for table in [
            "definitions", "annotations", "versions", "edges", "version_objects", "segments", "history_head",
            "materializations", "online_rows", "online_pending", "online_events", "reports",
        ] {
            counts[table] = try count(table)
        }
        return counts
    }

    /// Expects a command to be refused with a code, and the database and the store's scratch directory to be as before.
    func expectRefusal(
        _ code: Int32,
        _ arguments: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let before = try rowCounts()
        let outcome = try await repository.outcome(arguments)
        #expect(outcome.code == code, "\(outcome.output)\(outcome.errors)", sourceLocation: sourceLocation)
        #expect(try rowCounts() == before, sourceLocation: sourceLocation)
        let left = (try? FileManager.default.contentsOfDirectory(atPath: objects + "/tmp")) ?? []
        #expect(left.isEmpty, "the object store keeps unfinished files", sourceLocation: sourceLocation)
        return outcome.errors
    }

    /// The file that holds an object.
    func objectFile(_ hex: String) throws -> String {
        let path = "\(objects)/sha256/\(hex.prefix(2))/\(hex)"
        return try #require([path, path + ".lz4"].first { FileManager.default.fileExists(atPath: $0) })
    }

    /// Flips one bit in the middle of an object's file, and returns what it held.
    @discardableResult
    func flipBit(_ hex: String) throws -> Data {
        let file = try objectFile(hex)
        let original = try #require(FileManager.default.contents(atPath: file))
        var changed = original
        changed[changed.count / 2] ^= 1
        try restore(hex, changed)
        return original
    }

    func restore(_ hex: String, _ content: Data) throws {
        try content.write(to: URL(fileURLWithPath: try objectFile(hex)), options: .atomic)
    }
}

/// A socket that takes a port of 127.0.0.1.
final class Listener {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        self.descriptor = descriptor
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
