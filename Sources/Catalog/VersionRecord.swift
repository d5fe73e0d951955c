import Features
import Formats
import Objects
import Postgres

/// One immutable version of something.
public struct VersionRecord: Hashable, Sendable {
    /// The catalog's own row number; not part of the identity.
    public let id: Int64
    public let name: DefinitionName
    public let number: Int
    public let digest: Digest
    /// The stored object that holds the version: a definition's document, a snapshot's manifest, fitted edges.
    public let object: Digest?
    /// JSON text.
    public let document: String
    /// Microseconds UTC.
    public let createdAt: Int64

    public var reference: VersionReference { VersionReference(name: name.name, number: number) }
}

/// A version to be recorded.
public struct NewVersion: Sendable {
    public var name: DefinitionName
    public var digest: Digest
    public var object: Digest?
    public var document: JSON
    /// Row numbers of the versions it uses, and as what.
    public var uses: [(version: Int64, role: String)]
    /// Objects it cannot do without, with their sizes in bytes.
    public var objects: [(digest: Digest, byteCount: Int)]
    /// The contents in them, of which none may have been erased.
    public var contents: [Digest]

    public init(
        name: DefinitionName,
        digest: Digest,
        object: Digest? = nil,
        document: JSON,
        uses: [(version: Int64, role: String)] = [],
        objects: [(digest: Digest, byteCount: Int)] = [],
        contents: [Digest] = []
    ) {
        self.name = name
        self.digest = digest
        self.object = object
        self.document = document
        self.uses = uses
        self.objects = objects
        self.contents = contents
    }
}

extension VersionRecord {
    static let columns = """
        v.id, d.kind, d.name, v.number::bigint as number, v.digest, v.object, v.document, v.created_at
        """

    init(_ row: Row) throws {
        self.id = try row.int64("id")
        self.name = try row.definitionName()
        self.number = Int(try row.int64("number"))
        self.digest = try Digest(column: try row.bytes("digest"))
        self.object = try row.bytesIfPresent("object").map { try Digest(column: $0) }
        self.document = try row.json("document")
        self.createdAt = try row.timestamp("created_at")
    }
}

extension Catalog {
    /// The version that a reference means: the one numbered, or the current one.
    ///
    /// - Throws: `CatalogError.notFound`, naming what there is.
    public func version(_ project: Int64, _ kind: Kind, _ reference: VersionReference) async throws -> VersionRecord {
        try await read { connection in try Self.version(on: connection, project, kind, reference) }
    }

    /// All versions of a name, oldest first.
    public func versions(_ project: Int64, _ kind: Kind, _ name: String) async throws -> [VersionRecord] {
        try await run { connection in
            let records = try Self.remainingVersions(on: connection, project, kind, name)
            guard !records.isEmpty else {
                throw try Self.missing(on: connection, project, kind, VersionReference(name: name))
            }
            return records
        }
    }

    /// All versions of a name, oldest first; none where all of them were forgotten.
    public func remainingVersions(_ project: Int64, _ kind: Kind, _ name: String) async throws -> [VersionRecord] {
        try await read { connection in try Self.remainingVersions(on: connection, project, kind, name) }
    }

    private static func remainingVersions(
        on connection: Connection,
        _ project: Int64,
        _ kind: Kind,
        _ name: String
    ) throws -> [VersionRecord] {
        try connection.query(
            """
            select \(VersionRecord.columns) from definitions d join versions v on v.definition_id = d.id
            where d.project_id = $1 and d.kind = $2 and d.name = $3 order by v.number
            """,
            [.int64(project), .text(kind.rawValue), .text(name)]
        ).map { try VersionRecord($0) }
    }

    /// The current version of every name of a kind, by name.
    public func currentVersions(_ project: Int64, _ kind: Kind) async throws -> [VersionRecord] {
        try await read { connection in try Self.currentVersions(on: connection, project, kind) }
    }

    /// The versions that a version uses, with their roles.
    public func uses(of version: Int64) async throws -> [(role: String, version: VersionRecord)] {
        try await read { connection in
            let rows = try connection.query(
                """
                select e.role, \(VersionRecord.columns) from edges e join versions v on v.id = e.used_id
                join definitions d on d.id = v.definition_id where e.user_id = $1 order by d.kind, d.name, v.number
                """,
                [.int64(version)]
            )
            return try rows.map { (try $0.text("role"), try VersionRecord($0)) }
        }
    }

    /// The newest version of a name that uses a given version.
    public func newestUser(
        of used: Int64,
        kind: Kind,
        name: String,
        in project: Int64
    ) async throws -> VersionRecord? {
        try await read { connection in
            let rows = try connection.query(
                """
                select \(VersionRecord.columns) from definitions d join versions v on v.definition_id = d.id
                join edges e on e.user_id = v.id
                where d.project_id = $1 and d.kind = $2 and d.name = $3 and e.used_id = $4
                order by v.number desc limit 1
                """,
                [.int64(project), .text(kind.rawValue), .text(name), .int64(used)]
            )
            return try rows.first.map { try VersionRecord($0) }
        }
    }

    /// Adds an edge: version `user` also uses `used`.
    public func addUse(of used: Int64, by user: Int64, role: String) async throws {
        try await run { connection in
            _ = try connection.execute(
                "insert into edges (user_id, used_id, role) values ($1, $2, $3) on conflict do nothing",
                [.int64(user), .int64(used), .text(role)]
            )
        }
    }

    /// Records a version, or finds the one with the same content, and makes it the current one.
    public func record(_ version: NewVersion, in project: Int64) async throws -> (version: VersionRecord, isNew: Bool) {
        try await run { connection in try Self.record(version, in: project, on: connection) }
    }

    static func currentVersions(on connection: Connection, _ project: Int64, _ kind: Kind) throws -> [VersionRecord] {
        let rows = try connection.query(
            """
            select \(VersionRecord.columns) from definitions d join versions v on v.id = d.current_version_id
            where d.project_id = $1 and d.kind = $2 order by d.name
            """,
            [.int64(project), .text(kind.rawValue)]
        )
        return try rows.map { try VersionRecord($0) }
    }

    static func version(
        on connection: Connection,
        _ project: Int64,
        _ kind: Kind,
        _ reference: VersionReference
    ) throws -> VersionRecord {
        let rows = try connection.query(
            """
            select \(VersionRecord.columns) from definitions d join versions v on v.definition_id = d.id
            where d.project_id = $1 and d.kind = $2 and d.name = $3
            and case when $4::bigint is null then v.id = d.current_version_id else v.number = $4 end
            """,
            [
                .int64(project), .text(kind.rawValue), .text(reference.name),
                reference.number.map { .int64(Int64($0)) } ?? .null,
            ]
        )
        guard let row = rows.first else { throw try missing(on: connection, project, kind, reference) }
        return try VersionRecord(row)
    }

    static func missing(
        on connection: Connection,
        _ project: Int64,
        _ kind: Kind,
        _ reference: VersionReference
    ) throws -> CatalogError {
        let rows = try connection.query(
            """
            select d.name, max(v.number)::bigint as newest from definitions d join versions v on v.definition_id = d.id
            where d.project_id = $1 and d.kind = $2 group by d.name order by d.name
            """,
            [.int64(project), .text(kind.rawValue)]
        )
        let names = try rows.map { try $0.text("name") }
        if let row = try rows.first(where: { try $0.text("name") == reference.name }) {
            let newest = try row.int64("newest")
            let forgotten = try connection.query(
                """
                select 1 as one from forgotten_versions f join definitions d on d.id = f.definition_id
                where d.project_id = $1 and d.kind = $2 and d.name = $3 and f.number = $4::bigint
                """,
                [
                    .int64(project), .text(kind.rawValue), .text(reference.name),
                    .int64(Int64(reference.number ?? 0)),
                ]
            )
            guard forgotten.isEmpty else {
                return CatalogError(
                    .notFound,
                    "\(kind.rawValue) '\(reference)' was forgotten; the newest version is \(reference.name)@\(newest)"
                )
            }
            return CatalogError(
                .notFound,
                "there is no \(kind.rawValue) '\(reference)'; the newest version is \(reference.name)@\(newest)"
            )
        }
        let known = names.isEmpty ? "the project has none" : "the project has \(names.joined(separator: ", "))"
        return CatalogError(
            .notFound,
            "there is no \(kind.rawValue) '\(reference.name)'\(suggestion(for: reference.name, among: names)) (\(known))"
        )
    }

    static func record(
        _ version: NewVersion,
        in project: Int64,
        on connection: Connection
    ) throws -> (version: VersionRecord, isNew: Bool) {
        let kind = version.name.kind
        if !version.contents.isEmpty {
            try lockErasures(shared: true, on: connection)
            try refuseErased(version.contents, on: connection)
        }
        try connection.execute(
            "insert into definitions (project_id, kind, name) values ($1, $2, $3) on conflict do nothing",
            [.int64(project), .text(kind.rawValue), .text(version.name.name)]
        )
        // The row lock makes concurrent records of one name take turns, so that numbers have no gaps or doubles.
        let definition = try connection.query(
            "select id, current_version_id from definitions where project_id = $1 and kind = $2 and name = $3 for update",
            [.int64(project), .text(kind.rawValue), .text(version.name.name)]
        ).only()
        let definitionID = try definition.int64("id")
        let found = try connection.query(
            "select id, number::bigint as number from versions where definition_id = $1 and digest = $2",
            [.int64(definitionID), .bytes(version.digest.bytes)]
        )
        let id: Int64
        if let row = found.first {
            id = try row.int64("id")
        } else {
            id = try insert(version, definition: definitionID, on: connection)
        }
        if try definition.int64IfPresent("current_version_id") != id {
            try connection.execute(
                "update definitions set current_version_id = $2 where id = $1",
                [.int64(definitionID), .int64(id)]
            )
            try connection.execute("notify \(ChangeFeed.channel)")
        }
        let rows = try connection.query(
            """
            select \(VersionRecord.columns) from definitions d join versions v on v.definition_id = d.id where v.id = $1
            """,
            [.int64(id)]
        )
        return (try VersionRecord(try rows.only()), found.isEmpty)
    }

    private static func insert(_ version: NewVersion, definition: Int64, on connection: Connection) throws -> Int64 {
        let id = try connection.query(
            """
            insert into versions (definition_id, number, digest, object, document)
            select $1, coalesce(max(number), 0) + 1, $2, $3, $4::json from (
                select number from versions where definition_id = $1
                union all select number from forgotten_versions where definition_id = $1
            ) as used returning id
            """,
            [.int64(definition), .bytes(version.digest.bytes), version.object.parameter, .text(version.document.text)]
        ).only().int64("id")
        if !version.objects.isEmpty {
            let digests = Parameter.bytesArray(version.objects.map(\.digest.bytes))
            try holdStored(Set(version.objects.map(\.digest)), for: version.name, on: connection)
            try connection.execute(
                "insert into version_objects (version_id, digest) select distinct $1::bigint, digest from unnest($2::bytea[]) as o (digest)",
                [.int64(id), digests]
            )
        }
        for use in version.uses {
            try connection.execute(
                "insert into edges (user_id, used_id, role) values ($1, $2, $3) on conflict do nothing",
                [.int64(id), .int64(use.version), .text(use.role)]
            )
        }
        return id
    }
}

extension Row {
    /// What the columns "kind" and "name" say.
    func definitionName() throws -> DefinitionName {
        guard let kind = Kind(rawValue: try text("kind")) else {
            throw CatalogError(
                .conflict,
                "the database holds a version of unknown kind; it belongs to a newer Lockstep"
            )
        }
        return DefinitionName(kind: kind, name: try text("name"))
    }
}
