import Catalog
import Expressions
import Features
import Formats
import Foundation
import Objects
import Postgres
import Testing

@testable import Service

/// A catalog and a store without a service, whose versions are lists of objects: for tests of what keeps them.
struct ObjectScene: Sendable {
    let target: String
    let directory: String
    let catalog: Catalog
    let local: LocalObjectStore
    let project: Int64

    /// - Parameter probe: of every statement of the scene's catalog.
    static func run(
        connections: Int = 8,
        probe: StatementProbe? = nil,
        _ body: (ObjectScene) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let target = try TemporaryCluster.shared().makeDatabase()
        let setup = ConnectionPool(target: target, size: 1)
        _ = try await Catalog(pool: setup).migrate()
        let project = try await Catalog(pool: setup).makeProject("trial")
        await setup.shutdown()
        let pool = ConnectionPool(target: target, size: connections, probe: probe)
        let scene = ObjectScene(
            target: target,
            directory: scratch.path,
            catalog: Catalog(pool: pool),
            local: LocalObjectStore(directory: scratch.path + "/objects"),
            project: project
        )
        do {
            try await body(scene)
        } catch {
            await pool.shutdown()
            throw error
        }
        await pool.shutdown()
    }

    var store: CatalogedObjectStore { CatalogedObjectStore(local, catalog: catalog) }

    func connect() throws -> Connection { try Connection(target) }

    func count(_ table: String) throws -> Int64 { try connect().query("select count(*) from \(table)").only().int64(0) }

    func content(_ number: Int) -> [UInt8] { Array("object \(number)".utf8) }

    /// Records a version of a dataset that needs some objects.
    @discardableResult
    func record(_ dataset: String, _ digests: [Digest]) async throws -> VersionRecord {
        let unique = Set(digests).sorted()
        var form = CanonicalEncoder()
        form.list(unique.count)
        for digest in unique { form.digest(digest) }
        return try await catalog.record(
            NewVersion(
                name: DefinitionName(kind: .snapshot, name: dataset),
                digest: form.digest(domain: "test.scene"),
                document: .object(["assets": .int(unique.count)]),
                objects: unique.map { ($0, 0) }
            ),
            in: project
        ).version
    }

    /// Collects everything that may go.
    @discardableResult
    func collect(
        grace: String = "0s",
        store: (any ManagedObjectStore)? = nil,
        claim: TimeSpan = TimeSpan(microseconds: 300_000_000),
        batch: Int = 500
    ) async throws -> GarbageCollector.Outcome {
        try await GarbageCollector(
            catalog: catalog,
            objects: store ?? local,
            grace: try #require(TimeSpan(grace)),
            claim: claim,
            batch: batch,
            report: { _, _, _ in }
        ).run()
    }

    /// What holds at any moment at which nobody works: every version's objects are there and what their digests say,
    /// nothing is both promised and withdrawn, and what is promised is there.
    func expectSound(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let connection = try connect()
        let needed = try connection.query("select distinct digest from version_objects").map {
            try #require(Digest(bytes: try $0.bytes("digest")))
        }
        for digest in needed {
            do {
                try await local.verify(digest)
            } catch {
                Issue.record("a version's object is gone: \(error)", sourceLocation: sourceLocation)
            }
        }
        let promised = try connection.query("select digest from objects where stored_at is not null").map {
            try #require(Digest(bytes: try $0.bytes("digest")))
        }
        for digest in promised where try await !local.contains(digest) {
            Issue.record("\(digest) is promised and not there", sourceLocation: sourceLocation)
        }
        #expect(
            try count("objects o join withdrawals w on w.digest = o.digest") == 0,
            "an object is promised and withdrawn",
            sourceLocation: sourceLocation
        )
    }

    /// Every object in the store.
    func listed() async throws -> Set<Digest> { Set(try await local.list(after: nil, limit: 1_000_000).map(\.digest)) }
}
