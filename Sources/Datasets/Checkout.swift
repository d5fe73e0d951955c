import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a snapshot out as files, whole or not at all.
public enum Checkout {
    /// What to write out.
    public enum Part: Hashable, Sendable {
        /// The assets, at their paths in the directory itself.
        case assets
        /// The code files, at their paths in the directory itself.
        case code
        /// `assets/`, `code/`, `code.diff`, `environment/` and the manifest as `snapshot.json`.
        case everything
    }

    /// Writes `part` of a snapshot to `directory`, with the bytes and modes that were captured.
    ///
    /// The files are written and verified in a new directory beside it, which is then renamed. On any error `directory`
    /// is as it was.
    ///
    /// - Parameter overwrite: replaces an existing directory **and everything in it**.
    /// - Throws: ``SnapshotError/occupied(directory:)`` if `directory` is not empty and not to be overwritten, or is not
    ///   a directory; `ObjectError` if an object is missing or corrupt.
    public static func write(
        _ manifest: SnapshotManifest,
        from store: any ObjectStore,
        to directory: String,
        part: Part = .everything,
        overwrite: Bool = false
    ) async throws {
        let files = files(of: manifest, part)
        let target = try await fileWork.run { try checkedTarget(directory, overwrite: overwrite) }
        let temporary = target + ".lockstep-" + String(UInt64.random(in: 0 ... .max), radix: 16)
        try await fileWork.run {
            try FileManager.default.createDirectory(
                atPath: parent(of: target),
                withIntermediateDirectories: true
            )
            guard mkdir(temporary, 0o777) == 0 else { throw FileStatus.error("create", temporary) }
        }
        do {
            try await fileWork.run {
                for parent in Set(files.map { Self.parent(of: $0.path) }) where !parent.isEmpty {
                    try FileManager.default.createDirectory(
                        atPath: "\(temporary)/\(parent)",
                        withIntermediateDirectories: true
                    )
                }
                if part == .everything {
                    try Data(manifest.canonicalJSON).write(to: URL(filePath: "\(temporary)/snapshot.json"))
                }
            }
            _ = try await concurrently(files) { file in
                let path = "\(temporary)/\(file.path)"
                try await store.write(file.digest, to: path)
                try await fileWork.run {
                    let size = try FileStatus.existing(path).size
                    guard size == file.size else {
                        throw SnapshotError.wrongSize(path: file.path, expected: file.size, found: size)
                    }
                    guard chmod(path, file.mode == .executable ? 0o755 : 0o644) == 0 else {
                        throw FileStatus.error("set the mode of", path)
                    }
                }
            }
            try await fileWork.run { try put(temporary, at: target, overwrite: overwrite) }
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
    }

    private struct File: Sendable {
        let path: String
        let mode: FileMode
        let size: Int
        let digest: Digest
    }

    // Every path comes from a `SnapshotPath`, which cannot leave the directory.
    private static func files(of manifest: SnapshotManifest, _ part: Part) -> [File] {
        var files: [File] = []
        let within = { (name: String) in part == .everything ? name + "/" : "" }
        if part != .code {
            files += manifest.assets.map {
                File(path: within("assets") + $0.path.text, mode: $0.mode, size: $0.size, digest: $0.digest)
            }
        }
        if part != .assets, let code = manifest.code {
            files += code.files.compactMap { file in
                file.digest.map {
                    File(path: within("code") + file.path.text, mode: file.mode, size: file.size, digest: $0)
                }
            }
        }
        if part == .everything {
            if let diff = manifest.code?.diff {
                files.append(File(path: "code.diff", mode: .regular, size: diff.size, digest: diff.digest))
            }
            files += manifest.environment.lockFiles.map {
                File(path: "environment/\($0.name)", mode: .regular, size: $0.size, digest: $0.digest)
            }
        }
        return files
    }

    private static func absolute(_ path: String) -> String {
        var path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return path
    }

    private static func parent(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
    }

    /// The absolute path of `directory`, if a snapshot may be written there.
    private static func checkedTarget(_ directory: String, overwrite: Bool) throws -> String {
        let target = absolute(directory)
        guard let status = try FileStatus(of: target) else { return target }
        guard status.kind == .directory else { throw SnapshotError.occupied(directory: target) }
        if !overwrite, try !DirectoryWalk.entries(of: target).isEmpty {
            throw SnapshotError.occupied(directory: target)
        }
        return try FileStatus.resolved(target)
    }

    /// Renames `temporary` to `target`, in one step if nothing is there to be replaced.
    ///
    /// Replacing takes two: a crash between them leaves what was there under a name ending in `-replaced`.
    private static func put(_ temporary: String, at target: String, overwrite: Bool) throws {
        if rename(temporary, target) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw FileStatus.error("write", target) }
        guard overwrite else { throw SnapshotError.occupied(directory: target) }
        let replaced = temporary + "-replaced"
        guard rename(target, replaced) == 0 else { throw FileStatus.error("replace", target) }
        guard rename(temporary, target) == 0 else {
            let error = FileStatus.error("replace", target)
            rename(replaced, target)
            throw error
        }
        try FileManager.default.removeItem(atPath: replaced)
    }
}
