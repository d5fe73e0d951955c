import ArgumentParser
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Wire

struct SnapshotStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how files differ from a snapshot.",
        discussion: "Ends with 1 if they do. Files that have not changed since they were last read are not read."
    )

    @Argument(help: "dataset, dataset@n or dataset@tag.")
    var reference: String
    @Argument(help: "The files and directories that the snapshot was made of.")
    var paths: [String]
    @Flag(help: "Read every file, whatever is known of it from before.")
    var noCache = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let snapshot = try await RecordedSnapshot.find(reference, in: repository)
        var wanted = SnapshotRequirements(paths: paths)
        wanted.cache = repository.state + "/snapshots"
        wanted.readsEverything = noCache
        let status = try await SnapshotStatus.of(wanted, against: snapshot.manifest)
        if json {
            try Terminal.json(SnapshotPrinting.message(status.assets))
        } else {
            SnapshotPrinting.print(status.assets, of: "file")
            let changes = status.assets.count
            print(
                "\(snapshot.reference): \(status.count) files, \(changes == 0 ? "no difference" : "\(changes) changes")"
            )
        }
        if !status.assets.isEmpty { throw CheckFailed() }
    }
}

struct DiffSnapshots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare two snapshots.",
        discussion: """
            Of CSV, Parquet and Arrow files that changed, --tables shows columns, row counts and what each column holds, and \
            --key the rows that were added, removed or changed.
            """
    )

    @Argument(help: "The older one.")
    var old: String
    @Argument(help: "The newer one.")
    var new: String
    @Flag(help: "Look into tables that changed.")
    var tables = false
    @Option(
        help: ArgumentHelp("A column that tells a table's rows apart; may be given several times.", valueName: "column")
    )
    var key: [String] = []
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let (first, firstLease) = try await RecordedSnapshot.reading(old, in: repository)
        let (second, secondLease) = try await RecordedSnapshot.reading(new, in: repository)
        let diff = SnapshotDiff(from: first.manifest, to: second.manifest)
        let compared = tables || !key.isEmpty ? try await compare(diff.assets.changed, first, second, repository) : []
        for lease in [firstLease, secondLease] { await lease.close() }
        if json { return try Terminal.json(SnapshotPrinting.message(diff, compared)) }
        print("\(first.reference) -> \(second.reference)")
        for (part, paths) in [("file", diff.assets), ("code", diff.code), ("lock file", diff.lockFiles)] {
            SnapshotPrinting.print(paths, of: part)
        }
        for table in compared {
            print("table \(table.path)")
            table.show()
        }
        for fact in diff.facts { print("~ \(fact.name): \(fact.old ?? "none") -> \(fact.new ?? "none")") }
        if diff.isEmpty { print("no difference") }
    }

    /// Looks into the tables among the files that changed.
    private func compare(
        _ paths: [SnapshotPath],
        _ old: RecordedSnapshot,
        _ new: RecordedSnapshot,
        _ repository: Repository
    ) async throws -> [TableComparison] {
        let (service, _) = try await SnapshotService.open(repository, dataset: new.dataset)
        defer { service.close() }
        func content(_ snapshot: RecordedSnapshot, _ path: SnapshotPath) async throws -> [UInt8]? {
            guard let object = snapshot.manifest.assets.first(where: { $0.path == path })?.content.object else {
                return nil
            }
            let contents = try await SnapshotContents.open(
                snapshot.manifest,
                packs: snapshot.packs,
                from: service,
                objects: service.objects,
                references: [object]
            )
            return try contents.bytes(object)
        }
        var tables: [TableComparison] = []
        for path in paths {
            guard let format = TableFormat(path: path.text), let before = try await content(old, path),
                let after = try await content(new, path)
            else { continue }
            tables.append(try TableComparison(path: path.text, old: before, new: after, format: format, key: key))
        }
        return tables
    }
}

/// Differences for people and for programs.
enum SnapshotPrinting {
    static func print(_ paths: SnapshotDiff.Paths, of part: String) {
        for path in paths.added { Swift.print("+ \(part) \(path.text)") }
        for path in paths.removed { Swift.print("- \(part) \(path.text)") }
        for move in paths.moved { Swift.print("> \(part) \(move.from.text) -> \(move.to.text)") }
        for path in paths.changed { Swift.print("~ \(part) \(path.text)") }
        for path in paths.modeChanged { Swift.print("m \(part) \(path.text)") }
    }

    struct PathsMessage: Encodable {
        struct Move: Encodable {
            let from: String
            let to: String
        }

        let added: [String]
        let removed: [String]
        let moved: [Move]
        let changed: [String]
        let modeChanged: [String]
    }

    struct DiffMessage: Encodable {
        struct Fact: Encodable {
            let name: String
            let old: String?
            let new: String?
        }

        let assets: PathsMessage
        let code: PathsMessage
        let lockFiles: PathsMessage
        let facts: [Fact]
        let tables: [TableComparison]
    }

    static func message(_ paths: SnapshotDiff.Paths) -> PathsMessage {
        PathsMessage(
            added: paths.added.map(\.text),
            removed: paths.removed.map(\.text),
            moved: paths.moved.map { PathsMessage.Move(from: $0.from.text, to: $0.to.text) },
            changed: paths.changed.map(\.text),
            modeChanged: paths.modeChanged.map(\.text)
        )
    }

    static func message(_ diff: SnapshotDiff, _ tables: [TableComparison]) -> DiffMessage {
        DiffMessage(
            assets: message(diff.assets),
            code: message(diff.code),
            lockFiles: message(diff.lockFiles),
            facts: diff.facts.map { DiffMessage.Fact(name: $0.name, old: $0.old, new: $0.new) },
            tables: tables
        )
    }
}
