import Foundation
import Objects
import Synchronization
import Testing

@testable import Datasets

@Suite struct SnapshotBuilderTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
    }

    private func capture(_ names: String..., root: String? = nil) async throws -> SnapshotManifest {
        try await workspace.capture(names, root: root).manifest
    }

    private func writeData() throws {
        try workspace.write("a,b\n1,2\n", to: "data/weather.csv")
        try workspace.write("", to: "data/deep/er/empty")
        try workspace.write("#!/bin/sh\n", to: "data/deep/run.sh", isExecutable: true)
        try workspace.write("hidden", to: "data/.hidden/file")
        try workspace.write("x", to: "data/.lockstep/objects")
        try workspace.write("x", to: "data/.git/HEAD")
        try workspace.write("labels", to: "labels.csv")
    }

    @Test func directoriesAndFiles() async throws {
        try writeData()
        let reports = Mutex<[SnapshotProgress]>([])
        let snapshot = try await SnapshotBuilder.capture(
            SnapshotRequirements(paths: [workspace("data"), workspace("labels.csv")]),
            into: StorePacks(workspace: workspace)
        ) { report in reports.withLock { $0.append(report) } }
        let manifest = snapshot.manifest
        #expect(
            manifest.assets.map(\.path.text) == [
                "data/.hidden/file", "data/deep/er/empty", "data/deep/run.sh", "data/weather.csv", "labels.csv",
            ]
        )
        #expect(manifest.assets.map(\.mode) == [.regular, .regular, .executable, .regular, .regular])
        #expect(manifest.assets.map(\.size) == [6, 0, 10, 8, 6])
        #expect(manifest.assetSize == 30)
        #expect(manifest.code == nil)
        let contents = try await workspace.contents(snapshot)
        for asset in manifest.assets {
            let object = try #require(asset.content.object)
            #expect(try contents.bytes(object) == workspace.bytes(asset.path.text))
        }
        #expect(snapshot.packs == snapshot.newPacks)
        #expect(snapshot.packs.count == 1)
        let seen = reports.withLock { $0 }
        #expect(seen.first?.filesDone == 0 && seen.last?.filesDone == 5)
        #expect(seen.map(\.filesDone) == seen.map(\.filesDone).sorted())
        #expect(seen.last?.bytesDone == 30)
        #expect(seen.allSatisfy { $0.filesTotal == 5 })
    }

    /// The rules of the project count where only a part of it is captured, and those of other directories do not.
    @Test func ignoreFilesAboveTheRoot() async throws {
        for name in ["a.tmp", "b.log", "c.csv", "sub/d.tmp"] { try workspace.write(name, to: "project/data/\(name)") }
        try workspace.write("*.tmp\ndata/b.log\n", to: "project/.lockstepignore")
        try workspace.write("c.csv\n", to: "other/.lockstepignore")
        func paths(_ ignoreRoot: String?) async throws -> [String] {
            try await workspace.capture(["project/data"]) { $0.ignoreRoot = ignoreRoot.map { workspace($0) } }
                .manifest.assets.map(\.path.text)
        }
        // A directory of which nothing is left is an empty one.
        #expect(try await paths("project") == ["c.csv", "sub"])
        #expect(try await paths(nil) == ["a.tmp", "b.log", "c.csv", "sub/d.tmp"])
        #expect(try await paths("other") == ["a.tmp", "b.log", "c.csv", "sub/d.tmp"])
    }

    /// Of a submodule or a linked work tree, `.git` is a file; it names a place of this machine.
    @Test func aGitFileIsNotCaptured() async throws {
        try workspace.write("gitdir: /elsewhere\n", to: "data/sub/.git")
        try workspace.write("x", to: "data/sub/.gitignore")
        #expect(try await capture("data").assets.map(\.path.text) == ["sub/.gitignore"])
    }

    /// What was erased is refused with its path, and nothing of it is stored.
    @Test func erasedFilesAreRefused() async throws {
        try workspace.write("person", to: "data/people.csv")
        let digest = Digest.of(Array("person".utf8))
        await #expect(throws: SnapshotError.erased(path: workspace("data/people.csv"), reason: "erased by ada: law")) {
            try await workspace.capture(["data"]) { $0.erased = [digest: "erased by ada: law"] }
        }
        #expect(try await workspace.store.list(after: nil, limit: 10).isEmpty)
    }

    /// Holes are the zeros that reading them gives, and another name is another file of the same content.
    @Test func sparseAndHardLinkedFiles() async throws {
        let (size, island) = (9_000_001, Array("an island".utf8))
        var dense = [UInt8](repeating: 0, count: size)
        for place in [0, 4_000_003, size - island.count] {
            dense.replaceSubrange(place..<place + island.count, with: island)
        }
        try workspace.write("", to: "data/dense")
        try Data(dense).write(to: URL(filePath: workspace("data/dense")))
        try workspace.write("", to: "data/sparse")
        let sparse = try FileHandle(forWritingTo: URL(filePath: workspace("data/sparse")))
        for place in [0, 4_000_003, size - island.count] {
            try sparse.seek(toOffset: UInt64(place))
            try sparse.write(contentsOf: Data(island))
        }
        try sparse.close()
        var status = stat()
        #expect(stat(workspace("data/sparse"), &status) == 0 && status.st_blocks * 512 < size / 10)
        try FileManager.default.linkItem(atPath: workspace("data/sparse"), toPath: workspace("data/twin"))

        let snapshot = try await workspace.capture(["data"])
        let objects = snapshot.manifest.assets.compactMap(\.content.object)
        #expect(objects.count == 3 && Set(objects).count == 1)
        #expect(objects.first?.size == size && objects.first?.digest == .of(dense))
        #expect(try await workspace.contents(snapshot).bytes(try #require(objects.first)) == dense)
        // Stored once, the zeros as few chunks.
        #expect(snapshot.newPacks.reduce(0) { $0 + $1.size } < size / 10)
    }

    @Test func theOrderOfPathsDoesNotMatter() async throws {
        try writeData()
        let first = try await capture("data", "labels.csv")
        let second = try await capture("labels.csv", "data/weather.csv", "data/deep/../deep", "data/", "labels.csv")
        #expect(first == second)
        #expect(first.digest == second.digest)
        // Nor does it matter when the files were written, or where.
        let other = try Workspace()
        try FileManager.default.copyItem(atPath: workspace("data"), toPath: other("data"))
        try FileManager.default.copyItem(atPath: workspace("labels.csv"), toPath: other("labels.csv"))
        let third = try await other.capture(["labels.csv", "data"])
        #expect(third.manifest.digest == first.digest)
    }

    @Test func pathsAreRelativeToTheRoot() async throws {
        try writeData()
        #expect(try await capture("data/deep").assets.map(\.path.text) == ["er/empty", "run.sh"])
        #expect(
            try await capture("data/deep", root: "data").assets.map(\.path.text) == ["deep/er/empty", "deep/run.sh"]
        )
        #expect(try await capture("labels.csv").assets.map(\.path.text) == ["labels.csv"])
        #expect(
            try await capture("data/deep/run.sh", "data/weather.csv").assets.map(\.path.text)
                == ["deep/run.sh", "weather.csv"]
        )
        await #expect(throws: SnapshotError.self) { try await capture("labels.csv", root: "data") }
        await #expect(throws: SnapshotError.noPaths) { try await capture() }
        await #expect(throws: SnapshotError.self) { try await capture("absent") }
    }

    /// Links are recorded as they are, wherever they lead; a link that is named is not followed.
    @Test func symbolicLinksAndEmptyDirectories() async throws {
        try writeData()
        let targets = ["to file": "weather.csv", "out": "../../etc/passwd", "dangling": "no where", "to dir": "deep"]
        for (name, target) in targets {
            try FileManager.default.createSymbolicLink(atPath: workspace("data/\(name)"), withDestinationPath: target)
        }
        for name in ["data/empty", "data/nested/inner", "data/only ignored"] {
            try FileManager.default.createDirectory(atPath: workspace(name), withIntermediateDirectories: true)
        }
        #expect(chmod(workspace("data/empty"), 0o750) == 0)
        try workspace.write("*.log\n", to: "data/.lockstepignore")
        try workspace.write("x", to: "data/only ignored/a.log")
        let assets = try await capture("data").assets
        var links: [String: String] = [:]
        var directories: [String: FileMode] = [:]
        for asset in assets {
            if case .symbolicLink(let target) = asset.content {
                links[asset.path.text] = String(decoding: target, as: UTF8.self)
            }
            if case .directory(let mode) = asset.content { directories[asset.path.text] = mode }
        }
        #expect(links == targets)
        #expect(Set(directories.keys) == ["empty", "nested/inner", "only ignored"])
        #expect(directories["empty"] == FileMode(0o750))
        await #expect(throws: SnapshotError.symbolicLink(path: workspace("data/to file"))) {
            try await capture("data/to file")
        }
    }

    @Test func namesThatAreNotUTF8AreKept() async throws {
        let name: [UInt8] = [0x61, 0xFF, 0x2E, 0x63]
        try FileManager.default.createDirectory(atPath: workspace("data"), withIntermediateDirectories: true)
        let file = DiskPath(workspace("data")).appending(name)
        try NewFile.write(file, mode: FileMode(0o640)) { _ in }
        let snapshot = try await workspace.capture(["data"])
        let asset = try #require(snapshot.manifest.assets.first)
        #expect(asset.path.bytes == name)
        #expect(asset.path.text == "a\\xff.c")
        #expect(asset.mode == FileMode(0o640))
        let json = snapshot.manifest.canonicalJSON
        #expect(String(decoding: json, as: UTF8.self).contains(#""path_bytes":"61ff2e63""#))
        #expect(try SnapshotManifest(json: json, expecting: snapshot.manifest.digest) == snapshot.manifest)
        try await Checkout.write(
            snapshot.manifest,
            try await workspace.contents(snapshot),
            to: workspace("out"),
            .assets
        )
        #expect(try DirectoryWalk.names(in: DiskPath(workspace("out"))) == [name])
    }

    @Test func whatIsNoFileIsRefusedByName() async throws {
        try writeData()
        #expect(mkfifo(workspace("data/deep/pipe"), 0o600) == 0)
        let path = try FileStatus.resolved(workspace("data")) + "/deep/pipe"
        await #expect(throws: SnapshotError.notAFile(path: path)) { try await capture("data") }
        try workspace.write("pipe\n", to: "data/deep/.lockstepignore")
        #expect(try await capture("data").assets.contains { $0.path.text == "deep/.lockstepignore" })
    }

    /// A hard link is a file of its own; two files of one content are stored once.
    @Test func hardLinksAndEqualFiles() async throws {
        try workspace.write("content", to: "data/a")
        #expect(link(workspace("data/a"), workspace("data/b")) == 0)
        try workspace.write("content", to: "data/c")
        let snapshot = try await workspace.capture(["data"])
        #expect(Set(snapshot.manifest.assets.map(\.digest)) == [Digest.of(Array("content".utf8))])
        #expect(try await workspace.catalog(snapshot).count == 1)
    }

    /// A file that is written to again and again while it is captured is refused, and nothing of it is recorded.
    @Test func aFileThatKeepsChangingIsRefused() async throws {
        try workspace.write(String(repeating: "x", count: 3 << 20), to: "data/a")
        let state = Mutex((isOver: false, writes: 0))
        let path = workspace("data/a")
        // On a thread of its own: the tests keep the others busy.
        let writer = Thread {
            let descriptor = open(path, O_WRONLY)
            while !state.withLock({ $0.isOver }) {
                // The same bytes again: only the times tell.
                pwrite(descriptor, "x", 1, 0)
                state.withLock { $0.writes += 1 }
                usleep(500)
            }
            close(descriptor)
        }
        writer.start()
        defer { state.withLock { $0.isOver = true } }
        while state.withLock({ $0.writes }) == 0 { try await Task.sleep(nanoseconds: 1_000_000) }
        let file = try FileStatus.resolved(workspace("data")) + "/a"
        await #expect(throws: SnapshotError.changedDuringCapture(path: file)) { try await workspace.capture(["data"]) }
        state.withLock { $0.isOver = true }
        while !writer.isFinished { try await Task.sleep(nanoseconds: 1_000_000) }
        #expect(try await workspace.capture(["data"]).manifest.assets.count == 1)
    }

    @Test func whatTheStoreHasIsNotStoredAgain() async throws {
        try writeData()
        let first = try await workspace.capture(["data"])
        let again = try await workspace.capture(["data"], known: try await workspace.catalog(first))
        #expect(again.newPacks.isEmpty)
        #expect(again.packs == first.packs)
        #expect(again.manifest == first.manifest)
        try workspace.write("more", to: "data/more")
        let second = try await workspace.capture(["data"], known: try await workspace.catalog(first))
        #expect(second.newPacks.count == 1)
        #expect(second.packs == (first.packs + second.newPacks).sorted())
        #expect(try await workspace.catalog(second).count == (try await workspace.catalog(first)).count + 1)
    }

    @Test func theEnvironmentHasOnlyWhatWasAskedFor() async throws {
        try writeData()
        for name in ["uv.lock", "requirements-dev.txt", "Package.resolved", "other.lock", "sub/Cargo.lock"] {
            try workspace.write(name, to: "code/\(name)")
        }
        let snapshot = try await workspace.capture(["data"], code: "code") {
            $0.variables = ["PATH", "LOCKSTEP_NOT_SET_ANYWHERE", "PATH"]
        }
        let environment = snapshot.manifest.environment
        #expect(environment.lockFiles.map(\.name.text) == ["Package.resolved", "requirements-dev.txt", "uv.lock"])
        let contents = try await workspace.contents(snapshot)
        #expect(try contents.bytes(environment.lockFiles[2].object) == Array("uv.lock".utf8))
        #expect(
            environment.variables == [
                .init(name: "LOCKSTEP_NOT_SET_ANYWHERE", value: nil),
                .init(name: "PATH", value: ProcessInfo.processInfo.environment["PATH"]),
            ]
        )
        #expect(!environment.architecture.isEmpty)
        // Absent where the tests run with a toolchain that is not on PATH.
        if let version = environment.swiftVersion { #expect(version.contains("Swift version")) }
        #expect(EnvironmentCapture.osReleaseName("NAME=x\nPRETTY_NAME=\"Debian 12 (b)\"\n") == "Debian 12 (b)")
        #expect(EnvironmentCapture.osReleaseName("PRETTY_NAME=Plain\n") == "Plain")
        #expect(EnvironmentCapture.osReleaseName("NAME=x\n") == nil)
    }
}
