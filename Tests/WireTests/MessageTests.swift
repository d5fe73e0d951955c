import Formats
import Testing
import Wire

@Suite struct MessageTests {
    private func text(_ message: some Encodable) throws -> String {
        String(decoding: try WireCoding.encode(message), as: UTF8.self)
    }

    private func expectRoundTrip<Message: Codable & Hashable>(_ message: Message) throws {
        let bytes = try WireCoding.encode(message)
        #expect(try WireCoding.decode(Message.self, from: bytes) == message)
        #expect(try WireCoding.encode(message) == bytes)
        #expect(try WireCoding.json(message).encoded(canonical: true) == bytes)
    }

    private static let jobs: [(job: JobRequest, text: String)] = [
        (
            .ingest(.init(source: "s", inputs: [.init(name: "a/b.csv", object: "sha256:0")], snapshot: "d@1")),
            #"{"inputs":[{"name":"a/b.csv","object":"sha256:0"}],"kind":"ingest","snapshot":"d@1","source":"s"}"#
        ),
        (.fit(.init(discretizer: "d")), #"{"discretizer":"d","kind":"fit"}"#),
        (
            .importEmbeddings(.init(space: "e", name: "e.parquet", object: "o")),
            #"{"kind":"import-embeddings","name":"e.parquet","object":"o","space":"e"}"#
        ),
        (
            .materialize(.init(views: ["v"], at: "2013-01-01T00:00:00Z", replay: 7, lock: "{}")),
            #"{"at":"2013-01-01T00:00:00Z","kind":"materialize","lock":"{}","replay":7,"views":["v"]}"#
        ),
        (.materialize(.init()), #"{"kind":"materialize","views":[]}"#),
        (
            .lock(.init(service: "m", datasets: ["d@1"])), #"{"datasets":["d@1"],"kind":"lock","service":"m"}"#
        ),
    ]

    @Test(arguments: jobs) func jobsAreAsDocumented(job: JobRequest, text expected: String) throws {
        #expect(try text(job) == expected)
        try expectRoundTrip(job)
    }

    @Test(arguments: ["{}", #"{"kind":"dance"}"#, #"{"kind":"fit"}"#, #"{"kind":"ingest","source":"s"}"#, "[]", "{"])
    func otherJobsAreRefused(text: String) {
        #expect(throws: (any Error).self) { try WireCoding.decode(JobRequest.self, from: Array(text.utf8)) }
    }

    @Test func everyMessageReadsBack() throws {
        try expectRoundTrip(ApplyRequest(files: [.init(path: "features/a.yaml", text: "kind: Entity\n\"é\"")]))
        try expectRoundTrip(
            ApplyResponse(changes: [
                .init(
                    kind: "view",
                    name: "v",
                    action: "newVersion",
                    number: 2,
                    digest: "d",
                    differences: ["ttl: 1h, now 2h"]
                )
            ])
        )
        try expectRoundTrip(
            VersionList(versions: [
                VersionMessage(
                    kind: "view",
                    reference: "v@2",
                    digest: "d",
                    object: nil,
                    document: "{}",
                    createdAt: "2013-01-01T00:00:00Z",
                    description: "x",
                    uses: [.init(role: "source", kind: "source", reference: "s@1", digest: "e")]
                )
            ])
        )
        try expectRoundTrip(
            SnapshotRequest(dataset: "d", manifest: "m", packs: [PackMessage(digest: "p", size: 1)])
        )
        try expectRoundTrip(RecordedVersion(reference: "d@1", digest: "x", isNew: true))
        try expectRoundTrip(ObjectStored(digest: "x", byteCount: 1 << 40))
        try expectRoundTrip(ReplayRequest(at: "2013-01-01T00:00:00Z"))
        try expectRoundTrip(ReplayStatus(id: 3, clock: "2013-01-01T00:00:00Z"))
        try expectRoundTrip(
            OnlineStatus(
                clockKind: "live",
                now: "n",
                replay: nil,
                views: [.init(reference: "v@1", digest: "d", through: "t")]
            )
        )
        try expectRoundTrip(PushResponse(rows: 3, filtered: 1))
        try expectRoundTrip(
            Health(status: "ok", version: "1", clock: "live", allowsReplay: false, now: "n", database: "ok")
        )
        try expectRoundTrip(ReportRequest(lock: "l", document: "{\"a\":1}"))
        try expectRoundTrip(
            Problem(
                type: "lock-mismatch",
                title: "t",
                status: 409,
                detail: "d",
                differences: ["view v: locked @1, now @2"]
            )
        )
    }

    /// Names that are data are left as they are; names of members are in snake case.
    @Test func onlyMembersAreRenamed() throws {
        let result = JobResult(
            made: [RecordedVersion(reference: "v@1", digest: "d", isNew: false)],
            counts: ["rowsRead": 5, "rows_read": 6, "byte_count": .max],
            text: "t"
        )
        let status = JobStatus(id: .max, kind: "fit", state: "done", step: "s", done: 1, total: 2, result: result)
        try expectRoundTrip(status)
        #expect(try text(result).contains(#""counts":{"byte_count":9223372036854775807,"rowsRead":5,"rows_read":6}"#))
        #expect(try text(result).contains(#""is_new":false"#))
        #expect(try text(ObjectStored(digest: "a/b", byteCount: 2)) == #"{"byte_count":2,"digest":"a/b"}"#)
    }
}
