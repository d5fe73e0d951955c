import Catalog
import Columns
import Features
import Formats
import Hummingbird
import Objects
import Postgres
import Testing
import Wire

@testable import Service

/// `openapi.yaml` describes the routes that the service registers and the messages that it sends.
@Suite struct OpenAPITests {
    private let document: JSON
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    init() throws { document = try SchemaFile.yaml("openapi.yaml") }

    /// The service's routes over a database that is never asked for.
    private func withRouter<R>(_ body: (Router<BasicRequestContext>) throws -> R) async throws -> R {
        let pool = ConnectionPool(target: "host=/nowhere", size: 1)
        let state = ServiceState(
            configuration: ServiceConfiguration(database: "host=/nowhere", objects: "/nowhere", project: "test"),
            catalog: Catalog(pool: pool),
            objects: LocalObjectStore(directory: "/nowhere")
        )
        let result = Result { try body(LockstepService.router(state)) }
        await pool.shutdown()
        return try result.get()
    }

    // MARK: Routes

    @Test func pathsAndMethodsAreThoseOfTheRouter() async throws {
        let registered = try await withRouter { router in
            Set(router.routes.map { Self.route($0.method.rawValue.lowercased(), "\($0.path)") })
        }
        var described: Set<String> = []
        for path in document["paths"]?.members ?? [] {
            for method in Self.methods where path.value[method] != nil {
                described.insert(Self.route(method, path.name))
            }
        }
        #expect(registered.subtracting(described) == [], "routes that openapi.yaml lacks")
        #expect(described.subtracting(registered) == [], "routes that the service lacks")
    }

    /// A route as clients see it: what its parameters are called does not show.
    private static func route(_ method: String, _ path: String) -> String {
        "\(method) \(path.replacing(/\{[a-z]+\}/, with: "{}"))"
    }

    /// Hummingbird refuses to start in a debug build where one route hides another.
    @Test func noRouteHidesAnother() async throws {
        try await withRouter { router in #expect(throws: Never.self) { try router.validate() } }
    }

    @Test func pathParametersAreDescribed() throws {
        for path in document["paths"]?.members ?? [] {
            let named = path.name.matches(of: /\{([a-z]+)\}/).map { String($0.output.1) }
            let described = (path.value["parameters"]?.array ?? []).compactMap { resolved($0) }
                .filter { $0["in"]?.string == "path" }
            #expect(described.compactMap { $0["name"]?.string } == named, "\(path.name)")
            #expect(described.allSatisfy { $0["required"] == .bool(true) }, "\(path.name)")
        }
    }

    @Test func headersAreThoseOfTheWire() throws {
        var headers: Set<String> = []
        for path in document["paths"]?.members ?? [] {
            for method in Self.methods {
                for parameter in path.value[method]?["parameters"]?.array ?? [] {
                    guard let parameter = resolved(parameter), parameter["in"]?.string == "header" else { continue }
                    headers.insert(parameter["name"]?.string ?? "")
                }
            }
        }
        #expect(headers == [WireHeader.project, WireHeader.replay, WireHeader.clock, WireHeader.lock])
    }

    /// Every failure that has a body is a problem document.
    @Test func failuresAreProblemDocuments() throws {
        for path in document["paths"]?.members ?? [] {
            for method in Self.methods where method != "head" {
                guard let operation = path.value[method] else { continue }
                #expect(operation["responses"]?["default"] != nil, "\(method) \(path.name)")
                for response in operation["responses"]?.members ?? [] where !response.name.hasPrefix("2") {
                    let content = resolved(response.value)?["content"]
                    #expect(
                        content?[Problem.contentType]?["schema"]?["$ref"] == .string("#/components/schemas/Problem"),
                        "\(method) \(path.name) \(response.name)"
                    )
                }
            }
        }
    }

    private func resolved(_ value: JSON) -> JSON? {
        guard let pointer = value["$ref"]?.string else { return value }
        return pointer.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
    }

    // MARK: Messages

    /// A message with every member set, and one with as few as it can have.
    private struct Sample {
        let component: String
        let full: JSON
        let bare: JSON

        init(_ component: String, _ full: some Encodable, bare: (any Encodable)? = nil) throws {
            self.component = component
            self.full = try WireCoding.json(full)
            self.bare = try bare.map { try WireCoding.json($0) } ?? self.full
        }

        init(_ component: String, json full: JSON, bare: JSON? = nil) {
            self.component = component
            self.full = full
            self.bare = bare ?? full
        }
    }

    private static let digest = Digest.of([]).description
    private static let instant = "2013-10-01T00:00:00Z"
    private static let pack = PackMessage(digest: digest, size: 1153)

    private static func samples() throws -> [Sample] {
        try onlineSamples() + definitionSamples() + jobSamples() + datasetSamples() + [
            Sample(
                "Problem",
                Problem(type: "invalid", title: "Invalid", status: 422, detail: "", differences: ["a"]),
                bare: Problem(type: "invalid", title: "Invalid", status: 422, detail: "")
            ),
            Sample(
                "Health",
                Health(status: "ok", version: "0", clock: "live", allowsReplay: true, now: instant, database: "ok")
            ),
            Sample("ReportRequest", ReportRequest(lock: digest, document: "{}")),
            Sample(
                "SnapshotRequest",
                SnapshotRequest(dataset: "nycflights", manifest: digest, packs: [pack]),
                bare: SnapshotRequest(dataset: "nycflights", manifest: digest, packs: [])
            ),
            Sample("PackMessage", pack),
            Sample("PackList", PackList(packs: [pack], directory: "/objects"), bare: PackList(packs: [])),
            Sample("AdoptRequest", AdoptRequest(staging: "packs-0123456789abcdef")),
            Sample(
                "SnapshotMessage",
                SnapshotMessage(reference: "a@1", digest: digest, manifest: digest, createdAt: instant, packs: [pack])
            ),
            Sample("ObjectStored", ObjectStored(digest: digest, byteCount: 1)),
            Sample("RecordedVersion", RecordedVersion(reference: "a@1", digest: digest, isNew: true)),
        ]
    }

    private static func onlineSamples() throws -> [Sample] {
        let entities = [JSON.Member("origin", .array([.string("EWR"), .null]))]
        let features = [FeatureReference(view: "a", feature: "b")]
        let asked = try JSON(
            parsing: OnlineRequest(selection: .service("s"), entities: entities, fullFeatureNames: true).body
        )
        let bare = try JSON(parsing: OnlineRequest(selection: .features(features), entities: []).body)
        let result = OnlineResponse.Result(
            values: [.double(1.5), .double(.nan), .array([.float(1)]), .null, .null, .null],
            statuses: [.present, .present] + FeatureStatus.allCases.prefix(4),
            eventTimes: [0, .max, 0, 0, 0, 0]
        )
        let answer = try JSON(parsing: OnlineResponse(names: ["x"], results: [result]).body)
        let push = PushRequest(source: "weather", columns: [JSON.Member("temp", .array([.double(1), .null]))])
        let view = OnlineStatus.View(reference: "a@1", digest: digest, through: instant)
        return [
            // The two ways to ask exclude each other, so that no request has every member.
            Sample(
                "OnlineRequest",
                json: .object((asked.members ?? []) + [.init("features", .array([.string("a:b")]))]),
                bare: bare
            ),
            Sample("OnlineResponse", json: answer),
            Sample("OnlineResult", json: answer["results"]?.array?.first ?? .null),
            Sample("PushRequest", json: try JSON(parsing: push.body)),
            try Sample(
                "PushResponse",
                PushResponse(rows: 1, filtered: 0, replay: 1, visibleFrom: instant),
                bare: PushResponse(rows: 1, filtered: 0)
            ),
            try Sample("ReplayRequest", ReplayRequest(at: instant)),
            try Sample("ReplayStatus", ReplayStatus(id: 1, clock: instant)),
            try Sample(
                "OnlineStatus",
                OnlineStatus(clockKind: "replay", now: instant, replay: 1, views: [view]),
                bare: OnlineStatus(clockKind: "live", now: instant, replay: nil, views: [])
            ),
            try Sample("OnlineView", view),
        ]
    }

    private static func definitionSamples() throws -> [Sample] {
        let file = ApplyRequest.File(path: "a.yaml", text: "")
        let changes = ["create", "newVersion", "revert", "annotate", "unchanged"].map {
            ApplyResponse.Change(kind: "view", name: "a", action: $0, number: 1, digest: digest, differences: ["ttl"])
        }
        let use = VersionMessage.Use(role: "source", kind: "source", reference: "a@1", digest: digest)
        func version(_ isFull: Bool) -> VersionMessage {
            VersionMessage(
                kind: "view",
                reference: "a@1",
                digest: digest,
                object: isFull ? digest : nil,
                document: "{}",
                createdAt: instant,
                description: isFull ? "d" : nil,
                owner: isFull ? "o" : nil,
                uses: isFull ? [use] : nil
            )
        }
        return [
            try Sample("ApplyRequest", ApplyRequest(files: [file])), try Sample("DefinitionFile", file),
            try Sample("ApplyResponse", ApplyResponse(changes: changes)), try Sample("Change", changes[0]),
            try Sample("VersionMessage", version(true), bare: version(false)), try Sample("VersionUse", use),
            try Sample("VersionList", VersionList(versions: [version(true), version(false)])),
        ]
    }

    private static func datasetSamples() throws -> [Sample] {
        let entry = DatasetLog.Entry(
            reference: "a@2",
            digest: digest,
            createdAt: instant,
            files: 1,
            bytes: 2,
            parents: ["a@1"],
            tags: ["t"],
            aliases: ["b"]
        )
        let label = LabelMessage(
            name: "t",
            kind: "tag",
            reference: "a@1",
            digest: digest,
            at: instant,
            action: "set",
            previous: "a@1"
        )
        let bareLabel = LabelMessage(name: "t", kind: "alias", reference: "a@1", digest: digest, at: instant)
        let decision = ForgetResponse.Decision(reference: "a@1", digest: digest, isForgotten: true, reasons: ["r"])
        let node = LineageMessage.Node(
            id: "view:a@1",
            kind: "view",
            reference: "a@1",
            digest: digest,
            createdAt: instant
        )
        let derived = ErasureReport.Derived(kind: "lock", reference: "a@1")
        let tombstone = TombstoneMessage(
            digest: digest,
            path: "a@1:b",
            reason: "r",
            actor: "a",
            erasedAt: instant,
            isFinished: true
        )
        let use = LineageMessage.Use(user: "view:a@1", used: "source:b@1", role: "source")
        return [
            try Sample("DatasetLog", DatasetLog(entries: [entry], forgotten: ["a@1"])),
            try Sample("DatasetLogEntry", entry),
            try Sample("LabelRequest", LabelRequest(name: "t", kind: "tag", reference: "a")),
            try Sample("LabelMessage", label, bare: bareLabel),
            try Sample("LabelList", LabelList(labels: [label, bareLabel])),
            try Sample(
                "ForgetRequest",
                ForgetRequest(number: 1, keepLast: 1, keepWithin: "1d", keepTagged: true, isDryRun: true),
                bare: ForgetRequest()
            ),
            try Sample("ForgetResponse", ForgetResponse(decisions: [decision])),
            try Sample("ForgetDecision", decision),
            try Sample(
                "LineageMessage",
                LineageMessage(root: "view:a@1", nodes: [node], uses: [use], isTruncated: false)
            ),
            try Sample("LineageNode", node), try Sample("LineageUse", use),
            try Sample(
                "ErasureReport",
                ErasureReport(digest: digest, isDryRun: false, places: ["a@1:b"], derived: [derived])
            ),
            try Sample("ErasureDerived", derived), try Sample("Tombstone", tombstone),
            try Sample("TombstoneList", TombstoneList(tombstones: [tombstone])),
            try Sample("SessionRequest", SessionRequest(reading: "a@1"), bare: SessionRequest()),
            try Sample("SessionMessage", SessionMessage(id: 1, expiresAt: instant, seconds: 120)),
            try Sample("PinRequest", PinRequest(digests: [digest])),
            try Sample("PinResponse", PinResponse(missing: [digest])),
        ]
    }

    private static func jobSamples() throws -> [Sample] {
        let input = JobRequest.Ingest.Input(name: "weather.csv", object: digest, format: "csv")
        let ingest = JobRequest.Ingest(source: "a", inputs: [input], snapshot: "b@1")
        let fit = JobRequest.Fit(discretizer: "a", snapshot: "b@1")
        let embeddings = JobRequest.ImportEmbeddings(space: "a", name: "a.csv", object: digest, format: "csv")
        let materialize = JobRequest.Materialize(views: ["a"], at: instant, replay: 1, lock: digest)
        let lock = JobRequest.MakeLock(service: "a", datasets: ["b@1"])
        let jobs: [JobRequest] = [
            .ingest(ingest), .fit(fit), .importEmbeddings(embeddings), .materialize(materialize), .lock(lock),
            .collect(JobRequest.Collect(grace: "1d", repack: 20, isDryRun: true)),
            .erase(JobRequest.Erase(digest: digest, reason: "r", actor: "a")),
        ]
        let encoded = try jobs.map { try WireCoding.json($0) }
        let made = RecordedVersion(reference: "a@1", digest: digest, isNew: false)
        let result = JobResult(made: [made], counts: ["rows": 1], invalid: ["v:f": 1], text: "t", replay: 1)
        let statuses = jobs.map {
            JobStatus(id: 1, kind: $0.kind, state: "done", step: "", done: 1, total: 1, result: result, error: "e")
        }
        let queued = JobStatus(id: 1, kind: "fit", state: "queued", step: "", done: 0, total: 0)
        return encoded.map { Sample("JobRequest", json: $0) }
            + (try statuses.map { try Sample("JobStatus", $0, bare: queued) }) + [
                try Sample("Ingest", jobs[0], bare: JobRequest.ingest(JobRequest.Ingest(source: "a", inputs: []))),
                try Sample("IngestInput", input, bare: JobRequest.Ingest.Input(name: "a", object: digest)),
                try Sample("Fit", jobs[1], bare: JobRequest.fit(JobRequest.Fit(discretizer: "a"))),
                try Sample(
                    "ImportEmbeddings",
                    jobs[2],
                    bare: JobRequest.importEmbeddings(.init(space: "a", name: "a", object: digest))
                ),
                try Sample("Materialize", jobs[3], bare: JobRequest.materialize(JobRequest.Materialize())),
                try Sample("MakeLock", jobs[4]),
                try Sample("Erase", jobs[6]),
                try Sample("Collect", jobs[5], bare: JobRequest.collect(JobRequest.Collect())),
                try Sample("JobResult", result, bare: JobResult()),
            ]
    }

    @Test func messagesHaveTheDescribedMembers() throws {
        for sample in try Self.samples() {
            let schema = try #require(document["components"]?["schemas"]?[sample.component], "\(sample.component)")
            guard schema["oneOf"] == nil else { continue }
            let described = Set(schema["properties"]?.members?.map(\.name) ?? [])
            #expect(Set(sample.full.members?.map(\.name) ?? []) == described, "\(sample.component)")
            // What is not required is just what a message can do without.
            let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
            if sample.component != "OnlineRequest" {
                #expect(Set(sample.bare.members?.map(\.name) ?? []) == required, "\(sample.component)")
            }
        }
    }

    @Test func messagesAreValid() throws {
        for sample in try Self.samples() {
            let schema = try JSONSchema(document, at: "#/components/schemas/\(sample.component)")
            #expect(schema.faults(sample.bare) == [], "\(sample.component)")
            #expect(schema.faults(sample.full) == [], "\(sample.component)")
        }
    }

    /// No component is left without a sample, but for those that describe a single value.
    @Test func everyComponentHasASample() throws {
        let components = Set(document["components"]?["schemas"]?.members?.map(\.name) ?? [])
        let sampled = Set(try Self.samples().map(\.component))
        #expect(components.subtracting(sampled) == ["Name", "Digest", "Instant", "FeatureValue"])
        #expect(sampled.isSubset(of: components))
    }
}
