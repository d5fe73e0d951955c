import Foundation
import Objects
import Testing

@testable import Datasets

/// A directory of one test, with files to capture and a store, removed with it.
final class Workspace: Sendable {
    let path: String
    let store: LocalObjectStore

    init() throws {
        let path = FileManager.default.temporaryDirectory.path + "/lockstep-datasets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
        store = LocalObjectStore(directory: path + "/store")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, with its directories.
    func write(_ text: String, to name: String, isExecutable: Bool = false) throws {
        let url = URL(filePath: self(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        try FileManager.default.setAttributes(
            [.posixPermissions: isExecutable ? 0o755 : 0o644],
            ofItemAtPath: url.path
        )
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self(name))
    }

    func text(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: self(name)), encoding: .utf8)
    }

    func mode(_ name: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: self(name))[.posixPermissions] as? NSNumber)?.intValue
    }

    /// Every file below a directory, by path relative to it.
    func files(in name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: self(name)).filter { file in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: self("\(name)/\(file)"), isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }

    /// Runs git in a directory, away from the settings of whoever runs the tests.
    @discardableResult
    func git(in name: String, _ arguments: String...) async throws -> String {
        try await git(in: name, arguments)
    }

    @discardableResult
    func git(in name: String, _ arguments: [String]) async throws -> String {
        var environment = ProcessInfo.processInfo.environment
        environment.merge([
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
        ]) { $1 }
        let run = try await Command.run("git", ["-C", self(name)] + arguments, environment: environment)
        let outcome = try #require(run, "these tests need git on PATH")
        try #require(outcome.status == 0, "\(outcome.message)")
        return try #require(outcome.line)
    }

    /// Captures files whose names are relative to the workspace, into its store.
    func capture(
        _ names: [String],
        root: String? = nil,
        code: String? = nil,
        known: PackCatalog = PackCatalog(),
        _ change: (inout SnapshotRequirements) -> Void = { _ in }
    ) async throws -> CapturedSnapshot {
        var wanted = SnapshotRequirements(
            paths: names.map { self($0) },
            root: root.map { self($0) },
            code: code.map { self($0) }
        )
        change(&wanted)
        return try await SnapshotBuilder.capture(wanted, known: known, into: StorePacks(workspace: self))
    }

    func contents(_ snapshot: CapturedSnapshot) async throws -> SnapshotContents {
        try await .open(snapshot.manifest, packs: snapshot.packs, from: ObjectPacks(store), objects: store)
    }

    func catalog(_ snapshots: CapturedSnapshot...) async throws -> PackCatalog {
        try await PackCatalog(Set(snapshots.flatMap(\.packs)).sorted(), from: ObjectPacks(store))
    }

    /// The path of a pack's file, so that a test can damage it.
    func packFile(_ pack: PackReference) -> String {
        "store/sha256/\(pack.digest.hex.prefix(2))/\(pack.digest.hex)"
    }

    /// Flips the lowest bit of the byte in the middle of what a pack stores for a content.
    func damage(_ digest: Digest, in snapshot: CapturedSnapshot) async throws {
        let catalog = try await catalog(snapshot)
        let (pack, entry) = try #require(catalog.place(of: digest))
        let url = URL(filePath: self(packFile(catalog.packs[pack])))
        var bytes = try Data(contentsOf: url)
        bytes[entry.range.upperBound - (entry.storedSize + 1) / 2] ^= 1
        try FileManager.default.removeItem(at: url)
        try bytes.write(to: url)
    }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: self(name)))) }
}

/// Puts packs in a workspace's store.
struct StorePacks: PackDestination {
    let workspace: Workspace

    var directory: String { workspace("packs") }

    func store(_ pack: SealedPack) async throws {
        #expect(try await workspace.store.adopt(pack.path, as: pack.digest) == pack.size)
    }
}

func path(_ text: String) throws -> SnapshotPath { try SnapshotPath(text) }
