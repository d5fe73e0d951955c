import Catalog
import Features
import Formats
import HTTPTypes
import Hummingbird
import NIOCore
import Objects
import Synchronization
import Wire

/// What the routes share.
final class ServiceState: Sendable {
    let configuration: ServiceConfiguration
    let catalog: Catalog
    let objects: any ManagedObjectStore
    let packs: ServicePacks
    /// The store's directory, where it is one.
    var localStore: LocalObjectStore? { (objects as? CatalogedObjectStore)?.base as? LocalObjectStore }
    let plans: ServingPlans
    let pushes: PushWriter
    let uploads: UploadSpool
    private let projects = Mutex<[String: Int64]>([:])
    /// Replay clocks move with requests; the database has the last word on their direction.
    private let replays = Mutex<[Int64: Namespace]>([:])

    init(configuration: ServiceConfiguration, catalog: Catalog, objects: any ManagedObjectStore) {
        self.configuration = configuration
        self.catalog = catalog
        self.objects = objects
        self.packs = ServicePacks(objects: objects)
        self.plans = ServingPlans(catalog: catalog, objects: objects)
        self.pushes = PushWriter(catalog: catalog)
        self.uploads = UploadSpool(directory: configuration.spoolDirectory)
    }

    /// Forgets what was planned from older versions.
    func invalidate() {
        plans.invalidate()
        pushes.invalidate()
        // An erasure or a collection deletes packs, whose bytes stay on the disk as long as they are open.
        packs.closeAll()
        replays.withLock { $0 = [:] }
    }

    /// - Parameter isMade: whether a project that is not there is made, as an apply or a snapshot does.
    func project(_ name: String, isMade: Bool = false) async throws -> Int64 {
        if let known = projects.withLock({ $0[name] }) { return known }
        let id = isMade ? try await catalog.makeProject(name) : try await catalog.project(name)
        projects.withLock { $0[name] = id }
        return id
    }

    /// The project of a request whose path names none.
    func project(of request: Request) async throws -> Int64 {
        try await project(request.header(WireHeader.project) ?? configuration.project)
    }

    /// The clock of the default project's replay, where there is one.
    func defaultReplay() async throws -> Int64? {
        guard configuration.allowsReplay else { return nil }
        let project: Int64
        do {
            project = try await self.project(configuration.project)
        } catch let error as CatalogError where error.code == .notFound {
            return nil
        }
        return try await catalog.defaultReplay(project)?.clock
    }

    /// Where a request reads or writes, and the instant it does so at; moves a replay's clock if the request asks for it.
    func place(_ request: Request, project: Int64) async throws -> (namespace: Namespace, clock: Int64) {
        var namespace: Namespace?
        if let text = request.header(WireHeader.replay) {
            guard let id = Int64(text) else {
                throw RequestError("header \(WireHeader.replay) is '\(text)', expected a number")
            }
            namespace = try await replay(id, project: project)
        } else if configuration.allowsReplay {
            namespace = try await catalog.defaultReplay(project)
        }
        guard let namespace, let now = namespace.clock else {
            guard request.header(WireHeader.clock) == nil else {
                throw RequestError(
                    configuration.allowsReplay
                        ? "there is no replay whose clock could be moved; start one with: lockstep materialize --at TIME"
                        : "only a replay's clock can be moved; start the service with: lockstep dev --replay"
                )
            }
            return (try await liveNamespace(project), serverClock())
        }
        guard let text = request.header(WireHeader.clock) else { return (namespace, now) }
        guard let clock = Instant.parse(text) else {
            throw RequestError(
                "header \(WireHeader.clock) is '\(text)', expected an instant such as 2013-10-01T00:00:00Z"
            )
        }
        if clock != now {
            try await catalog.moveClock(namespace.id, to: clock)
            let moved = Namespace(id: namespace.id, clock: clock)
            replays.withLock { $0[namespace.id] = moved }
            return (moved, clock)
        }
        return (namespace, clock)
    }

    private func replay(_ id: Int64, project: Int64) async throws -> Namespace {
        guard configuration.allowsReplay else {
            throw RequestError("this service has no replay clock; start it with: lockstep dev --replay")
        }
        if let known = replays.withLock({ $0[id] }) { return known }
        let namespace = try await catalog.namespace(project, id: id)
        guard namespace.isReplay else { throw RequestError("\(id) is not a replay") }
        replays.withLock { $0[id] = namespace }
        return namespace
    }

    private let liveNamespaces = Mutex<[Int64: Namespace]>([:])

    private func liveNamespace(_ project: Int64) async throws -> Namespace {
        if let known = liveNamespaces.withLock({ $0[project] }) { return known }
        let namespace = try await catalog.liveNamespace(project)
        liveNamespaces.withLock { $0[project] = namespace }
        return namespace
    }

    /// Locks by project and digest: what a digest names never changes.
    private let locks = Mutex<[String: Lock]>([:])

    private func lock(_ text: String, in project: Int64) async throws -> Lock? {
        let key = "\(project) \(text)"
        if let known = locks.withLock({ $0[key] }) { return known }
        let loader = LockLoader(catalog: catalog, objects: objects)
        let found = try await loader.lock(text, in: project)
        locks.withLock { locks in
            if locks.count > 1000 { locks = [:] }
            locks[key] = found
        }
        return found
    }

    /// Throws a problem that names every difference, when what would be served is not what the caller's lock pins.
    func check(_ serving: ServingPlan, against text: String, project: Int64) async throws {
        guard let lock = try await lock(text, in: project) else {
            throw Problem(
                type: "lock-mismatch",
                title: "Unknown lock",
                status: 409,
                detail: "the service does not know lock \(text); it was made by another service or in another project",
                differences: []
            )
        }
        var differences: [String] = []
        for version in serving.versions {
            let pin = lock.pins(of: version.name.kind).first { $0.reference.name == version.name.name }
            guard pin?.digest != version.digest else { continue }
            let locked = pin.map { "\($0.reference)" } ?? "nothing"
            differences.append("\(version.name): locked \(locked), serving \(version.reference)")
        }
        guard differences.isEmpty else {
            throw Problem(
                type: "lock-mismatch",
                title: "Lock mismatch",
                status: 409,
                detail:
                    "the service would serve other versions than the lock pins: \(differences.joined(separator: "; "))"
                    + "; retrain under a new lock, or apply the locked definitions again",
                differences: differences
            )
        }
    }
}

extension Request {
    func header(_ name: String) -> String? {
        guard let field = HTTPField.Name(name) else { return nil }
        return headers[field]
    }

    /// The whole body.
    func bytes(upTo limit: Int) async throws -> [UInt8] {
        let buffer = try await body.collect(upTo: limit)
        return Array(buffer.readableBytesView)
    }

    func message<Message: Decodable>(_ type: Message.Type) async throws -> Message {
        try WireCoding.decode(type, from: try await bytes(upTo: 64 << 20))
    }
}

extension Response {
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok, contentType: String = "application/json")
        -> Response
    {
        var headers = HTTPFields()
        headers[.contentType] = contentType
        headers[.contentLength] = String(bytes.count)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func message(_ message: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        .json(try WireCoding.encode(message), status: status)
    }
}
