import Catalog
import Lockstep
import Postgres
import Testing
import Wire

extension Integration {
    @Suite struct LineageTests {
        @Test(arguments: ObjectPlace.allCases)
        func aSnapshotLeadsToItsLockAndTheLockBack(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                try await fixture.prepare(GeneratedData(seed: 7))
                let repository = fixture.repository
                let client = fixture.client
                let down = try await client.get(
                    client.projectPath("versions/snapshot/records/lineage?direction=down"),
                    as: LineageMessage.self
                )
                #expect(down.root == "snapshot:records@1")
                #expect(!down.isTruncated)
                let expected: Set<String> = [
                    "snapshot:records@1", "segment:readings@1", "segment:trips@1", "segment:fleet@1",
                    "bins:wind_bins@1",
                    "lock:arrival_model@1",
                ]
                #expect(Set(down.nodes.map(\.id)) == expected)
                #expect(
                    down.uses.contains(.init(user: "segment:readings@1", used: "snapshot:records@1", role: "snapshot"))
                )
                #expect(down.uses.contains(.init(user: "lock:arrival_model@1", used: "bins:wind_bins@1", role: "bins")))
                let up = try await client.get(
                    client.projectPath("versions/lock/arrival_model@1/lineage?direction=up"),
                    as: LineageMessage.self
                )
                // All that there is but what no definition of the service uses.
                let all = try fixture.connect().query(
                    """
                    select d.kind || ':' || d.name || '@' || v.number as id from versions v
                    join definitions d on d.id = v.definition_id where d.name not in ('route_model')
                    """
                ).map { try $0.text("id") }
                #expect(Set(up.nodes.map(\.id)) == Set(all))
                let text = try await repository.lockstep("lineage", "snapshot:records@1")
                expectWords(
                    text,
                    "snapshot records@1",
                    "made from nothing",
                    "  segment readings@1",
                    "[snapshot]",
                    "    bins wind_bins@1",
                    "      lock arrival_model@1",
                    "[bins]"
                )
                #expect(!(try await repository.lockstep("lineage", "snapshot", "records", "--up")).contains("segment"))
                expectWords(
                    try await repository.lockstep("lineage", "view:station_climate", "--up"),
                    "source readings@1"
                )
                let json = try await repository.lockstep("lineage", "lock:arrival_model", "--up", "--json")
                expectWords(json, "\"root\":\"lock:arrival_model@1\"")
            }
        }

        @Test func aReportStandsBelowItsLock() async throws {
            try await ServiceFixture.run { fixture in
                try await fixture.prepare(GeneratedData(seed: 7))
                let lock = try #require(
                    try fixture.connect().query(
                        """
                        select v.digest from versions v join definitions d on d.id = v.definition_id where d.kind = 'lock'
                        """
                    ).first
                ).bytes(0)
                try fixture.connect().execute(
                    """
                    insert into reports (project_id, lock_version_id, digest, passed, document)
                    select d.project_id, v.id, $1, true, '{}' from versions v
                    join definitions d on d.id = v.definition_id where d.kind = 'lock'
                    """,
                    [.bytes(lock)]
                )
                let text = try await fixture.repository.lockstep("lineage", "snapshot:records", "--down")
                expectWords(text, "certificate sha256:", "[lock]")
            }
        }

        @Test func aCycleEndsAndAManyWaysGraphIsCheap() async throws {
            try await ServiceFixture.run { fixture in
                let connection = try fixture.connect()
                try await fixture.repository.lockstep("apply", code: 2)
                try connection.script(
                    """
                    insert into projects (name) values ('trial') on conflict do nothing;
                    insert into definitions (project_id, kind, name)
                    select p.id, 'view', 'v' || i from projects p, generate_series(1, 200) i where p.name = 'trial';
                    insert into versions (definition_id, number, digest, document)
                    select id, 1, sha256(name::bytea), '{}' from definitions where kind = 'view';
                    -- 40 layers of 5, each version using all of the layer before: 5^40 ways from top to bottom.
                    insert into edges (user_id, used_id, role)
                    select a.id, b.id, 'layer' from
                        (select v.id, row_number() over (order by v.id) - 1 as n from versions v) a
                        join (select v.id, row_number() over (order by v.id) - 1 as n from versions v) b
                        on b.n / 5 = a.n / 5 - 1;
                    update definitions d set current_version_id = v.id from versions v where v.definition_id = d.id;
                    """
                )
                let pool = ConnectionPool(target: fixture.database, size: 1)
                let catalog = Catalog(pool: pool)
                let ids = try connection.query("select id from versions order by id").map { try $0.int64(0) }
                let top = try #require(ids.last)
                let bottom = try #require(ids.first)
                let up = try await catalog.lineage(of: top, up: true, down: false, limit: 1000)
                #expect(up.nodes.count == 196 && up.uses.count == 5 + 38 * 25)
                let few = try await catalog.lineage(of: top, up: true, down: false, limit: 50)
                #expect(few.isTruncated && few.nodes.count == 50)
                try connection.execute(
                    "insert into edges values ($1, $2, 'back')",
                    [.int64(bottom), .int64(top)]
                )
                let around = try await catalog.lineage(of: top, up: true, down: true, limit: 1000)
                // By way of the cycle the versions beside the top one use it too.
                #expect(around.nodes.count == 200)
                expectWords(try await fixture.repository.lockstep("lineage", "view:v200", "--up"), "(see above)")
                await pool.shutdown()
            }
        }
    }
}
