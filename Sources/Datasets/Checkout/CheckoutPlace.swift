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

    /// - Throws: ``SnapshotError/occupied(directory:)`` if the target may not be written.
    init(_ directory: String, overwrite: Bool) throws {
        let absolute = Self.absolute(directory)
        try Self.recover(absolute)
        target = try Self.checkedTarget(absolute, overwrite: overwrite)
        self.overwrite = overwrite
        let parent = Directory.parent(of: target)
        let name = target.dropFirst(parent == "/" ? 1 : parent.count + 1)
        made = try LockedDirectory(in: parent, prefix: ".lockstep-checkout-\(name)-")
    }

    var temporary: String { made.path }

    /// Puts everything on the disk, then the directory in its place.
    func finish() throws {
        let mask = umask(0o077)
        umask(mask)
        guard SystemCall.setMode(made.descriptor, temporary, 0o777 & ~mask) == 0 else {
            throw FileStatus.error("set the mode of", temporary)
        }
        guard SystemCall.syncFileSystem(made.descriptor, temporary) == 0 else {
            throw FileStatus.error("sync", temporary)
        }
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

    /// Ends an exchange in two steps that was killed: the old tree goes back, or away where the new one is in its place.
    private static func recover(_ target: String) throws {
        let replaced = replaced(target)
        guard try FileStatus(of: replaced)?.kind == .directory else { return }
        if try FileStatus(of: target) != nil { return try TreeRemoval.remove(DiskPath(replaced)) }
        guard SystemCall.move(replaced, to: target) == 0 else { throw FileStatus.error("rename", replaced) }
        try Directory.sync(Directory.parent(of: target))
    }

    private static func absolute(_ path: String) -> String {
        var path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return path
    }

    /// The absolute path of `directory`, if a snapshot may be written there.
    private static func checkedTarget(_ target: String, overwrite: Bool) throws -> String {
        guard let status = try FileStatus(of: target) else { return target }
        guard status.kind == .directory else { throw SnapshotError.occupied(directory: target) }
        if !overwrite, try !DirectoryWalk.names(in: DiskPath(target)).isEmpty {
            throw SnapshotError.occupied(directory: target)
        }
        return try FileStatus.resolved(target)
    }
}
