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
