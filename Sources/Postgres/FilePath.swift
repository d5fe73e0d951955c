import FoundationEssentials
import Glibc

/// What the cluster needs to know and do about paths.
enum FilePath {
    struct Status {
        var owner: uid_t
        var group: gid_t
        var permissions: mode_t
        var isDirectory: Bool
    }

    /// The status of what stands at `path` itself, or nil when nothing does; links are not followed.
    static func status(_ path: String) -> Status? {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        return Status(
            owner: found.st_uid,
            group: found.st_gid,
            permissions: found.st_mode & 0o7777,
            isDirectory: found.st_mode & S_IFMT == S_IFDIR
        )
    }

    static func makeDirectories(_ path: String) throws(PostgresError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PostgresError(.cluster, "cannot create the directory '\(path)': \(ChildProcess.reason(errno))")
        }
    }

    /// Makes a directory for `user` alone; false when something stands there already.
    static func makePrivateDirectory(_ path: String, for user: ServerUser) throws(PostgresError) -> Bool {
        if mkdir(path, 0o700) != 0 {
            if errno == EEXIST { return false }
            throw PostgresError(.cluster, "cannot create the directory '\(path)': \(ChildProcess.reason(errno))")
        }
        guard user.isCurrent || lchown(path, user.identifier, user.group) == 0 else {
            let reason = ChildProcess.reason(errno)
            rmdir(path)
            throw PostgresError(.cluster, "cannot give the directory '\(path)' to user '\(user.name)': \(reason)")
        }
        return true
    }

    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    static func entries(of path: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }

    static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces a file whole, so that a reader sees the old or the new text.
    static func write(_ text: String, to path: String) throws(PostgresError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw PostgresError(.cluster, "cannot write '\(path)': \(ChildProcess.reason(errno))")
        }
    }

    /// The absolute path without links, or nil when it does not exist.
    static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// Makes a finished rename durable.
    static func syncDirectory(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Sixteen hexadecimal digits for a path (FNV-1a): a short name, no protection.
    static func hash(_ path: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in path.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
