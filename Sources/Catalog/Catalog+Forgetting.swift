import Features
import Objects
import Postgres

/// What happens to one version when a dataset's old versions are forgotten.
public struct ForgetDecision: Hashable, Sendable {
    public let version: VersionReference
    public let digest: Digest
    public let isForgotten: Bool
    /// Why it is kept: rules of the policy, labels, users.
    public let reasons: [String]
}

extension Catalog {
    /// Forgets one version: its record goes, its objects stay until they are collected.
    ///
    /// - Throws: `CatalogError.inUse`, naming the tag, the alias, or the path of versions that uses it.
    public func forget(
        _ project: Int64,
        _ reference: VersionReference,
        isDryRun: Bool
    ) async throws -> [ForgetDecision] {
        try await run { connection in
            let definition = try Self.lockDefinition(on: connection, project, reference.name)
            let version = try Self.version(on: connection, project, .snapshot, reference)
            let held = try Self.holders(of: [version], definition, on: connection)
            if let reasons = held[version.id], !reasons.isEmpty {
                throw CatalogError(
                    .inUse,
                    "snapshot \(version.reference) cannot be forgotten: \(reasons.joined(separator: "; "))"
                )
            }
            if !isDryRun { try Self.forget([version], definition, on: connection) }
            return [
                ForgetDecision(version: version.reference, digest: version.digest, isForgotten: true, reasons: [])
            ]
        }
    }

    /// Forgets the versions of a dataset that no rule keeps, nothing names, and nothing uses.
    ///
    /// - Returns: a decision for each version, newest first.
    /// - Throws: `CatalogError.invalid` for a policy that has no rule, or that keeps no version at all.
    public func forget(
        _ project: Int64,
        dataset: String,
        _ policy: RetentionPolicy,
        isDryRun: Bool
    ) async throws -> [ForgetDecision] {
        guard !policy.isEmpty else {
            throw CatalogError(
                .invalid,
                "the policy keeps nothing; give --keep-last N, --keep-within TIME or --keep-tagged, or name a version"
            )
        }
        return try await run { connection in
            let definition = try Self.lockDefinition(on: connection, project, dataset)
            let versions = try connection.query(
                """
                select \(VersionRecord.columns) from versions v join definitions d on d.id = v.definition_id
                where v.definition_id = $1 order by v.number desc
                """,
                [.int64(definition)]
            ).map { try VersionRecord($0) }
            let labels = try Self.labels(on: connection, definition)
            let rules = policy.reasons(
                times: versions.map(\.createdAt),
                tags: versions.map { version in
                    labels.filter { $0.kind == .tag && $0.version == version.reference }.map(\.name)
                }
            )
            let held = try Self.holders(of: versions, definition, on: connection)
            let decisions = zip(versions, rules).map { version, rules in
                let reasons = rules + (held[version.id] ?? [])
                return ForgetDecision(
                    version: version.reference,
                    digest: version.digest,
                    isForgotten: reasons.isEmpty,
                    reasons: reasons
                )
            }
            guard decisions.contains(where: { !$0.isForgotten }) else {
                throw CatalogError(
                    .invalid,
                    "the policy would forget every version of '\(dataset)'; forget the last of them by its number"
                )
            }
            let forgotten = zip(versions, decisions).filter(\.1.isForgotten).map(\.0)
            if !isDryRun { try Self.forget(forgotten, definition, on: connection) }
            return decisions
        }
    }

    /// The forgotten versions of a dataset, by number.
    public func forgotten(_ project: Int64, dataset: String) async throws -> [(number: Int, digest: Digest)] {
        try await run { connection in
            try connection.query(
                "select number::bigint as number, digest from forgotten_versions where definition_id = $1 order by number",
                [.int64(try Self.definition(on: connection, project, dataset))]
            ).map { (Int(try $0.int64("number")), try Digest(column: try $0.bytes("digest"))) }
        }
    }

    /// What keeps each version from being forgotten: labels, and whatever uses it.
    ///
    /// The versions stay locked: nothing can come to use one before the transaction ends.
    private static func holders(
        of versions: [VersionRecord],
        _ definition: Int64,
        on connection: Connection
    ) throws -> [Int64: [String]] {
        let ids = Parameter.int64Array(versions.map(\.id))
        _ = try connection.query("select id from versions where id = any($1) order by id for update", [ids])
        var reasons: [Int64: [String]] = [:]
        for label in try labels(on: connection, definition) {
            guard let version = versions.first(where: { $0.reference == label.version }) else { continue }
            reasons[version.id, default: []].append("\(label.kind.rawValue) '\(label.name)' names it")
        }
        for row in try connection.query("select distinct used_id from edges where used_id = any($1)", [ids]) {
            let used = try row.int64("used_id")
            reasons[used, default: []].append("it is used by \(try usePath(from: used, on: connection))")
        }
        return reasons
    }

    private static func forget(_ versions: [VersionRecord], _ definition: Int64, on connection: Connection) throws {
        guard !versions.isEmpty else { return }
        let ids = Parameter.int64Array(versions.map(\.id))
        try connection.execute(
            """
            insert into forgotten_versions (definition_id, number, digest, created_at)
            select definition_id, number, digest, created_at from versions where id = any($1)
            """,
            [ids]
        )
        try connection.execute(
            """
            update definitions d set current_version_id = (
                select v.id from versions v where v.definition_id = d.id and v.id <> all($2) order by v.number desc limit 1
            ) where d.id = $1 and d.current_version_id = any($2)
            """,
            [.int64(definition), ids]
        )
        try connection.execute("delete from versions where id = any($1)", [ids])
        try connection.execute("notify \(ChangeFeed.channel)")
    }
}
