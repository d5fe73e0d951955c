import Glibc

/// Where PostgreSQL's server programs may be.
struct ClusterBinaries {
    /// The value of PATH.
    var searchPath: String = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    /// Directories whose entries are major versions with a `bin` each.
    var versionedDirectories = ["/usr/lib/postgresql"]
    /// Other directories of programs.
    var otherDirectories = [
        "/usr/pgsql-18/bin", "/usr/pgsql-17/bin", "/usr/pgsql-16/bin", "/usr/pgsql-15/bin", "/usr/pgsql-14/bin",
        "/usr/local/pgsql/bin", "/usr/libexec/postgresql",
    ]

    private static let programs = ["initdb", "pg_ctl", "postgres"]

    /// The directory with the server programs, of major version `version` when it is there.
    func locate(preferring version: String? = nil) throws(PostgresError) -> String {
        let candidates = candidates(preferring: version)
        for directory in candidates where isComplete(directory) { return directory }
        throw PostgresError(
            .cluster,
            "PostgreSQL's server programs (\(Self.programs.joined(separator: ", "))) were found neither on PATH nor in "
                + "\(versionedDirectories.first ?? "")/*/bin; install the server: apt-get install postgresql "
                + "(Debian, Ubuntu), or dnf install postgresql-server (Fedora, RHEL)"
        )
    }

    private func candidates(preferring version: String?) -> [String] {
        var candidates: [String] = []
        if let version { candidates += versionedDirectories.prefix(1).map { "\($0)/\(version)/bin" } }
        let onPath = searchPath.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        if let configuration = onPath.map({ $0 + "/pg_config" }).first(where: FilePath.isExecutable),
            let outcome = try? ChildProcess.run([configuration, "--bindir"], in: "/"), outcome.status == 0
        {
            // The development package has pg_config without the server, hence the check of the programs.
            candidates += outcome.output.split(separator: "\n").prefix(1).map(String.init)
        }
        for parent in versionedDirectories {
            let versions = FilePath.entries(of: parent).compactMap { Int($0) }.sorted(by: >)
            candidates += versions.map { "\(parent)/\($0)/bin" }
        }
        return candidates + onPath + otherDirectories
    }

    private func isComplete(_ directory: String) -> Bool {
        Self.programs.allSatisfy { FilePath.isExecutable("\(directory)/\($0)") }
    }
}
