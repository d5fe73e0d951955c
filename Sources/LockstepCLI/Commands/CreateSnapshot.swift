import ArgumentParser
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Wire

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
        var wanted = SnapshotRequirements(paths: paths, code: code)
        wanted.ignoreRoot = repository.directory
        wanted.variables = variable
        wanted.allowedSecrets = allowSecret
        wanted.readsEverything = noCache
        for text in parent {
            wanted.parents.append(try await RecordedSnapshot.find(text, in: repository).manifest.digest)
        }
        let lease = try await ObjectLease.writing(repository.client)
        try await lease.ending {
            let (service, known) = try await SnapshotService.open(repository, dataset: dataset, pinning: lease)
            defer { service.close() }
            wanted.cache = service.state
            try await Self.record(wanted, dataset, service, known, repository, json: json)
        }
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
        var wanted = wanted
        wanted.erased = try await Erased(repository.client).reasons
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
