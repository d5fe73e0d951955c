import ArgumentParser
import Features
import Foundation
import Lockstep
import Wire

struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what applying the definitions would change.",
        discussion: "Ends with 1 under --check when anything would change."
    )

    @Argument(help: "A file or directory; features/ beside lockstep.yaml where left out.")
    var path: String?
    @Flag(help: "Fail when the catalog differs from the files.")
    var check = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let changes = try await Definitions.send("plan", path: path)
        if json { try Terminal.json(changes) } else { Definitions.show(changes, isPlan: true) }
        if check, changes.changes.contains(where: { $0.action != "unchanged" }) { throw CheckFailed() }
    }
}

struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make the catalog hold the definitions.")

    @Argument(help: "A file or directory; features/ beside lockstep.yaml where left out.")
    var path: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let changes = try await Definitions.send("apply", path: path)
        if json { try Terminal.json(changes) } else { Definitions.show(changes, isPlan: false) }
    }
}

enum Definitions {
    static func send(_ verb: String, path: String?) async throws -> ApplyResponse {
        let repository = try Repository.find()
        let files = try repository.definitionFiles(path).map { ApplyRequest.File(path: $0.path, text: $0.text) }
        return try await repository.client.post(
            repository.client.projectPath(verb),
            ApplyRequest(files: files),
            as: ApplyResponse.self
        )
    }

    static func show(_ response: ApplyResponse, isPlan: Bool) {
        for change in response.changes where change.action != "unchanged" {
            let reference = "\(change.name)@\(change.number)"
            switch change.action {
            case "create": print("+ \(change.kind) \(reference)  \(short(change.digest))")
            case "newVersion": print("~ \(change.kind) \(reference)  \(short(change.digest))  a new version")
            case "revert": print("~ \(change.kind) \(reference)  \(short(change.digest))  an older version again")
            default: print("  \(change.kind) \(reference)  edited in place")
            }
            for line in change.differences { print("    \(line)") }
        }
        let changed = response.changes.count { $0.action != "unchanged" }
        let unchanged = response.changes.count - changed
        if changed == 0 {
            print("\(unchanged) definitions, nothing \(isPlan ? "would change" : "changed")")
        } else {
            print("\(changed) \(isPlan ? "would change" : "changed"), \(unchanged) unchanged")
        }
    }
}

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the current version of everything of a kind.")

    @Argument(help: "entity, source, view, discretizer, bins, space, embeddings, service, snapshot, segment or lock.")
    var kind: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let list = try await client.get(client.projectPath("versions/\(kind)"), as: VersionList.self)
        if json { return try Terminal.json(list) }
        Terminal.table(
            ["REFERENCE", "DIGEST", "CREATED", "OWNER"],
            list.versions.map { [$0.reference, short($0.digest), $0.createdAt, $0.owner ?? ""] }
        )
    }
}

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one version and what it uses.")

    @Argument(
        help: ArgumentHelp(
            "name or name@number, after its kind where several kinds have the name.",
            valueName: "reference"
        )
    )
    var words: [String]
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let (kind, reference) = try await Named.find(words, client: client)
        let version = try await client.get(client.projectPath("versions/\(kind)/\(reference)"), as: VersionMessage.self)
        if json { return try Terminal.json(version) }
        print("\(version.kind) \(version.reference)")
        print("digest   \(version.digest)")
        if let object = version.object { print("object   \(object)") }
        print("created  \(version.createdAt)")
        if let owner = version.owner, !owner.isEmpty { print("owner    \(owner)") }
        if let description = version.description, !description.isEmpty { print("about    \(description)") }
        for use in version.uses ?? [] { print("uses     \(use.kind) \(use.reference)  \(short(use.digest))") }
        print(version.document)
    }
}

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all versions of a name, oldest first.")

    @Argument(help: ArgumentHelp("A name, after its kind where several kinds have it.", valueName: "name"))
    var words: [String]
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try Repository.find().client
        let (kind, name) = try await Named.find(words, client: client)
        let list = try await client.get(client.projectPath("versions/\(kind)/\(name)/history"), as: VersionList.self)
        if json { return try Terminal.json(list) }
        Terminal.table(
            ["REFERENCE", "DIGEST", "CREATED"],
            list.versions.map { [$0.reference, $0.digest, $0.createdAt] }
        )
    }
}

/// Finds what a user means by `REFERENCE`, by `KIND REFERENCE` or by `KIND:REFERENCE`.
enum Named {
    static func find(_ words: [String], client: Client) async throws -> (kind: String, reference: String) {
        guard words.count == 1, let reference = words.first else {
            guard words.count == 2 else { throw UsageError("give a name, or a kind and a name") }
            return (words[0], words[1])
        }
        let parts = reference.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, let kind = Kind(word: String(parts[0])), LabelledReference(String(parts[1])) != nil {
            return (kind.rawValue, String(parts[1]))
        }
        guard LabelledReference(reference) != nil else {
            throw UsageError("'\(reference)' is not a reference; write name or name@number")
        }
        var kinds: [String] = []
        for kind in Kind.allCases {
            do {
                let path = client.projectPath("versions/\(kind.rawValue)/\(reference)")
                _ = try await client.get(path, as: VersionMessage.self)
                kinds.append(kind.rawValue)
            } catch ClientError.refused(let problem)
                where problem.status == 404 && problem.detail.contains(kind.rawValue)
            {
                continue
            }
        }
        switch kinds.count {
        case 0: throw UsageError("nothing is called '\(reference)'; 'lockstep list KIND' says what there is")
        case 1: return (kinds[0], reference)
        default:
            throw UsageError(
                "'\(reference)' is the name of several kinds: \(kinds.joined(separator: ", ")); say which, as in 'lockstep show \(kinds[0]) \(reference)'"
            )
        }
    }
}
