import ArgumentParser
import Datasets
import Features
import Formats
import Foundation
import Lockstep
import Objects
import Wire

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
        let (snapshot, lease) = try await RecordedSnapshot.reading(reference, in: repository)
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
