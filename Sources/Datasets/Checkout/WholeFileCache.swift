import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whole files on this machine that checkouts clone or link from: `ab/<hex>-<mode>`, read-only.
///
/// It is no part of the store: whatever happens to a file here or to one linked to it, packs are untouched, and an entry
/// is hashed each time before it is given out. One that is not what its name says is replaced.
struct WholeFileCache: Sendable {
    private let directory: String
    /// Where entries are made.
    private let scratch: LockedDirectory

    init(_ directory: String) throws {
        self.directory = directory
        scratch = try LockedDirectory(in: directory, prefix: "new-")
    }

    /// Ends the use of the cache; entries stay.
    func finish() throws { try scratch.remove() }

    /// Removes a content, with every mode.
    static func remove(_ digest: Digest, from directory: String) throws {
        let parent = DiskPath("\(directory)/\(digest.hex.prefix(2))")
        guard try FileStatus(of: parent) != nil else { return }
        let start = Array("\(digest.hex)-".utf8)
        for name in try DirectoryWalk.names(in: parent) where name.starts(with: start) {
            let path = parent.appending(name)
            guard path.withCString({ SystemCall.remove($0) }) == 0 || errno == ENOENT else {
                throw FileStatus.error("remove", path)
            }
        }
    }

    /// Whether files in `root` can be clones of those here.
    func canClone(to root: String) throws(SnapshotError) -> Bool {
        try probe(root) { source, target in
            (try? NewFile.write(target, mode: .regular) { file in
                let descriptor = source.withCString { SystemCall.openFile($0, O_RDONLY) }
                defer { close(descriptor) }
                guard file.clone(descriptor) else { throw FileStatus.error("clone", source) }
            }) != nil
        }
    }

    /// Whether files in `root` can be other names of those here.
    func canLink(to root: String) throws(SnapshotError) -> Bool {
        try probe(root) { source, target in
            source.withCString { source in target.withCString { SystemCall.makeLink($0, to: source) } } == 0
        }
    }

    private func probe(_ root: String, _ body: (DiskPath, DiskPath) -> Bool) throws(SnapshotError) -> Bool {
        let name = ".lockstep-probe-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        let (source, target) = (DiskPath("\(scratch.path)/\(name)"), DiskPath("\(root)/\(name)"))
        let result = (try? NewFile.write(source, mode: .regular) { _ in }) != nil && body(source, target)
        _ = source.withCString { SystemCall.remove($0) }
        // It would be taken for a file of the snapshot.
        guard target.withCString({ SystemCall.remove($0) }) == 0 || errno == ENOENT else {
            throw FileStatus.error("remove", target)
        }
        return result
    }

    /// Makes `path` a clone; `false` where that cannot be.
    func clone(
        _ object: ObjectReference,
        from contents: SnapshotContents,
        to path: DiskPath,
        _ mode: FileMode
    ) throws -> Bool {
        let source = try entry(object, FileMode(0o444), from: contents)
        var isCloned = false
        try NewFile.write(path, mode: mode) { file in
            let descriptor = source.withCString { SystemCall.openFile($0, O_RDONLY | O_NOFOLLOW) }
            guard descriptor >= 0 else { throw FileStatus.error("open", source) }
            defer { close(descriptor) }
            isCloned = file.clone(descriptor)
        }
        if !isCloned { _ = path.withCString { SystemCall.remove($0) } }
        return isCloned
    }

    /// Makes `path` another name of an entry; `false` where that cannot be.
    ///
    /// The file can be read and executed by whom `mode` lets, and written by nobody.
    func link(
        _ object: ObjectReference,
        from contents: SnapshotContents,
        to path: DiskPath,
        _ mode: FileMode
    ) throws -> Bool {
        let source = try entry(object, FileMode(mode.bits & 0o555), from: contents)
        let result = source.withCString { source in path.withCString { SystemCall.makeLink($0, to: source) } }
        if result == 0 { return true }
        // As many names as the file system allows, or another file system after all.
        if errno == EMLINK || errno == EXDEV || errno == EPERM { return false }
        throw FileStatus.error("link", path)
    }

    /// The path of an entry whose content was verified or written just now.
    private func entry(_ object: ObjectReference, _ mode: FileMode, from contents: SnapshotContents) throws -> DiskPath
    {
        let hex = object.digest.hex
        let parent = "\(directory)/\(hex.prefix(2))"
        let path = DiskPath("\(parent)/\(hex)-\(mode)")
        if try isWhole(path, object, mode) { return path }
        try Directory.create(parent, isDurable: false)
        let temporary = DiskPath("\(scratch.path)/\(String(UInt64.random(in: 0 ... .max), radix: 16))")
        do {
            try NewFile.write(temporary, mode: mode) { try $0.write(object, from: contents) }
            let result = temporary.withCString { temporary in path.withCString { SystemCall.move(temporary, to: $0) } }
            guard result == 0 else { throw FileStatus.error("write", path) }
        } catch {
            _ = temporary.withCString { SystemCall.remove($0) }
            throw error
        }
        return path
    }

    private func isWhole(_ path: DiskPath, _ object: ObjectReference, _ mode: FileMode) throws -> Bool {
        guard let status = try FileStatus(of: path), status.kind == .file, status.size == object.size,
            status.mode == mode, let file = try? OpenedFile(path)
        else { return false }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(object.size + 1, 1 << 20), alignment: 16)
        defer { buffer.deallocate() }
        var hasher = Digest.Hasher()
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return hasher.finalize() == object.digest }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
