import Objects
import Synchronization

/// How far a capture has come.
public struct SnapshotProgress: Hashable, Sendable {
    public var filesDone = 0
    public var filesTotal: Int
    /// Uncompressed.
    public var bytesDone = 0
}

/// Makes snapshots of files on this machine.
public enum SnapshotBuilder {
    /// Captures files and directories, the code beside them, and the environment, into `store`.
    ///
    /// Asset paths are relative to `root`; without one, to the deepest directory that holds all `paths` (a single
    /// directory is its own root). Their order does not matter, and a file named twice is captured once. Directories are
    /// taken with everything below them except `.git` and `.lockstep`; empty ones are not recorded.
    ///
    /// - Parameters:
    ///   - paths: files or directories.
    ///   - code: the directory that holds the code; see ``CodeCapture``. Lock files are looked for here, or in the root
    ///     of the assets if there is no code.
    ///   - variables: names of environment variables to record; no other is read.
    ///   - progress: told of every asset stored, one call at a time, from any thread; must return at once.
    /// - Throws: ``SnapshotError`` or `ObjectError`. Objects stored by then stay in the store, unused.
    public static func capture(
        paths: [String],
        root: String? = nil,
        code: String? = nil,
        variables: [String] = [],
        parents: [Digest] = [],
        into store: any ObjectStore,
        progress: (@Sendable (SnapshotProgress) -> Void)? = nil
    ) async throws -> SnapshotManifest {
        let tree = try await fileWork.run { try AssetTree(paths: paths, root: root) }
        let codeDirectory = try await fileWork.run {
            try code.map { path in
                let resolved = try FileStatus.resolved(path)
                guard try FileStatus.existing(resolved).kind == .directory else {
                    throw SnapshotError.notADirectory(path: path)
                }
                return resolved
            }
        }
        let counter = ProgressCounter(filesTotal: tree.files.count, report: progress)
        let assets = try await concurrently(tree.files) { path in
            let file = try await FileCapture.capture("\(tree.root)/\(path)", into: store)
            counter.add(bytes: file.size)
            return AssetEntry(path: path, mode: file.mode, size: file.size, digest: file.digest)
        }
        var capturedCode: CodeCapture?
        if let codeDirectory { capturedCode = try await CodeCapture.capture(codeDirectory, into: store) }
        let environment = try await EnvironmentCapture.capture(
            directory: codeDirectory ?? tree.root,
            variables: variables,
            into: store
        )
        return try SnapshotManifest(assets: assets, code: capturedCode, environment: environment, parents: parents)
    }
}

/// Counts the files of concurrent captures, reporting in order.
private final class ProgressCounter: Sendable {
    private let progress: Mutex<SnapshotProgress>
    private let report: (@Sendable (SnapshotProgress) -> Void)?

    init(filesTotal: Int, report: (@Sendable (SnapshotProgress) -> Void)?) {
        progress = Mutex(SnapshotProgress(filesTotal: filesTotal))
        self.report = report
        report?(SnapshotProgress(filesTotal: filesTotal))
    }

    func add(bytes: Int) {
        progress.withLock { progress in
            progress.filesDone += 1
            progress.bytesDone += bytes
            report?(progress)
        }
    }
}
