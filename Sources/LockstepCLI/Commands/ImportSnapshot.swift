import ArgumentParser
import Datasets
import Foundation
import Lockstep

struct ImportSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a snapshot of what DVC or git-lfs tracks in a directory.",
        discussion: """
            Reads .dvc files, dvc.lock, DVC's cache and git-lfs pointers and objects; neither tool need be installed. Every \
            file is verified against the digest that its tool has of it. Each is copied once on the way.
            """
    )

    @Argument(help: "The dataset.")
    var dataset: String
    @Argument(help: "The directory.")
    var directory: String
    @Option(help: "DVC's cache, where it is not .dvc/cache.")
    var cache: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let repository = try Repository.find()
        let tracked = try TrackedFiles(in: directory, cache: cache)
        let lease = try await ObjectLease.writing(repository.client)
        try await lease.ending {
            let (service, known) = try await SnapshotService.open(repository, dataset: dataset, pinning: lease)
            defer { service.close() }
            let staging = "\(service.scratch.path)/import"
            try await ImportedFiles.stage(tracked.files, in: staging)
            let wanted = SnapshotRequirements(paths: [staging])
            try await CreateSnapshot.record(wanted, dataset, service, known, repository, json: json)
        }
    }
}
