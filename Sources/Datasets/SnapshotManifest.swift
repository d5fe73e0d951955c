import Objects

/// One immutable version of a dataset: its assets, the code beside them, the environment they were made in.
///
/// ``digest`` identifies it; ``canonicalJSON`` is its file. Entries stand in the order of their paths' bytes, whatever
/// the order they were given in.
public struct SnapshotManifest: Hashable, Sendable {
    /// The version of the manifest's form and of the digest's rule.
    public static let formatVersion = 1

    public let assets: [AssetEntry]
    public let code: CodeCapture?
    public let environment: EnvironmentCapture
    /// The snapshots this one was made from.
    public let parents: [Digest]

    /// Checks and orders the entries.
    ///
    /// - Throws: ``SnapshotError/malformedManifest(reason:)`` if two entries have one path, if one is a directory of
    ///   another, or if a code file has a digest and is deleted, or neither.
    public init(
        assets: [AssetEntry],
        code: CodeCapture?,
        environment: EnvironmentCapture,
        parents: [Digest] = []
    ) throws(SnapshotError) {
        self.assets = assets.sorted { $0.path < $1.path }
        self.code = code
        self.environment = environment
        self.parents = Set(parents).sorted()
        try Self.checkTree(self.assets.map(\.path), of: "assets")
        try Self.checkTree(environment.lockFiles.map(\.name), of: "environment")
        let files = code?.files ?? []
        for file in files where (file.digest == nil) != (file.state == .deleted) {
            throw .malformedManifest(
                reason: "code file '\(file.path)' is \(file.state.rawValue) "
                    + (file.digest == nil ? "and has no digest" : "and has a digest")
            )
        }
        var total = 0
        for reference in objectReferences {
            let (sum, overflow) = total.addingReportingOverflow(reference.size)
            guard reference.size >= 0, !overflow else {
                throw .malformedManifest(reason: "object \(reference.digest) has the size \(reference.size)")
            }
            total = sum
        }
        // A deleted file may have made way for a directory of its name.
        try Self.checkUnique(files.map(\.path), in: "code")
        try Self.checkTree(files.filter { $0.state != .deleted }.map(\.path), of: "code")
    }

    /// The number of asset bytes.
    public var assetSize: Int { assets.reduce(0) { $0.addingReportingOverflow($1.size).partialValue } }

    /// Every object the snapshot needs, with its size, once for each digest.
    public var objectReferences: [ObjectReference] {
        var sizes: [Digest: Int] = [:]
        for asset in assets { sizes[asset.digest] = asset.size }
        for file in code?.files ?? [] {
            if let digest = file.digest { sizes[digest] = file.size }
        }
        if let diff = code?.diff { sizes[diff.digest] = diff.size }
        for file in environment.lockFiles { sizes[file.digest] = file.size }
        return sizes.sorted { $0.key < $1.key }.map { ObjectReference(size: $0.value, digest: $0.key) }
    }

    /// The distinct digests of every object the snapshot needs.
    public var objects: Set<Digest> { Set(objectReferences.map(\.digest)) }

    private static func checkUnique(_ paths: [SnapshotPath], in part: String) throws(SnapshotError) {
        var seen: Set<SnapshotPath> = []
        for path in paths where !seen.insert(path).inserted {
            throw .malformedManifest(reason: "\(part) has '\(path)' twice")
        }
    }

    // A path that is also a directory of another cannot be written out.
    private static func checkTree(_ paths: [SnapshotPath], of part: String) throws(SnapshotError) {
        try checkUnique(paths, in: part)
        let all = Set(paths)
        for path in paths {
            var bytes = path.text.utf8[...]
            while let slash = bytes.lastIndex(of: UInt8(ascii: "/")) {
                bytes = bytes[..<slash]
                let parent = try SnapshotPath(String(Substring(bytes)))
                if all.contains(parent) {
                    throw .malformedManifest(
                        reason: "\(part) has '\(parent)' as a file and as the directory of '\(path)'"
                    )
                }
            }
        }
    }
}

/// What may be done with a file.
public enum FileMode: String, Hashable, Sendable, Codable {
    case regular = "0644"
    case executable = "0755"
}

/// One data file of a snapshot.
public struct AssetEntry: Hashable, Sendable, Codable {
    public let path: SnapshotPath
    public let mode: FileMode
    /// Bytes, uncompressed.
    public let size: Int
    public let digest: Digest

    public init(path: SnapshotPath, mode: FileMode, size: Int, digest: Digest) {
        self.path = path
        self.mode = mode
        self.size = size
        self.digest = digest
    }
}

/// An object by name and size.
public struct ObjectReference: Hashable, Sendable, Codable {
    /// Bytes, uncompressed.
    public let size: Int
    public let digest: Digest

    public init(size: Int, digest: Digest) {
        self.size = size
        self.digest = digest
    }
}
