import Glibc

/// A file that appears under its name only when it is complete and on disk.
///
/// Bytes go to a temporary name in the same directory; `commit` syncs and renames it over `path`, and syncs the
/// directory. A value dropped before `commit` removes the temporary file. A symbolic link is followed, a file that is there
/// already passes its permissions on, and what is no regular file is refused: a device must not be replaced.
struct NewFile: ~Copyable {
    let path: String
    private let temporaryPath: String
    private let descriptor: Int32

    init(path: String) throws(FileError) {
        var path = path
        if let resolved = realpath(path, nil) {
            path = String(cString: resolved)
            free(resolved)
        }
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists {
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            guard !isDirectory else { throw FileError("write a file over", path, code: EISDIR) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw FileError("replace what is not a regular file,", path, code: ENOTSUP)
            }
        }
        // An exclusive open under a random name; the system applies the process's permission mask.
        let temporaryPath = "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).part"
        let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError("create a file beside", path) }
        if exists { fchmod(descriptor, status.st_mode & 0o777) }
        self.path = path
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        unlink(temporaryPath)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Syncs the file and gives it its name.
    consuming func commit() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError("sync", path) }
        guard rename(temporaryPath, path) == 0 else { throw FileError("rename a file to", path) }
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw FileError("open", directory) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw FileError("sync", directory) }
    }
}
