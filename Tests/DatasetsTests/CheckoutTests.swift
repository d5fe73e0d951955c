import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct CheckoutTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func makeSnapshot() async throws -> CapturedSnapshot {
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
        return try await workspace.capture(["data"], code: "code")
    }

    private func checkout(
        _ snapshot: CapturedSnapshot,
        _ directory: String,
        part: Checkout.Part = .everything,
        overwrite: Bool = false,
        _ change: (inout Checkout.Options) -> Void = { _ in }
    ) async throws -> Checkout.Outcome {
        var options = Checkout.Options()
        options.part = part
        options.overwrite = overwrite
        change(&options)
        return try await Checkout.write(
            snapshot.manifest,
            try await workspace.contents(snapshot),
            to: workspace(directory),
            options
        )
    }

    /// Names directly in the workspace, so that nothing temporary stays.
    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: workspace.path).sorted()
    }

    @Test func theWholeSnapshot() async throws {
        let snapshot = try await makeSnapshot()
        let manifest = snapshot.manifest
        _ = try await checkout(snapshot, "new/out/")
        let files = [
            "assets/deep/empty", "assets/deep/run.sh", "assets/weather.csv", "code.bundle", "code.diff",
            "code/train.py",
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
        try FileManager.default.createDirectory(atPath: workspace("data/e/f"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: workspace("data/up"), withDestinationPath: "../../x")
        try workspace.write(String(repeating: "line\n", count: 700_000), to: "data/large")
        #expect(chmod(workspace("data/large"), 0o640) == 0)
        try workspace.write("", to: "data/sparse")
        #expect(truncate(workspace("data/sparse"), 5_000_000) == 0)
        let snapshot = try await makeSnapshot()
        let outcome = try await checkout(snapshot, "out", part: .assets)
        #expect(outcome.files == 5 && outcome.links == 1 && outcome.directories == 1)
        #expect(outcome.ways == [.copy: 5])
        let again = try await workspace.capture(["out"])
        #expect(again.manifest.assetsDigest == snapshot.manifest.assetsDigest)
        _ = try await checkout(snapshot, "code-out", part: .code)
        #expect(try workspace.files(in: "code-out") == ["train.py", "uv.lock"])
        var status = stat()
        #expect(stat(workspace("out/sparse"), &status) == 0)
        #expect(status.st_size == 5_000_000 && status.st_blocks * 512 < 1_000_000)
    }

    @Test func partsOfASnapshot() async throws {
        let snapshot = try await makeSnapshot()
        _ = try await checkout(snapshot, "one", part: .assets) { $0.selection = ["deep"] }
        #expect(try workspace.files(in: "one") == ["deep/empty", "deep/run.sh"])
        _ = try await checkout(snapshot, "two", part: .assets) { $0.selection = ["*.csv", "deep/r*.sh"] }
        #expect(try workspace.files(in: "two") == ["deep/run.sh", "weather.csv"])
        _ = try await checkout(snapshot, "three", part: .assets) { $0.selection = ["**/run.sh"] }
        #expect(try workspace.files(in: "three") == ["deep/run.sh"])
        await #expect(throws: SnapshotError.nothingSelected("wether.csv")) {
            try await checkout(snapshot, "four", part: .assets) { $0.selection = ["weather.csv", "wether.csv"] }
        }
    }

    /// Linked files cannot be written to, and a cache that was tampered with is not believed.
    @Test func hardLinksComeFromAVerifiedCache() async throws {
        let snapshot = try await makeSnapshot()
        func link(_ name: String) async throws -> Checkout.Outcome {
            try await checkout(snapshot, name, part: .assets) {
                $0.ways = [.hardlink]
                $0.cache = workspace("cache")
            }
        }
        #expect(try await link("one").ways == [.hardlink: 3])
        #expect(try workspace.mode("one/weather.csv") == 0o444)
        #expect(try workspace.mode("one/deep/run.sh") == 0o555)
        #expect(chmod(workspace("one/weather.csv"), 0o644) == 0)
        try Data("evil".utf8).write(to: URL(filePath: workspace("one/weather.csv")))
        #expect(chmod(workspace("one/weather.csv"), 0o444) == 0)
        #expect(try await link("two").ways == [.hardlink: 3])
        #expect(try workspace.text("two/weather.csv") == "a,b\n")
        #expect(try workspace.text("one/weather.csv") == "evil")
        let verification = try await SnapshotVerification.run(
            snapshot.manifest,
            packs: snapshot.packs,
            from: ObjectPacks(workspace.store),
            objects: workspace.store
        )
        #expect(verification.isClean)
    }

    /// Clones where `cp` can make one here (as on XFS and Btrfs; name one with TMPDIR), else copies; both are files of
    /// their own.
    @Test func clonesWhereTheFileSystemCan() async throws {
        let snapshot = try await makeSnapshot()
        let cp = ["--reflink=always", workspace("data/weather.csv"), workspace("probe")]
        let clones = try #require(try await Command.run("cp", cp)).status == 0
        func clone(_ name: String) async throws -> [FileWay: Int] {
            try await checkout(snapshot, name, part: .assets) {
                $0.ways = [.reflink, .copy]
                $0.cache = workspace("cache")
            }.ways
        }
        let expected: [FileWay: Int] = clones ? [.reflink: 3] : [.copy: 3]
        #expect(try await clone("one") == expected)
        #expect(try workspace.mode("one/deep/run.sh") == 0o755)
        try workspace.write("mine", to: "one/weather.csv")
        #expect(try await clone("two") == expected)
        #expect(try workspace.text("two/weather.csv") == "a,b\n" && workspace.text("one/weather.csv") == "mine")
        #expect(try workspace.files(in: "two") == ["deep/empty", "deep/run.sh", "weather.csv"])
    }

    @Test func anOccupiedDirectoryIsRefused() async throws {
        let snapshot = try await makeSnapshot()
        try workspace.write("mine", to: "out/file")
        let before = try names()
        await #expect(throws: SnapshotError.occupied(directory: workspace("out"))) {
            try await checkout(snapshot, "out")
        }
        await #expect(throws: SnapshotError.occupied(directory: workspace("out/file"))) {
            try await checkout(snapshot, "out/file", overwrite: true)
        }
        #expect(try workspace.text("out/file") == "mine")
        _ = try await checkout(snapshot, "out", part: .assets, overwrite: true)
        #expect(try workspace.files(in: "out") == ["deep/empty", "deep/run.sh", "weather.csv"])
        #expect(try names() == before)
        // An empty directory is as good as none.
        try FileManager.default.createDirectory(atPath: workspace("empty"), withIntermediateDirectories: false)
        _ = try await checkout(snapshot, "empty", part: .assets)
        #expect(try workspace.files(in: "empty") == ["deep/empty", "deep/run.sh", "weather.csv"])
    }

    /// Only a checkout that replaces its target removes the old tree of an exchange that was killed.
    @Test func theOldTreeOfAnExchange() async throws {
        let snapshot = try await makeSnapshot()
        try workspace.write("old", to: "out.lockstep-replaced/file")
        await #expect(throws: SnapshotError.self) { try await checkout(snapshot, "out") }
        #expect(try workspace.text("out/file") == "old")
        try workspace.write("old", to: "out.lockstep-replaced/file")
        await #expect(throws: SnapshotError.self) { try await checkout(snapshot, "out") }
        #expect(try workspace.text("out.lockstep-replaced/file") == "old")
        _ = try await checkout(snapshot, "out", part: .assets, overwrite: true)
        #expect(try names().filter { $0.hasPrefix("out") } == ["out"])
    }

    /// What no snapshot gives back is not deleted with a directory that is replaced.
    @Test func repositoriesAndTheWorkingDirectoryAreNotReplaced() async throws {
        let snapshot = try await makeSnapshot()
        for name in [".git/HEAD", ".lockstep/objects/x", "lockstep.yaml"] {
            try workspace.write("mine", to: "out/\(name)")
            await #expect(throws: SnapshotError.self) { try await checkout(snapshot, "out", overwrite: true) }
            #expect(try workspace.text("out/\(name)") == "mine")
            try workspace.remove("out")
        }
        let contents = try await workspace.contents(snapshot)
        var options = Checkout.Options()
        options.overwrite = true
        for place in ["", ".", "/", URL(filePath: FileManager.default.currentDirectoryPath + "/..").path] {
            await #expect(throws: SnapshotError.self, "'\(place)'") {
                try await Checkout.write(snapshot.manifest, contents, to: place, options)
            }
        }
    }

    /// Files that are named go into a directory that is there, and everything else in it stays.
    @Test func aPartIsWrittenIntoADirectory() async throws {
        let snapshot = try await makeSnapshot()
        func write(_ selection: [String], overwrite: Bool = false) async throws {
            _ = try await checkout(snapshot, "out", part: .assets, overwrite: overwrite) { $0.selection = selection }
        }
        try workspace.write("mine", to: "out/.git/HEAD")
        try workspace.write("mine", to: "out/weather.csv")
        try await write(["deep"])
        #expect(try workspace.files(in: "out") == [".git/HEAD", "deep/empty", "deep/run.sh", "weather.csv"])
        #expect(try workspace.mode("out/deep/run.sh") == 0o755)
        await #expect(throws: SnapshotError.occupied(directory: workspace("out/weather.csv"))) {
            try await write(["weather.csv"])
        }
        #expect(try workspace.text("out/weather.csv") == "mine")
        try await write(["weather.csv", "deep"], overwrite: true)
        #expect(try workspace.text("out/weather.csv") == "a,b\n" && workspace.text("out/.git/HEAD") == "mine")

        // Nothing is written through a link, nor over a directory, and then nothing at all.
        try workspace.remove("out/deep")
        try FileManager.default.createDirectory(atPath: workspace("elsewhere"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: workspace("out/deep"),
            withDestinationPath: workspace("elsewhere")
        )
        try workspace.write("mine", to: "out/weather.csv")
        await #expect(throws: SnapshotError.occupied(directory: workspace("out/deep"))) {
            try await write(["weather.csv", "deep"], overwrite: true)
        }
        #expect(try workspace.files(in: "elsewhere") == [] && workspace.text("out/weather.csv") == "mine")
        try workspace.remove("out/deep")
        try workspace.remove("out/weather.csv")
        try workspace.write("mine", to: "out/weather.csv/file")
        await #expect(throws: SnapshotError.occupied(directory: workspace("out/weather.csv"))) {
            try await write(["weather.csv", "deep"], overwrite: true)
        }
        #expect(try workspace.files(in: "out") == [".git/HEAD", "weather.csv/file"])
        #expect(try names().filter { $0.hasPrefix(".lockstep") } == [])
    }

    @Test func aBadContentLeavesNothing() async throws {
        let snapshot = try await makeSnapshot()
        try workspace.write("mine", to: "out/file")
        try await workspace.damage(try #require(snapshot.manifest.assets[2].digest), in: snapshot)
        let before = try names()
        await #expect(throws: PackError.self) { try await checkout(snapshot, "fresh") }
        await #expect(throws: PackError.self) { try await checkout(snapshot, "out", overwrite: true) }
        #expect(try names() == before)
        #expect(try workspace.text("out/file") == "mine")
    }

    /// What a killed checkout left is removed by the next one to the same place, and nothing else is.
    @Test func whatAKilledCheckoutLeftIsRemoved() async throws {
        let snapshot = try await makeSnapshot()
        for name in [".lockstep-checkout-out-0123456789abcdef", ".lockstep-checkout-other-0123456789abcdef"] {
            try workspace.write("half", to: "\(name)/a/file")
        }
        #expect(chmod(workspace(".lockstep-checkout-out-0123456789abcdef/a"), 0o500) == 0)
        _ = try await checkout(snapshot, "out", part: .assets)
        #expect(try names().filter { $0.hasPrefix(".") } == [".lockstep-checkout-other-0123456789abcdef"])
    }

    @Test func aSizeThatIsNotTheContentsIsRefused() async throws {
        let snapshot = try await makeSnapshot()
        let asset = snapshot.manifest.assets[2]
        let object = try #require(asset.content.object)
        let wrong = AssetEntry(path: asset.path, mode: .regular, size: object.size + 1, digest: object.digest)
        let changed = try SnapshotManifest(assets: [wrong], code: nil, environment: snapshot.manifest.environment)
        await #expect(throws: SnapshotError.wrongContent(object.digest, found: "4 bytes")) {
            try await Checkout.write(changed, try await workspace.contents(snapshot), to: workspace("out"), .assets)
        }
    }

    /// Snapshots of format 1 are made of objects; they are checked out like others.
    @Test func aSnapshotOfFormatOne() async throws {
        var assets: [AssetEntry] = []
        for (name, content) in [("a", "first"), ("b/c", String(repeating: "second ", count: 300_000))] {
            let digest = try await workspace.store.put(Array(content.utf8), encoding: .lz4)
            assets.append(AssetEntry(path: try path(name), mode: .regular, size: content.utf8.count, digest: digest))
        }
        let manifest = try SnapshotManifest(
            assets: assets,
            code: nil,
            environment: EnvironmentCapture(operatingSystem: nil, architecture: "x86_64", swiftVersion: nil),
            format: SnapshotManifest.firstFormat
        )
        let source = ObjectPacks(workspace.store)
        let contents = try await SnapshotContents.open(manifest, packs: [], from: source, objects: workspace.store)
        try await Checkout.write(manifest, contents, to: workspace("out"), .assets)
        #expect(try workspace.text("out/a") == "first")
        #expect(Digest.of(try workspace.bytes("out/b/c")) == assets[1].digest)
        let clean = try await SnapshotVerification.run(manifest, packs: [], from: source, objects: workspace.store)
        #expect(clean.isClean && clean.contents == 2)
        let digest = try #require(assets[0].digest)
        try workspace.remove("store/sha256/\(digest.hex.prefix(2))/\(digest.hex).lz4")
        let broken = try await SnapshotVerification.run(manifest, packs: [], from: source, objects: workspace.store)
        #expect(broken.problems.map(\.path) == ["assets/a"])
        #expect(broken.problems.map(\.kind) == [.missing])
    }
}

extension Checkout.Options {
    static var assets: Checkout.Options {
        var options = Checkout.Options()
        options.part = .assets
        return options
    }
}
