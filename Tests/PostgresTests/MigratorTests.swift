import Dispatch
import Testing

@testable import Postgres

@Suite struct MigratorTests {
    private let first = Migration(number: 1, name: "accounts", sql: "create table a (n int8);", checksum: "c1")
    private let second = Migration(
        number: 2,
        name: "ledger",
        sql: "create table b (n int8);\ninsert into b values (1), (2);",
        checksum: "c2"
    )

    private func tables(_ connection: Connection) throws -> [String] {
        try connection.query(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        .map { try $0.text(0) }.sorted()
    }

    @Test func appliesWhatIsMissingOnce() throws {
        let connection = try connect()
        #expect(try Migrator([first]).apply(on: connection) == [first])
        #expect(try Migrator([second, first]).apply(on: connection) == [second])
        #expect(try Migrator([first, second]).apply(on: connection).isEmpty)
        #expect(try tables(connection) == ["a", "b", "schema_migrations"])
        let comment = "select obj_description('schema_migrations'::regclass)"
        #expect(try !connection.query(comment).only().text(0).isEmpty)
        let held = "select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        #expect(try connection.query(held).isEmpty)
    }

    @Test func numbersHaveNoGaps() throws {
        #expect(try failure { _ = try Migrator([second]) }.message.contains("stands where number 1 is expected"))
        #expect(try failure { _ = try Migrator([first, first]) }.code == .migration)
    }

    @Test func aChangedMigrationIsNamed() throws {
        let connection = try connect()
        _ = try Migrator([first, second]).apply(on: connection)
        var changed = first
        changed.checksum = "c9"
        let error = try failure { _ = try Migrator([changed, second]).apply(on: connection) }
        #expect(error.code == .migration)
        #expect(error.message.contains("migration 1 'accounts' was applied to this database with checksum c1"))
    }

    @Test func aNewerDatabaseIsRefused() throws {
        let connection = try connect()
        _ = try Migrator([first, second]).apply(on: connection)
        let error = try failure { _ = try Migrator([first]).apply(on: connection) }
        #expect(error.message.contains("newer than this program: it has migration 2 'ledger'"))
    }

    @Test func aFailureLeavesThePreviousState() throws {
        let connection = try connect()
        let bad = Migration(
            number: 2,
            name: "bad",
            sql: "create table half (n int8);\n\ninsert into nowhere values (1);",
            checksum: "c2"
        )
        let third = Migration(number: 3, name: "later", sql: "create table later ()", checksum: "c3")
        let error = try failure { _ = try Migrator([first, bad, third]).apply(on: connection) }
        #expect(error.code == .migration)
        #expect(error.sqlState == "42P01")
        #expect(error.message.contains("migration 2 'bad' failed"))
        #expect(error.lineNumber == 3)
        #expect(try tables(connection) == ["a", "schema_migrations"])
        #expect(try Migrator([first, second]).apply(on: connection) == [second])
    }

    @Test func aMigrationCannotEndItsTransaction() throws {
        for sql in ["commit", "commit; begin", "rollback; begin"] {
            let connection = try connect()
            let error = try failure {
                _ = try Migrator([Migration(number: 1, name: "sly", sql: sql, checksum: "c")]).apply(on: connection)
            }
            #expect(error.message.contains("ends its own transaction"))
            #expect(!connection.isInTransaction)
        }
    }

    @Test func twoMigratorsAtOnce() throws {
        let target = try TemporaryCluster.shared().makeDatabase()
        let slow = Migration(number: 1, name: "slow", sql: "select pg_sleep(0.1); create table a ()", checksum: "c1")
        let applied = Shared<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            let count = try? Migrator([slow, second]).apply(on: Connection(target)).count
            applied.update { $0.append(count ?? -1) }
        }
        #expect(applied.value.sorted() == [0, 0, 0, 2])
    }
}
