import FoundationEssentials
import Objects
import Synchronization

/// How far a capture has come.
public struct SnapshotProgress: Hashable, Sendable {
    public var filesDone = 0
    public var filesTotal: Int
    /// Uncompressed.
    public var bytesDone = 0
}

/// What a snapshot is to hold.
public struct SnapshotRequirements: Sendable {
    /// Files and directories.
    public var paths: [String]
    /// What asset paths are relative to; `nil` for the deepest directory that holds all ``paths``.
    public var root: String?
    /// A directory above the root whose `.lockstepignore` counts as well, with those in between.
    public var ignoreRoot: String?
    /// The directory that holds the code; see ``CodeCapture``.
    public var code: String?
    /// Names of environment variables to record; no other is read.
    public var variables: [String] = []
    public var parents: [Digest] = []
    /// Files of the code that may be stored though they look as if they held secrets, as findings name them.
    public var allowedSecrets: [String] = []
    /// Contents that are refused, with who erased them, when and why.
    public var erased: [Digest: String] = [:]
    /// Where what is known of files that were read is kept; `nil` for nowhere.
    public var cache: String?
    /// Whether every file is read, whatever the cache says.
    public var readsEverything = false

    public init(paths: [String], root: String? = nil, code: String? = nil) {
        self.paths = paths
        self.root = root
        self.code = code
    }
}

/// Where new packs go.
public protocol PackDestination: Sendable {
    /// Packs are written in this directory before they are stored.
    var directory: String { get }

    /// Has a pack that is whole in ``directory`` stored, durably; its file is of no more use then.
    func store(_ pack: SealedPack) async throws
}

/// A snapshot whose contents are stored.
public struct CapturedSnapshot: Sendable {
    public let manifest: SnapshotManifest
    /// Every pack that the snapshot needs, in the order of their digests.
    public let packs: [PackReference]
    /// The packs that were made for it.
    public let newPacks: [PackReference]
    /// Asset files that were read; the cache knew the others.
    public let filesRead: Int
}

/// Makes snapshots of files on this machine.
public enum SnapshotBuilder {
    /// Captures files and directories, the code beside them, and the environment.
    ///
    /// The order of paths does not matter, and a file named twice is captured once. Directories are taken with everything
    /// below them except `.git`, `.lockstep`, and what `.lockstepignore` files name in gitignore's syntax. Symbolic links
    /// are recorded as links, hard links as files, directories where they are empty. Contents that `known` has are not
    /// stored again. Lock files are looked for in the code's directory, or in the root of the assets if there is no code.
    ///
    /// Memory: see ``FileCapture``.
    ///
    /// - Parameters:
    ///   - known: packs of the store that this snapshot may use.
    ///   - progress: told of every asset, one call at a time, from any thread; must return at once.
    /// - Throws: ``SnapshotError``, `PackError` or `ObjectError`. Packs stored by then stay in the store, unused.
    public static func capture(
        _ wanted: SnapshotRequirements,
        known: PackCatalog = PackCatalog(),
        into destination: any PackDestination,
        progress: (@Sendable (SnapshotProgress) -> Void)? = nil
    ) async throws -> CapturedSnapshot {
        let tree = try await fileWork.run {
            try AssetTree(paths: wanted.paths, root: wanted.root, ignoreRoot: wanted.ignoreRoot)
        }
        let codeDirectory = try await fileWork.run { try wanted.code.map(directory) }
        let (stream, sealed) = AsyncStream.makeStream(of: SealedPack.self)
        let sink = ContentSink(known: known, erased: wanted.erased, directory: destination.directory) {
            sealed.yield($0)
        }
        let storing = Task {
            var catalog = known
            var packs: [PackReference] = []
            for await pack in stream {
                let reference = PackReference(digest: pack.digest, size: pack.size)
                packs.append(reference)
                catalog.add(reference, try PackReader(path: pack.path).index)
                try await destination.store(pack)
            }
            return (catalog, packs)
        }
        do {
            let secrets = SecretCheck(allowed: wanted.allowedSecrets)
            // Waits for another program while the files are read.
            async let swift = SwiftVersion.current(cache: wanted.readsEverything ? nil : wanted.cache)
            // Before the assets, of which packs are stored as they are read.
            let environment = try await EnvironmentCapture.capture(
                directory: codeDirectory ?? tree.root,
                variables: wanted.variables,
                secrets: secrets,
                into: sink
            )
            var code: CodeCapture?
            if let codeDirectory { code = try await CodeCapture.capture(codeDirectory, secrets: secrets, into: sink) }
            let assets = try await AssetCapture.run(tree, wanted, into: sink, progress: progress)
            let manifest = try SnapshotManifest(
                assets: assets.entries,
                code: code,
                environment: environment.with(swiftVersion: await swift),
                parents: wanted.parents
            )
            try await fileWork.run { _ = try sink.finish() }
            sealed.finish()
            let (catalog, newPacks) = try await storing.value
            let lists = assets.lists.merging(sink.lists) { first, _ in first }
            let packs = try SnapshotPacks.needed(by: manifest, in: catalog, lists: lists)
            try await fileWork.run { try assets.remember(lists: lists) }
            return CapturedSnapshot(manifest: manifest, packs: packs, newPacks: newPacks, filesRead: assets.readCount)
        } catch {
            sealed.finish()
            storing.cancel()
            // What went wrong with storing a pack is the reason, not what it led to.
            if case .failure(let reason) = await storing.result, !(reason is CancellationError) { throw reason }
            throw error
        }
    }

    private static func directory(_ path: String) throws(SnapshotError) -> String {
        let resolved = try FileStatus.resolved(path)
        guard try FileStatus.existing(resolved).kind == .directory else { throw .notADirectory(path: path) }
        return resolved
    }
}

/// Which packs a snapshot needs.
public enum SnapshotPacks {
    /// The packs of `catalog` that hold the contents of `manifest`, in the order of their digests.
    ///
    /// - Parameter lists: the chunk lists of its files.
    /// - Throws: ``SnapshotError/missingContent(_:)``
    static func needed(
        by manifest: SnapshotManifest,
        in catalog: PackCatalog,
        lists: [Digest: [UInt8]]
    ) throws(SnapshotError) -> [PackReference] {
        var needed: Set<Int> = []
        func need(_ digest: Digest) throws(SnapshotError) {
            guard let pack = catalog.pack(of: digest) else { throw .missingContent(digest) }
            needed.insert(pack)
        }
        func need(list digest: Digest) throws(SnapshotError) {
            try need(digest)
            guard let bytes = lists[digest] else { throw .missingContent(digest) }
            let list = try ChunkList(bytes, digest: digest)
            for part in list.parts {
                if list.level == 0 { try need(part.digest) } else { try need(list: part.digest) }
            }
        }
        var references: [ObjectReference] = []
        manifest.forEachReference { references.append($0) }
        for reference in references {
            if let chunks = reference.chunks { try need(list: chunks) } else { try need(reference.digest) }
        }
        return needed.map { catalog.packs[$0] }.sorted()
    }
}
