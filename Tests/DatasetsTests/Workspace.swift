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

    /// The path of an object's file, so that a test can damage it.
    func objectFile(_ digest: Digest) -> String {
        "store/sha256/\(digest.hex.prefix(2))/\(digest.hex).lz4"
    }

    /// Flips the lowest bit of one byte of an object's file.
    func damage(_ digest: Digest, at position: Int) throws {
        let url = URL(filePath: self(objectFile(digest)))
        var bytes = try Data(contentsOf: url)
        bytes[position] ^= 1
        try FileManager.default.removeItem(at: url)
        try bytes.write(to: url)
    }
}

func path(_ text: String) throws -> SnapshotPath { try SnapshotPath(text) }
