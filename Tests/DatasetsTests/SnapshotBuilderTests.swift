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
        try await SnapshotBuilder.capture(
            paths: names.map { workspace($0) },
            root: root.map { workspace($0) },
            into: workspace.store
        )
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
        let manifest = try await SnapshotBuilder.capture(
            paths: [workspace("data"), workspace("labels.csv")],
            into: workspace.store
        ) { report in reports.withLock { $0.append(report) } }
        #expect(
            manifest.assets.map(\.path.text) == [
                "data/.hidden/file", "data/deep/er/empty", "data/deep/run.sh", "data/weather.csv", "labels.csv",
            ]
        )
        #expect(manifest.assets.map(\.mode) == [.regular, .regular, .executable, .regular, .regular])
        #expect(manifest.assets.map(\.size) == [6, 0, 10, 8, 6])
        #expect(manifest.assetSize == 30)
        #expect(manifest.code == nil)
        for asset in manifest.assets {
            #expect(try await workspace.store.get(asset.digest) == Array(try workspace.text(asset.path.text).utf8))
            #expect(try await workspace.store.localPath(asset.digest) == nil)
        }
        let seen = reports.withLock { $0 }
        #expect(seen.map(\.filesDone) == [0, 1, 2, 3, 4, 5])
        #expect(seen.last?.bytesDone == 30)
        #expect(seen.allSatisfy { $0.filesTotal == 5 })
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
        let third = try await SnapshotBuilder.capture(paths: [other("labels.csv"), other("data")], into: other.store)
        #expect(third.digest == first.digest)
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

    @Test func symbolicLinksAreRefused() async throws {
        try writeData()
        try FileManager.default.createSymbolicLink(atPath: workspace("data/link"), withDestinationPath: "weather.csv")
        let link = try FileStatus.resolved(workspace("data")) + "/link"
        await #expect(throws: SnapshotError.symbolicLink(path: link)) { try await capture("data") }
        await #expect(throws: SnapshotError.symbolicLink(path: workspace("data/link"))) {
            try await capture("data/link")
        }
    }

    @Test func namesThatAreNotUTF8AreRefused() async throws {
        try writeData()
        let name: [CChar] = Array("\(workspace("data"))/".utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        let file = try #require(fopen(name, "w"))
        fclose(file)
        let directory = try FileStatus.resolved(workspace("data"))
        await #expect(throws: SnapshotError.undecodableName(directory: directory)) { try await capture("data") }
        unlink(name)
    }

    @Test func aFileThatChangesOnceIsReadAgain() async throws {
        try workspace.write("first", to: "data/a")
        let store = MeddlingStore(workspace.store, times: 1) { [workspace] in
            try workspace.write("other", to: "data/a")
        }
        let manifest = try await SnapshotBuilder.capture(paths: [workspace("data")], into: store)
        #expect(manifest.assets.map(\.digest) == [Digest.of(Array("other".utf8))])
    }

    @Test func aFileThatKeepsChangingIsRefused() async throws {
        try workspace.write("first", to: "data/a")
        let store = MeddlingStore(workspace.store, times: 2) { [workspace] in
            // The same bytes again: only the times tell.
            let handle = try FileHandle(forWritingTo: URL(filePath: workspace("data/a")))
            try handle.write(contentsOf: Data("first".utf8))
            try handle.close()
        }
        let file = try FileStatus.resolved(workspace("data")) + "/a"
        await #expect(throws: SnapshotError.changedDuringCapture(path: file)) {
            try await SnapshotBuilder.capture(paths: [workspace("data")], into: store)
        }
    }

    @Test func theEnvironmentHasOnlyWhatWasAskedFor() async throws {
        try writeData()
        for name in ["uv.lock", "requirements-dev.txt", "Package.resolved", "other.lock", "sub/Cargo.lock"] {
            try workspace.write(name, to: "code/\(name)")
        }
        let manifest = try await SnapshotBuilder.capture(
            paths: [workspace("data")],
            code: workspace("code"),
            variables: ["PATH", "LOCKSTEP_NOT_SET_ANYWHERE", "PATH"],
            into: workspace.store
        )
        let environment = manifest.environment
        #expect(environment.lockFiles.map(\.name.text) == ["Package.resolved", "requirements-dev.txt", "uv.lock"])
        #expect(try await workspace.store.get(environment.lockFiles[2].digest) == Array("uv.lock".utf8))
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

/// A store that does something after storing a file, the first few times.
private final class MeddlingStore: ForwardingObjectStore {
    let base: any ManagedObjectStore
    private let remaining: Mutex<Int>
    private let meddle: @Sendable () throws -> Void

    init(_ base: LocalObjectStore, times: Int, meddle: @escaping @Sendable () throws -> Void) {
        self.base = base
        remaining = Mutex(times)
        self.meddle = meddle
    }

    func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let result = try await base.putFile(at: path, encoding: encoding)
        let isDue = remaining.withLock { remaining in
            remaining -= 1
            return remaining >= 0
        }
        if isDue { try meddle() }
        return result
    }
}
