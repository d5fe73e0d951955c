import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct SnapshotVerificationTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func makeSnapshot() async throws -> SnapshotManifest {
        for name in ["a", "b", "c"] { try workspace.write("content of \(name)", to: "data/\(name)") }
        try workspace.write("content of a", to: "data/copy of a")
        try workspace.write("lock", to: "code/uv.lock")
        try workspace.write("code", to: "code/train.py")
        try await workspace.git(in: "code", "init", "-q", "-b", "main")
        try await workspace.git(in: "code", "add", "-A")
        try await workspace.git(in: "code", "commit", "-q", "-m", "first")
        try workspace.write("code changed", to: "code/train.py")
        return try await SnapshotBuilder.capture(
            paths: [workspace("data")],
            code: workspace("code"),
            into: workspace.store
        )
    }

    @Test func aWholeSnapshotIsClean() async throws {
        let manifest = try await makeSnapshot()
        let verification = try await SnapshotVerification.run(manifest, in: workspace.store)
        #expect(verification.isClean)
        // a, b, c, train.py, uv.lock, the diff; the copy of a is a.
        #expect(verification.objects == 6)
    }

    @Test func everyProblemIsNamed() async throws {
        let manifest = try await makeSnapshot()
        func digest(_ text: String) -> Digest { .of(Array(text.utf8)) }
        try workspace.damage(digest("content of a"), at: 20)
        try workspace.remove(workspace.objectFile(digest("content of b")))
        try workspace.remove(workspace.objectFile(digest("content of c")))
        let swapped = try Data(contentsOf: URL(filePath: workspace(workspace.objectFile(digest("code changed")))))
        try swapped.write(to: URL(filePath: workspace(workspace.objectFile(digest("content of c")))))
        try workspace.damage(digest("lock"), at: 1)
        let diff = try #require(manifest.code?.diff)
        try workspace.remove(workspace.objectFile(diff.digest))

        let problems = try await SnapshotVerification.run(manifest, in: workspace.store).problems
        #expect(
            problems.map(\.path) == [
                "assets/a", "assets/b", "assets/c", "assets/copy of a", "code/uv.lock", "code.diff",
                "environment/uv.lock",
            ]
        )
        #expect(
            problems.map(\.digest) == [
                digest("content of a"), digest("content of b"), digest("content of c"), digest("content of a"),
                digest("lock"), diff.digest, digest("lock"),
            ]
        )
        #expect(problems[1].kind == .missing)
        #expect(problems[2].kind == .corrupt(found: digest("code changed")))
        #expect(problems[4].kind == .unreadable)
        #expect(problems[5].kind == .missing)
        #expect(problems[2].message.contains(digest("code changed").description))
    }
}
