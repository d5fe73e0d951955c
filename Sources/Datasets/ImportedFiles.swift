import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that another tool tracks, and where its bytes are.
public struct ImportedFile: Hashable, Sendable {
    public let path: SnapshotPath
    /// Files that may hold the bytes, of which the first that is there is read, also through symbolic links.
    public let sources: [String]
    /// What the tool says the bytes hash to; `nil` for a file that it does not track.
    public let expected: ForeignDigest?
    public let mode: FileMode

    public init(path: SnapshotPath, sources: [String], expected: ForeignDigest?, mode: FileMode = .regular) {
        self.path = path
        self.sources = sources
        self.expected = expected
        self.mode = mode
    }
}

/// Files of another tool's cache, laid out as they would be in its work tree.
public enum ImportedFiles {
    /// Copies files below a new directory, each verified against what the tool says of it.
    ///
    /// - Throws: ``SnapshotError/importMissing(path:digest:)``, ``SnapshotError/importCorrupt(path:source:expected:found:)``;
    ///   then `directory` is removed.
    public static func stage(_ files: [ImportedFile], in directory: String) async throws {
        try await fileWork.run {
            do {
                for file in files { try stage(file, in: directory) }
            } catch {
                try? TreeRemoval.remove(DiskPath(directory))
                throw error
            }
        }
    }

    private static func stage(_ file: ImportedFile, in directory: String) throws {
        guard let source = file.sources.first(where: { access($0, F_OK) == 0 }) else {
            throw SnapshotError.importMissing(
                path: file.path.text,
                digest: file.expected.map { "\($0)" } ?? file.sources.joined(separator: ", ")
            )
        }
        let target = DiskPath(directory, file.path)
        let parents = file.path.parents.reversed().map { DiskPath(directory, $0) }
        for parent in [DiskPath(directory)] + parents {
            guard parent.withCString({ SystemCall.makeDirectory($0) }) == 0 || errno == EEXIST else {
                throw FileStatus.error("create", parent)
            }
        }
        // The cache may hold symbolic links to where the bytes are.
        let input = try OpenedFile(DiskPath(FileStatus.resolved(source)))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var hasher = file.expected.map { ForeignDigest.Hasher($0) }
        try NewFile.write(target, mode: file.mode) { output in
            while true {
                let count = try input.read(into: buffer)
                if count == 0 { break }
                let part = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                hasher?.update(part)
                try output.write(part)
            }
        }
        if let expected = file.expected, let found = hasher?.finalize(), found != expected {
            throw SnapshotError.importCorrupt(
                path: file.path.text,
                source: source,
                expected: "\(expected)",
                found: "\(found)"
            )
        }
    }
}
