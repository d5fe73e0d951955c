import Objects

/// One immutable version of a dataset: its assets, the code beside them, the environment they were made in.
///
/// ``digest`` identifies it; ``canonicalJSON`` is its file. Entries stand in the order of their paths' bytes, whatever
/// the order they were given in.
public struct SnapshotManifest: Hashable, Sendable {
    /// The version of the manifest's form and of the digest's rule that new snapshots have.
    public static let formatVersion = 2
    /// The first version: files only, each an object of its own, with the modes 0644 and 0755.
    public static let firstFormat = 1

    /// ``formatVersion``, or ``firstFormat`` for a snapshot made then.
    public let format: Int
    public let assets: [AssetEntry]
    public let code: CodeCapture?
    public let environment: EnvironmentCapture
    /// The snapshots this one was made from.
    public let parents: [Digest]

    /// Checks and orders the entries.
    ///
    /// - Throws: ``SnapshotError/malformedManifest(reason:)`` if two entries have one path, if one is a directory of
    ///   another, if a code file has content and is deleted, or neither, or if the format cannot hold an entry.
    public init(
        assets: [AssetEntry],
        code: CodeCapture?,
        environment: EnvironmentCapture,
        parents: [Digest] = [],
        format: Int = SnapshotManifest.formatVersion
    ) throws(SnapshotError) {
        self.format = format
        self.assets = assets.sortedByPath(\.path)
        self.code = code
        self.environment = environment
        self.parents = Set(parents).sorted()
        try Self.checkTree(self.assets.map(\.path), of: "assets")
        try Self.checkTree(environment.lockFiles.map(\.name), of: "environment")
        let files = code?.files ?? []
        for file in files where (file.content == nil) != (file.state == .deleted) {
            throw .malformedManifest(
                reason: "code file '\(file.path)' is \(file.state.rawValue) "
                    + (file.content == nil ? "and has no content" : "and has content")
            )
        }
        try checkSizes()
        try checkKinds()
        // A deleted file may have made way for a directory of its name.
        try Self.checkUnique(files.map(\.path), in: "code")
        try Self.checkTree(files.filter { $0.state != .deleted }.map(\.path), of: "code")
    }

    /// The number of asset bytes.
    public var assetSize: Int { assets.reduce(0) { $0.addingReportingOverflow($1.size).partialValue } }

    /// All bytes the snapshot needs, once for each digest.
    public var objectReferences: [ObjectReference] {
        var references: [Digest: ObjectReference] = [:]
        references.reserveCapacity(assets.count)
        forEachReference { references[$0.digest] = $0 }
        return references.values.sorted { $0.digest < $1.digest }
    }

    /// The distinct digests of all bytes the snapshot needs.
    public var objects: Set<Digest> { Set(objectReferences.map(\.digest)) }

    func forEachReference(_ body: (ObjectReference) -> Void) {
        for asset in assets {
            if let object = asset.content.object { body(object) }
        }
        for file in code?.files ?? [] {
            if let object = file.content?.object { body(object) }
        }
        if let diff = code?.diff { body(diff) }
        if let bundle = code?.unpushed?.bundle { body(bundle) }
        for file in environment.lockFiles { body(file.object) }
    }

    private func checkSizes() throws(SnapshotError) {
        var total = 0
        var wrong: ObjectReference?
        forEachReference { reference in
            let (sum, overflow) = total.addingReportingOverflow(reference.size)
            if reference.size < 0 || overflow { wrong = reference } else { total = sum }
        }
        if let wrong { throw .malformedManifest(reason: "object \(wrong.digest) has the size \(wrong.size)") }
    }

    private func checkKinds() throws(SnapshotError) {
        for file in code?.files ?? [] {
            if case .directory = file.content {
                throw .malformedManifest(reason: "code file '\(file.path)' is a directory")
            }
        }
        guard format == Self.firstFormat else { return }
        let contents =
            assets.map { ($0.path, $0.content) }
            + (code?.files ?? []).compactMap { file in
                file.content.map { (file.path, $0) }
            }
        for (path, content) in contents {
            guard case .file(let mode, let object) = content, mode == .regular || mode == .executable,
                object.chunks == nil, path.utf8 != nil
            else { throw .malformedManifest(reason: "format 1 cannot hold '\(path)'") }
        }
    }

    private static func checkUnique(_ paths: [SnapshotPath], in part: String) throws(SnapshotError) {
        for (path, next) in zip(paths, paths.dropFirst()) where path == next {
            throw .malformedManifest(reason: "\(part) has '\(path)' twice")
        }
    }

    // A path that is also a directory of another cannot be written out. The paths are in order.
    private static func checkTree(_ paths: [SnapshotPath], of part: String) throws(SnapshotError) {
        try checkUnique(paths, in: part)
        var all: Set<SnapshotPath>?
        var known: ArraySlice<UInt8> = []
        for path in paths {
            guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else { continue }
            // Neighbours mostly share their directory.
            if path.bytes[..<slash] == known { continue }
            known = path.bytes[..<slash]
            let present = all ?? Set(paths)
            all = present
            for parent in path.parents where present.contains(parent) {
                throw .malformedManifest(reason: "\(part) has '\(parent)' as a file and as the directory of '\(path)'")
            }
        }
    }
}

extension Array {
    /// In the order of their paths' bytes; at no cost where they stand so.
    func sortedByPath(_ path: (Element) -> SnapshotPath) -> [Element] {
        for position in indices.dropFirst() where path(self[position]) < path(self[position - 1]) {
            return sorted { path($0) < path($1) }
        }
        return self
    }
}
