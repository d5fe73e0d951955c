import Bins
import Columns
import Features
import Formats
import Kernels
import Objects
import Synchronization

/// Why pinned objects cannot be used.
public struct PinError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A feature service as a lock pins it: planned, with its fitted objects, every digest verified.
///
/// Nothing here asks what is newest: what the lock does not name does not take part.
public struct LockedService: Sendable {
    public let lock: Lock
    public let plan: ServicePlan
    public let fitted: FittedAssets
    /// By name.
    public let sources: [String: SourcePlan]
    private let objects: any ObjectStore
    /// Segments by digest: views over one source share them, and each is verified once.
    private let segments = OpenSegments()

    /// Fetches the lock's definitions and fitted objects.
    ///
    /// - Throws: `PinError` when a definition's content is not what its pin says; `ObjectError` for a missing or corrupt
    ///   object.
    public init(_ lock: Lock, objects: any ObjectStore) async throws {
        var documents: [DefinitionDocument] = []
        var pinned: [DefinitionName: Digest] = [:]
        for kind in [Kind.entity, .source, .view, .discretizer, .space, .service] {
            for pin in lock.pins(of: kind) {
                guard let object = pin.object else {
                    throw PinError(
                        "the lock names no document for \(kind.rawValue) \(pin.reference); make the lock again"
                    )
                }
                let text = String(decoding: try await objects.get(object), as: UTF8.self)
                documents += try DefinitionReader.read(text, file: "\(kind.rawValue) \(pin.reference)")
                pinned[DefinitionName(kind: kind, name: pin.reference.name)] = pin.digest
            }
        }
        for resolved in try Resolver.resolve(documents) {
            guard let digest = pinned[resolved.name] else {
                throw PinError("the lock holds a document of \(resolved.name), which it does not pin")
            }
            guard digest == resolved.digest else {
                throw PinError(
                    "\(resolved.name) is pinned as \(digest), its document has \(resolved.digest); the object was replaced"
                )
            }
        }
        var parts = Parts()
        for document in documents { try parts.add(document.definition) }
        guard let service = parts.services[lock.service.name] else {
            throw PinError("the lock does not pin its service \(lock.service)")
        }
        let plan = try parts.plan(service)
        var fitted = FittedAssets()
        for pin in lock.pins(of: .bins) {
            guard let discretizer = pinned[DefinitionName(kind: .discretizer, name: pin.reference.name)] else {
                throw PinError("the lock pins bins \(pin.reference) and not their discretizer")
            }
            let bytes = try await objects.get(pin.digest)
            fitted.bins[pin.reference.name] = try FittedBinsFile.decode(bytes, discretizer: discretizer).edges
        }
        for pin in lock.pins(of: .embeddings) {
            guard let space = parts.spaces[pin.reference.name],
                let spaceDigest = pinned[DefinitionName(kind: .space, name: pin.reference.name)]
            else {
                throw PinError("the lock pins embeddings \(pin.reference) and not their space")
            }
            fitted.tables[space.name] = try EmbeddingFile.decode(
                try await objects.get(pin.digest),
                space: space,
                spaceDigest: spaceDigest,
                version: pin.digest
            )
        }
        self.lock = lock
        self.plan = try plan.bound(to: fitted)
        self.fitted = fitted
        self.sources = try parts.sourcePlans()
        self.objects = objects
    }

    /// The pinned segments of a source, in the lock's order; each is verified before anything read from it is given out.
    func files(of source: String) async throws -> HistoryFiles {
        let schema = sources[source]?.historySchema ?? Schema([])
        var files: [Segment] = []
        for pin in lock.pins(of: .segment) where pin.source?.name == source {
            if let segment = segments[pin.digest] {
                files.append(segment)
                continue
            }
            let segment: Segment
            if let path = try await objects.localPath(pin.digest) {
                segment = try await Segment(path: path, digest: pin.digest, schema: schema)
            } else {
                // The store verifies what it returns.
                let bytes = try await objects.get(pin.digest)
                segment = try Segment(
                    verified: bytes,
                    name: "segment \(pin.reference)",
                    digest: pin.digest,
                    schema: schema
                )
            }
            segments[pin.digest] = segment
            files.append(segment)
        }
        guard !files.isEmpty else {
            throw PinError("the lock pins no history of source '\(source)'; make the lock again")
        }
        return HistoryFiles(files)
    }

    /// Opens the pinned history that the service reads, and begins to verify it while the caller does something else, such
    /// as reading a spine.
    ///
    /// Nothing that is read from it is given out before it has been verified, whether or not this was called.
    ///
    /// - Throws: `PinError`, `ObjectError` for history that is missing.
    public func beginVerifying() async throws {
        for source in Set(plan.views.map(\.plan.view.source)).sorted() { try await files(of: source).beginVerifying() }
    }

    /// The pinned history of a source, with the named columns, in segment order.
    public func history(of source: String, columns: [String]) async throws -> RecordBatch {
        let files = try await files(of: source)
        try await files.verify()
        return RecordBatch.concatenate(try files.parts.map { try $0.read(columns) })
    }

    /// The pinned history of each of the plan's views, indexed, in its order.
    public func viewHistories() async throws -> [ViewHistory] {
        var histories: [ViewHistory] = []
        for (position, view) in plan.views.map(\.plan).enumerated() {
            // A view that is read by several keys is indexed once.
            if let same = plan.views[..<position].firstIndex(where: { $0.plan.view.name == view.view.name }) {
                histories.append(histories[same])
                continue
            }
            let rows = try await history(of: view.view.source, columns: ViewHistory.columns(for: view))
            histories.append(ViewHistory(view, rows: rows))
        }
        return histories
    }
}

private final class OpenSegments: Sendable {
    private let files = Mutex<[Digest: Segment]>([:])

    subscript(digest: Digest) -> Segment? {
        get { files.withLock { $0[digest] } }
        set { files.withLock { $0[digest] = newValue } }
    }
}

/// Definitions by name, while a lock is opened.
private struct Parts {
    var entities: [String: Entity] = [:]
    var sources: [String: Source] = [:]
    var views: [String: FeatureView] = [:]
    var onDemand: [String: OnDemandFeatureView] = [:]
    var discretizers: [String: Discretizer] = [:]
    var spaces: [String: EmbeddingSpace] = [:]
    var services: [String: FeatureService] = [:]

    mutating func add(_ definition: Definition) throws {
        switch definition {
        case .entity(let entity): entities[entity.name] = entity
        case .source(let source): sources[source.name] = source
        case .view(let view): views[view.name] = view
        case .onDemand(let view): onDemand[view.name] = view
        case .discretizer(let discretizer): discretizers[discretizer.name] = discretizer
        case .space(let space): spaces[space.name] = space
        case .service(let service): services[service.name] = service
        }
    }

    func plan(_ service: FeatureService) throws -> ServicePlan {
        var plans: [String: ViewPlan] = [:]
        for (name, view) in views {
            guard let source = sources[view.source] else { throw PinError("the lock lacks source '\(view.source)'") }
            plans[name] = try ViewPlan(view, entities: view.entities.compactMap { entities[$0] }, source: source)
        }
        return try ServicePlan(
            service,
            views: plans,
            onDemand: onDemand,
            discretizers: discretizers,
            spaces: spaces
        )
    }

    func sourcePlans() throws -> [String: SourcePlan] {
        var plans: [String: SourcePlan] = [:]
        for (name, source) in sources { plans[name] = try SourcePlan(source) }
        return plans
    }
}
