import FoundationEssentials
import Objects

extension SnapshotManifest: Codable {
    private enum CodingKeys: String, CodingKey {
        case formatVersion = "format"
        case assets
        case code
        case environment
        case parents
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .formatVersion)
        guard version == Self.formatVersion else {
            throw SnapshotError.malformedManifest(
                reason: "its format is \(version), this program reads \(Self.formatVersion)"
            )
        }
        try self.init(
            assets: container.decode([AssetEntry].self, forKey: .assets),
            code: container.decodeIfPresent(CodeCapture.self, forKey: .code),
            environment: container.decode(EnvironmentCapture.self, forKey: .environment),
            parents: container.decode([Digest].self, forKey: .parents)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .formatVersion)
        try container.encode(assets, forKey: .assets)
        try container.encodeIfPresent(code, forKey: .code)
        try container.encode(environment, forKey: .environment)
        try container.encode(parents, forKey: .parents)
    }

    /// The manifest's file: UTF-8, sorted keys, one line per entry, the same bytes for the same manifest.
    public var canonicalJSON: [UInt8] {
        CanonicalJSON.members([
            "format": .integer(Int64(Self.formatVersion)),
            "assets": .array(assets.map(\.json)),
            "code": code?.json,
            "environment": environment.json,
            "parents": .array(parents.map { .string($0.description) }),
        ]).encoded
    }

    /// Reads a manifest from JSON, checks its paths, and its digest if one is expected.
    ///
    /// - Throws: ``SnapshotError``
    public init(json: [UInt8], expecting expected: Digest? = nil) throws {
        do {
            self = try JSONDecoder().decode(SnapshotManifest.self, from: Data(json))
        } catch let error as DecodingError {
            throw SnapshotError.malformedManifest(reason: Self.reason(error))
        }
        if let expected, expected != digest { throw SnapshotError.wrongDigest(expected: expected, found: digest) }
    }

    private static func reason(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return path.isEmpty ? "" : " at \(path.joined(separator: "."))"
        }
        switch error {
        case .keyNotFound(let key, let context): return "'\(key.stringValue)' is missing\(place(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(context.debugDescription)\(place(context))"
        @unknown default: return "\(error)"
        }
    }
}

extension AssetEntry {
    fileprivate var json: CanonicalJSON {
        .object([
            "path": .string(path.text),
            "mode": .string(mode.rawValue),
            "size": .integer(Int64(size)),
            "digest": .string(digest.description),
        ])
    }
}

extension CodeCapture {
    fileprivate var json: CanonicalJSON {
        .members([
            "commit": commit.map { .string($0) },
            "branch": branch.map { .string($0) },
            "remote": remote.map { .string($0) },
            "directory": directory.map { .string($0) },
            "diff": diff.map {
                .object(["size": .integer(Int64($0.size)), "digest": .string($0.digest.description)])
            },
            "files": .array(
                files.map { file in
                    .members([
                        "path": .string(file.path.text),
                        "state": .string(file.state.rawValue),
                        "mode": .string(file.mode.rawValue),
                        "size": .integer(Int64(file.size)),
                        "digest": file.digest.map { .string($0.description) },
                    ])
                }
            ),
        ])
    }
}

extension EnvironmentCapture {
    fileprivate var json: CanonicalJSON {
        .members([
            "os": operatingSystem.map { .string($0) },
            "architecture": .string(architecture),
            "swift": swiftVersion.map { .string($0) },
            "lock_files": .array(
                lockFiles.map { file in
                    .object([
                        "name": .string(file.name.text),
                        "size": .integer(Int64(file.size)),
                        "digest": .string(file.digest.description),
                    ])
                }
            ),
            "variables": .array(
                variables.map { variable in
                    .members([
                        "name": .string(variable.name),
                        "value": variable.value.map { .string($0) },
                    ])
                }
            ),
        ])
    }
}
