import ArgumentParser
import Datasets
import Features
import Foundation
import Lockstep
import Objects
import Wire

struct Ingest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load files into a source's history.",
        discussion: "An ingest commits whole or not at all; the same files again change nothing."
    )

    @Argument(help: "The source.")
    var source: String
    @Argument(help: "CSV, Parquet or Arrow files.")
    var files: [String] = []
    @Option(help: ArgumentHelp("A file of a snapshot; may be given several times.", valueName: "dataset@n:path"))
    var from: [String] = []
    @Option(help: "csv, parquet or arrow; by the extension where left out.")
    var format: String?
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard files.isEmpty != from.isEmpty else { throw ValidationError("give either files or --from DATASET@N:PATH") }
    }

    func run() async throws {
        let repository = try Repository.find()
        // Keeps the files until the job has read them.
        let lease = try await ObjectLease.writing(repository.client)
        var inputs: [JobRequest.Ingest.Input] = []
        var snapshot: String?
        for path in files {
            guard FileManager.default.fileExists(atPath: path) else { throw UsageError("there is no file '\(path)'") }
            let stored = try await repository.objects(lease).putFile(at: path, encoding: .lz4)
            inputs.append(JobRequest.Ingest.Input(name: path, object: "\(stored.digest)", format: format))
        }
        for text in from {
            guard let colon = text.firstIndex(of: ":") else {
                throw UsageError("'\(text)' is not dataset@n:path; write for example nycflights@1:weather.csv")
            }
            let path = String(text[text.index(after: colon)...])
            let recorded = try await RecordedSnapshot.find(String(text[..<colon]), in: repository)
            let (reference, manifest) = (recorded.reference, recorded.manifest)
            guard snapshot == nil || snapshot == reference else {
                throw UsageError(
                    "all files of one ingest come from one snapshot; \(reference) is another than \(snapshot ?? "")"
                )
            }
            snapshot = reference
            guard let digest = manifest.assets.first(where: { $0.path.text == path })?.digest else {
                let names = manifest.assets.map(\.path.text)
                throw UsageError(
                    "snapshot \(reference) has no '\(path)'\(suggestion(for: path, among: names)) (it has \(names.prefix(20).joined(separator: ", ")))"
                )
            }
            inputs.append(JobRequest.Ingest.Input(name: path, object: "\(digest)", format: format))
        }
        let result = try await repository.client.run(
            .ingest(JobRequest.Ingest(source: source, inputs: inputs, snapshot: snapshot)),
            progress: Terminal.progress
        )
        await lease.close()
        Terminal.endProgress()
        if json { return try Terminal.json(result) }
        guard let segment = result.made.first else { return }
        if segment.isNew {
            let filtered = result.counts["filtered"] ?? 0
            print(
                "\(source): \(result.counts["rows"] ?? 0) rows in segment \(segment.reference)"
                    + (filtered > 0 ? ", \(filtered) left out by the filter" : "")
            )
            print("  \(segment.digest)")
            Terminal.undefined(result.invalid)
        } else {
            print("\(source): these files are already in segment \(segment.reference); nothing changed")
        }
    }
}

struct Fit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Fit a discretizer's edges on sealed history.")

    @Argument(help: "The discretizer.")
    var discretizer: String
    @Option(help: ArgumentHelp("Only history read from this snapshot.", valueName: "dataset@n"))
    var snapshot: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        var resolved: String?
        if let snapshot { resolved = try await Snapshots.version(snapshot, client: repository.client).reference }
        let result = try await repository.client.run(
            .fit(JobRequest.Fit(discretizer: discretizer, snapshot: resolved)),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        if json { return try Terminal.json(result) }
        guard let bins = result.made.first else { return }
        print(
            "\(bins.reference): \(result.counts["bins"] ?? 0) bins from \(result.counts["rows"] ?? 0) values"
                + " (\(result.counts["null"] ?? 0) null, \(result.counts["nan"] ?? 0) NaN)\(bins.isNew ? "" : ", unchanged")"
        )
        print("  \(bins.digest)")
    }
}

struct Materialize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Bring views online.")

    @Argument(help: "Views; all where none is named.")
    var views: [String] = []
    @Option(help: ArgumentHelp("The instant of a replay clock.", valueName: "time"))
    var at: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let result = try await repository.client.run(
            .materialize(JobRequest.Materialize(views: views, at: at)),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        if json { return try Terminal.json(result) }
        let rows = result.counts.filter { $0.key != "rows" }.sorted { $0.key < $1.key }
        Terminal.table(["VIEW", "ENTITIES"], rows.map { [$0.key, "\($0.value)"] })
        Terminal.undefined(result.invalid)
        if let through = result.text {
            print("online through \(through)" + (result.replay.map { " in replay \($0)" } ?? ""))
        }
    }
}

struct MakeLock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Pin everything a feature service needs, by version and digest, in one file."
    )

    @Argument(help: "The feature service.")
    var service: String
    @Option(
        help: ArgumentHelp(
            "A snapshot to pin as well; those that history was read from are pinned anyway.",
            valueName: "dataset@n"
        )
    )
    var dataset: [String] = []
    @Option(name: .shortAndLong, help: "Where to write.")
    var output = "lockstep.lock"
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        // A lock pins numbers: a tag or an alias ends here.
        var datasets: [String] = []
        for text in dataset { datasets.append(try await Snapshots.version(text, client: repository.client).reference) }
        let result = try await repository.client.run(
            .lock(JobRequest.MakeLock(service: service, datasets: datasets)),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        guard let text = result.text, let made = result.made.first else {
            throw UsageError("the service answered without a lock")
        }
        try Files.replace(output, with: Array(text.utf8))
        if json { return try Terminal.json(result) }
        print(
            "\(output): \(result.counts["pins"] ?? 0) pins for \(service), lock \(made.reference)\(made.isNew ? "" : ", unchanged")"
        )
        print("  \(made.digest)")
    }
}
