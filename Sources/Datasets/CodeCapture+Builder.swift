import Objects

extension CodeCapture {
    /// Captures a directory: what git tracks and would add, or outside git every file not in a hidden directory.
    ///
    /// Nothing below a `.lockstep` directory is captured. Git is asked again at the end; if anything but the content
    /// of a file moved meanwhile (a commit, an add, a new file), all is captured once more.
    ///
    /// - Throws: ``SnapshotError/changedDuringCapture(path:)`` if it moved both times.
    static func capture(_ directory: String, into store: any ObjectStore) async throws -> CodeCapture {
        guard let repository = try await GitRepository(containing: directory) else {
            return try await captureFiles(below: directory, into: store)
        }
        for _ in 0..<2 {
            let listing = try await repository.list()
            // The whole directory is ignored by a repository around it, which then says nothing of its files.
            if listing.states.isEmpty { return try await captureFiles(below: directory, into: store) }
            let files = try await capture(listing.states, in: directory, into: store)
            let diff = listing.commit == nil ? nil : try await repository.storeDiff(into: store)
            if try await repository.list() == listing {
                return CodeCapture(
                    commit: listing.commit,
                    branch: listing.branch,
                    remote: listing.remote,
                    directory: repository.prefix,
                    diff: diff,
                    files: files
                )
            }
        }
        throw SnapshotError.changedDuringCapture(path: directory)
    }

    private static func captureFiles(below directory: String, into store: any ObjectStore) async throws -> CodeCapture {
        let paths = try await fileWork.run {
            try DirectoryWalk.files(below: directory) { $0.hasPrefix(".") }.map { try SnapshotPath($0) }
        }
        let states = Dictionary(uniqueKeysWithValues: paths.map { ($0, CodeFile.State.untracked) })
        return CodeCapture(
            commit: nil,
            branch: nil,
            remote: nil,
            directory: nil,
            diff: nil,
            files: try await capture(states, in: directory, into: store)
        )
    }

    private static func capture(
        _ states: [SnapshotPath: CodeFile.State],
        in directory: String,
        into store: any ObjectStore
    ) async throws -> [CodeFile] {
        try await concurrently(states.sorted { $0.key < $1.key }) { path, state in
            let absolute = "\(directory)/\(path)"
            // A file of the index that is not on disk is deleted, also where a sparse checkout left it out.
            let isAbsent = try await fileWork.run { try FileStatus(of: absolute) == nil }
            guard state != .deleted, !isAbsent else {
                return CodeFile(path: path, state: .deleted, mode: .regular, size: 0, digest: nil)
            }
            let file = try await FileCapture.capture(absolute, into: store)
            return CodeFile(path: path, state: state, mode: file.mode, size: file.size, digest: file.digest)
        }
    }
}
