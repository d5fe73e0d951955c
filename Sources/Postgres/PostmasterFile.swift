import CPostgres
import Glibc

/// `postmaster.pid`: which server runs on a data directory, and how to reach it.
struct PostmasterFile {
    /// Line numbers in the file, from 0; fixed by `utils/pidfile.h`.
    private enum Line {
        static let process = 0
        static let socketDirectory = 4
    }

    var process: pid_t
    var socketDirectory: String
    private var lines: [Substring]
    private let data: String

    init?(data: String) {
        guard let text = FilePath.text(of: data + "/postmaster.pid") else { return nil }
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let process = lines.first.flatMap({ pid_t($0) }), process > 0 else { return nil }
        self.process = process
        self.data = data
        socketDirectory = lines.count > Line.socketDirectory ? String(lines[Line.socketDirectory]) : ""
    }

    var processExists: Bool { kill(process, 0) == 0 || errno == EPERM }

    /// Whether the process is a server on this data directory, which is a server's working directory.
    var isServer: Bool {
        guard processExists else { return false }
        return FilePath.resolved("/proc/\(process)/cwd").map { $0 == FilePath.resolved(data) } ?? acceptsConnections
    }

    var acceptsConnections: Bool {
        guard !socketDirectory.isEmpty else { return false }
        return PQping("host='\(socketDirectory)' port=5432 dbname=postgres connect_timeout=2") == PQPING_OK
    }

    /// Lets a server start although the recorded process number now belongs to another program.
    ///
    /// The file stays: it names the shared memory by which a server notices survivors of the one that died. Only the
    /// process number becomes one that no process has.
    func disown() throws(PostgresError) {
        guard let status = FilePath.status(data + "/postmaster.pid") else { return }
        let text = ([Substring("\(Int32.max)")] + lines.dropFirst()).joined(separator: "\n")
        try FilePath.write(text, to: data + "/postmaster.pid")
        lchown(data + "/postmaster.pid", status.owner, status.group)
    }
}
