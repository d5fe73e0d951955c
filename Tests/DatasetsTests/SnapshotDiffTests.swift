import Objects
import Testing

@testable import Datasets

@Suite struct SnapshotDiffTests {
    private func manifest(
        _ assets: [String: String],
        code: [String: CodeFile.State] = [:],
        commit: String? = nil,
        variables: [String: String] = [:]
    ) throws -> SnapshotManifest {
        try SnapshotManifest(
            assets: assets.map { name, content in
                AssetEntry(path: try path(name), mode: .regular, size: 1, digest: .of(Array(content.utf8)))
            },
            code: CodeCapture(
                commit: commit,
                branch: nil,
                remote: nil,
                directory: "",
                diff: nil,
                files: code.map { name, state in
                    CodeFile(
                        path: try path(name),
                        state: state,
                        mode: .regular,
                        size: 0,
                        digest: state == .deleted ? nil : .of([])
                    )
                }
            ),
            environment: EnvironmentCapture(
                operatingSystem: nil,
                architecture: "x86_64",
                swiftVersion: nil,
                variables: variables.map { .init(name: $0.key, value: $0.value) }
            )
        )
    }

    @Test func pathsAndFacts() throws {
        let old = try manifest(
            ["same": "1", "changed": "1", "removed": "1"],
            code: ["kept.py": .tracked, "deleted.py": .tracked],
            commit: "a",
            variables: ["SEED": "1", "SAME": "x"]
        )
        let new = try manifest(
            ["same": "1", "changed": "2", "z": "1", "added": "1"],
            code: ["kept.py": .modified, "deleted.py": .deleted],
            commit: "b",
            variables: ["SEED": "2", "SAME": "x", "NEW": "y"]
        )
        let diff = SnapshotDiff(from: old, to: new)
        #expect(diff.assets.added.map(\.text) == ["added", "z"])
        #expect(diff.assets.removed.map(\.text) == ["removed"])
        #expect(diff.assets.changed.map(\.text) == ["changed"])
        #expect(diff.code.removed.map(\.text) == ["deleted.py"])
        #expect(diff.code.added.isEmpty && diff.code.changed.isEmpty)
        #expect(diff.lockFiles.isEmpty)
        #expect(
            diff.facts == [
                .init(name: "commit", old: "a", new: "b"), .init(name: "variable NEW", old: nil, new: "y"),
                .init(name: "variable SEED", old: "1", new: "2"),
            ]
        )
        #expect(SnapshotDiff(from: new, to: new).isEmpty)
        #expect(!diff.isEmpty)
    }
}
