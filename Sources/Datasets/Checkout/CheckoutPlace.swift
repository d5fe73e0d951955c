import CLinux
import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory being made beside the one it will replace.
///
/// It is named `.lockstep-checkout-`, the target's name and 16 digits, and is locked as long as the process lives: what
/// stands there unlocked is left from one that was killed, and goes when the next checkout to the same target begins.
final class CheckoutPlace {
    let target: String
    let temporary: String
    private let overwrite: Bool
    private let descriptor: Int32

    /// - Throws: ``SnapshotError/occupied(directory:)`` if the target may not be written.
    init(_ directory: String, overwrite: Bool) throws {
        let target = try Self.checkedTarget(directory, overwrite: overwrite)
        let parent = Self.parent(of: target)
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        let prefix = ".lockstep-checkout-\(target.dropFirst(parent == "/" ? 1 : parent.count + 1))-"
        try Self.removeAbandoned(prefix, in: parent)
        let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
        let temporary = "\(parent)/\(prefix)\(String(repeating: "0", count: 16 - digits.utf8.count))\(digits)"
        // Nobody else has business in it before it is whole.
        guard FileFault.allows(), mkdir(temporary, 0o700) == 0 else { throw FileStatus.error("create", temporary) }
        descriptor = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw FileStatus.error("lock", temporary)
        }
        self.target = target
        self.temporary = temporary
        self.overwrite = overwrite
    }

    deinit { close(descriptor) }

    /// Puts everything on the disk, then the directory in its place.
    func finish() throws {
        let mask = umask(0o077)
        umask(mask)
        guard FileFault.allows(), fchmod(descriptor, 0o777 & ~mask) == 0 else {
            throw FileStatus.error("set the mode of", temporary)
        }
        guard FileFault.allows(), syncfs(descriptor) == 0 else { throw FileStatus.error("sync", temporary) }
        let parent = Self.parent(of: target)
        if !FileFault.allows() { throw FileStatus.error("write", target) }
        if rename(temporary, target) != 0 {
            guard errno == ENOTEMPTY || errno == EEXIST else { throw FileStatus.error("write", target) }
            guard overwrite else { throw SnapshotError.occupied(directory: target) }
            try exchange()
            try AtomicFile.syncDirectory(parent)
            try Self.remove(temporary)
        }
        try AtomicFile.syncDirectory(parent)
    }

    /// Removes what was made.
    func abandon() { try? Self.remove(temporary) }

    /// Has the target and the new directory change names, in one step where the file system can.
    private func exchange() throws {
        guard FileFault.allows() else { throw FileStatus.error("replace", target) }
        if renameat2(AT_FDCWD, temporary, AT_FDCWD, target, UInt32(LINUX_RENAME_EXCHANGE)) == 0 { return }
        guard errno == EINVAL || errno == ENOSYS else { throw FileStatus.error("replace", target) }
        // Killed between the two, the target is gone and both trees stand beside it, the old one ending in `-replaced`.
        let replaced = target + ".lockstep-replaced"
        guard FileFault.allows(), rename(target, replaced) == 0 else { throw FileStatus.error("replace", target) }
        guard FileFault.allows(), rename(temporary, target) == 0 else {
            let error = FileStatus.error("replace", target)
            rename(replaced, target)
            throw error
        }
        guard rename(replaced, temporary) == 0 else { throw FileStatus.error("rename", replaced) }
    }

    private static func removeAbandoned(_ prefix: String, in parent: String) throws {
        for bytes in try DirectoryWalk.names(in: DiskPath(parent)) {
            guard let name = String(validating: bytes, as: UTF8.self), name.hasPrefix(prefix),
                name.utf8.count == prefix.utf8.count + 16
            else { continue }
            let path = "\(parent)/\(name)"
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try remove(path) }
        }
    }

    /// Removes a tree, also one with directories that may not be written to.
    private static func remove(_ path: String) throws {
        try TreeRemoval.remove(DiskPath(path))
    }

    private static func absolute(_ path: String) -> String {
        var path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return path
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The absolute path of `directory`, if a snapshot may be written there.
    private static func checkedTarget(_ directory: String, overwrite: Bool) throws -> String {
        let target = absolute(directory)
        guard let status = try FileStatus(of: target) else { return target }
        guard status.kind == .directory else { throw SnapshotError.occupied(directory: target) }
        if !overwrite, try !DirectoryWalk.names(in: DiskPath(target)).isEmpty {
            throw SnapshotError.occupied(directory: target)
        }
        return try FileStatus.resolved(target)
    }
}

/// Removes directories with everything in them.
enum TreeRemoval {
    /// Follows no symbolic link; names may be any bytes.
    static func remove(_ path: DiskPath) throws(SnapshotError) {
        guard let status = try FileStatus(of: path) else { return }
        if status.kind == .directory {
            if status.mode.bits & 0o700 != 0o700 { _ = path.withCString { chmod($0, 0o700) } }
            for name in try DirectoryWalk.names(in: path) { try remove(path.appending(name)) }
            guard FileFault.allows(), path.withCString({ rmdir($0) }) == 0 else {
                throw FileStatus.error("remove", path)
            }
        } else {
            guard path.withCString({ unlink($0) }) == 0 else { throw FileStatus.error("remove", path) }
        }
    }
}
