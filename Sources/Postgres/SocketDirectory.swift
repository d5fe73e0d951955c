import Glibc

/// Where a cluster's Unix socket is: a short path, since a socket's address holds 107 bytes, whatever the data's path.
enum SocketDirectory {
    /// Makes the directory, for the server's user alone, and returns its path.
    static func make(for home: ClusterHome) throws(PostgresError) -> String {
        let path = "\(base(for: home.user))/pg-\(FilePath.hash(home.data))"
        if try FilePath.makePrivateDirectory(path, for: home.user) { return path }
        // In /tmp anyone can be first.
        guard let status = FilePath.status(path), status.isDirectory, status.owner == home.user.identifier,
            status.permissions & 0o077 == 0
        else {
            throw PostgresError(
                .cluster,
                "'\(path)', the directory for the server's socket, exists and is not private to user "
                    + "'\(home.user.name)'; find out who made it and remove it"
            )
        }
        return path
    }

    /// The session's runtime directory when it is the server user's own and its name needs no quoting, else `/tmp`.
    private static func base(for user: ServerUser) -> String {
        guard user.isCurrent, let variable = getenv("XDG_RUNTIME_DIR") else { return "/tmp" }
        let path = String(cString: variable)
        let isPlain = path.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/._-".utf8.contains(byte)
        }
        guard isPlain, path.hasPrefix("/"), path.utf8.count <= 60, let status = FilePath.status(path),
            status.isDirectory, status.owner == user.identifier, access(path, W_OK | X_OK) == 0
        else { return "/tmp" }
        return path
    }
}
