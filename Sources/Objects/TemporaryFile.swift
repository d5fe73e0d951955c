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
    package init(in directory: String, prefix: String) throws(ObjectError) {
        let random = String(UInt64.random(in: 0 ... .max), radix: 16)
        file = try .creating("\(directory)/\(prefix)\(getpid())-\(random)")
    }

    deinit {
        discard()
    }

    /// Removes the file unless it was committed.
    package func discard() {
        if !isCommitted { _ = SystemCall.unlink(file.path) }
        isCommitted = true
    }

    /// Makes content and mode durable, then puts the file at `path`, in one step, durably.
    package func commit(to path: String, mode: mode_t) throws(ObjectError) {
        try file.seal(mode: mode)
        guard FileFault.allows(), SystemCall.rename(file.path, to: path) == 0 else {
            throw .system(operation: "write", path: path, code: errno)
        }
        isCommitted = true
        try OpenFile.syncDirectory(Directory.parent(of: path))
    }
}

/// Directories by path.
package enum Directory {
    package static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Creates a directory and those above it, durably.
    ///
    /// Those that exist are left alone: whoever made them may not have synced their entries yet.
    package static func create(_ path: String) throws(ObjectError) {
        if SystemCall.makeDirectory(path) == 0 { return try syncEntry(of: path) }
        switch errno {
        case EEXIST:
            return
        case ENOENT where parent(of: path) != path:
            try create(parent(of: path))
            guard SystemCall.makeDirectory(path) == 0 || errno == EEXIST else {
                throw .system(operation: "create", path: path, code: errno)
            }
            try syncEntry(of: path)
        default:
            throw .system(operation: "create", path: path, code: errno)
        }
    }

    /// Makes a new directory's entry durable, or takes it back: whoever tries again would find it there, and not sync it.
    private static func syncEntry(of path: String) throws(ObjectError) {
        do {
            try OpenFile.syncDirectory(parent(of: path))
        } catch {
            rmdir(path)
            throw error
        }
    }
}
