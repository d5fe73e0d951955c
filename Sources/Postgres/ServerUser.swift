import Glibc

/// The user that the server runs as; PostgreSQL refuses to run as root.
struct ServerUser: Sendable {
    var name: String
    var identifier: uid_t
    var group: gid_t
    /// What stands before a command to run it as this user; empty when it is the current user.
    private var launcher: [String]

    var isCurrent: Bool { launcher.isEmpty }

    /// The current user; for root the owner of an existing data directory, else `postgres`, else `nobody`.
    static func choose(ownerOf data: String? = nil) throws(PostgresError) -> ServerUser {
        guard geteuid() == 0 else {
            return ServerUser(name: "uid \(geteuid())", identifier: geteuid(), group: getegid(), launcher: [])
        }
        if let data, let owner = FilePath.status(data)?.owner {
            guard owner != 0, let entry = getpwuid(owner)?.pointee else {
                throw PostgresError(
                    .cluster,
                    "the data directory '\(data)' belongs to uid \(owner), which cannot run PostgreSQL; give it to the "
                        + "user it was made by: chown -R postgres '\(data)'"
                )
            }
            return try other(entry)
        }
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name)?.pointee { return try other(entry) }
        }
        throw PostgresError(
            .cluster,
            "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as; "
                + "create one: useradd --system postgres"
        )
    }

    private static func other(_ entry: passwd) throws(PostgresError) -> ServerUser {
        let name = String(cString: entry.pw_name)
        var user = ServerUser(name: name, identifier: entry.pw_uid, group: entry.pw_gid, launcher: [])
        if let setpriv = program("setpriv") {
            user.launcher = [setpriv, "--reuid=\(entry.pw_uid)", "--regid=\(entry.pw_gid)", "--init-groups", "--"]
        } else if let runuser = program("runuser") {
            user.launcher = [runuser, "-u", name, "--"]
        } else {
            throw PostgresError(
                .cluster,
                "PostgreSQL does not run as root, and neither setpriv nor runuser is there to change to user '\(name)'; "
                    + "install the package util-linux"
            )
        }
        return user
    }

    private static func program(_ name: String) -> String? {
        ["/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"].map { $0 + name }.first(where: FilePath.isExecutable)
    }

    func run(_ command: [String], in directory: String) throws(PostgresError) -> ChildProcess.Outcome {
        try ChildProcess.run(launcher + command, in: directory)
    }

    /// Whether this user can enter and write the directory: asked of the system, which knows about every parent.
    func canUse(_ directory: String) -> Bool {
        let test = ["/bin/sh", "-c", "test -w \"$1\" && test -x \"$1\"", "sh", directory]
        return (try? run(test, in: "/"))?.status == 0
    }
}
