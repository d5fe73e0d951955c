import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct SnapshotVerificationTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func makeSnapshot() async throws -> CapturedSnapshot {
        for name in ["a", "b", "c"] { try workspace.write("content of \(name)", to: "data/\(name)") }
        try workspace.write("content of a", to: "data/copy of a")
        try workspace.write("lock", to: "code/uv.lock")
        try workspace.write("code", to: "code/train.py")
        try await workspace.git(in: "code", "init", "-q", "-b", "main")
        try await workspace.git(in: "code", "add", "-A")
        try await workspace.git(in: "code", "commit", "-q", "-m", "first")
        try workspace.write("code changed", to: "code/train.py")
        return try await workspace.capture(["data"], code: "code")
    }

    private func verify(_ snapshot: CapturedSnapshot) async throws -> SnapshotVerification {
        try await SnapshotVerification.run(
            snapshot.manifest,
            packs: snapshot.packs,
            from: ObjectPacks(workspace.store),
            objects: workspace.store
        )
    }

    @Test func aWholeSnapshotIsClean() async throws {
        let snapshot = try await makeSnapshot()
        let verification = try await verify(snapshot)
        #expect(verification.isClean)
        // a, b, c, train.py, uv.lock, the diff and the bundle; the copy of a is a.
        #expect(verification.contents == 7)
        #expect(verification.bytes == snapshot.packs.reduce(0) { $0 + $1.size })
    }

    /// Path, pack and digest of everything that is damaged, and of nothing else.
    @Test func everyProblemIsNamed() async throws {
        let snapshot = try await makeSnapshot()
        func digest(_ text: String) -> Digest { .of(Array(text.utf8)) }
        let diff = try #require(snapshot.manifest.code?.diff)
        for digest in [digest("content of a"), digest("lock"), diff.digest] {
            try await workspace.damage(digest, in: snapshot)
        }
        let verification = try await verify(snapshot)
        let problems = verification.problems
        #expect(
            problems.map(\.path) == [
                "assets/a", "assets/copy of a", "code/uv.lock", "code.diff", "environment/uv.lock",
            ]
        )
        #expect(
            problems.map(\.digest) == [
                digest("content of a"), digest("content of a"), digest("lock"), diff.digest, digest("lock"),
            ]
        )
        #expect(problems.allSatisfy { $0.kind == .corrupt && $0.pack == snapshot.packs[0].digest })
        // The pack as a whole is not what its name says.
        #expect(verification.packProblems.map(\.pack) == [snapshot.packs[0].digest])
    }

    @Test func packsThatAreGoneOrCannotBeRead() async throws {
        try workspace.write(String(repeating: "0123456789\n", count: 300_000), to: "data/large")
        let first = try await makeSnapshot()
        let file = workspace.packFile(first.packs[0])
        let whole = try workspace.bytes(file)
        try workspace.remove(file)
        let missing = try await verify(first)
        #expect(missing.problems.count == 10)
        #expect(missing.problems.allSatisfy { $0.kind == .missing })
        #expect(missing.packProblems.count == 1)
        try Data(whole.dropLast(7)).write(to: URL(filePath: workspace(file)))
        #expect(try await verify(first).packProblems.count == 1)
        try Data(whole).write(to: URL(filePath: workspace(file)))
        #expect(try await verify(first).isClean)
        // A chunk of a large file is its problem.
        let large = try #require(first.manifest.assets.first { $0.path.text == "large" }?.content.object)
        var chunks: [Digest] = []
        try await workspace.contents(first).forEachContent(of: large) { chunks.append($0) }
        #expect(chunks.count > 2)
        try await workspace.damage(try #require(chunks.last), in: first)
        #expect(try await verify(first).problems.map(\.path) == ["assets/large"])
    }
}
