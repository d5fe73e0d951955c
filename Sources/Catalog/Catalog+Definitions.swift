import Features
import Formats
import Objects
import Postgres

/// What applying a definition does, or would do.
public struct DefinitionChange: Hashable, Sendable {
    public enum Action: String, Hashable, Sendable {
        case create
        case newVersion
        /// Content that an older version already has: that version becomes the current one again.
        case revert
        case annotate
        case unchanged
    }

    public let name: DefinitionName
    public let action: Action
    /// The version that is current afterwards.
    public let number: Int
    public let digest: Digest
    /// What differs from the version that was current, one line each.
    public let differences: [String]
}

extension Catalog {
    /// Makes definitions current, or says what that would change.
    ///
    /// - Parameters:
    ///   - objects: the stored document of each definition.
    ///   - isPlan: whether to change nothing.
    /// - Throws: `DefinitionError` if they do not resolve; then nothing has changed.
    public func apply(
        _ documents: [DefinitionDocument],
        objects: [DefinitionName: (digest: Digest, byteCount: Int)],
        in project: Int64,
        isPlan: Bool
    ) async throws -> [DefinitionChange] {
        try await run { connection in
            // Two applies take turns: each resolves against what the other left.
            _ = try connection.query("select id from projects where id = $1 for update", [.int64(project)])
            let current = try Self.currentDefinitions(on: connection, project)
            let documents = try Self.withDependents(documents, current: current, on: connection, project)
            let resolved = try Resolver.resolve(documents, registered: current.values.map(\.resolved))
            var ids = current.mapValues(\.record.id)
            var changes: [DefinitionChange] = []
            for item in resolved {
                guard
                    let document = documents.first(where: {
                        $0.definition.kind == item.definition.kind && $0.definition.name == item.definition.name
                    })
                else { continue }
                let change = try Self.change(
                    item,
                    was: current[item.name],
                    document.annotations,
                    on: connection,
                    project
                )
                changes.append(change)
                guard !isPlan else { continue }
                // A dependent's document is stored since its first version: only what it refers to has changed.
                let stored =
                    objects[item.name]
                    ?? current[item.name]?.record.object.map { ($0, item.definition.json.encoded().count) }
                let recorded = try Self.record(
                    NewVersion(
                        name: item.name,
                        digest: item.digest,
                        object: stored?.digest,
                        document: item.definition.json,
                        uses: item.uses.compactMap { use in ids[use.target].map { ($0, use.target.kind.rawValue) } },
                        objects: stored.map { [$0] } ?? []
                    ),
                    in: project,
                    on: connection
                )
                ids[item.name] = recorded.version.id
                try Self.annotate(item.name, document.annotations, on: connection, project)
            }
            return changes
        }
    }

    /// The documents, and everything in the catalog that refers to them: a changed view must reach the services that
    /// use it, though they are not among the files.
    private static func withDependents(
        _ documents: [DefinitionDocument],
        current: [DefinitionName: CurrentDefinition],
        on connection: Connection,
        _ project: Int64
    ) throws -> [DefinitionDocument] {
        var all = documents
        var names = Set(documents.map { DefinitionName(kind: $0.definition.kind, name: $0.definition.name) })
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            for (name, item) in current where !names.contains(name) {
                guard item.resolved.definition.uses.contains(where: names.contains) else { continue }
                names.insert(name)
                hasGrown = true
                all.append(
                    DefinitionDocument(
                        item.resolved.definition,
                        annotations: try annotations(on: connection, project, name) ?? Annotations(),
                        place: "\(name) of the catalog, which uses what the files change"
                    )
                )
            }
        }
        // The catalog's part comes in a fixed order, whatever that of a dictionary.
        return documents + all.dropFirst(documents.count).sorted { $0.place < $1.place }
    }

    /// The current version of every definition, with its parsed form.
    public func currentDefinitions(_ project: Int64) async throws -> [CurrentDefinition] {
        try await run { connection in
            try Self.currentDefinitions(on: connection, project).values.sorted { $0.record.id < $1.record.id }
        }
    }

    /// Description, owner and tags of a name.
    public func annotations(_ project: Int64, _ name: DefinitionName) async throws -> Annotations {
        try await run { connection in try Self.annotations(on: connection, project, name) ?? Annotations() }
    }

    private static func currentDefinitions(
        on connection: Connection,
        _ project: Int64
    ) throws -> [DefinitionName: CurrentDefinition] {
        var current: [DefinitionName: CurrentDefinition] = [:]
        for kind in [Kind.entity, .source, .view, .discretizer, .space, .service] {
            for record in try currentVersions(on: connection, project, kind) {
                let definition = try record.definition()
                let uses = try connection.query(
                    """
                    select d.kind, d.name, v.digest from edges e join versions v on v.id = e.used_id
                    join definitions d on d.id = v.definition_id where e.user_id = $1
                    """,
                    [.int64(record.id)]
                ).map { row in
                    ResolvedDefinition.Use(
                        target: DefinitionName(
                            kind: Kind(rawValue: try row.text("kind")) ?? .entity,
                            name: try row.text("name")
                        ),
                        digest: try Digest(column: try row.bytes("digest"))
                    )
                }
                let resolved = ResolvedDefinition(definition: definition, digest: record.digest, uses: uses)
                current[record.name] = CurrentDefinition(record: record, resolved: resolved)
            }
        }
        return current
    }

    private static func change(
        _ item: ResolvedDefinition,
        was current: CurrentDefinition?,
        _ annotations: Annotations,
        on connection: Connection,
        _ project: Int64
    ) throws -> DefinitionChange {
        guard let current else {
            return DefinitionChange(name: item.name, action: .create, number: 1, digest: item.digest, differences: [])
        }
        if current.record.digest == item.digest {
            let old = try Self.annotations(on: connection, project, item.name) ?? Annotations()
            return DefinitionChange(
                name: item.name,
                action: old == annotations ? .unchanged : .annotate,
                number: current.record.number,
                digest: item.digest,
                differences: old == annotations ? [] : ["description, owner or tags change in place"]
            )
        }
        let known = try connection.query(
            """
            select max(v.number)::bigint as newest, (max(v.number) filter (where v.digest = $4))::bigint as same
            from definitions d join versions v on v.definition_id = d.id
            where d.project_id = $1 and d.kind = $2 and d.name = $3
            """,
            [.int64(project), .text(item.name.kind.rawValue), .text(item.name.name), .bytes(item.digest.bytes)]
        ).only()
        let same = try known.int64IfPresent("same")
        return DefinitionChange(
            name: item.name,
            action: same == nil ? .newVersion : .revert,
            number: Int(try same ?? known.int64("newest") + 1),
            digest: item.digest,
            differences: differences(current.resolved, item)
        )
    }

    /// What differs between two versions of a definition, one line for each member.
    static func differences(_ old: ResolvedDefinition, _ new: ResolvedDefinition) -> [String] {
        let oldMembers = old.definition.json.members ?? []
        let newMembers = new.definition.json.members ?? []
        var names = oldMembers.map(\.name)
        names += newMembers.map(\.name).filter { !names.contains($0) }
        var lines: [String] = []
        for name in names {
            let before = oldMembers.first { $0.name == name }?.value
            let after = newMembers.first { $0.name == name }?.value
            guard before != after else { continue }
            if let before = before?.array, let after = after?.array {
                lines += before.filter { !after.contains($0) }.map { "\(name): - \($0.text)" }
                lines += after.filter { !before.contains($0) }.map { "\(name): + \($0.text)" }
                if Set(before) == Set(after) { lines.append("\(name): the order changes") }
            } else {
                lines.append("\(name): \(before?.text ?? "none") -> \(after?.text ?? "none")")
            }
        }
        for use in new.uses {
            if let before = old.uses.first(where: { $0.target == use.target }), before.digest != use.digest {
                lines.append("\(use.target) has a new version")
            }
        }
        return lines
    }

    private static func annotations(
        on connection: Connection,
        _ project: Int64,
        _ name: DefinitionName
    ) throws -> Annotations? {
        let rows = try connection.query(
            "select description, owner, tags from definitions where project_id = $1 and kind = $2 and name = $3",
            [.int64(project), .text(name.kind.rawValue), .text(name.name)]
        )
        guard let row = rows.first else { return nil }
        var tags: [String: String] = [:]
        for member in try JSON(parsing: try row.json("tags")).members ?? [] { tags[member.name] = member.value.string }
        return Annotations(description: try row.text("description"), owner: try row.text("owner"), tags: tags)
    }

    private static func annotate(
        _ name: DefinitionName,
        _ annotations: Annotations,
        on connection: Connection,
        _ project: Int64
    ) throws {
        guard try Self.annotations(on: connection, project, name) != annotations else { return }
        let tags = JSON.object(
            annotations.tags.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        )
        try connection.execute(
            """
            with edited as (
                update definitions set description = $4, owner = $5, tags = $6
                where project_id = $1 and kind = $2 and name = $3 returning id
            ) insert into annotations (definition_id, description, owner, tags) select id, $4, $5, $6 from edited
            """,
            [
                .int64(project), .text(name.kind.rawValue), .text(name.name), .text(annotations.description),
                .text(annotations.owner), .json(tags.text),
            ]
        )
    }
}

/// A definition's current version and what it says.
public struct CurrentDefinition: Hashable, Sendable {
    public let record: VersionRecord
    public let resolved: ResolvedDefinition
}

extension VersionRecord {
    /// The definition that the version's document holds.
    public func definition() throws -> Definition {
        guard let document = try DefinitionReader.read(document, file: "\(name)").first else {
            throw CatalogError(.conflict, "\(name) has an empty document in the catalog")
        }
        return document.definition
    }
}
