import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct CheckoutTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func makeSnapshot() async throws -> SnapshotManifest {
        try workspace.write("a,b\n", to: "data/weather.csv")
        try workspace.write("", to: "data/deep/empty")
        try workspace.write("#!/bin/sh\n", to: "data/deep/run.sh", isExecutable: true)
        try workspace.write("train\n", to: "code/train.py", isExecutable: true)
        try workspace.write("gone\n", to: "code/gone.py")
        try workspace.write("lock\n", to: "code/uv.lock")
        try await workspace.git(in: "code", "init", "-q", "-b", "main")
        try await workspace.git(in: "code", "add", "-A")
        try await workspace.git(in: "code", "commit", "-q", "-m", "first")
        try workspace.remove("code/gone.py")
        return try await SnapshotBuilder.capture(
            paths: [workspace("data")],
            code: workspace("code"),
            into: workspace.store
        )
    }

    /// Names directly in the workspace, so that nothing temporary stays.
    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: workspace.path).sorted()
    }

    @Test func theWholeSnapshot() async throws {
        let manifest = try await makeSnapshot()
        try await Checkout.write(manifest, from: workspace.store, to: workspace("new/out/"))
        let files = [
            "assets/deep/empty", "assets/deep/run.sh", "assets/weather.csv", "code.diff", "code/train.py",
            "code/uv.lock", "environment/uv.lock", "snapshot.json",
        ]
        #expect(try workspace.files(in: "new/out") == files)
        for (copy, original) in [
            ("assets/deep/empty", "data/deep/empty"), ("assets/deep/run.sh", "data/deep/run.sh"),
            ("assets/weather.csv", "data/weather.csv"), ("code/train.py", "code/train.py"),
            ("environment/uv.lock", "code/uv.lock"),
        ] {
            #expect(try workspace.text("new/out/\(copy)") == workspace.text(original))
            #expect(try workspace.mode("new/out/\(copy)") == workspace.mode(original))
        }
        let json = Array(try workspace.text("new/out/snapshot.json").utf8)
        #expect(try SnapshotManifest(json: json, expecting: manifest.digest) == manifest)
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace("new")) == ["out"])
    }

    /// What is checked out makes the same snapshot again.
    @Test func assetsCheckedOutAreTheSameAssets() async throws {
        let manifest = try await makeSnapshot()
        try await Checkout.write(manifest, from: workspace.store, to: workspace("out"), part: .assets)
        let again = try await SnapshotBuilder.capture(paths: [workspace("out")], into: workspace.store)
        #expect(again.assets == manifest.assets)
        #expect(again.assetsDigest == manifest.assetsDigest)
        try await Checkout.write(manifest, from: workspace.store, to: workspace("code-out"), part: .code)
        #expect(try workspace.files(in: "code-out") == ["train.py", "uv.lock"])
    }

    @Test func anOccupiedDirectoryIsRefused() async throws {
        let manifest = try await makeSnapshot()
        try workspace.write("mine", to: "out/file")
        let before = try names()
        await #expect(throws: SnapshotError.occupied(directory: workspace("out"))) {
            try await Checkout.write(manifest, from: workspace.store, to: workspace("out"))
        }
        await #expect(throws: SnapshotError.occupied(directory: workspace("out/file"))) {
            try await Checkout.write(manifest, from: workspace.store, to: workspace("out/file"), overwrite: true)
        }
        #expect(try workspace.text("out/file") == "mine")
        try await Checkout.write(manifest, from: workspace.store, to: workspace("out"), part: .assets, overwrite: true)
        #expect(try workspace.files(in: "out") == ["deep/empty", "deep/run.sh", "weather.csv"])
        #expect(try names() == before)
        // An empty directory is as good as none.
        try FileManager.default.createDirectory(atPath: workspace("empty"), withIntermediateDirectories: false)
        try await Checkout.write(manifest, from: workspace.store, to: workspace("empty"), part: .assets)
        #expect(try workspace.files(in: "empty") == ["deep/empty", "deep/run.sh", "weather.csv"])
    }

    @Test func aBadObjectLeavesNothing() async throws {
        let manifest = try await makeSnapshot()
        try workspace.write("mine", to: "out/file")
        try workspace.damage(manifest.assets[2].digest, at: 20)
        let before = try names()
        await #expect(throws: ObjectError.self) {
            try await Checkout.write(manifest, from: workspace.store, to: workspace("fresh"))
        }
        await #expect(throws: ObjectError.self) {
            try await Checkout.write(manifest, from: workspace.store, to: workspace("out"), overwrite: true)
        }
        #expect(try names() == before)
        #expect(try workspace.text("out/file") == "mine")
    }

    @Test func aSizeThatIsNotTheObjectsIsRefused() async throws {
        let manifest = try await makeSnapshot()
        let asset = manifest.assets[2]
        let wrong = AssetEntry(path: asset.path, mode: asset.mode, size: asset.size + 1, digest: asset.digest)
        let changed = try SnapshotManifest(assets: [wrong], code: nil, environment: manifest.environment)
        await #expect(throws: SnapshotError.wrongSize(path: "weather.csv", expected: 5, found: 4)) {
            try await Checkout.write(changed, from: workspace.store, to: workspace("out"), part: .assets)
        }
    }
}
