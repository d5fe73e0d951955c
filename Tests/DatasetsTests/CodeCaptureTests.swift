import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct CodeCaptureTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func capture(_ name: String = "repo") async throws -> CodeCapture {
        try await CodeCapture.capture(FileStatus.resolved(workspace(name)), into: workspace.store)
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

    @Test func everyStateOfAFile() async throws {
        try await makeRepository()
        let code = try await capture()
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
            guard let digest = file.digest else {
                #expect(file.state == .deleted)
                continue
            }
            let content = try await workspace.store.get(digest)
            #expect(content == Array(try workspace.text("repo/\(file.path)").utf8))
            #expect(file.size == content.count)
            #expect(file.mode == (file.path.text == "run.sh" ? .executable : .regular))
        }
    }

    @Test func theDiffAppliesToTheCommit() async throws {
        try await makeRepository()
        // The user's settings change nothing.
        try await workspace.git(in: "repo", "config", "diff.noprefix", "true")
        try await workspace.git(in: "repo", "config", "diff.external", "false")
        try await workspace.git(in: "repo", "config", "color.diff", "always")
        let code = try await capture()
        let diff = try #require(code.diff)
        try await workspace.store.write(diff.digest, to: workspace("diff"))
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
        let code = try await capture("repo/sub")
        #expect(code.directory == "sub")
        #expect(states(code) == ["inner.py": .modified, "untracked.py": .untracked])
        let diff = String(decoding: try await workspace.store.get(try #require(code.diff).digest), as: UTF8.self)
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
        try await workspace.git(in: "repo/nested", "add", "b")
        try await workspace.git(in: "repo/nested", "commit", "-q", "-m", "x")
        try await workspace.git(in: "repo", "add", "nested")
        await #expect(throws: SnapshotError.submodule(path: "nested")) { try await capture() }
        try await workspace.git(in: "repo", "rm", "-q", "-f", "--cached", "nested")
        try workspace.remove("repo/nested")
        try FileManager.default.createSymbolicLink(atPath: workspace("repo/link"), withDestinationPath: "a")
        await #expect(throws: SnapshotError.self) { try await capture() }
    }

    @Test(arguments: [
        ("https://u:p@example.org/x.git", "https://example.org/x.git"),
        ("https://token@example.org/a@b", "https://example.org/a@b"),
        ("git@example.org:x.git", "git@example.org:x.git"), ("/srv/x.git", "/srv/x.git"),
        ("https://example.org/a@b", "https://example.org/a@b"),
    ])
    func noPasswordIsRecorded(_ url: String, _ expected: String) {
        #expect(GitRepository.withoutUser(url) == expected)
    }
}
