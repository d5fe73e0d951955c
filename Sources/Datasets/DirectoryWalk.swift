import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads for the module's own blocking file work; objects have theirs.
let fileWork = BlockingQueue(label: "lockstep.datasets", width: 4)

/// The files below a directory.
enum DirectoryWalk {
    /// Something in a directory.
    struct Entry {
        let name: String
        let kind: FileStatus.Kind
    }

    /// What is in a directory, in the order of the names' bytes, without `.` and `..`.
    static func entries(of directory: String) throws(SnapshotError) -> [Entry] {
        guard let stream = opendir(directory) else { throw FileStatus.error("list", directory) }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileStatus.error("list", directory) }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name else { throw .undecodableName(directory: directory) }
            if name == "." || name == ".." { continue }
            // Gone since it was listed: as if it had never been there.
            guard let status = try FileStatus(of: "\(directory)/\(name)") else { continue }
            entries.append(Entry(name: name, kind: status.kind))
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The paths, relative to `directory`, of every file below it.
    ///
    /// - Parameter skips: whether to leave out a directory of this name.
    /// - Throws: ``SnapshotError`` for symbolic links, devices, sockets and names that are not UTF-8.
    static func files(below directory: String, skips: (String) -> Bool) throws(SnapshotError) -> [String] {
        var files: [String] = []
        var pending = [""]
        while let prefix = pending.popLast() {
            for entry in try entries(of: prefix.isEmpty ? directory : "\(directory)/\(prefix)") {
                let path = prefix.isEmpty ? entry.name : "\(prefix)/\(entry.name)"
                switch entry.kind {
                case .file: files.append(path)
                case .directory: if !skips(entry.name) { pending.append(path) }
                case .symbolicLink: throw .symbolicLink(path: "\(directory)/\(path)")
                case .other: throw .notAFile(path: "\(directory)/\(path)")
                }
            }
        }
        return files
    }
}
