import Catalog
import Foundation
import Postgres
import Testing

extension Integration {
    @Suite struct MigrationTests {
        private static let folder =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path + "/migrations"

        private func withCatalog(_ body: (Catalog, Connection) async throws -> Void) async throws {
            let target = try TemporaryCluster.shared().makeDatabase()
            let pool = ConnectionPool(target: target, size: 2)
            do {
                try await body(Catalog(pool: pool), try Connection(target))
            } catch {
                await pool.shutdown()
                throw error
            }
            await pool.shutdown()
        }

        @Test func everyFileIsAppliedOnceAndInOrder() async throws {
            let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
            #expect(!files.isEmpty)
            try await withCatalog { catalog, connection in
                let applied = try await catalog.migrate()
                #expect(try await catalog.migrate().isEmpty)
                let recorded = try connection.query("select number, name from schema_migrations order by number").map {
                    (number: try $0.int64(0), name: try $0.text(1))
                }
                #expect(recorded.map(\.name) == applied)
                let names = recorded.map { entry in
                    let digits = "\(entry.number)"
                    return String(repeating: "0", count: 4 - digits.count) + digits + "_\(entry.name).sql"
                }
                #expect(names == files)
            }
        }

        @Test func everyTableHasAComment() async throws {
            try await withCatalog { catalog, connection in
                _ = try await catalog.migrate()
                let tables = try connection.query(
                    """
                    select c.relname::text as name, coalesce(obj_description(c.oid, 'pg_class'), '') as comment
                    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1
                    """
                ).map { (name: try $0.text("name"), comment: try $0.text("comment")) }
                #expect(tables.count > 10)
                #expect(tables.filter { $0.comment.isEmpty }.map(\.name) == [])
            }
        }

        @Test func aMigrationThatWasEditedIsRefused() async throws {
            try await withCatalog { catalog, connection in
                _ = try await catalog.migrate()
                try connection.execute("update schema_migrations set checksum = 'sha256:0' where number = 1")
                let error = await #expect(throws: PostgresError.self) { _ = try await catalog.migrate() }
                expectWords(error?.message ?? "", "initial", "checksum", "an applied migration never changes")
            }
        }
    }
}
