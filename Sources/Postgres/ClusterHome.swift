import Glibc

/// The directory that holds a cluster's data and log, and the user it belongs to.
struct ClusterHome: Sendable {
    var path: String
    var user: ServerUser

    var data: String { path + "/data" }
    var log: String { path + "/server.log" }
    var isInitialized: Bool { FilePath.status(data + "/PG_VERSION") != nil }
    var version: String? { FilePath.text(of: data + "/PG_VERSION").map { String($0.prefix { !$0.isWhitespace }) } }

    /// The home that earlier starts made for `directory`, or nil.
    static func existing(for directory: String) throws(PostgresError) -> ClusterHome? {
        let path = recordedLocation(in: directory) ?? directory + "/server"
        guard FilePath.status(path + "/data/PG_VERSION") != nil else { return nil }
        return ClusterHome(path: path, user: try ServerUser.choose(ownerOf: path + "/data"))
    }

    /// Finds or makes the home: in `directory`, or below `fallback` when the server's user cannot reach `directory`.
    static func prepare(for directory: String, fallback: String?) throws(PostgresError) -> ClusterHome {
        if let home = try existing(for: directory) {
            guard home.user.isCurrent || home.user.canUse(home.path) else { throw unreachable(home, nil) }
            return home
        }
        let near = ClusterHome(path: directory + "/server", user: try ServerUser.choose())
        if try near.make() { return near }
        guard let fallback else { throw unreachable(near, nil) }
        try FilePath.makeDirectories(fallback)
        let far = ClusterHome(path: "\(fallback)/\(FilePath.hash(directory))", user: near.user)
        guard try far.make() else { throw unreachable(near, far) }
        try FilePath.write(
            "\(far.path)\n\nThe PostgreSQL data of this directory is in the directory named on the first line:\n"
                + "the server runs as user '\(far.user.name)', who cannot reach this one.\n",
            to: directory + "/location"
        )
        return far
    }

    /// Makes the directory; false when the user cannot use it there.
    private func make() throws(PostgresError) -> Bool {
        let isNew = try FilePath.makePrivateDirectory(path, for: user)
        if !isNew {
            guard let status = FilePath.status(path), status.isDirectory, status.owner == user.identifier else {
                throw PostgresError(
                    .cluster,
                    "'\(path)' is not a directory of user '\(user.name)', as which the server runs; move it away"
                )
            }
        }
        if user.isCurrent || user.canUse(path) { return true }
        if isNew { rmdir(path) }
        return false
    }

    private static func recordedLocation(in directory: String) -> String? {
        FilePath.text(of: directory + "/location")?.split(separator: "\n").first.map(String.init)
    }

    private static func unreachable(_ home: ClusterHome, _ fallback: ClusterHome?) -> PostgresError {
        let also = fallback.map { ", nor '\($0.path)'" } ?? ""
        return PostgresError(
            .cluster,
            "user '\(home.user.name)', as which the server runs, cannot reach '\(home.path)'\(also); make every parent "
                + "directory passable: chmod o+x"
        )
    }

    /// The end of the server's log, for error messages.
    func lastLogLines(_ count: Int = 8) -> String {
        let lines = FilePath.text(of: log)?.split(separator: "\n").suffix(count) ?? []
        return lines.isEmpty ? "the log is empty" : lines.joined(separator: "\n")
    }
}
