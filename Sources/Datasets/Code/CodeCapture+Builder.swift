import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension CodeCapture {
    /// Captures a directory: what git tracks and would add, or outside git every file not in a hidden directory.
    ///
    /// Nothing below a `.lockstep` directory is captured, nor what `.lockstepignore` files outside git name. Git is asked
    /// again at the end; if anything but the content of a file moved meanwhile (a commit, an add, a new file), all is
    /// captured once more.
    ///
    /// - Throws: ``SnapshotError/changedDuringCapture(path:)`` if it moved both times; ``SnapshotError/secrets(_:)``.
    static func capture(
        _ directory: String,
        secrets: SecretCheck,
        into sink: ContentSink
    ) async throws -> CodeCapture {
        guard let repository = try await GitRepository(containing: directory) else {
            return try await captureFiles(below: directory, secrets, into: sink)
        }
        for _ in 0..<2 {
            let listing = try await repository.list()
            // The whole directory is ignored by a repository around it, which then says nothing of its files.
            if listing.states.isEmpty { return try await captureFiles(below: directory, secrets, into: sink) }
            let files = try await capture(listing.states, in: directory, secrets, into: sink)
            let diff = listing.commit == nil ? nil : try await repository.storeDiff(secrets, into: sink)
            let unpushed = listing.commit == nil ? nil : try await repository.storeUnpushed(secrets, into: sink)
            if try await repository.list() == listing {
                return CodeCapture(
                    commit: listing.commit,
                    branch: listing.branch,
                    remote: listing.remote,
                    directory: repository.prefix,
                    diff: diff,
                    files: files,
                    submodules: listing.submodules,
                    unpushed: unpushed
                )
            }
        }
        throw SnapshotError.changedDuringCapture(path: directory)
    }

    private static func captureFiles(
        below directory: String,
        _ secrets: SecretCheck,
        into sink: ContentSink
    ) async throws -> CodeCapture {
        let paths = try await fileWork.run {
            var walk = DirectoryWalk(obeysIgnoreFiles: true) { $1 && $0.first == UInt8(ascii: ".") }
            try walk.add(below: DiskPath(directory), prefix: nil, scope: IgnoreScope())
            return walk.entries.filter { $0.status.kind != .directory }.map(\.path)
        }
        let states = Dictionary(uniqueKeysWithValues: paths.map { ($0, CodeFile.State.untracked) })
        return CodeCapture(
            commit: nil,
            branch: nil,
            remote: nil,
            directory: nil,
            diff: nil,
            files: try await capture(states, in: directory, secrets, into: sink)
        )
    }

    private static func capture(
        _ states: [SnapshotPath: CodeFile.State],
        in directory: String,
        _ secrets: SecretCheck,
        into sink: ContentSink
    ) async throws -> [CodeFile] {
        try await fileWork.run {
            var captured: [CodeFile] = []
            var files: [(path: SnapshotPath, state: CodeFile.State, status: FileStatus, scanned: Digest?)] = []
            for (path, state) in states.sorted(by: { $0.key < $1.key }) {
                let absolute = DiskPath(directory, path)
                // A file of the index that is not on disk is deleted, also where a sparse checkout left it out.
                guard state != .deleted, let status = try FileStatus(of: absolute) else {
                    captured.append(CodeFile(path: path, state: .deleted, content: nil))
                    continue
                }
                switch status.kind {
                case .file:
                    files.append((path, state, status, try secrets.check(absolute, named: path.text)))
                case .symbolicLink:
                    let target = try absolute.linkTarget()
                    captured.append(CodeFile(path: path, state: state, content: .symbolicLink(target: target)))
                case .directory, .other: throw SnapshotError.notAFile(path: absolute.text)
                }
            }
            // Nothing is stored beside a secret.
            try secrets.finish()
            let contents = try FileCapture.run(
                files.map { DiskPath(directory, $0.path) },
                sizes: files.map(\.status.size),
                into: sink
            )
            for (file, content) in zip(files, contents) {
                // What is stored is what was scanned.
                guard file.scanned == nil || file.scanned == content.object.digest else {
                    throw SnapshotError.changedDuringCapture(path: file.path.text)
                }
                captured.append(
                    CodeFile(
                        path: file.path,
                        state: file.state,
                        content: .file(mode: content.status.mode, content.object)
                    )
                )
            }
            return captured
        }
    }
}

extension DiskPath {
    /// What a symbolic link holds.
    func linkTarget() throws(SnapshotError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = withCString { readlink($0, &buffer, buffer.count) }
        guard count > 0 else { throw FileStatus.error("read", self) }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }
}
