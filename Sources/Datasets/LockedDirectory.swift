import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory of one process, which no other removes as long as that lives.
///
/// It is locked while the object lives: what stands there unlocked is left from a process that was killed, and goes when
/// the next directory of the same prefix is made.
package final class LockedDirectory: Sendable {
    package let path: String
    let descriptor: Int32

    /// Makes `<parent>/<prefix><16 digits>`, and removes those that were abandoned.
    ///
    /// - Throws: ``SnapshotError/system(operation:path:message:)``, `ObjectError` if the parent cannot be made.
    package convenience init(in parent: String, prefix: String) throws {
        try Directory.create(parent)
        try Self.removeAbandoned(prefix, in: parent)
        try self.init(sharedIn: parent, prefix: prefix, mode: 0o700)
    }

    /// Makes `<parent>/<prefix><16 digits>` in a directory that exists, and leaves what other processes have there.
    package init(sharedIn parent: String, prefix: String, mode: mode_t) throws {
        while true {
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            let name = prefix + String(repeating: "0", count: 16 - digits.utf8.count) + digits
            let path = parent == "/" ? "/\(name)" : "\(parent)/\(name)"
            guard SystemCall.makeDirectory(path, mode) == 0 else { throw FileStatus.error("create", path) }
            if let descriptor = try Self.lock(path) {
                self.path = path
                self.descriptor = descriptor
                return
            }
        }
    }

    deinit { close(descriptor) }

    /// The last component of the path.
    package var name: String { String(path[(path.lastIndex(of: "/") ?? path.startIndex)...].drop { $0 == "/" }) }

    /// Removes it with everything in it.
    package func remove() throws { try TreeRemoval.remove(DiskPath(path)) }

    /// The locked directory; `nil` if another process took it for abandoned between its making and its locking.
    private static func lock(_ path: String) throws(SnapshotError) -> Int32? {
        let descriptor = SystemCall.openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = FileStatus.error("lock", path)
            let isTaken = descriptor >= 0 && errno == EWOULDBLOCK
            if descriptor >= 0 { close(descriptor) }
            if isTaken { return nil }
            _ = SystemCall.removeDirectory(path)
            throw error
        }
        var status = stat()
        // Removed by one that has let go of the lock since.
        if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return descriptor }
        close(descriptor)
        return nil
    }

    /// Removes directories of a prefix whose processes are gone, as far as it can.
    package static func removeAbandoned(_ prefix: String, in parent: String) throws {
        for bytes in try DirectoryWalk.names(in: DiskPath(parent)) {
            guard let name = String(validating: bytes, as: UTF8.self), name.hasPrefix(prefix),
                name.utf8.count == prefix.utf8.count + 16
            else { continue }
            let path = "\(parent)/\(name)"
            let descriptor = SystemCall.openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            // One that cannot be removed is in nobody's way.
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? TreeRemoval.remove(DiskPath(path)) }
        }
    }
}

/// Removes directories with everything in them.
enum TreeRemoval {
    /// Follows no symbolic link.
    ///
    /// Names may be any bytes. What another process removes first is as good as removed.
    static func remove(_ path: DiskPath) throws(SnapshotError) {
        guard let status = try FileStatus(of: path) else { return }
        if status.kind == .directory {
            if status.mode.bits & 0o700 != 0o700 { _ = path.withCString { SystemCall.setMode($0, 0o700) } }
            for name in try DirectoryWalk.names(in: path) { try remove(path.appending(name)) }
            guard path.withCString({ SystemCall.removeDirectory($0) }) == 0 || errno == ENOENT else {
                throw FileStatus.error("remove", path)
            }
        } else {
            guard path.withCString({ SystemCall.remove($0) }) == 0 || errno == ENOENT else {
                throw FileStatus.error("remove", path)
            }
        }
    }
}
