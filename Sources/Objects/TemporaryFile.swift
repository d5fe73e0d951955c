#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file being written beside its place, removed when released unless it was committed.
package final class TemporaryFile {
    package let file: OpenFile
    // Or removed: there is nothing to remove any more.
    private var isCommitted = false

    /// Creates `<directory>/<prefix><process>-<random>`.
    ///
    /// - Parameter mode: what the process's mask leaves of it.
    package init(in directory: String, prefix: String, mode: mode_t = 0o600) throws(ObjectError) {
        let random = String(UInt64.random(in: 0 ... .max), radix: 16)
        file = try .creating("\(directory)/\(prefix)\(getpid())-\(random)", mode: mode)
    }

    deinit {
        discard()
    }

    /// Removes the file unless it was committed.
    package func discard() {
        if !isCommitted { _ = SystemCall.remove(file.path) }
        isCommitted = true
    }

    /// Makes content and mode durable, then puts the file at `path`, in one step, durably.
    package func commit(to path: String, mode: mode_t) throws(ObjectError) {
        try file.seal(mode: mode)
        try move(to: path)
        try OpenFile.syncDirectory(Directory.parent(of: path))
    }

    /// Puts the file at `path` in one step, with the mode that it was made with.
    func move(to path: String) throws(ObjectError) {
        guard SystemCall.move(file.path, to: path) == 0 else {
            throw .system(operation: "write", path: path, code: errno)
        }
        isCommitted = true
    }
}

/// Directories by path.
package enum Directory {
    /// Waits until the entries of a directory are on the disk.
    package static func sync(_ path: String) throws(ObjectError) { try OpenFile.syncDirectory(path) }

    package static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Creates a directory and those above it.
    ///
    /// Those that exist are left alone: whoever made them may not have synced their entries yet.
    ///
    /// - Parameter isDurable: whether their entries are on the disk on return.
    package static func create(_ path: String, isDurable: Bool = true) throws(ObjectError) {
        if SystemCall.makeDirectory(path) == 0 {
            if isDurable { try syncEntry(of: path) }
            return
        }
        switch errno {
        case EEXIST:
            return
        case ENOENT where parent(of: path) != path:
            try create(parent(of: path), isDurable: isDurable)
            guard SystemCall.makeDirectory(path) == 0 || errno == EEXIST else {
                throw .system(operation: "create", path: path, code: errno)
            }
            if isDurable { try syncEntry(of: path) }
        default:
            throw .system(operation: "create", path: path, code: errno)
        }
    }

    /// Makes a new directory's entry durable, or takes it back: whoever tries again would find it there, and not sync it.
    private static func syncEntry(of path: String) throws(ObjectError) {
        do {
            try OpenFile.syncDirectory(parent(of: path))
        } catch {
            _ = SystemCall.removeDirectory(path)
            throw error
        }
    }
}
