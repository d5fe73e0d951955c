import ArgumentParser
import Datasets
import Features
import Foundation
import Lockstep
import Objects
import Wire

struct SnapshotGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Immutable versions of files together with code and environment.",
        subcommands: [
            Create.self, ListSnapshots.self, Log.self, ShowSnapshot.self, Diff.self, VerifySnapshot.self,
            CheckoutSnapshot.self, Forget.self,
        ]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
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
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let repository = try Repository.find()
            let lease = try await ObjectLease.writing(repository.client)
            let objects = repository.objects(lease)
            let manifest = try await SnapshotBuilder.capture(
                paths: paths,
                code: code,
                variables: variable,
                into: objects
            ) { progress in
                Terminal.progress("storing files", progress.filesDone, progress.filesTotal)
            }
            let object = try await objects.put(manifest.canonicalJSON, encoding: .raw)
            let made = try await repository.client.post(
                repository.client.projectPath("snapshots"),
                SnapshotRequest(dataset: dataset, manifest: "\(object)"),
                as: RecordedVersion.self
            )
            await lease.close()
            Terminal.endProgress()
            if json { return try Terminal.json(made) }
            let codeCount = manifest.code.map { code in
                let states = Dictionary(grouping: code.files, by: \.state).mapValues(\.count)
                let list = states.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
                return ", code: \(list.joined(separator: ", "))"
            }
            print(
                "\(made.reference): \(manifest.assets.count) files, \(manifest.assetSize) bytes\(codeCount ?? "")"
                    + (made.isNew ? "" : " (unchanged)")
            )
            print("  \(made.digest)")
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

        @Argument(help: "dataset or dataset@n.")
        var reference: String
        @Flag(help: "Print the manifest.")
        var json = false

        func run() async throws {
            let (reference, manifest) = try await Snapshots.manifest(reference, in: try Repository.find())
            if json { return print(String(decoding: manifest.canonicalJSON, as: UTF8.self)) }
            print("snapshot \(reference)  \(manifest.digest)")
            Terminal.table(
                ["FILE", "BYTES", "MODE", "DIGEST"],
                manifest.assets.map { [$0.path.text, "\($0.size)", $0.mode.rawValue, short("\($0.digest)")] }
            )
            if let code = manifest.code {
                print("code at \(code.commit ?? "no commit")\(code.diff == nil ? "" : ", with uncommitted changes")")
                for file in code.files { print("  \(file.state.rawValue)  \(file.path.text)") }
            }
            print(
                "environment \(manifest.environment.operatingSystem ?? "unknown"), \(manifest.environment.architecture)"
            )
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Compare two snapshots.")

        @Argument(help: "The older one.")
        var old: String
        @Argument(help: "The newer one.")
        var new: String

        func run() async throws {
            let repository = try Repository.find()
            let (oldReference, oldManifest) = try await Snapshots.manifest(old, in: repository)
            let (newReference, newManifest) = try await Snapshots.manifest(new, in: repository)
            let diff = SnapshotDiff(from: oldManifest, to: newManifest)
            print("\(oldReference) -> \(newReference)")
            for (part, paths) in [("file", diff.assets), ("code", diff.code), ("lock file", diff.lockFiles)] {
                for path in paths.added { print("+ \(part) \(path.text)") }
                for path in paths.removed { print("- \(part) \(path.text)") }
                for path in paths.changed { print("~ \(part) \(path.text)") }
            }
            for fact in diff.facts { print("~ \(fact.name): \(fact.old ?? "none") -> \(fact.new ?? "none")") }
            if diff.isEmpty { print("no difference") }
        }
    }

    struct VerifySnapshot: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Read every object of a snapshot in the service's store and check its digest."
        )

        @Argument(help: "dataset or dataset@n.")
        var reference: String

        func run() async throws {
            let repository = try Repository.find()
            let (reference, manifest) = try await Snapshots.manifest(reference, in: repository)
            let lease = try await ObjectLease.reading(reference, repository.client)
            let verification = try await SnapshotVerification.run(manifest, in: repository.objects)
            await lease.close()
            // What was destroyed on purpose is no damage: the snapshot is what it says, without that.
            let erased = try await Erased(repository.client)
            var problems = verification.problems
            for problem in problems {
                if let reason = erased.reason(problem.digest) { print("\(problem.path): \(reason)") }
            }
            problems.removeAll { erased.reason($0.digest) != nil }
            for problem in problems { Terminal.error("\(problem.path): \(problem.message)") }
            guard problems.isEmpty else {
                Terminal.error("\(reference): \(problems.count) problems in \(verification.objects) objects")
                throw CheckFailed()
            }
            let lost = verification.problems.count
            print("\(reference): \(verification.objects) objects verified\(lost > 0 ? ", \(lost) of them erased" : "")")
        }
    }

    struct CheckoutSnapshot: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "checkout",
            abstract: "Write a snapshot's files to a directory, whole or not at all."
        )

        @Argument(help: "dataset or dataset@n.")
        var reference: String
        @Argument(help: "A directory that does not exist or is empty.")
        var directory: String
        @Flag(help: "Write the code instead of the files.")
        var code = false
        @Flag(help: "Replace what the directory holds.")
        var overwrite = false
        @Flag(help: "Leave out files that were erased, instead of refusing.")
        var skipErased = false

        func run() async throws {
            let repository = try Repository.find()
            var (reference, manifest) = try await Snapshots.manifest(reference, in: repository)
            let lease = try await ObjectLease.reading(reference, repository.client)
            let erased = try await Erased(repository.client)
            for file in erased.files(of: manifest) { Terminal.error("\(reference): \(file)") }
            if !erased.files(of: manifest).isEmpty {
                guard skipErased else {
                    throw ClientError.refused(
                        Problem(
                            type: "erased",
                            title: "Erased",
                            status: 410,
                            detail:
                                "snapshot \(reference) has files that were erased; give --skip-erased to leave them out"
                        )
                    )
                }
                manifest = try erased.remaining(manifest)
            }
            try await Checkout.write(
                manifest,
                from: repository.objects,
                to: directory,
                part: code ? .code : .assets,
                overwrite: overwrite
            )
            await lease.close()
            print(
                "\(reference) -> \(directory): \(code ? manifest.code?.files.count ?? 0 : manifest.assets.count) files"
            )
        }
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

    /// A snapshot's manifest, its identity checked.
    static func manifest(_ text: String, in repository: Repository) async throws -> (String, SnapshotManifest) {
        let version = try await version(text, client: repository.client)
        guard let object = version.object.flatMap({ Digest($0) }), let digest = Digest(version.digest) else {
            throw UsageError("the service names no manifest for snapshot \(text)")
        }
        let manifest = try SnapshotManifest(json: try await repository.objects.get(object), expecting: digest)
        return (version.reference, manifest)
    }
}
