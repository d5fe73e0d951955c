import Features
import Objects
import Postgres

/// A second name of a snapshot.
public struct LabelRecord: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// Names one version for good.
        case tag
        /// Moves from version to version.
        case alias
    }

    public let name: String
    public let kind: Kind
    public let version: VersionReference
    public let digest: Digest
    /// When it came to mean this version; microseconds UTC.
    public let setAt: Int64
}

/// What once happened to a tag or an alias.
public struct LabelChange: Hashable, Sendable {
    public let name: String
    public let kind: LabelRecord.Kind
    /// `set`, `moved` or `deleted`.
    public let action: String
    /// What it meant afterwards, or until it was deleted; the version itself may have been forgotten since.
    public let version: VersionReference
    public let digest: Digest
    /// Microseconds UTC.
    public let changedAt: Int64
}

extension Catalog {
    /// Gives a snapshot a tag, or moves an alias to it.
    ///
    /// - Returns: what the name meant before, if anything; the same again changes nothing.
    /// - Throws: `CatalogError.conflict` when the name is a tag of another version, or one of the other kind.
    public func setLabel(
        _ name: String,
        _ kind: LabelRecord.Kind,
        to version: VersionRecord,
        in project: Int64
    ) async throws -> LabelRecord? {
        guard isLabel(name) else {
            throw CatalogError(
                .invalid,
                "'\(name)' cannot be a \(kind.rawValue): use letters, digits, '_', '-' and '.', not only digits, since "
                    + "\(version.name.name)@NUMBER means a version"
            )
        }
        return try await run { connection in
            let definition = try Self.lockDefinition(on: connection, project, version.name.name)
            let held = try connection.query(
                "select 1 as one from versions where id = $1 and definition_id = $2 for key share",
                [.int64(version.id), .int64(definition)]
            )
            guard !held.isEmpty else {
                throw CatalogError(.notFound, "snapshot \(version.reference) was forgotten meanwhile")
            }
            let before = try Self.labels(on: connection, definition).first { $0.name == name }
            if let before {
                guard before.kind == kind else {
                    throw CatalogError(
                        .conflict,
                        "'\(name)' is the \(before.kind.rawValue) of \(before.version); delete it first with: "
                            + "lockstep \(before.kind.rawValue) \(before.version.name) \(name) --delete"
                    )
                }
                if before.version == version.reference { return before }
                guard kind == .alias else {
                    throw CatalogError(
                        .conflict,
                        "tag '\(name)' names \(before.version) (\(before.digest)) and never moves; choose another name, "
                            + "use 'lockstep alias' for a name that moves, or delete it with: "
                            + "lockstep tag \(before.version.name) \(name) --delete"
                    )
                }
            }
            try connection.execute(
                """
                insert into labels (definition_id, name, kind, version_id) values ($1, $2, $3, $4)
                on conflict (definition_id, name) do update set version_id = excluded.version_id, set_at = now()
                """,
                [.int64(definition), .text(name), .text(kind.rawValue), .int64(version.id)]
            )
            try Self.recordChange(
                name,
                kind,
                before == nil ? "set" : "moved",
                number: version.number,
                digest: version.digest,
                of: definition,
                on: connection
            )
            return before
        }
    }

    /// Deletes a tag or an alias; its history stays.
    ///
    /// - Returns: what it meant.
    public func deleteLabel(
        _ name: String,
        _ kind: LabelRecord.Kind,
        of dataset: String,
        in project: Int64
    ) async throws -> LabelRecord {
        try await run { connection in
            let definition = try Self.lockDefinition(on: connection, project, dataset)
            let labels = try Self.labels(on: connection, definition)
            guard let label = labels.first(where: { $0.name == name && $0.kind == kind }) else {
                throw Self.missingLabel(name, kind.rawValue, of: dataset, among: labels.filter { $0.kind == kind })
            }
            try connection.execute(
                "delete from labels where definition_id = $1 and name = $2",
                [.int64(definition), .text(name)]
            )
            try Self.recordChange(
                name,
                kind,
                "deleted",
                number: label.version.number ?? 0,
                digest: label.digest,
                of: definition,
                on: connection
            )
            return label
        }
    }

    /// The tags and aliases of a dataset, by name.
    public func labels(_ project: Int64, of dataset: String) async throws -> [LabelRecord] {
        try await run { connection in
            try Self.labels(on: connection, try Self.definition(on: connection, project, dataset))
        }
    }

    /// Everything that happened to the tags and aliases of a dataset, oldest first.
    public func labelHistory(_ project: Int64, of dataset: String) async throws -> [LabelChange] {
        try await run { connection in
            let definition = try Self.definition(on: connection, project, dataset)
            return try connection.query(
                """
                select name, kind, action, number::bigint as number, digest, changed_at from label_changes
                where definition_id = $1 order by id
                """,
                [.int64(definition)]
            ).map { row in
                LabelChange(
                    name: try row.text("name"),
                    kind: try Self.labelKind(row),
                    action: try row.text("action"),
                    version: VersionReference(name: dataset, number: Int(try row.int64("number"))),
                    digest: try Digest(column: try row.bytes("digest")),
                    changedAt: try row.timestamp("changed_at")
                )
            }
        }
    }

    /// The version that a person means: by number, by tag or alias, or the newest.
    ///
    /// - Throws: `CatalogError.notFound`, naming what there is; labels belong to snapshots only.
    public func version(
        _ project: Int64,
        _ kind: Kind,
        _ reference: LabelledReference
    ) async throws -> VersionRecord {
        if let plain = reference.versionReference { return try await version(project, kind, plain) }
        guard case .label(let label) = reference.selector, kind == .snapshot else {
            throw CatalogError(
                .notFound,
                "there is no \(kind.rawValue) '\(reference)'; only snapshots have tags and aliases"
            )
        }
        return try await run { connection in
            let definition = try Self.definition(on: connection, project, reference.name)
            let rows = try connection.query(
                """
                select \(VersionRecord.columns) from labels l join versions v on v.id = l.version_id
                join definitions d on d.id = v.definition_id where l.definition_id = $1 and l.name = $2
                """,
                [.int64(definition), .text(label)]
            )
            guard let row = rows.first else {
                throw Self.missingLabel(
                    label,
                    "tag or alias",
                    of: reference.name,
                    among: try Self.labels(on: connection, definition)
                )
            }
            return try VersionRecord(row)
        }
    }

    // MARK: Within a transaction

    /// The dataset's row, for whoever changes what belongs to it; others wait.
    static func lockDefinition(on connection: Connection, _ project: Int64, _ dataset: String) throws -> Int64 {
        let definition = try definition(on: connection, project, dataset)
        _ = try connection.query("select id from definitions where id = $1 for update", [.int64(definition)])
        return definition
    }

    static func definition(on connection: Connection, _ project: Int64, _ dataset: String) throws -> Int64 {
        let rows = try connection.query(
            "select id from definitions where project_id = $1 and kind = 'snapshot' and name = $2",
            [.int64(project), .text(dataset)]
        )
        guard let row = rows.first else {
            throw try missing(on: connection, project, .snapshot, VersionReference(name: dataset))
        }
        return try row.int64("id")
    }

    static func labels(on connection: Connection, _ definition: Int64) throws -> [LabelRecord] {
        try connection.query(
            """
            select l.name, l.kind, l.set_at, d.name as dataset, v.number::bigint as number, v.digest
            from labels l join versions v on v.id = l.version_id join definitions d on d.id = l.definition_id
            where l.definition_id = $1 order by l.name
            """,
            [.int64(definition)]
        ).map { row in
            LabelRecord(
                name: try row.text("name"),
                kind: try labelKind(row),
                version: VersionReference(name: try row.text("dataset"), number: Int(try row.int64("number"))),
                digest: try Digest(column: try row.bytes("digest")),
                setAt: try row.timestamp("set_at")
            )
        }
    }

    private static func labelKind(_ row: Row) throws -> LabelRecord.Kind {
        let word = try row.text("kind")
        guard let kind = LabelRecord.Kind(rawValue: word) else {
            throw CatalogError(.conflict, "the database holds a label of unknown kind '\(word)'")
        }
        return kind
    }

    private static func missingLabel(
        _ name: String,
        _ kind: String,
        of dataset: String,
        among labels: [LabelRecord]
    ) -> CatalogError {
        let names = labels.map(\.name)
        let known = names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))"
        return CatalogError(
            .notFound,
            "there is no \(kind) '\(name)' of snapshot '\(dataset)'\(suggestion(for: name, among: names)) (\(known))"
        )
    }

    private static func recordChange(
        _ name: String,
        _ kind: LabelRecord.Kind,
        _ action: String,
        number: Int,
        digest: Digest,
        of definition: Int64,
        on connection: Connection
    ) throws {
        try connection.execute(
            """
            insert into label_changes (definition_id, name, kind, action, number, digest)
            values ($1, $2, $3, $4, $5::bigint, $6)
            """,
            [
                .int64(definition), .text(name), .text(kind.rawValue), .text(action), .int64(Int64(number)),
                .bytes(digest.bytes),
            ]
        )
    }
}
