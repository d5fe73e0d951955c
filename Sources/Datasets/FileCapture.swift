import Objects

/// One file put into a store while nothing wrote to it.
struct FileCapture: Sendable {
    let mode: FileMode
    let size: Int
    let digest: Digest

    /// Stores the file at `path`, compressed.
    ///
    /// Device, inode, size and both times are compared before and after. A file that changed is read once more.
    ///
    /// - Throws: ``SnapshotError/changedDuringCapture(path:)`` if it changed both times.
    static func capture(_ path: String, into store: any ObjectStore) async throws -> FileCapture {
        for _ in 0..<2 {
            let before = try await settledStatus(of: path)
            do {
                let (digest, size) = try await store.putFile(at: path, encoding: .lz4)
                let after = try await fileWork.run { try FileStatus(of: path) }
                if after == before, size == before.size {
                    return FileCapture(mode: before.mode, size: size, digest: digest)
                }
            } catch ObjectError.changedWhileRead {
                continue
            }
        }
        throw SnapshotError.changedDuringCapture(path: path)
    }

    /// The status of a file once its times can tell a later write.
    ///
    /// The kernel stamps files with a clock that ticks every few milliseconds, so a write just before and a write just
    /// after would leave the same times.
    private static func settledStatus(of path: String) async throws -> FileStatus {
        let tick: Int64 = 20_000_000
        var status = try await fileWork.run { try FileStatus.existing(path) }
        let age = FileStatus.now - max(status.changed, status.modified)
        if (0..<tick).contains(age) {
            try await Task.sleep(nanoseconds: UInt64(tick - age))
            status = try await fileWork.run { try FileStatus.existing(path) }
        }
        switch status.kind {
        case .file: return status
        case .symbolicLink: throw SnapshotError.symbolicLink(path: path)
        case .directory, .other: throw SnapshotError.notAFile(path: path)
        }
    }
}
