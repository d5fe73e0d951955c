import Catalog
import Columns
import Features
import Formats
import Objects
import Wire

/// Seals the heads of a service's sources and pins everything that the service needs.
struct LockJob {
    let context: JobContext
    let projectName: String
    let request: JobRequest.MakeLock

    func run() async throws -> JobResult {
        let catalog = context.catalog
        let service = try await catalog.version(
            context.project,
            .service,
            try VersionReference(request: request.service)
        )
        var pins = PinSet()
        try await pin(service, into: &pins)
        try pins.requireOneVersionEach()
        for text in request.datasets {
            pins.add(
                try await catalog.version(context.project, .snapshot, try VersionReference(request: text))
            )
        }
        for source in pins.records.filter({ $0.name.kind == .source }) {
            try await context.report("sealing \(source.reference)", 0, 0)
            try await sealRetrying(source)
            let segments = try await catalog.segments(of: source.id)
            guard !segments.isEmpty else {
                throw RequestError(
                    "source '\(source.name.name)' has no history to lock; run: lockstep ingest \(source.name.name) FILE"
                )
            }
            for segment in segments {
                pins.add(
                    segment.version,
                    source: source.reference,
                    sequences: segment.firstSequence...segment.lastSequence
                )
                for use in try await catalog.uses(of: segment.version.id) where use.version.name.kind == .snapshot {
                    pins.add(use.version)
                }
            }
        }
        let lock = Lock(project: projectName, service: service.reference, pins: pins.pins)
        let text = Array(lock.text.utf8)
        let object = try await context.objects.put(text, encoding: .raw)
        let made = try await catalog.record(
            NewVersion(
                name: DefinitionName(kind: .lock, name: service.name.name),
                digest: lock.digest,
                object: object,
                document: .object(["service": .string("\(service.reference)"), "pins": .int(lock.pins.count)]),
                uses: pins.records.map { ($0.id, $0.name.kind.rawValue) },
                objects: [(object, text.count)]
            ),
            in: context.project
        )
        return JobResult(
            made: [RecordedVersion(made.version, isNew: made.isNew)],
            counts: ["pins": Int64(lock.pins.count)],
            text: lock.text
        )
    }

    /// Pins a version and everything it uses, and what has been fitted for it.
    private func pin(_ record: VersionRecord, into pins: inout PinSet) async throws {
        guard pins.add(record) else { return }
        switch record.name.kind {
        case .discretizer:
            let bins = try await context.catalog.fitted(.bins, for: record, in: context.project)
            pins.add(bins)
        case .space:
            let embeddings = try await context.catalog.fitted(.embeddings, for: record, in: context.project)
            pins.add(embeddings)
        default: break
        }
        for use in try await context.catalog.uses(of: record.id) { try await pin(use.version, into: &pins) }
    }

    /// Seals, again where another lock sealed the same head meanwhile.
    private func sealRetrying(_ source: VersionRecord) async throws {
        for attempt in 1... {
            do {
                return try await seal(source)
            } catch let error as CatalogError where error.code == .conflict && attempt < 5 {
                continue
            }
        }
    }

    /// Turns the head of a source into a segment, so that the lock names immutable objects only.
    private func seal(_ source: VersionRecord) async throws {
        let live = try await context.catalog.liveNamespace(context.project)
        let head = try await context.catalog.head(live.id, source: source.id)
        guard let last = head.last, case .source(let definition) = try source.definition() else { return }
        let rows = try SourceHistory.batch(head, source: SourcePlan(definition))
        let writer = SegmentWriter(catalog: context.catalog, objects: context.objects, project: context.project)
        _ = try await writer.write(
            rows,
            source: source,
            snapshot: nil,
            replacingHead: (namespace: live.id, through: last.sequence)
        )
    }
}

/// Pins without repeats.
private struct PinSet {
    private(set) var pins: [Lock.Pin] = []
    private(set) var records: [VersionRecord] = []

    /// A service whose parts were applied at different times may reach two versions of one name; a lock that is read by
    /// name must not.
    func requireOneVersionEach() throws {
        for (name, versions) in Dictionary(grouping: records, by: \.name) where versions.count > 1 {
            let list = versions.map { "\($0.reference)" }.sorted().joined(separator: " and ")
            throw CatalogError(
                .conflict,
                "the service uses \(list) of \(name.kind.rawValue); apply all definitions again"
            )
        }
    }

    @discardableResult
    mutating func add(
        _ record: VersionRecord,
        source: VersionReference? = nil,
        sequences: ClosedRange<Int64>? = nil
    ) -> Bool {
        guard !records.contains(where: { $0.id == record.id }) else { return false }
        records.append(record)
        pins.append(
            Lock.Pin(
                kind: record.name.kind,
                reference: record.reference,
                digest: record.digest,
                object: record.object == record.digest ? nil : record.object,
                source: source,
                sequences: sequences
            )
        )
        return true
    }
}

extension Catalog {
    /// The newest bins of this very discretizer version, or embeddings of this space version.
    ///
    /// - Throws: `CatalogError` with the command that makes them, when there are none.
    func fitted(_ kind: Kind, for definition: VersionRecord, in project: Int64) async throws -> VersionRecord {
        let name = definition.name.name
        let command = kind == .bins ? "lockstep fit \(name)" : "lockstep embeddings import \(name) FILE"
        guard let fitted = try await newestUser(of: definition.id, kind: kind, name: name, in: project) else {
            throw CatalogError(
                .notFound,
                "\(definition.name.kind.rawValue) \(definition.reference) has no \(kind.rawValue); run: \(command)"
            )
        }
        return fitted
    }
}
