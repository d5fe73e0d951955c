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
                        content: state == .deleted ? nil : .file(mode: .regular, .init(size: 0, digest: .of([])))
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
            ["same": "1", "changed": "2", "z": "3", "added": "4"],
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

    /// Files that are gone and stand elsewhere moved, each once; a mode is not content.
    @Test func movesAndModes() throws {
        func entry(_ name: String, _ content: String, _ mode: FileMode = .regular) throws -> AssetEntry {
            AssetEntry(path: try path(name), mode: mode, size: content.utf8.count, digest: .of(Array(content.utf8)))
        }
        func manifest(_ assets: [AssetEntry]) throws -> SnapshotManifest {
            try SnapshotManifest(
                assets: assets,
                code: nil,
                environment: EnvironmentCapture(operatingSystem: nil, architecture: "x86_64", swiftVersion: nil)
            )
        }
        let link = AssetEntry(path: try path("link"), content: .symbolicLink(target: [0x61]))
        let old = try manifest([
            entry("a", "one"), entry("b", "one"), entry("kept", "two"), entry("mode", "three"), entry("empty", ""),
            link,
            AssetEntry(path: path("d"), content: .directory(mode: .executable)),
        ])
        let new = try manifest([
            entry("x", "one"), entry("y", "one"), entry("z", "one"), entry("kept", "two"), entry("copy", "two"),
            entry("mode", "three", .executable), entry("other empty", ""),
            AssetEntry(path: path("link"), content: .symbolicLink(target: [0x62])), entry("d", "a file now"),
        ])
        let paths = SnapshotDiff(from: old, to: new).assets
        #expect(paths.moved.map(\.from.text) == ["a", "b"])
        #expect(paths.moved.map(\.to.text) == ["x", "y"])
        #expect(paths.added.map(\.text) == ["copy", "other empty", "z"])
        #expect(paths.removed.map(\.text) == ["empty"])
        #expect(paths.changed.map(\.text) == ["d", "link"])
        #expect(paths.modeChanged.map(\.text) == ["mode"])
        #expect(paths.count == 9)
    }
}
