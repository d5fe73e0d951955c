import Dispatch
import FoundationEssentials
import Glibc
import Testing

@testable import Postgres

/// A directory in /tmp, removed with the object.
private final class Scratch {
    let path: String

    init(permissions: mode_t = 0o711) throws {
        var template = Array("/tmp/pg-scratch-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&template))
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        chmod(path, permissions)
    }

    deinit {
        FilePath.remove(path)
    }
}

@Suite struct ClusterTests {
    private func cluster(_ directory: String, fallback: String? = nil, database: String = "postgres") -> Cluster {
        Cluster(directory: directory, database: database, fallbackDirectory: fallback, isDurable: false)
    }

    private func process(_ cluster: Cluster) throws -> Int32 {
        let location = try #require(cluster.location)
        return try #require(PostmasterFile(data: location + "/data")).process
    }

    @Test func startsStopsAndKeepsItsData() throws {
        let scratch = try Scratch()
        // Characters that a shell would take for its own.
        let directory = scratch.path + "/pro'ject $(x) \"q\" 🦤/" + String(repeating: "d", count: 120)
        let first = Cluster(directory: directory, database: "It's \\ mine")
        #expect(try failure { _ = try first.connectionTarget }.message.contains("is not started"))
        #expect(!first.isRunning)
        try first.start()
        try first.start()
        #expect(first.isRunning && first.isOwner)
        do {
            let connection = try Connection(first.connectionTarget)
            try connection.script("create table kept (n int8); insert into kept values (5)")
            let settings = [
                "listen_addresses": "", "data_checksums": "on", "server_encoding": "UTF8", "lc_collate": "C",
                "fsync": "on", "synchronous_commit": "on", "jit": "off", "TimeZone": "UTC", "shared_buffers": "128MB",
            ]
            for (name, value) in settings {
                #expect(try connection.query("select current_setting($1)", [.text(name)]).only().text(0) == value)
            }
            #expect(try connection.query("select current_database()::text").only().text(0) == "It's \\ mine")
        }
        let target = try first.connectionTarget
        try first.stop()
        try first.stop()
        #expect(!first.isRunning)
        #expect(try failure { _ = try Connection(target) }.code == .connectionFailed)
        try first.start()
        #expect(try Connection(first.connectionTarget).query("select n from kept").only().int64(0) == 5)
        try first.stop()
    }

    @Test func aServerOfALivingProcessIsSharedAndLeftAlone() throws {
        let scratch = try Scratch()
        let owner = cluster(scratch.path + "/c")
        try owner.start()
        let guest = cluster(scratch.path + "/c", database: "second")
        try guest.start()
        #expect(guest.isRunning && !guest.isOwner)
        #expect(try process(guest) == process(owner))
        try guest.stop()
        #expect(owner.isRunning)
        try owner.stop()
    }

    @Test func severalStartsAtOnceMakeOneServer() throws {
        let scratch = try Scratch()
        let clusters = (0..<3).map { _ in cluster(scratch.path + "/c") }
        let failures = Shared<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { index in
            do { try clusters[index].start() } catch { failures.update { $0.append("\(error)") } }
        }
        #expect(failures.value == [])
        #expect(clusters.count(where: \.isOwner) == 1)
        #expect(try Set(clusters.map(process)).count == 1)
        for cluster in clusters { try cluster.stop() }
    }

    @Test func aServerWhoseStarterDiedIsTakenOver() throws {
        let scratch = try Scratch()
        // Dropping the object drops its lock, as the end of its process would.
        func startAndDrop() throws -> Int32 {
            let first = cluster(scratch.path + "/c")
            try first.start()
            return try process(first)
        }
        let server = try startAndDrop()
        let second = cluster(scratch.path + "/c")
        try second.start()
        #expect(second.isOwner)
        #expect(try process(second) == server)
        try second.stop()
        #expect(PostmasterFile(data: scratch.path + "/c/server/data") == nil)
    }

    @Test func aKilledServerAndItsStaleFileDoNotBlock() throws {
        let scratch = try Scratch()
        let cluster = cluster(scratch.path + "/c")
        try cluster.start()
        try Connection(cluster.connectionTarget).script("create table kept ()")
        let server = try process(cluster)
        kill(server, SIGKILL)
        while kill(server, 0) == 0 { usleep(10_000) }
        #expect(!cluster.isRunning)
        try cluster.start()
        #expect(cluster.isRunning)
        #expect(try Connection(cluster.connectionTarget).query("select from kept").isEmpty)
        try cluster.stop()
    }

    @Test func aProcessNumberUsedByAnotherProgramDoesNotBlock() throws {
        let scratch = try Scratch()
        let cluster = cluster(scratch.path + "/c")
        try cluster.start()
        let file = try #require(cluster.location) + "/data/postmaster.pid"
        let lines = try #require(FilePath.text(of: file)).split(separator: "\n").dropFirst()
        try cluster.stop()
        try FilePath.write((["\(getpid())"] + lines).joined(separator: "\n") + "\n", to: file)
        try cluster.start()
        #expect(cluster.isRunning)
        try cluster.stop()
    }

    @Test func aKilledInitdbDoesNotBlock() throws {
        let scratch = try Scratch()
        let cluster = cluster(scratch.path + "/c")
        try cluster.start()
        try cluster.stop()
        let home = scratch.path + "/c/server"
        try #require(rename(home + "/data", home + "/initdb-1-1") == 0)
        unlink(home + "/initdb-1-1/PG_VERSION")
        try cluster.start()
        #expect(cluster.isRunning)
        #expect(FilePath.entries(of: home).sorted() == ["data", "server.log"])
        try cluster.stop()
    }

    @Test func anUnreachableDirectoryFallsBack() throws {
        let closed = try Scratch(permissions: 0o700)
        let open = try Scratch()
        let cluster = cluster(closed.path + "/project", fallback: open.path + "/clusters")
        try cluster.start()
        let location = try #require(cluster.location)
        if geteuid() == 0 {
            #expect(location.hasPrefix(open.path + "/clusters/"))
            let note = try #require(FilePath.text(of: closed.path + "/project/location"))
            #expect(note.hasPrefix(location + "\n"))
        } else {
            #expect(location == closed.path + "/project/server")
        }
        try Connection(cluster.connectionTarget).script("create table kept ()")
        try cluster.stop()
        try cluster.start()
        #expect(try Connection(cluster.connectionTarget).query("select from kept").isEmpty)
        try cluster.stop()
        if geteuid() == 0 {
            let error = try failure { try self.cluster(closed.path + "/other").start() }
            #expect(error.message.contains("cannot reach"))
        }
    }

    @Test func aFailedStartShowsTheLog() throws {
        let scratch = try Scratch()
        let cluster = cluster(scratch.path + "/c")
        try cluster.start()
        try cluster.stop()
        let settings = scratch.path + "/c/server/data/postgresql.auto.conf"
        let text = try #require(FilePath.text(of: settings))
        try FilePath.write(text + "no_such_setting = 1\n", to: settings)
        let owner = try #require(FilePath.status(scratch.path + "/c/server"))
        lchown(settings, owner.owner, owner.group)
        let error = try failure { try cluster.start() }
        #expect(error.code == .cluster)
        #expect(error.message.contains("no_such_setting"))
        #expect(!cluster.isRunning && !cluster.isOwner)
    }

    @Test func missingServerProgramsNameThePackage() throws {
        let scratch = try Scratch()
        let binaries = ClusterBinaries(
            searchPath: scratch.path,
            versionedDirectories: [scratch.path],
            otherDirectories: []
        )
        let cluster = Cluster(
            directory: scratch.path + "/c",
            database: "postgres",
            fallbackDirectory: nil,
            isDurable: false,
            binaries: binaries
        )
        let error = try failure { try cluster.start() }
        #expect(error.code == .cluster)
        #expect(error.message.contains("apt-get install postgresql"))
        #expect(try !Cluster.locate().isEmpty)
    }

    @Test func theNewestVersionIsPreferredUnlessTheDataHasAnother() throws {
        let scratch = try Scratch()
        for version in ["9", "14", "16"] {
            let directory = "\(scratch.path)/\(version)/bin"
            try FilePath.makeDirectories(directory)
            for program in ["initdb", "pg_ctl", "postgres"] {
                try FilePath.write("", to: "\(directory)/\(program)")
                chmod("\(directory)/\(program)", 0o755)
            }
        }
        let binaries = ClusterBinaries(
            searchPath: "/nonexistent",
            versionedDirectories: [scratch.path],
            otherDirectories: []
        )
        #expect(try binaries.locate() == scratch.path + "/16/bin")
        #expect(try binaries.locate(preferring: "14") == scratch.path + "/14/bin")
        #expect(try binaries.locate(preferring: "13") == scratch.path + "/16/bin")
    }

    @Test func aForeignSocketDirectoryIsNotUsed() throws {
        let scratch = try Scratch()
        let cluster = cluster(scratch.path + "/c")
        try cluster.start()
        let target = try cluster.connectionTarget
        try cluster.stop()
        let socketDirectory = String(target.split(separator: "'")[1])
        mkdir(socketDirectory, 0o777)
        chmod(socketDirectory, 0o777)
        defer { rmdir(socketDirectory) }
        #expect(try failure { try cluster.start() }.message.contains("is not private"))
    }

    @Test func aTemporaryClusterRemovesItself() throws {
        let temporary = try TemporaryCluster()
        _ = try Connection(temporary.makeDatabase()).query("select 1")
        try temporary.stop()
        #expect(FilePath.status(temporary.directory) == nil)
        #expect(throws: PostgresError.self) { try temporary.connectionTarget }
    }
}
