import ArgumentParser
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import NIOHTTP1
import Objects
import Wire

struct CheckoutSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkout",
        abstract: "Write a snapshot's files to a directory, whole or not at all.",
        discussion: """
            Files are verified, written beside the directory, and take its place in one step. --link=reflink,copy makes \
            clones where the file system can. --link=hardlink,copy makes names of read-only files in the repository's cache, \
            which is no part of the store.

            Into a directory that is not empty nothing is written, unless paths are named that it does not have. With \
            --overwrite, the paths named are replaced, or without any the directory with everything in it.
            """
    )

    @Argument(help: "dataset, dataset@n or dataset@tag.")
    var reference: String
    @Argument(help: "The directory to write to.")
    var directory: String
    @Argument(help: "Paths and globs of what to write; all where left out.")
    var selection: [String] = []
    @Option(help: "How files are made, in order of preference: reflink, hardlink, copy.")
    var link = "copy"
    @Flag(help: "Write the code instead of the files.")
    var code = false
    @Flag(help: "Replace the paths named, or the whole directory: what is not in the snapshot is deleted.")
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
        let (snapshot, lease) = try await RecordedSnapshot.reading(reference, in: repository)
        let manifest = try await withoutErased(snapshot, options, repository.client)
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
    /// - Throws: the service's refusal of the first erased file, unless erased files are to be left out.
    private func withoutErased(
        _ snapshot: RecordedSnapshot,
        _ options: Checkout.Options,
        _ client: Client
    ) async throws -> SnapshotManifest {
        let erased = try await Erased(client)
        let wanted = Set(try Checkout.references(of: snapshot.manifest, options).map(\.digest))
        let gone = wanted.sorted().first { erased.reason($0) != nil }
        guard let gone else { return snapshot.manifest }
        for file in erased.files(of: snapshot.manifest) { Terminal.error("\(snapshot.reference): \(file)") }
        if !skipErased {
            Terminal.error("\(snapshot.reference) is not whole any more; give --skip-erased to check out the rest")
            // Whether it may be had is the service's to say.
            _ = try await client.send(.GET, "/v1/objects/\(gone)")
        }
        return try erased.remaining(snapshot.manifest)
    }
}
