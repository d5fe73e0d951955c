import Objects
import Postgres

/// The schema's migrations, carried by the binary: the files of `migrations/`, in order.
enum Migrations {
    static let all: [Migration] = [
        migration(1, "initial", PackageResources._001_initial_sql),
        migration(2, "online_events", PackageResources._002_online_events_sql),
        migration(3, "datasets", PackageResources._003_datasets_sql),
    ]

    private static func migration(_ number: Int, _ name: String, _ sql: [UInt8]) -> Migration {
        Migration(
            number: number,
            name: name,
            sql: String(decoding: sql, as: UTF8.self),
            checksum: Digest.of(sql).description
        )
    }
}
