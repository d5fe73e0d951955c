import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads for the module's own blocking file work; objects have theirs.
let fileWork = BlockingQueue(label: "lockstep.datasets", width: 4)

/// Something below the directory of a walk.
struct TreeEntry: Hashable, Sendable {
    let path: SnapshotPath
    let status: FileStatus
    /// What a symbolic link holds.
    var target: [UInt8] = []
}

/// Everything below a directory that a snapshot holds, each thing looked at once.
struct DirectoryWalk {
    /// The ignore file of a directory.
    static let ignoreFile = ".lockstepignore"

    /// Whether to leave out a name, whatever ignore files say.
    let skips: (_ name: [UInt8], _ isDirectory: Bool) -> Bool
    /// Whether ignore files are read and obeyed.
    let obeysIgnoreFiles: Bool
    private(set) var entries: [TreeEntry] = []

    init(obeysIgnoreFiles: Bool, skips: @escaping (_ name: [UInt8], _ isDirectory: Bool) -> Bool) {
        self.obeysIgnoreFiles = obeysIgnoreFiles
        self.skips = skips
    }

    /// Adds files, symbolic links and empty directories below `directory`, in the order of their paths' bytes.
    ///
    /// A directory is empty if nothing in it is left: what is ignored or skipped does not count.
    ///
    /// - Parameters:
    ///   - prefix: the path of `directory` from the root of the paths, `nil` for the root itself.
    ///   - scope: the ignore files above `directory`.
    /// - Throws: ``SnapshotError`` for what cannot be read, and for devices, sockets and pipes.
    mutating func add(below directory: DiskPath, prefix: SnapshotPath?, scope: IgnoreScope) throws(SnapshotError) {
        let descriptor = directory.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileStatus.error("open", directory) }
        _ = try add(descriptor, directory, prefix.map { $0.bytes + [UInt8(ascii: "/")] } ?? [], scope)
    }

    private struct Name {
        let bytes: [UInt8]
        let status: FileStatus
        // With a slash behind a directory's name, so that names order as the paths below them do.
        let key: [UInt8]
    }

    /// Takes over the descriptor; returns whether anything was added.
    private mutating func add(
        _ descriptor: Int32,
        _ directory: DiskPath,
        _ prefix: [UInt8],
        _ scope: IgnoreScope
    ) throws(SnapshotError) -> Bool {
        guard let stream = fdopendir(descriptor) else {
            let error = FileStatus.error("list", directory)
            close(descriptor)
            throw error
        }
        defer { closedir(stream) }
        let names = try Self.names(stream, descriptor, directory)
        var scope = scope
        if obeysIgnoreFiles, let file = names.first(where: { $0.bytes.elementsEqual(Self.ignoreFile.utf8) }),
            file.status.kind == .file
        {
            let path = directory.appending(file.bytes)
            guard let rules = try OpenedFile.content(of: path, limit: 1 << 20) else {
                throw .ignoreFileTooLarge(path: path.text)
            }
            scope = scope.adding(IgnorePatterns(rules))
        }
        let before = entries.count
        for name in names {
            let isDirectory = name.status.kind == .directory
            if skips(name.bytes, isDirectory) || scope.ignores(name.bytes, isDirectory: isDirectory) { continue }
            let path = SnapshotPath(checked: prefix + name.bytes)
            switch name.status.kind {
            case .file: entries.append(TreeEntry(path: path, status: name.status))
            case .symbolicLink:
                let target = try directory.appending(name.bytes).linkTarget()
                entries.append(TreeEntry(path: path, status: name.status, target: target))
            case .other: throw .notAFile(path: directory.appending(name.bytes).text)
            case .directory:
                let child = DiskPath(name.bytes).withCString {
                    openat(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                }
                guard child >= 0 else { throw FileStatus.error("open", directory.appending(name.bytes)) }
                let inner = directory.appending(name.bytes)
                if try !add(child, inner, path.bytes + [UInt8(ascii: "/")], scope.entering(name.bytes)) {
                    entries.append(TreeEntry(path: path, status: name.status))
                }
            }
        }
        return entries.count > before
    }

    private static func names(
        _ stream: OpaquePointer,
        _ descriptor: Int32,
        _ directory: DiskPath
    ) throws(SnapshotError) -> [Name] {
        var names: [Name] = []
        while let bytes = try nextName(stream, directory) {
            var status = stat()
            guard DiskPath(bytes).withCString({ fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
                // Gone since it was listed: as if it had never been there.
                if errno == ENOENT { continue }
                throw FileStatus.error("inspect", directory.appending(bytes))
            }
            let found = FileStatus(status)
            names.append(
                Name(
                    bytes: bytes,
                    status: found,
                    key: found.kind == .directory ? bytes + [UInt8(ascii: "/")] : bytes
                )
            )
        }
        return names.sorted { $0.key.precedes($1.key) }
    }

    /// The next name of a directory but `.` and `..`; `nil` at its end.
    private static func nextName(
        _ stream: OpaquePointer,
        _ directory: DiskPath
    ) throws(SnapshotError) -> [UInt8]? {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileStatus.error("list", directory) }
                return nil
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if !bytes.elementsEqual(".".utf8), !bytes.elementsEqual("..".utf8) { return bytes }
        }
    }

    /// The names in a directory, in byte order; nothing is looked at but the directory.
    static func names(in directory: DiskPath) throws(SnapshotError) -> [[UInt8]] {
        guard let stream = directory.withCString({ opendir($0) }) else { throw FileStatus.error("list", directory) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let name = try nextName(stream, directory) { names.append(name) }
        return names.sorted { $0.precedes($1) }
    }
}
