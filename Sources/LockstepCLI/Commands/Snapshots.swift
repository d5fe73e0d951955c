import ArgumentParser
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Wire

struct SnapshotGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Immutable versions of files together with code and environment.",
        subcommands: [
            CreateSnapshot.self, SnapshotStatusCommand.self, ListSnapshots.self, Log.self, ShowSnapshot.self,
            DiffSnapshots.self, VerifySnapshot.self, CheckoutSnapshot.self, Forget.self, ImportSnapshot.self,
        ]
    )
}

struct CreateSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a version of files, of the code beside them and of the environment."
    )

    @Argument(help: "The dataset.")
    var dataset: String
    @Argument(help: "Files and directories.")
    var paths: [String]
    @Option(help: "The directory of the code that belongs to the data.")
    var code: String?
    @Option(help: ArgumentHelp("An environment variable to record; may be given several times.", valueName: "name"))
    var variable: [String] = []
    @Option(
        help: ArgumentHelp("A snapshot this one was made from; may be given several times.", valueName: "dataset@n")
    )
    var parent: [String] = []
    @Option(
        help: ArgumentHelp(
            "A file of the code that may be stored though it looks as if it held a secret; may be given several times.",
            valueName: "path"
        )
    )
    var allowSecret: [String] = []
    @Flag(help: "Read every file, whatever is known of it from before.")
    var noCache = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let lease = try await ObjectLease.writing(repository.client)
        let (service, known) = try await SnapshotService.open(repository, dataset: dataset, pinning: lease)
        defer { service.close() }
        var wanted = SnapshotRequirements(paths: paths, code: code)
        wanted.variables = variable
        wanted.allowedSecrets = allowSecret
        wanted.cache = service.state
        wanted.readsEverything = noCache
        for text in parent {
            wanted.parents.append(try await RecordedSnapshot.find(text, in: repository).manifest.digest)
        }
        try await Self.record(wanted, dataset, service, known, repository, json: json)
        await lease.close()
    }

    /// Captures, records and tells.
    static func record(
        _ wanted: SnapshotRequirements,
        _ dataset: String,
        _ service: SnapshotService,
        _ known: [PackReference],
        _ repository: Repository,
        json: Bool
    ) async throws {
        let catalog = try await PackCatalog(known, from: service)
        let captured = try await SnapshotBuilder.capture(wanted, known: catalog, into: service) { progress in
            Terminal.progress("storing files", progress.filesDone, progress.filesTotal)
        }
        let manifest = captured.manifest
        let object = try await service.objects.put(manifest.canonicalJSON, encoding: .raw)
        let made = try await repository.client.post(
            repository.client.projectPath("snapshots"),
            SnapshotRequest(
                dataset: dataset,
                manifest: "\(object)",
                packs: captured.packs.map { PackMessage(digest: "\($0.digest)", size: $0.size) }
            ),
            as: RecordedVersion.self
        )
        Terminal.endProgress()
        if json { return try Terminal.json(made) }
        let stored = captured.newPacks.reduce(0) { $0 + $1.size }
        print(
            "\(made.reference): \(manifest.assets.count) files, \(manifest.assetSize) bytes\(Self.codeCount(manifest))"
                + (made.isNew ? ", \(stored) bytes stored" : " (unchanged)")
        )
        print("  \(made.digest)")
        if let unpushed = manifest.code?.unpushed {
            let place =
                unpushed.bundle == nil ? "and are too large to be stored with the snapshot" : "and are stored with it"
            print("  \(unpushed.commits) commits of the code are on no remote, \(place)")
        }
    }

    private static func codeCount(_ manifest: SnapshotManifest) -> String {
        guard let code = manifest.code else { return "" }
        let states = Dictionary(grouping: code.files, by: \.state).mapValues(\.count)
        let list = states.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        return ", code: \(list.joined(separator: ", "))"
    }
}

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

struct ListSnapshots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the versions of a dataset."
    )

    @Argument(help: "The dataset.")
    var dataset: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let list = try await client.get(
            client.projectPath("versions/snapshot/\(dataset)/history"),
            as: VersionList.self
        )
        if json { return try Terminal.json(list) }
        Terminal.table(
            ["REFERENCE", "DIGEST", "CREATED"],
            list.versions.map { [$0.reference, $0.digest, $0.createdAt] }
        )
    }
}

struct ShowSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a snapshot holds.")

    @Argument(help: "dataset, dataset@n or dataset@tag.")
    var reference: String
    @Flag(help: "Show the packs that hold the files instead.")
    var packs = false
    @Flag(help: "Print the manifest.")
    var json = false

    func run() async throws {
        let snapshot = try await RecordedSnapshot.find(reference, in: try Repository.find())
        let manifest = snapshot.manifest
        if packs {
            return Terminal.table(["PACK", "BYTES"], snapshot.packs.map { ["\($0.digest)", "\($0.size)"] })
        }
        if json {
            FileHandle.standardOutput.write(Data(manifest.canonicalJSON))
            return
        }
        print("snapshot \(snapshot.reference)  \(manifest.digest)  \(snapshot.createdAt)")
        for parent in manifest.parents { print("made from \(parent)") }
        Terminal.table(
            ["FILE", "BYTES", "MODE", "DIGEST"],
            manifest.assets.map { asset in
                switch asset.content {
                case .file(let mode, let object):
                    [asset.path.text, "\(object.size)", "\(mode)", short("\(object.digest)")]
                case .symbolicLink(let target):
                    [asset.path.text + " -> " + String(decoding: target, as: UTF8.self), "", "link", ""]
                case .directory(let mode): [asset.path.text + "/", "", "\(mode)", ""]
                }
            }
        )
        if let code = manifest.code {
            print("code at \(code.commit ?? "no commit")\(code.diff == nil ? "" : ", with uncommitted changes")")
            if let unpushed = code.unpushed { print("\(unpushed.commits) of its commits were on no remote") }
            for file in code.files { print("  \(file.state.rawValue)  \(file.path.text)") }
            for submodule in code.submodules { print("  submodule  \(submodule.path.text) at \(submodule.commit)") }
        }
        print(
            "environment \(manifest.environment.operatingSystem ?? "unknown"), \(manifest.environment.architecture)"
        )
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
        let first = try await RecordedSnapshot.find(old, in: repository)
        let second = try await RecordedSnapshot.find(new, in: repository)
        let diff = SnapshotDiff(from: first.manifest, to: second.manifest)
        let compared = tables || !key.isEmpty ? try await compare(diff.assets.changed, first, second, repository) : []
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

struct VerifySnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every pack of a snapshot in the service's store and check every digest.",
        discussion: """
            With --budget, reads the packs of all snapshots of a dataset until the budget is used up; the next time goes on \
            where this one stopped.
            """
    )

    @Argument(help: "dataset, dataset@n or dataset@tag.")
    var reference: String
    @Option(help: ArgumentHelp("How long, or how many bytes.", valueName: "30s, 10m, 2h, 500MB or 4GiB"))
    var budget: String?

    func run() async throws {
        let repository = try Repository.find()
        if let budget { return try await Scrub(reference, try ScrubBudget(budget), repository).run() }
        let snapshot = try await RecordedSnapshot.find(reference, in: repository)
        let lease = try await ObjectLease.reading(snapshot.reference, repository.client)
        let (service, _) = try await SnapshotService.open(repository, dataset: snapshot.dataset)
        defer { service.close() }
        let verification = try await SnapshotVerification.run(
            snapshot.manifest,
            packs: snapshot.packs,
            from: FreshPacks(service: service),
            objects: service.objects
        )
        await lease.close()
        // What was destroyed on purpose is no damage: the snapshot is what it says, without that.
        let erased = try await Erased(repository.client)
        let gone = erased.files(of: snapshot.manifest)
        for file in gone { print("\(snapshot.reference): \(file)") }
        let problems = verification.problems.filter { problem in erased.reason(problem.digest) == nil }
        for problem in problems { Terminal.error("\(problem)") }
        for problem in verification.packProblems { Terminal.error("pack \(problem.pack): \(problem.message)") }
        guard problems.isEmpty, verification.packProblems.isEmpty else {
            Terminal.error(
                "\(snapshot.reference): \(problems.count) files and \(verification.packProblems.count) packs "
                    + "damaged of \(verification.contents) contents"
            )
            throw CheckFailed()
        }
        print(
            "\(snapshot.reference): \(verification.contents) contents in \(snapshot.packs.count) packs, "
                + "\(verification.bytes) bytes, verified\(gone.isEmpty ? "" : ", \(gone.count) files erased")"
        )
    }
}

struct CheckoutSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkout",
        abstract: "Write a snapshot's files to a directory, whole or not at all.",
        discussion: """
            Files are verified, written beside the directory, and take its place in one step. --link=reflink,copy makes \
            clones where the file system can. --link=hardlink,copy makes names of read-only files in the repository's cache, \
            which is no part of the store.
            """
    )

    @Argument(help: "dataset, dataset@n or dataset@tag.")
    var reference: String
    @Argument(help: "A directory that does not exist or is empty.")
    var directory: String
    @Argument(help: "Paths and globs of what to write; all where left out.")
    var selection: [String] = []
    @Option(help: "How files are made, in order of preference: reflink, hardlink, copy.")
    var link = "copy"
    @Flag(help: "Write the code instead of the files.")
    var code = false
    @Flag(help: "Replace what the directory holds.")
    var overwrite = false
    @Flag(help: "Leave out files that were erased, instead of refusing.")
    var skipErased = false

    func run() async throws {
        var options = Checkout.Options()
        options.ways = try link.split(separator: ",").map { word in
            guard let way = FileWay(rawValue: String(word)) else {
                throw UsageError("'\(word)' is no way to make a file; use reflink, hardlink or copy")
            }
            return way
        }
        options.part = code ? .code : .assets
        options.overwrite = overwrite
        options.selection = selection
        let repository = try Repository.find()
        let snapshot = try await RecordedSnapshot.find(reference, in: repository)
        let lease = try await ObjectLease.reading(snapshot.reference, repository.client)
        let manifest = try await withoutErased(snapshot, repository.client)
        let (service, _) = try await SnapshotService.open(repository, dataset: snapshot.dataset)
        defer { service.close() }
        if options.ways.contains(where: { $0 != .copy }) { options.cache = service.state + "/files" }
        let contents = try await SnapshotContents.open(
            manifest,
            packs: snapshot.packs,
            from: service,
            objects: service.objects,
            references: try Checkout.references(of: manifest, options)
        )
        let outcome = try await Checkout.write(manifest, contents, to: directory, options)
        await lease.close()
        let ways = outcome.ways.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) by \($0.key.rawValue)" }
        print(
            "\(snapshot.reference) -> \(directory): \(outcome.files) files, \(outcome.bytes) bytes"
                + (ways.isEmpty ? "" : " (\(ways.joined(separator: ", ")))")
        )
    }

    /// The snapshot's manifest without what was erased.
    ///
    /// - Throws: 410 with the reasons, unless erased files are to be left out.
    private func withoutErased(_ snapshot: RecordedSnapshot, _ client: Client) async throws -> SnapshotManifest {
        let erased = try await Erased(client)
        let gone = erased.files(of: snapshot.manifest)
        guard !gone.isEmpty else { return snapshot.manifest }
        for file in gone { Terminal.error("\(snapshot.reference): \(file)") }
        guard skipErased else {
            throw ClientError.refused(
                Problem(
                    type: "erased",
                    title: "Erased",
                    status: 410,
                    detail: "snapshot \(snapshot.reference) has files that were erased: \(gone.joined(separator: "; "))"
                        + "; give --skip-erased to leave them out"
                )
            )
        }
        return try erased.remaining(snapshot.manifest)
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

enum Snapshots {
    static func reference(_ text: String) throws -> LabelledReference {
        guard let reference = LabelledReference(text) else {
            throw UsageError("'\(text)' is not a snapshot; write dataset, dataset@n or dataset@tag")
        }
        return reference
    }

    /// The version that a reference means; says which where a tag or an alias was given.
    static func version(_ text: String, client: Client) async throws -> VersionMessage {
        let reference = try reference(text)
        let version = try await client.get(
            client.projectPath("versions/snapshot/\(reference)"),
            as: VersionMessage.self
        )
        if case .label = reference.selector { Terminal.error("\(reference) is \(version.reference)") }
        return version
    }
}
