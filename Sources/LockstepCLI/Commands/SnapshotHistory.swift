import ArgumentParser
import Features
import Lockstep
import Wire

extension SnapshotGroup {
    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the versions of a dataset, newest first, with parents, size, tags and aliases."
        )

        @Argument(help: "The dataset.")
        var dataset: String
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try Repository.find().client
            let log = try await client.get(client.projectPath("datasets/\(dataset)/log"), as: DatasetLog.self)
            if json { return try Terminal.json(log) }
            Terminal.table(
                ["REFERENCE", "CREATED", "FILES", "BYTES", "PARENTS", "TAGS", "ALIASES", "DIGEST"],
                log.entries.map { entry in
                    [
                        entry.reference, entry.createdAt, "\(entry.files)", "\(entry.bytes)",
                        entry.parents.map { $0.hasPrefix("sha256:") ? short($0) : $0 }.joined(separator: " "),
                        entry.tags.joined(separator: " "), entry.aliases.joined(separator: " "), short(entry.digest),
                    ]
                }
            )
            if !log.forgotten.isEmpty { print("forgotten: \(log.forgotten.joined(separator: ", "))") }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the records of snapshots that are not worth keeping; never a byte, which gc does.",
            discussion: """
                With a version, that one goes, and the command is refused where a tag or an alias names it or anything uses \
                it. With a dataset, every version goes that no rule keeps, nothing names and nothing uses. At least one \
                rule is needed.

                  lockstep snapshot forget flights@3
                  lockstep snapshot forget flights --keep-last 10 --keep-within 30d --dry-run
                """
        )

        @Argument(help: "dataset@n, or a dataset with rules.")
        var reference: String
        @Option(help: "Keep the newest so many.")
        var keepLast: Int?
        @Option(help: ArgumentHelp("Keep those made so long before the newest, as 30d or 12h.", valueName: "time"))
        var keepWithin: String?
        @Flag(help: "Keep those with a tag; alone, forget everything else.")
        var keepTagged = false
        @Flag(help: "Only print what would go and why each of the others stays.")
        var dryRun = false
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let named = try Snapshots.reference(reference)
            let client = try Repository.find().client
            var number: Int?
            switch named.selector {
            case .newest: break
            case .number(let given): number = given
            case .label:
                throw UsageError(
                    "'\(reference)' has a tag or an alias, which keeps it; delete that first, or give a number"
                )
            }
            let answer = try await client.post(
                client.projectPath("datasets/\(named.name)/forget"),
                ForgetRequest(
                    number: number,
                    keepLast: keepLast,
                    keepWithin: keepWithin,
                    keepTagged: keepTagged,
                    isDryRun: dryRun
                ),
                as: ForgetResponse.self
            )
            if json { return try Terminal.json(answer) }
            for decision in answer.decisions {
                if decision.isForgotten {
                    print("- \(decision.reference)  \(short(decision.digest))  \(dryRun ? "would be " : "")forgotten")
                } else {
                    print("  \(decision.reference)  kept: \(decision.reasons.joined(separator: "; "))")
                }
            }
            let count = answer.decisions.count(where: \.isForgotten)
            let done = dryRun ? "would be forgotten" : "forgotten; 'lockstep gc' gives back their space"
            print(count == 0 ? "nothing to forget" : "\(count) of \(answer.decisions.count) \(done)")
        }
    }
}

struct Tag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Name a snapshot for good.",
        discussion: """
            A tag never moves, and what has one is not forgotten. 'dataset@tag' then means that snapshot wherever a \
            command takes one.

              lockstep tag flights@3 golden
              lockstep tag flights --list
              lockstep tag flights golden --delete
            """
    )

    @OptionGroup var options: LabelOptions

    func run() async throws { try await options.run("tag") }
}

struct Alias: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a snapshot a name that may move to another one later.",
        discussion: """
            Where an alias was is kept: --history prints it. While an alias names a snapshot, it is not forgotten.

              lockstep alias flights@4 production
              lockstep alias flights --list
              lockstep alias flights production --history
            """
    )

    @OptionGroup var options: LabelOptions

    func run() async throws { try await options.run("alias") }
}

/// What `tag` and `alias` have in common.
struct LabelOptions: ParsableArguments {
    @Argument(help: "dataset or dataset@n; for --list, --history and --delete the dataset.")
    var reference: String
    @Argument(help: "The name.")
    var name: String?
    @Flag(help: "Delete the name; its history stays.")
    var delete = false
    @Flag(help: "Print the names there are.")
    var list = false
    @Flag(help: "Print what was ever set, moved and deleted.")
    var history = false
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard [delete, list, history].count(where: { $0 }) <= 1 else {
            throw ValidationError("give one of --delete, --list and --history")
        }
        guard name != nil || list || history else { throw ValidationError("give the name, or --list") }
    }

    func run(_ kind: String) async throws {
        let named = try Snapshots.reference(reference)
        let client = try Repository.find().client
        let path = client.projectPath("datasets/\(named.name)/labels")
        if list || history { return try await show(client, path, kind) }
        guard let name else { return }
        if delete {
            // A name that could not be one would be another path.
            guard isLabel(name) else { throw UsageError("'\(name)' cannot be a \(kind)") }
            let gone = try await client.delete("\(path)/\(kind)/\(name)", as: LabelMessage.self)
            if json { return try Terminal.json(gone) }
            return print("\(kind) '\(name)' of \(gone.reference) is deleted")
        }
        let set = try await client.post(
            path,
            LabelRequest(name: name, kind: kind, reference: "\(named)"),
            as: LabelMessage.self
        )
        if json { return try Terminal.json(set) }
        let was = set.previous.map { $0 == set.reference ? " (unchanged)" : " (was \($0))" } ?? ""
        print("\(named.name)@\(name) is \(set.reference)\(was)")
        print("  \(set.digest)")
    }

    private func show(_ client: Client, _ path: String, _ kind: String) async throws {
        let all = try await client.get(history ? path + "/history" : path, as: LabelList.self)
        let labels = all.labels.filter { $0.kind == kind && (name == nil || $0.name == name) }
        if json { return try Terminal.json(LabelList(labels: labels)) }
        if history {
            Terminal.table(
                ["TIME", kind.uppercased(), "ACTION", "REFERENCE", "DIGEST"],
                labels.map { [$0.at, $0.name, $0.action ?? "", $0.reference, short($0.digest)] }
            )
        } else {
            Terminal.table(
                [kind.uppercased(), "REFERENCE", "SINCE", "DIGEST"],
                labels.map { [$0.name, $0.reference, $0.at, short($0.digest)] }
            )
        }
    }
}
