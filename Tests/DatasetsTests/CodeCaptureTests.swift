import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct CodeCaptureTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func snapshot(_ name: String = "repo", allowing secrets: [String] = []) async throws -> CapturedSnapshot {
        try workspace.write("x", to: "data/x")
        return try await workspace.capture(["data"], code: name) { $0.allowedSecrets = secrets }
    }

    private func capture(_ name: String = "repo") async throws -> CodeCapture {
        try #require(try await snapshot(name).manifest.code)
    }

    private func states(_ code: CodeCapture) -> [String: CodeFile.State] {
        Dictionary(uniqueKeysWithValues: code.files.map { ($0.path.text, $0.state) })
    }

    /// A repository with a file in every state.
    private func makeRepository() async throws {
        for name in [
            "tracked.py", "modified.py", "staged.py", "deleted.py", "removed.py", "unindexed.py", "sub/inner.py",
            "old name.py", "é\n.py", ".lockstep/state",
        ] { try workspace.write("\(name)\n", to: "repo/\(name)") }
        try workspace.write("#!/bin/sh\n", to: "repo/run.sh", isExecutable: true)
        try workspace.write("ignored/\n*.log\n", to: "repo/.gitignore")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        try await workspace.git(in: "repo", "remote", "add", "origin", "https://user:secret@example.org/x.git")
        try await workspace.git(in: "repo", "add", "-A")
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")

        try workspace.write("changed\n", to: "repo/modified.py")
        try workspace.write("changed\n", to: "repo/staged.py")
        try workspace.write("inner changed\n", to: "repo/sub/inner.py")
        try workspace.write("added\n", to: "repo/added.py")
        try await workspace.git(in: "repo", "add", "staged.py", "added.py")
        try workspace.remove("repo/deleted.py")
        try await workspace.git(in: "repo", "rm", "-q", "removed.py")
        try await workspace.git(in: "repo", "rm", "-q", "--cached", "unindexed.py")
        try await workspace.git(in: "repo", "mv", "old name.py", "new name.py")
        try workspace.write("new\n", to: "repo/sub/untracked.py")
        try workspace.write("x", to: "repo/ignored/file")
        try workspace.write("x", to: "repo/debug.log")
        try workspace.write("x", to: "repo/sub/.lockstep/objects")
    }

    /// Gives the repository a remote that has all its commits.
    private func addRemote() async throws {
        try await workspace.git(in: "repo", "clone", "-q", "--bare", workspace("repo"), workspace("remote"))
        try await workspace.git(in: "repo", "remote", "add", "origin", workspace("remote"))
        try await workspace.git(in: "repo", "fetch", "-q", "origin")
    }

    @Test func everyStateOfAFile() async throws {
        try await makeRepository()
        let snapshot = try await snapshot()
        let (code, contents) = (try #require(snapshot.manifest.code), try await workspace.contents(snapshot))
        #expect(code.commit == (try await workspace.git(in: "repo", "rev-parse", "HEAD")))
        #expect(code.branch == "main")
        #expect(code.remote == "https://example.org/x.git")
        #expect(code.directory == "")
        #expect(
            states(code) == [
                ".gitignore": .tracked, "added.py": .modified, "deleted.py": .deleted, "modified.py": .modified,
                "new name.py": .modified, "old name.py": .deleted, "removed.py": .deleted, "run.sh": .tracked,
                "staged.py": .modified, "sub/inner.py": .modified, "sub/untracked.py": .untracked,
                "tracked.py": .tracked, "unindexed.py": .modified, "é\n.py": .tracked,
            ]
        )
        for file in code.files {
            guard case .file(let mode, let object) = file.content else {
                #expect(file.state == .deleted && file.content == nil)
                continue
            }
            let content = try contents.bytes(object)
            #expect(content == Array(try workspace.text("repo/\(file.path)").utf8))
            #expect(file.size == content.count)
            #expect(mode == (file.path.text == "run.sh" ? .executable : .regular))
        }
    }

    @Test func theDiffAppliesToTheCommit() async throws {
        try await makeRepository()
        // The user's settings change nothing.
        try await workspace.git(in: "repo", "config", "diff.noprefix", "true")
        try await workspace.git(in: "repo", "config", "diff.external", "false")
        try await workspace.git(in: "repo", "config", "color.diff", "always")
        let snapshot = try await snapshot()
        let (code, contents) = (try #require(snapshot.manifest.code), try await workspace.contents(snapshot))
        let diff = try #require(code.diff)
        try Data(try contents.bytes(diff)).write(to: URL(filePath: workspace("diff")))
        #expect(try workspace.text("diff").utf8.count == diff.size)
        #expect(try !workspace.text("diff").contains(".lockstep"))
        try await workspace.git(in: "repo", "clone", "-q", workspace("repo"), workspace("clone"))
        try await workspace.git(in: "clone", "apply", workspace("diff"))
        // All but what no diff against HEAD holds: untracked files and those out of the index.
        for file in code.files where file.state != .untracked && file.path.text != "unindexed.py" {
            let exists = FileManager.default.fileExists(atPath: workspace("clone/\(file.path)"))
            #expect(exists == (file.state != .deleted), "\(file.path)")
            if exists {
                #expect(try workspace.text("clone/\(file.path)") == workspace.text("repo/\(file.path)"))
            }
        }
    }

    @Test func aDirectoryInsideARepository() async throws {
        try await makeRepository()
        let snapshot = try await snapshot("repo/sub")
        let (code, contents) = (try #require(snapshot.manifest.code), try await workspace.contents(snapshot))
        #expect(code.directory == "sub")
        #expect(states(code) == ["inner.py": .modified, "untracked.py": .untracked])
        let diff = String(decoding: try contents.bytes(try #require(code.diff)), as: UTF8.self)
        #expect(diff.contains("a/inner.py"))
        #expect(!diff.contains("staged.py"))
    }

    @Test func aCleanRepositoryHasNoDiff() async throws {
        try workspace.write("x", to: "repo/a")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        let before = try await capture()
        #expect(before.commit == nil)
        #expect(before.branch == "main")
        #expect(states(before) == ["a": .untracked])
        try await workspace.git(in: "repo", "add", "a")
        #expect(states(try await capture()) == ["a": .modified])
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")
        try await workspace.git(in: "repo", "checkout", "-q", "--detach")
        let after = try await capture()
        #expect(after.diff == nil)
        #expect(after.branch == nil)
        #expect(after.remote == nil)
        #expect(states(after) == ["a": .tracked])
    }

    @Test func outsideGit() async throws {
        for name in ["a.py", "sub/b.py", ".hidden", ".build/x", ".lockstep/x", "sub/.venv/x"] {
            try workspace.write(name, to: "repo/\(name)")
        }
        let code = try await capture()
        #expect(code.commit == nil && code.branch == nil && code.directory == nil && code.diff == nil)
        #expect(states(code) == [".hidden": .untracked, "a.py": .untracked, "sub/b.py": .untracked])
    }

    @Test func whatCannotBeHeldIsRefused() async throws {
        try workspace.write("x", to: "repo/a")
        try await workspace.git(in: "repo", "init", "-q")
        try workspace.write("x", to: "repo/nested/b")
        try await workspace.git(in: "repo/nested", "init", "-q")
        await #expect(throws: SnapshotError.nestedRepository(path: "nested")) { try await capture() }
        try workspace.remove("repo/nested")
        #expect(mkfifo(workspace("repo/pipe"), 0o600) == 0)
        try workspace.write("pipe\n", to: "repo/.gitignore")
        #expect(states(try await capture()).keys.sorted() == [".gitignore", "a"])
    }

    @Test func symbolicLinksOfTheCode() async throws {
        try workspace.write("x", to: "repo/a")
        try FileManager.default.createSymbolicLink(atPath: workspace("repo/link"), withDestinationPath: "../elsewhere")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        try await workspace.git(in: "repo", "add", "-A")
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")
        let link = try #require(try await capture().files.first { $0.path.text == "link" })
        #expect(link.content == .symbolicLink(target: Array("../elsewhere".utf8)))
        #expect(link.state == .tracked)
    }

    /// A submodule is the commit that is checked out; changes in it would be lost, and are refused.
    @Test func submodules() async throws {
        try workspace.write("x", to: "library/b")
        try await workspace.git(in: "library", "init", "-q", "-b", "main")
        try await workspace.git(in: "library", "add", "-A")
        try await workspace.git(in: "library", "commit", "-q", "-m", "first")
        let first = try await workspace.git(in: "library", "rev-parse", "HEAD")
        try workspace.write("x", to: "repo/a")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        try await workspace.git(
            in: "repo",
            "-c",
            "protocol.file.allow=always",
            "submodule",
            "--quiet",
            "add",
            workspace("library"),
            "lib"
        )
        try await workspace.git(in: "repo", "add", "-A")
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")
        let code = try await capture()
        #expect(code.submodules == [Submodule(path: try path("lib"), commit: first)])
        #expect(states(code) == [".gitmodules": .tracked, "a": .tracked])
        try await workspace.git(in: "repo/lib", "commit", "-q", "--allow-empty", "-m", "second")
        let second = try await workspace.git(in: "repo/lib", "rev-parse", "HEAD")
        // A name of nothing that anybody else has.
        await #expect(throws: SnapshotError.unpushedSubmodule(path: "lib")) { try await capture() }
        try await workspace.git(in: "repo/lib", "push", "-q", "origin", "HEAD:refs/heads/second")
        #expect(try await capture().submodules.map(\.commit) == [second])
        try workspace.write("new", to: "repo/lib/c")
        try await workspace.git(in: "repo/lib", "config", "status.showUntrackedFiles", "no")
        await #expect(throws: SnapshotError.dirtySubmodule(path: "lib")) { try await capture() }
        try workspace.remove("repo/lib/c")
        try workspace.write("changed", to: "repo/lib/b")
        await #expect(throws: SnapshotError.dirtySubmodule(path: "lib")) { try await capture() }
    }

    /// What only this machine has of the history can be had from the snapshot alone.
    @Test func unpushedCommits() async throws {
        try workspace.write("1", to: "repo/a")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        try await workspace.git(in: "repo", "add", "-A")
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")
        #expect(try await capture().unpushed?.commits == 1)
        try await addRemote()
        #expect(try await capture().unpushed == nil)
        try workspace.write("2", to: "repo/a")
        try await workspace.git(in: "repo", "commit", "-q", "-a", "-m", "second")
        let snapshot = try await snapshot()
        let unpushed = try #require(snapshot.manifest.code?.unpushed)
        #expect(unpushed.commits == 1)
        let bundle = try await workspace.contents(snapshot).bytes(try #require(unpushed.bundle))
        try Data(bundle).write(to: URL(filePath: workspace("bundle")))
        try await workspace.git(in: "remote", "fetch", "-q", workspace("bundle"), "HEAD:refs/heads/found")
        #expect(try await workspace.git(in: "remote", "rev-parse", "found") == snapshot.manifest.code?.commit)

        // A shallow clone has a bundle of what was committed upon it, and none where it lacks what that builds upon.
        try await workspace.git(
            in: "repo",
            "clone",
            "-q",
            "--depth=1",
            "file://" + workspace("repo"),
            workspace("shallow")
        )
        try await workspace.git(in: "shallow", "commit", "-q", "--allow-empty", "-m", "third")
        let upon = try await self.snapshot("shallow").manifest.code?.unpushed
        #expect(upon?.commits == 1 && upon?.bundle != nil)
        try await workspace.git(in: "shallow", "remote", "remove", "origin")
        #expect(try await self.snapshot("shallow").manifest.code?.unpushed == UnpushedCommits(commits: 2, bundle: nil))
    }

    /// Nothing is stored beside a secret, and the finding says where it is and not what.
    @Test func secretsAreRefused() async throws {
        let token = "ghp_" + "x9Kq2LmZ7pRt4VwB8nYc3HdF6sJg1QaE5uTo"
        try workspace.write("import os\n\ntoken = \"\(token)\"\n", to: "repo/sub/train.py")
        do {
            _ = try await snapshot()
            Issue.record("a token was captured")
        } catch SnapshotError.secrets(let findings) {
            #expect(findings.map(\.path) == ["sub/train.py"])
            #expect(findings.map(\.line) == [3])
            #expect(!"\(SnapshotError.secrets(findings))".contains(token))
        }
        #expect(try await snapshot(allowing: ["sub/train.py"]).manifest.code?.files.count == 1)
        #expect(setenv("LOCKSTEP_TEST_TOKEN", token, 1) == 0)
        // Not in a pack either, of assets that are stored as they are read.
        try workspace.write("https://user:\(token)@example.org/simple\n", to: "locked/requirements.txt")
        try workspace.write(String(repeating: "data\n", count: 1_000), to: "locked/data")
        let stored = try await workspace.store.list(after: nil, limit: 100)
        await #expect(throws: SnapshotError.self) { try await workspace.capture(["locked"]) }
        #expect(try await workspace.store.list(after: nil, limit: 100) == stored)
        // Named like one, as a line of a configuration file is.
        #expect(setenv("LOCKSTEP_TEST_PASSWORD", "ErQHQwjyaxErPZDS3MoJ", 1) == 0)
        for name in ["LOCKSTEP_TEST_TOKEN", "LOCKSTEP_TEST_PASSWORD"] {
            do {
                _ = try await workspace.capture(["data"]) { $0.variables = [name] }
                Issue.record("\(name) was captured")
            } catch SnapshotError.secrets(let findings) {
                #expect(findings.map(\.place) == ["variable \(name)"])
            }
            let allowed = try await workspace.capture(["data"]) {
                $0.variables = [name]
                $0.allowedSecrets = [name]
            }
            #expect(allowed.manifest.environment.variables.map(\.name) == [name])
        }
    }

    /// What was committed and taken out again is in the bundle of unpushed commits, though in no file.
    @Test func secretsOfUnpushedCommits() async throws {
        let token = "ghp_" + "x9Kq2LmZ7pRt4VwB8nYc3HdF6sJg1QaE5uTo"
        func git(_ arguments: String...) async throws -> String {
            try await workspace.git(in: "repo", arguments)
        }
        func findings() async throws -> [SecretFinding] {
            do {
                _ = try await snapshot("repo/inner")
                return []
            } catch SnapshotError.secrets(let findings) {
                return findings
            }
        }
        try workspace.write("clean\n", to: "repo/inner/a b")
        try workspace.write("clean\n", to: "repo/outside")
        _ = try await git("init", "-q", "-b", "main")
        _ = try await git("add", "-A")
        _ = try await git("commit", "-q", "-m", "first")
        try workspace.write("clean\n\nkey = \"\(token)\"\n", to: "repo/inner/a b")
        _ = try await git("commit", "-q", "-a", "-m", "second")
        let second = try await git("rev-parse", "HEAD")
        try workspace.write("clean\n", to: "repo/inner/a b")
        _ = try await git("commit", "-q", "-a", "-m", "third")
        #expect(try await findings().map(\.path) == ["a b"])
        #expect(try await findings().map(\.line) == [3])
        #expect(try await findings().map(\.origin) == [.commit(second)])
        // What stands in its place here is not what is bundled.
        _ = try await git("replace", second, try await git("rev-parse", "HEAD"))
        #expect(try await findings().map(\.line) == [3])
        _ = try await git("replace", "-d", second)
        let message = "\(SnapshotError.secrets(try await findings()))"
        #expect(
            message.contains("a b:3:8 in commit \(second.prefix(12)):") && !message.contains(token)
        )
        #expect(try await snapshot("repo/inner", allowing: ["a b"]).manifest.code?.unpushed?.commits == 3)

        // On a remote it is no bundle's.
        try await addRemote()
        #expect(try await findings() == [])

        // Outside the captured directory, in a merge, in a message.
        _ = try await git("checkout", "-q", "-b", "side")
        try workspace.write("1\n", to: "repo/outside")
        _ = try await git("commit", "-q", "-a", "-m", "side")
        _ = try await git("checkout", "-q", "main")
        try workspace.write("2\n", to: "repo/outside")
        _ = try await git("commit", "-q", "-a", "-m", "here, not with\n\n\(token)")
        _ = try await git("merge", "-q", "-s", "ours", "side", "-m", "both")
        try workspace.write("\(token)\n", to: "repo/outside")
        _ = try await git("commit", "-q", "-a", "--amend", "-m", "both")
        let merge = try await git("rev-parse", "HEAD")
        try workspace.write("3\n", to: "repo/outside")
        _ = try await git("commit", "-q", "-a", "-m", "away")
        let found = try await findings()
        #expect(found.map(\.path) == [":/outside", "commit message"])
        #expect(found.map(\.line) == [1, 3])
        #expect(found.first?.origin == .commit(merge))
        #expect(found.last?.origin == .commit(try await git("rev-parse", "HEAD~2")))
    }

    /// A line that is removed is in the diff, and its file says what form it has.
    @Test func secretsOfRemovedLines() async throws {
        try workspace.write("DB_PASSWORD=ErQHQwjyaxErPZDS3MoJ\n", to: "repo/conf.env")
        try await workspace.git(in: "repo", "init", "-q", "-b", "main")
        try await workspace.git(in: "repo", "add", "-A")
        try await workspace.git(in: "repo", "commit", "-q", "-m", "first")
        try await addRemote()
        try workspace.write("DB_PASSWORD=\n", to: "repo/conf.env")
        let head = try await workspace.git(in: "repo", "rev-parse", "HEAD")
        do {
            _ = try await snapshot()
            Issue.record("a password was captured")
        } catch SnapshotError.secrets(let findings) {
            #expect(findings.map(\.path) == ["conf.env"])
            #expect(findings.map(\.origin) == [.commit(head)])
        }
        #expect(try await snapshot(allowing: ["conf.env"]).manifest.code?.diff != nil)
    }

    @Test(arguments: [
        ("https://u:p@example.org/x.git", "https://example.org/x.git"),
        ("https://token@example.org/a@b", "https://example.org/a@b"),
        ("git@example.org:x.git", "git@example.org:x.git"), ("/srv/x.git", "/srv/x.git"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("https://u@example.org/x?token=t@u#f", "https://example.org/x"),
        ("https://example.org?q=a@b", "https://example.org"),
    ])
    func noPasswordIsRecorded(_ url: String, _ expected: String) {
        #expect(GitRepository.withoutUser(url) == expected)
    }
}
