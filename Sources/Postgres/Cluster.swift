import CPostgres
import Glibc
import Synchronization

/// A private PostgreSQL cluster in a directory, reached over a Unix socket only.
///
/// The directory gets `server/` with the data and `server.log`, or a file `location` that names where they are. Whoever
/// may enter the socket's directory (mode 0700) may connect; there is no password. Every call blocks.
public final class Cluster: Sendable {
    /// The superuser that `initdb` creates.
    static let role = "postgres"

    private struct State {
        var home: ClusterHome?
        var socketDirectory: String?
        /// Held while this object is responsible for the server.
        var lock: FileLock?
    }

    private let directory: String
    private let database: String
    private let fallbackDirectory: String?
    private let binaries: ClusterBinaries
    private let isDurable: Bool
    private let state = Mutex(State())

    /// Describes a cluster; nothing happens before `start`.
    ///
    /// `database` is created when it does not exist. `fallbackDirectory` takes the data when this program runs as root
    /// and the user that the server runs as cannot reach `directory`. A cluster that is not durable loses data when the
    /// machine stops; it is for tests.
    public convenience init(
        directory: String,
        database: String = "postgres",
        fallbackDirectory: String? = nil,
        isDurable: Bool = true
    ) {
        self.init(
            directory: directory,
            database: database,
            fallbackDirectory: fallbackDirectory,
            isDurable: isDurable,
            binaries: ClusterBinaries()
        )
    }

    init(
        directory: String,
        database: String,
        fallbackDirectory: String?,
        isDurable: Bool,
        binaries: ClusterBinaries
    ) {
        self.directory = directory
        self.database = database
        self.fallbackDirectory = fallbackDirectory
        self.isDurable = isDurable
        self.binaries = binaries
    }

    /// The directory with `initdb`, `pg_ctl` and `postgres`; the error names the package to install.
    public static func locate() throws(PostgresError) -> String {
        try ClusterBinaries().locate()
    }

    /// What to give to `Connection` or `ConnectionPool`; an error before `start`.
    public var connectionTarget: String {
        get throws(PostgresError) {
            guard let socketDirectory = state.withLock({ $0.socketDirectory }) else {
                throw PostgresError(.cluster, "the cluster in '\(directory)' is not started; call start() first")
            }
            return Self.target(socketDirectory, database)
        }
    }

    /// Whether the server accepts connections now.
    public var isRunning: Bool {
        state.withLock { state in
            guard let home = state.home, let file = PostmasterFile(data: home.data) else { return false }
            return file.isServer && file.acceptsConnections
        }
    }

    /// Whether `stop` stops the server: false when another process started it and still runs.
    public var isOwner: Bool { state.withLock { $0.lock != nil } }

    /// Where the data and the log are; nil before `start`.
    public var location: String? { state.withLock { $0.home?.path } }

    /// Creates the cluster when there is none, starts the server unless it runs, and waits until it takes connections.
    ///
    /// A server that another living process started is used and left alone. One whose starter died is taken over.
    public func start() throws(PostgresError) {
        try state.withLock { state throws(PostgresError) in
            try start(&state)
        }
    }

    /// Stops the server with a fast shutdown: open transactions are rolled back.
    ///
    /// Does nothing unless `isOwner`.
    public func stop() throws(PostgresError) {
        try state.withLock { state throws(PostgresError) in
            defer { state = State() }
            guard state.lock != nil, let home = state.home, let socketDirectory = state.socketDirectory else { return }
            guard let file = PostmasterFile(data: home.data), file.isServer else { return }
            let programs = try binaries.locate(preferring: home.version)
            let command = ["\(programs)/pg_ctl", "stop", "-D", "data", "-m", isDurable ? "fast" : "immediate", "-w"]
            let outcome = try home.user.run(command, in: home.path)
            guard outcome.status == 0 || !file.isServer else {
                throw PostgresError(
                    .cluster,
                    "the server on '\(home.data)' did not stop: \(Self.line(outcome.output)); process \(file.process)"
                )
            }
            rmdir(socketDirectory)
        }
    }

    private func start(_ state: inout State) throws(PostgresError) {
        if state.lock != nil, let home = state.home, PostmasterFile(data: home.data)?.isServer == true { return }
        state = State()
        try FilePath.makeDirectories(directory)
        guard let directory = FilePath.resolved(directory) else {
            throw PostgresError(.cluster, "cannot resolve the directory '\(directory)': \(ChildProcess.reason(errno))")
        }
        guard let lock = try lockOrAttach(directory, &state) else { return }
        let home = try ClusterHome.prepare(for: directory, fallback: fallbackDirectory)
        let programs = try binaries.locate(preferring: home.version)
        try initialize(home, programs)
        let socketDirectory: String
        if let existing = try running(home) {
            socketDirectory = existing
        } else {
            socketDirectory = try launch(home, programs)
        }
        state = State(home: home, socketDirectory: socketDirectory, lock: lock)
        do throws(PostgresError) {
            try makeDatabase(socketDirectory)
        } catch {
            state = State()
            throw error
        }
    }

    /// Takes the cluster's lock; or, when another process holds it, waits for that one's server and returns nil.
    private func lockOrAttach(_ directory: String, _ state: inout State) throws(PostgresError) -> FileLock? {
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            if let lock = try FileLock(path: directory + "/lock") { return lock }
            if let home = try ClusterHome.existing(for: directory), let file = PostmasterFile(data: home.data),
                file.acceptsConnections
            {
                try makeDatabase(file.socketDirectory)
                state = State(home: home, socketDirectory: file.socketDirectory, lock: nil)
                return nil
            }
            guard ContinuousClock.now < deadline else {
                throw PostgresError(
                    .cluster,
                    "another process holds '\(directory)/lock' but its server takes no connections after 90 s; "
                        + "end that process, then start again"
                )
            }
            usleep(20_000)
        }
    }

    /// Runs `initdb` into a directory of its own and moves it into place, so that `data` is whole or absent.
    private func initialize(_ home: ClusterHome, _ programs: String) throws(PostgresError) {
        for entry in FilePath.entries(of: home.path) where entry.hasPrefix("initdb-") {
            FilePath.remove("\(home.path)/\(entry)")
        }
        if home.isInitialized { return }
        let temporary = "initdb-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        var command = [
            "\(programs)/initdb", "-D", temporary, "--username=\(Self.role)", "--encoding=UTF8", "--locale=C",
            "--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions",
        ]
        if !isDurable { command.append("--no-sync") }
        let outcome = try home.user.run(command, in: home.path)
        guard outcome.status == 0 else {
            FilePath.remove("\(home.path)/\(temporary)")
            throw PostgresError(.cluster, "initdb failed in '\(home.path)':\n\(outcome.output)")
        }
        guard rename("\(home.path)/\(temporary)", home.data) == 0 else {
            let reason = ChildProcess.reason(errno)
            FilePath.remove("\(home.path)/\(temporary)")
            throw PostgresError(.cluster, "cannot put '\(home.data)' in place: \(reason); move what stands there away")
        }
        if isDurable { FilePath.syncDirectory(home.path) }
    }

    /// The socket directory of a server that already runs, after waiting for it to be ready; nil when none runs.
    private func running(_ home: ClusterHome) throws(PostgresError) -> String? {
        let deadline = ContinuousClock.now + .seconds(60)
        while let file = PostmasterFile(data: home.data), file.processExists {
            guard file.isServer else {
                try file.disown()
                return nil
            }
            if file.acceptsConnections { return file.socketDirectory }
            guard ContinuousClock.now < deadline else {
                throw PostgresError(
                    .cluster,
                    "the server on '\(home.data)' (process \(file.process)) takes no connections after 60 s; last log "
                        + "lines:\n\(home.lastLogLines())"
                )
            }
            usleep(20_000)
        }
        return nil
    }

    private func launch(_ home: ClusterHome, _ programs: String) throws(PostgresError) -> String {
        let socketDirectory = try SocketDirectory.make(for: home)
        var settings = [
            "listen_addresses=", "unix_socket_directories=\(socketDirectory)", "unix_socket_permissions=0700",
            "port=5432", "shared_buffers=128MB", "max_connections=50", "timezone=UTC", "log_timezone=UTC", "jit=off",
            "synchronous_commit=on",
        ]
        if !isDurable { settings += ["fsync=off", "full_page_writes=off"] }
        // pg_ctl hands these to a shell. Relative paths keep the directory's own characters out of it.
        let options = settings.map { "-c '\($0)'" }.joined(separator: " ")
        let outcome = try home.user.run(
            ["\(programs)/pg_ctl", "start", "-D", "data", "-l", "server.log", "-w", "-t", "60", "-o", options],
            in: home.path
        )
        guard outcome.status == 0 else {
            rmdir(socketDirectory)
            throw PostgresError(
                .cluster,
                "the server on '\(home.data)' did not start: \(Self.line(outcome.output)); last lines of "
                    + "'\(home.log)':\n\(home.lastLogLines())"
            )
        }
        return socketDirectory
    }

    private func makeDatabase(_ socketDirectory: String) throws(PostgresError) {
        guard database != "postgres" else { return }
        let connection = try Connection(Self.target(socketDirectory, "postgres"))
        let found = try connection.query("select 1 from pg_database where datname = $1", [.text(database)])
        guard found.isEmpty else { return }
        do throws(PostgresError) {
            try connection.script("create database \(Connection.quotedIdentifier(database))")
        } catch  where error.sqlState == "42P04" || error.sqlState == "23505" {
            // Another process created it in between.
        }
    }

    static func target(_ socketDirectory: String, _ database: String) -> String {
        var quoted = ""
        for character in database {
            if character == "'" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return "host='\(socketDirectory)' port=5432 user=\(role) dbname='\(quoted)'"
    }

    private static func line(_ output: String) -> String {
        output.split(separator: "\n").last.map(String.init) ?? "no output"
    }
}
