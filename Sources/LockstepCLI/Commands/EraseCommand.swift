import ArgumentParser
import Datasets
import Features
import Foundation
import Lockstep
import Objects
import Wire

struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Destroy the content of one file in every snapshot of the project, for good.",
        discussion: """
            The digest, the reason and who asked are kept; the bytes are not, in whatever snapshot and under whatever path \
            they stand. Snapshots keep their identity and verify: an erased file is told from a damaged one. Content that \
            was erased is not taken again. What was made from the snapshots is listed, to be made anew. Copies outside the \
            service's store, as in other machines' caches and checkouts, are not reached.

              lockstep erase flights@3:people.csv --reason 'request 812 under article 17'
            """
    )

    @Argument(help: ArgumentHelp("A file of a snapshot.", valueName: "dataset@n:path"))
    var file: String
    @Option(help: "Why; kept for good.")
    var reason: String
    @Option(help: "Who asks; the user where left out.")
    var actor: String?
    @Flag(help: "Only list what would be erased, and what was made from it.")
    var dryRun = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let text = file.hasPrefix("snapshot:") ? String(file.dropFirst("snapshot:".count)) : file
        guard let colon = text.firstIndex(of: ":") else {
            throw UsageError("'\(file)' is not dataset@n:path; write for example flights@1:people.csv")
        }
        let path = String(text[text.index(after: colon)...])
        let repository = try Repository.find()
        let recorded = try await RecordedSnapshot.find(String(text[..<colon]), in: repository)
        let (reference, manifest) = (recorded.reference, recorded.manifest)
        let content: Digest? = manifest.assets.first { "\($0.path)" == path }?.digest
        guard let content else {
            let names = manifest.assets.map { "\($0.path)" }
            throw UsageError(
                "snapshot \(reference) has no '\(path)'\(suggestion(for: path, among: names)) (it has \(names.prefix(20).joined(separator: ", ")))"
            )
        }
        let result = try await repository.client.run(
            .erase(
                JobRequest.Erase(
                    digest: "\(content)",
                    reason: reason,
                    actor: actor ?? NSUserName(),
                    isDryRun: dryRun
                )
            ),
            progress: Terminal.progress
        )
        Terminal.endProgress()
        guard let report = result.text else { throw UsageError("the service answered without a report") }
        if !dryRun { try await removeCached(content, repository) }
        if json { return print(report) }
        let erasure = try WireCoding.decode(ErasureReport.self, from: Array(report.utf8))
        print("\(erasure.digest) \(dryRun ? "would be erased" : "is erased") from")
        for place in erasure.places { print("  \(place)") }
        print(
            erasure.derived.isEmpty
                ? "nothing was made from these snapshots" : "made from these snapshots, and to be made anew:"
        )
        for derived in erasure.derived { print("  \(derived.kind) \(derived.reference)") }
    }
}

extension Erase {
    /// Removes from this repository's caches what may hold a content; all of it can be fetched again.
    private func removeCached(_ content: Digest, _ repository: Repository) async throws {
        try Checkout.forget(content, in: repository.state + "/snapshots/files")
        let cache = LocalObjectStore(directory: repository.state + "/cache")
        try await cache.delete(content)
        // Its chunks may be in any pack.
        try await cache.forEachObject { object in
            if try await PackIndex.isPack(object.digest, in: cache) { try await cache.delete(object.digest) }
        }
    }
}

/// What was erased, as a command meets it.
struct Erased {
    /// Who erased a content, when and why.
    let reasons: [Digest: String]

    init(_ client: Client) async throws {
        let list = try await client.get("/v1/tombstones", as: TombstoneList.self)
        var reasons: [Digest: String] = [:]
        for tombstone in list.tombstones {
            guard let digest = Digest(tombstone.digest) else { continue }
            reasons[digest] = "erased by \(tombstone.actor) at \(tombstone.erasedAt): \(tombstone.reason)"
        }
        self.reasons = reasons
    }

    /// Why a content is not there any more; `nil` where it was not erased.
    func reason(_ digest: Digest?) -> String? { digest.flatMap { reasons[$0] } }

    /// What to say of each file of a snapshot that was erased.
    func files(of manifest: SnapshotManifest) -> [String] {
        manifest.assets.compactMap { asset in reason(asset.digest).map { "\(asset.path): \($0)" } }
    }

    /// The snapshot without the files that were erased.
    func remaining(_ manifest: SnapshotManifest) throws -> SnapshotManifest {
        try SnapshotManifest(
            assets: manifest.assets.filter { reason($0.digest) == nil },
            code: manifest.code,
            environment: manifest.environment,
            parents: manifest.parents,
            format: manifest.format
        )
    }
}
