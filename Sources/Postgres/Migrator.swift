/// Brings a database to the newest schema, one transaction for each migration.
public struct Migrator: Sendable {
    private let migrations: [Migration]

    /// The advisory lock that keeps two migrators of one database apart: "migrate" in ASCII.
    private static let lock: Int64 = 0x6D69_6772_6174_65

    /// Takes migrations in any order; their numbers must be 1…n without gaps or duplicates.
    public init(_ migrations: [Migration]) throws(PostgresError) {
        let sorted = migrations.sorted { $0.number < $1.number }
        for (index, migration) in sorted.enumerated() where migration.number != index + 1 {
            throw PostgresError(
                .migration,
                "\(migration.label) stands where number \(index + 1) is expected; number migrations 1…n without gaps "
                    + "or duplicates"
            )
        }
        self.migrations = sorted
    }

    /// Applies what is missing and returns it.
    ///
    /// Waits while another migrator works on the same database. When a migration fails nothing of it remains, those
    /// before it stay applied, and the error names it.
    public func apply(on connection: Connection) throws(PostgresError) -> [Migration] {
        guard !connection.isInTransaction else {
            throw PostgresError(.usage, "migrations cannot run inside a transaction; each has its own")
        }
        try connection.execute("select pg_advisory_lock($1)", [.int64(Self.lock)])
        // Should the unlock fail, the connection is lost and the server has released the lock.
        defer { _ = try? connection.execute("select pg_advisory_unlock($1)", [.int64(Self.lock)]) }
        let missing = try pending(on: connection)
        for migration in missing { try apply(migration, on: connection) }
        return missing
    }

    private func pending(on connection: Connection) throws(PostgresError) -> [Migration] {
        try connection.script(Self.table)
        let rows = try connection.query("select number, name, checksum from schema_migrations order by number")
        for (index, row) in rows.enumerated() {
            let number = try row.int64(0)
            let name = try row.text(1)
            guard number == Int64(index + 1) else {
                throw PostgresError(
                    .migration,
                    "the database records migration \(number) where \(index + 1) is expected; schema_migrations was "
                        + "edited by hand: restore it from a backup"
                )
            }
            guard index < migrations.count else {
                throw PostgresError(
                    .migration,
                    "the database is newer than this program: it has migration \(number) '\(name)', the program knows "
                        + "\(migrations.count); run a newer release of the program"
                )
            }
            let migration = migrations[index]
            let checksum = try row.text(2)
            guard checksum == migration.checksum else {
                throw PostgresError(
                    .migration,
                    "\(migration.label) was applied to this database with checksum \(checksum), the program's has "
                        + "\(migration.checksum); an applied migration never changes: restore its text and put the "
                        + "change into a new migration"
                )
            }
        }
        return Array(migrations.dropFirst(rows.count))
    }

    private func apply(_ migration: Migration, on connection: Connection) throws(PostgresError) {
        do throws(PostgresError) {
            _ = try connection.simple("begin")
            let transaction = try Self.currentTransaction(connection)
            try connection.script(migration.sql)
            guard connection.isInTransaction, try Self.currentTransaction(connection) == transaction else {
                throw PostgresError(
                    .migration,
                    "it ends its own transaction, so part of it may have been kept; remove begin, commit and rollback "
                        + "from it and restore the database"
                )
            }
            try connection.execute(
                "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)",
                [.int64(Int64(migration.number)), .text(migration.name), .text(migration.checksum)]
            )
            _ = try connection.simple("commit")
        } catch {
            connection.rollBack()
            throw Self.failure(of: migration, error)
        }
    }

    private static func currentTransaction(_ connection: Connection) throws(PostgresError) -> String {
        try connection.query("select pg_current_xact_id()::text").only().text(0)
    }

    private static func failure(of migration: Migration, _ error: PostgresError) -> PostgresError {
        var failure = error
        failure.code = error.code == .connectionFailed ? .connectionFailed : .migration
        failure.message = "\(migration.label) failed: \(error.message)"
        if error.code == .query {
            failure.message += "; nothing of it was applied, the database stays at \(migration.number - 1)"
        }
        return failure
    }

    private static let table = """
        create table if not exists schema_migrations (
            number bigint primary key check (number > 0),
            name text not null,
            checksum text not null,
            applied_at timestamptz not null default now()
        );
        comment on table schema_migrations is
            'One row for each migration applied to this database, in order. Written by the migrator only.';
        comment on column schema_migrations.number is 'The place in the sequence, from 1 without gaps.';
        comment on column schema_migrations.name is 'What the migration does, as its file is named.';
        comment on column schema_migrations.checksum is
            'Digest of the migration''s text; an applied migration whose text has another digest is refused.';
        comment on column schema_migrations.applied_at is 'When its transaction began.';
        """
}
