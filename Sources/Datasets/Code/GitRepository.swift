import Foundation
import Objects

/// A directory of a git work tree, read through the `git` program.
struct GitRepository {
    private let directory: String
    private let environment: [String: String]
    /// The directory inside the work tree, `""` for its top.
    let prefix: String

    /// What git says about the files of the directory.
    struct Listing: Hashable {
        var commit: String?
        var branch: String?
        var remote: String?
        var states: [SnapshotPath: CodeFile.State] = [:]
        var submodules: [Submodule] = []
    }

    /// `nil` if `directory` is in no work tree.
    ///
    /// - Throws: ``SnapshotError`` if it is in one that git refuses to read, or there is no git to read it.
    init?(containing directory: String) async throws {
        self.directory = directory
        var environment = ProcessInfo.processInfo.environment
        // Set inside hooks; they would point to another repository or change what paths and diffs mean.
        for name in [
            "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS",
            "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
            "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
        ] { environment[name] = nil }
        environment["LC_ALL"] = "C"
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        // What is recorded and bundled is what the commits are, not what somebody has put in their place here.
        environment["GIT_NO_REPLACE_OBJECTS"] = "1"
        environment["GIT_GRAFT_FILE"] = "/dev/null"
        environment["GIT_TERMINAL_PROMPT"] = "0"
        self.environment = environment

        let arguments = Self.global(directory) + ["rev-parse", "--is-inside-work-tree", "--show-prefix"]
        guard let outcome = try await Command.run("git", arguments, environment: environment) else {
            if try Self.hasRepository(above: directory) {
                throw SnapshotError.toolMissing(command: "git", directory: directory)
            }
            return nil
        }
        if outcome.status != 0 {
            if outcome.message.contains("not a git repository") { return nil }
            throw SnapshotError.toolFailed(
                command: "git rev-parse",
                status: outcome.status,
                message: outcome.message
            )
        }
        let lines = (outcome.line ?? "").split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard lines.first == "true" else { return nil }
        let prefix = lines.count > 1 ? lines[1] : ""
        self.prefix = String(prefix.hasSuffix("/") ? prefix.dropLast() : prefix)
    }

    /// Every file git knows of or would add, with its state.
    func list() async throws -> Listing {
        var listing = Listing()
        listing.commit = try await line(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], absent: 1)
        listing.branch = try await line(["symbolic-ref", "--quiet", "--short", "HEAD"], absent: 1)
        listing.remote = try await line(["config", "--get", "remote.origin.url"], absent: 1).map(Self.withoutUser)

        let indexed: CodeFile.State = listing.commit == nil ? .modified : .tracked
        var submodules: Set<SnapshotPath> = []
        for record in try await records(["ls-files", "--stage", "-z"]) {
            guard let tab = record.firstIndex(of: UInt8(ascii: "\t")) else { continue }
            guard let path = try capturedPath(record[record.index(after: tab)...]) else { continue }
            if record.starts(with: "160000".utf8) {
                submodules.insert(path)
                let indexed = record[..<tab].split(separator: UInt8(ascii: " "))[1]
                let commit = try await checkedOutCommit(of: path) ?? String(decoding: indexed, as: UTF8.self)
                listing.submodules.append(Submodule(path: path, commit: commit))
            } else {
                listing.states[path] = indexed
            }
        }
        if listing.commit != nil {
            let fields = try await records(["diff", "--name-status", "-z", "HEAD"] + Self.diffOptions)
            for position in stride(from: 0, to: fields.count - 1, by: 2) {
                guard let path = try capturedPath(fields[position + 1]), !submodules.contains(path) else { continue }
                listing.states[path] = fields[position].elementsEqual("D".utf8) ? .deleted : .modified
            }
        }
        for record in try await records(["ls-files", "--others", "--exclude-standard", "-z"]) {
            if record.last == UInt8(ascii: "/") {
                throw SnapshotError.nestedRepository(path: Printable.text(record.dropLast()))
            }
            guard let path = try capturedPath(record) else { continue }
            // Removed from the index and still on disk.
            listing.states[path] = listing.states[path] == nil ? .untracked : .modified
        }
        return listing
    }

    /// The commit of a submodule's work tree; `nil` where it has none.
    ///
    /// - Throws: ``SnapshotError/dirtySubmodule(path:)`` if files there differ from it;
    ///   ``SnapshotError/unpushedSubmodule(path:)`` if no remote has it.
    private func checkedOutCommit(of path: SnapshotPath) async throws -> String? {
        guard let name = path.utf8 else { return nil }
        let inner = "\(directory)/\(name)"
        guard try FileStatus(of: inner + "/.git") != nil else { return nil }
        let head = try await Command.run(
            "git",
            Self.global(inner) + ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
            environment: environment
        )
        guard let head, head.status == 0, let commit = head.line else { return nil }
        // Whatever its settings hide.
        let state = try await Command.run(
            "git",
            Self.global(inner) + ["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none"],
            environment: environment
        )
        guard let state, state.status == 0, state.output.isEmpty else { throw SnapshotError.dirtySubmodule(path: name) }
        let unpushed = try await Command.run(
            "git",
            Self.global(inner) + ["rev-list", "--max-count=1"] + Self.unpushed,
            environment: environment
        )
        guard let unpushed, unpushed.status == 0, unpushed.output.isEmpty else {
            throw SnapshotError.unpushedSubmodule(path: name)
        }
        return commit
    }

    /// Stores the difference between HEAD and the work tree; `nil` if there is none.
    func storeDiff(_ secrets: SecretCheck, into sink: ContentSink) async throws -> ObjectReference? {
        let arguments =
            Self.global(directory) + ["diff", "HEAD", "--binary", "--full-index"] + Self.diffOptions
            + ["--", ".", ":(exclude,glob)**/.lockstep/**"]
        let stored = try await Command.withOutput(of: "git", arguments, environment: environment) {
            status,
            output,
            message in
            guard status == 0 else {
                throw SnapshotError.toolFailed(command: "git diff", status: status, message: message)
            }
            if try FileStatus.existing(output).size > 0 { try await CommitScan(self, secrets).checkRemovedLines() }
            return try await fileWork.run {
                try secrets.check(DiskPath(output), named: "code.diff")
                try secrets.finish()
                return try FileCapture.run([DiskPath(output)], sizes: [0], into: sink)[0].object
            }
        }
        guard let stored, stored.size > 0 else { return nil }
        return stored
    }

    /// The commits that HEAD needs and no remote-tracking branch has, as git's arguments.
    static let unpushed = ["HEAD", "--not", "--remotes"]

    /// Stores the commits that no remote has; `nil` if there are none.
    func storeUnpushed(_ secrets: SecretCheck, into sink: ContentSink) async throws -> UnpushedCommits? {
        let commits = try await unpushedCommits()
        guard !commits.isEmpty else { return nil }
        // Without what is behind its boundary, nothing can be made of the commits of a shallow clone.
        if try await line(["rev-parse", "--is-shallow-repository"], absent: 128) == "true",
            try await !boundary().isDisjoint(with: commits)
        {
            return UnpushedCommits(commits: commits.count, bundle: nil)
        }
        let files = FileManager.default
        let temporary = files.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
        try files.createDirectory(
            at: temporary,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? files.removeItem(at: temporary) }
        let path = temporary.path + "/bundle"
        _ = try await output(of: ["bundle", "create", "--quiet", path] + Self.unpushed)
        var bundle: ObjectReference?
        if try FileStatus.existing(path).size <= UnpushedCommits.bundleLimit {
            try await CommitScan(self, secrets).run(commits)
            // The bundle has the commits that were scanned, unless something moved in between.
            guard try await unpushedCommits() == commits else {
                throw SnapshotError.changedDuringCapture(path: directory)
            }
            bundle = try await fileWork.run { try FileCapture.run([DiskPath(path)], sizes: [0], into: sink)[0].object }
        }
        return UnpushedCommits(commits: commits.count, bundle: bundle)
    }

    /// Names of the commits that no remote has, the oldest first.
    private func unpushedCommits() async throws -> [String] {
        try await output(of: ["rev-list", "--reverse"] + Self.unpushed).split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The commits at which a shallow clone ends.
    private func boundary() async throws -> Set<String> {
        guard let path = try await line(["rev-parse", "--git-path", "shallow"], absent: 128) else { return [] }
        let file = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        let bytes = try OpenedFile.content(of: DiskPath(file), limit: 64 << 20) ?? []
        return Set(bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) })
    }

    /// A path of the repository for people: relative to the captured directory, or from the top as `:/path` outside it.
    func name(ofPathFromTop path: [UInt8]) -> String {
        let start = prefix.isEmpty ? [] : Array("\(prefix)/".utf8)
        return path.starts(with: start) ? Printable.text(path[start.count...]) : ":/" + Printable.text(path[...])
    }

    /// What a command prints.
    ///
    /// - Parameter input: what it reads.
    func output(of arguments: [String], input: [UInt8] = []) async throws -> [UInt8] {
        let outcome = try await run(arguments, input: input)
        guard outcome.status == 0 else { throw failure(arguments, outcome) }
        return [UInt8](outcome.output)
    }

    // The user's settings must not change what a diff looks like, nor run programs.
    static let diffOptions = [
        "--relative", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=3",
        "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--submodule=short",
        "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null",
    ]

    private static func global(_ directory: String) -> [String] {
        [
            "-C", directory, "-c", "core.fsmonitor=false", "-c", "core.quotePath=true", "-c",
            "diff.suppressBlankEmpty=false",
        ]
    }

    private func capturedPath(_ name: some Sequence<UInt8>) throws -> SnapshotPath? {
        let path = try SnapshotPath(bytes: Array(name))
        return path.components.contains { $0.elementsEqual(".lockstep".utf8) } ? nil : path
    }

    private func run(_ arguments: [String], input: [UInt8] = []) async throws -> Command.Outcome {
        let outcome = try await Command.run(
            "git",
            Self.global(directory) + arguments,
            environment: environment,
            input: input
        )
        guard let outcome else { throw SnapshotError.toolMissing(command: "git", directory: directory) }
        return outcome
    }

    private func failure(_ arguments: [String], _ outcome: Command.Outcome) -> SnapshotError {
        .toolFailed(
            command: "git \(arguments.joined(separator: " "))",
            status: outcome.status,
            message: outcome.message
        )
    }

    /// The one line a command prints; `nil` if it ends with the status that says there is none.
    private func line(_ arguments: [String], absent: Int32) async throws -> String? {
        let outcome = try await run(arguments)
        if outcome.status == absent { return nil }
        guard outcome.status == 0 else { throw failure(arguments, outcome) }
        return outcome.line
    }

    /// The NUL-terminated records a command prints.
    private func records(_ arguments: [String]) async throws -> [ArraySlice<UInt8>] {
        try await output(of: arguments).split(separator: 0)
    }

    /// A URL without the user name and password in it, nor what follows its path.
    static func withoutUser(_ url: String) -> String {
        guard let scheme = url.range(of: "://") else { return url }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" }
        let path = url.prefix { $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@"), at < path.endIndex else { return String(path) }
        return String(url[..<scheme.upperBound] + path[path.index(after: at)...])
    }

    private static func hasRepository(above directory: String) throws -> Bool {
        var path = directory
        while true {
            if try FileStatus(of: path + "/.git") != nil { return true }
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return false }
            path = String(path[..<slash])
        }
    }
}
