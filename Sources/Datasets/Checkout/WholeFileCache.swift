import FoundationEssentials
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

    init(_ directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Removes a content, with every mode.
    func remove(_ digest: Digest) throws {
        let parent = DiskPath("\(directory)/\(digest.hex.prefix(2))")
        guard try FileStatus(of: parent) != nil else { return }
        let start = Array("\(digest.hex)-".utf8)
        for name in try DirectoryWalk.names(in: parent) where name.starts(with: start) {
            let path = parent.appending(name)
            guard path.withCString({ unlink($0) }) == 0 || errno == ENOENT else {
                throw FileStatus.error("remove", path)
            }
        }
    }

    /// Whether files in `root` can be clones of those here.
    func canClone(to root: String) -> Bool {
        probe(root) { source, target in
            (try? NewFile.write(target, mode: .regular) { file in
                let descriptor = source.withCString { open($0, O_RDONLY | O_CLOEXEC) }
                defer { close(descriptor) }
                guard file.clone(descriptor) else { throw FileStatus.error("clone", source) }
            }) != nil
        }
    }

    /// Whether files in `root` can be other names of those here.
    func canLink(to root: String) -> Bool {
        probe(root) { source, target in
            source.withCString { source in target.withCString { Self.name(source, $0) } } == 0
        }
    }

    private func probe(_ root: String, _ body: (DiskPath, DiskPath) -> Bool) -> Bool {
        let name = ".lockstep-probe-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        let (source, target) = (DiskPath("\(directory)/\(name)"), DiskPath("\(root)/\(name)"))
        defer {
            for path in [source, target] { _ = path.withCString { unlink($0) } }
        }
        guard (try? NewFile.write(source, mode: .regular) { _ in }) != nil else { return false }
        return body(source, target)
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
            let descriptor = source.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
            guard descriptor >= 0 else { throw FileStatus.error("open", source) }
            defer { close(descriptor) }
            isCloned = file.clone(descriptor)
        }
        if !isCloned { _ = path.withCString { unlink($0) } }
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
        let result = source.withCString { source in path.withCString { Self.name(source, $0) } }
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
        if mkdir(parent, 0o777) != 0, errno != EEXIST { throw FileStatus.error("create", parent) }
        let temporary = DiskPath("\(parent)/tmp-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))")
        do {
            try NewFile.write(temporary, mode: mode) { try $0.write(object, from: contents) }
            guard FileFault.allows(),
                temporary.withCString({ temporary in path.withCString { rename(temporary, $0) } }) == 0
            else {
                throw FileStatus.error("write", path)
            }
        } catch {
            _ = temporary.withCString { unlink($0) }
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

    // A method above hides the function of the system's name.
    private static func name(_ source: UnsafePointer<CChar>, _ target: UnsafePointer<CChar>) -> Int32 {
        #if canImport(Glibc)
            Glibc.link(source, target)
        #else
            Musl.link(source, target)
        #endif
    }
}
