import CPostgres
import Glibc

/// Runs a program to its end.
enum ChildProcess {
    struct Outcome {
        /// The exit status, or 128 + signal.
        var status: Int32
        /// Standard output and standard error together.
        var output: String
    }

    /// Runs `command`, whose first element is an absolute path, with `directory` as its working directory.
    ///
    /// The child inherits no descriptors (a server it leaves behind must not hold this program's sockets), no blocked
    /// signals, and no `PG…` variables. Its output goes to a file rather than a pipe, which such a server would keep open.
    static func run(_ command: [String], in directory: String) throws(PostgresError) -> Outcome {
        let name = "/tmp/pg-output-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let output = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else {
            throw PostgresError(.cluster, "cannot create a file in /tmp: \(reason(errno)); make room there")
        }
        unlink(name)
        defer { close(output) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        posix_spawn_file_actions_addchdir_np(&actions, directory)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let program = command.first ?? ""
        var process: pid_t = 0
        let failure = withPointers(command) { arguments in
            withPointers(childEnvironment()) { environment in
                posix_spawn(&process, program, &actions, &attributes, arguments, environment)
            }
        }
        guard failure == 0 else {
            throw PostgresError(.cluster, "cannot run '\(program)' in '\(directory)': \(reason(failure))")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else {
                throw PostgresError(.cluster, "cannot wait for '\(program)': \(reason(errno))")
            }
        }
        let signal = status & 0x7F
        return Outcome(status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: contents(of: output))
    }

    /// The text of a system error number.
    static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }

    private static func contents(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func childEnvironment() -> [String] {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return ["PATH=\(path)", "LC_ALL=C", "TZ=UTC"]
    }

    private static func withPointers<R>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> R
    ) -> R {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
