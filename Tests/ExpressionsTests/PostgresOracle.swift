import Foundation
import Synchronization

/// A private PostgreSQL cluster: Unix socket only, in a directory of its own, removed on `stop`.
///
/// Needs PostgreSQL's server programs (Debian and Ubuntu: package `postgresql`). The server refuses to run as root, so
/// root becomes `postgres`, or `nobody` where there is no such user.
final class PostgresOracle: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let directory: String
    private let programs: String
    private let user: String?
    private let scripts = Mutex(0)
    private let isStopped = Mutex(false)

    /// One cluster for the whole test process, started by the first test that asks and stopped at exit.
    static let shared: Result<PostgresOracle, any Error> = Result {
        let oracle = try PostgresOracle()
        running.withLock { $0 = oracle }
        atexit { PostgresOracle.running.withLock { $0 }?.stop() }
        return oracle
    }

    private static let running = Mutex<PostgresOracle?>(nil)

    init() throws {
        programs = try Self.findPrograms()
        user = geteuid() == 0 ? (getpwnam("postgres") == nil ? "nobody" : "postgres") : nil
        var template = Array((FileManager.default.temporaryDirectory.path + "/pgXXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "mkdtemp failed: errno \(errno)") }
        directory = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let user, let entry = getpwnam(user) {
            guard chown(directory, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
                throw Failure(description: "chown of \(directory) failed: errno \(errno)")
            }
        }
        do {
            _ = try run("initdb", ["-D", data, "-U", "oracle", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            let options =
                "-c listen_addresses='' -c unix_socket_directories='\(directory)' -c fsync=off -c TimeZone=UTC"
            _ = try run("pg_ctl", ["-D", data, "-l", directory + "/log", "-w", "-o", options, "start"])
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
    }

    private var data: String { directory + "/data" }

    func stop() {
        let wasStopped = isStopped.withLock { stopped in
            defer { stopped = true }
            return stopped
        }
        if wasStopped { return }
        _ = try? run("pg_ctl", ["-D", data, "-w", "-m", "immediate", "stop"])
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Runs a script and returns the lines it prints, unaligned and without headings.
    ///
    /// - Throws: `Failure` with psql's message at the first statement that fails.
    func lines(_ script: String) throws -> [String] {
        let number = scripts.withLock { count in
            count += 1
            return count
        }
        let file = "\(directory)/script\(number)"
        try script.write(toFile: file, atomically: false, encoding: .utf8)
        defer { unlink(file) }
        let arguments = [
            "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", "oracle", "-d", "postgres", "-f",
            file,
        ]
        let output = try launch(programs + "/psql", arguments)
        return output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    // MARK: Programs

    private static func findPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let packaged = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "\(root)/\($0)/bin" }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for candidate in packaged + path where FileManager.default.isExecutableFile(atPath: candidate + "/initdb") {
            return candidate
        }
        throw Failure(description: "these tests need PostgreSQL's initdb, pg_ctl and psql; install postgresql")
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let path = "\(programs)/\(program)"
        guard let user else { return try launch(path, arguments) }
        return try launch("/usr/sbin/runuser", ["-u", user, "--", path] + arguments)
    }

    /// Spawned without Foundation, whose `Process` waits for a server that `pg_ctl` leaves running; output goes through
    /// a file for the same reason.
    private func launch(_ path: String, _ arguments: [String]) throws -> String {
        let number = scripts.withLock { count in
            count += 1
            return count
        }
        let output = "\(directory)/output\(number)"
        defer { unlink(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words = ([path] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var process: pid_t = 0
        let code = posix_spawn(&process, path, &actions, nil, words, environ)
        guard code == 0 else { throw Failure(description: "\(path) cannot be run: \(String(cString: strerror(code)))") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw Failure(description: "waiting for \(path) failed: errno \(errno)") }
        }
        let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
        guard status == 0 else {
            throw Failure(description: "\(path) ended with status \(status): \(text.suffix(2000))")
        }
        return text
    }
}
