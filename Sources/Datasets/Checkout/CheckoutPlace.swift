import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory being made beside the one it will replace.
///
/// It is named `.lockstep-checkout-`, the target's name, `-` and 16 digits; see ``LockedDirectory``.
final class CheckoutPlace {
    let target: String
    private let made: LockedDirectory
    private let overwrite: Bool
    /// Whether the target holds something that is left alone.
    private let isShared: Bool

    /// - Parameter isPart: whether only some files are to be written.
    /// - Throws: ``SnapshotError/occupied(directory:)`` or ``SnapshotError/precious(directory:what:)`` if the target may not
    ///   be written.
    init(_ directory: String, overwrite: Bool, isPart: Bool) throws {
        let absolute = try Self.absolute(directory)
        try Self.recover(absolute)
        (target, isShared) = try Self.checkedTarget(absolute, overwrite: overwrite, isPart: isPart)
        // The new tree of an exchange in two steps is in its place, and is to be replaced.
        if overwrite { try? TreeRemoval.remove(DiskPath(Self.replaced(target))) }
        self.overwrite = overwrite
        let parent = Directory.parent(of: target)
        let name = target.dropFirst(parent == "/" ? 1 : parent.count + 1)
        made = try LockedDirectory(in: parent, prefix: ".lockstep-checkout-\(name)-")
    }

    var temporary: String { made.path }

    /// Puts everything on the disk, then the directory in its place, or its items where the target has others.
    func finish(_ items: [Checkout.Item]) throws {
        let mask = umask(0o077)
        umask(mask)
        guard SystemCall.setMode(made.descriptor, temporary, 0o777 & ~mask) == 0 else {
            throw FileStatus.error("set the mode of", temporary)
        }
        guard SystemCall.syncFileSystem(made.descriptor, temporary) == 0 else {
            throw FileStatus.error("sync", temporary)
        }
        if isShared { return try merge(items) }
        let parent = Directory.parent(of: target)
        if SystemCall.move(temporary, to: target) != 0 {
            guard errno == ENOTEMPTY || errno == EEXIST else { throw FileStatus.error("write", target) }
            guard overwrite else { throw SnapshotError.occupied(directory: target) }
            try exchange()
            try Directory.sync(parent)
            try made.remove()
        }
        try Directory.sync(parent)
    }

    /// Removes what was made.
    func abandon() { try? made.remove() }

    /// Moves items to their paths in the target, having seen that nothing is in their way.
    private func merge(_ items: [Checkout.Item]) throws {
        var directories: [SnapshotPath: Bool] = [:]
        for item in items {
            let isDirectory = if case .directory = item.content { true } else { false }
            for directory in item.path.parents.reversed() + (isDirectory ? [item.path] : []) {
                guard directories[directory] == nil else { continue }
                let path = DiskPath(target, directory)
                let status = try FileStatus(of: path)
                // Not through a link, wherever it leads.
                guard status == nil || status?.kind == .directory else {
                    throw SnapshotError.occupied(directory: path.text)
                }
                directories[directory] = status != nil
            }
            guard !isDirectory else { continue }
            let path = DiskPath(target, item.path)
            guard let status = try FileStatus(of: path) else { continue }
            guard overwrite, status.kind != .directory else { throw SnapshotError.occupied(directory: path.text) }
        }
        for (directory, isThere) in directories.sorted(by: { $0.key < $1.key }) where !isThere {
            let path = DiskPath(target, directory)
            guard path.withCString({ SystemCall.makeDirectory($0) }) == 0 || errno == EEXIST else {
                throw FileStatus.error("create", path)
            }
        }
        for item in items {
            let path = DiskPath(target, item.path)
            if case .directory(let mode) = item.content {
                guard path.withCString({ SystemCall.setMode($0, mode_t(mode.bits)) }) == 0 else {
                    throw FileStatus.error("set the mode of", path)
                }
                continue
            }
            let from = DiskPath(temporary, item.path)
            guard from.withCString({ from in path.withCString { SystemCall.move(from, to: $0) } }) == 0 else {
                throw FileStatus.error("write", path)
            }
        }
        guard SystemCall.syncFileSystem(made.descriptor, target) == 0 else { throw FileStatus.error("sync", target) }
        try made.remove()
    }

    /// Has the target and the new directory change names, in one step where the file system can.
    private func exchange() throws {
        if SystemCall.exchange(temporary, target) == 0 { return }
        guard errno == EINVAL || errno == ENOSYS else { throw FileStatus.error("replace", target) }
        // Killed in between, the next checkout to this target begins with `recover`.
        let replaced = Self.replaced(target)
        guard SystemCall.move(target, to: replaced) == 0 else { throw FileStatus.error("replace", target) }
        guard SystemCall.move(temporary, to: target) == 0 else {
            let error = FileStatus.error("replace", target)
            _ = SystemCall.move(replaced, to: target)
            throw error
        }
        guard SystemCall.move(replaced, to: temporary) == 0 else { throw FileStatus.error("rename", replaced) }
    }

    /// Where the old tree is while the new one takes its place in two steps.
    private static func replaced(_ target: String) -> String { target + ".lockstep-replaced" }

    /// Ends an exchange in two steps that was killed in between: the old tree goes back.
    private static func recover(_ target: String) throws {
        let replaced = replaced(target)
        guard try FileStatus(of: replaced)?.kind == .directory else { return }
        guard try FileStatus(of: target) == nil else { return }
        guard SystemCall.move(replaced, to: target) == 0 else { throw FileStatus.error("rename", replaced) }
        try Directory.sync(Directory.parent(of: target))
    }

    private static func absolute(_ path: String) throws -> String {
        // An unset variable, for one, and not the working directory.
        guard !path.isEmpty else { throw SnapshotError.notADirectory(path: "''") }
        var path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return path
    }

    /// The absolute path of `target`, if a snapshot may be written there, and whether what is there stays.
    private static func checkedTarget(
        _ target: String,
        overwrite: Bool,
        isPart: Bool
    ) throws -> (path: String, isShared: Bool) {
        guard let status = try FileStatus(of: target) else { return (target, false) }
        guard status.kind == .directory else { throw SnapshotError.occupied(directory: target) }
        let resolved = try FileStatus.resolved(target)
        let names = try DirectoryWalk.names(in: DiskPath(resolved))
        let working = FileManager.default.currentDirectoryPath
        let isAbove = resolved == "/" || working == resolved || working.hasPrefix(resolved + "/")
        if isPart, isAbove || !names.isEmpty { return (resolved, true) }
        guard overwrite || names.isEmpty else { throw SnapshotError.occupied(directory: target) }
        if isAbove { throw SnapshotError.precious(directory: resolved, what: "is the working directory or above it") }
        for name in [".git", ".lockstep", "lockstep.yaml"] where names.contains(where: { $0.elementsEqual(name.utf8) })
        {
            throw SnapshotError.precious(directory: resolved, what: "holds \(name)")
        }
        return (resolved, false)
    }
}
