import Foundation
import Testing

@testable import Datasets

@Suite struct SwiftVersionTests {
    /// A program that says its version, in the places of a toolchain's.
    private func toolchain(_ workspace: Workspace) throws -> [String: String] {
        let directory = workspace("toolchain")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in ["swift", "swift-frontend"] {
            try FileManager.default.copyItem(atPath: "/bin/echo", toPath: "\(directory)/\(name)")
        }
        return ["PATH": directory]
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    @Test func isKeptAsLongAsTheToolchainIsTheSame() async throws {
        let workspace = try Workspace()
        let environment = try toolchain(workspace)
        let cache = workspace("cache")
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let kept = SwiftVersion.path(in: cache)

        // Written just now: it may be written again within the same tick.
        #expect(SwiftVersion.key(environment) == nil)
        let answer = try #require(await SwiftVersion.current(cache: cache, environment: environment))
        #expect(answer.hasPrefix("echo"))
        #expect(!FileManager.default.fileExists(atPath: kept))

        try await Task.sleep(for: .milliseconds(2_100))
        #expect(await SwiftVersion.current(cache: cache, environment: environment) == answer)
        let key = try #require(SwiftVersion.key(environment))
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == SwiftVersion.file(answer, key))

        try write(SwiftVersion.file("Swift as kept", key), to: kept)
        #expect(await SwiftVersion.current(cache: cache, environment: environment) == "Swift as kept")
        #expect(await SwiftVersion.current(cache: nil, environment: environment) == answer)

        // What is damaged is asked for again, and mended.
        try write(SwiftVersion.file("Swift as kept", key).replacing("kept", with: "kopt"), to: kept)
        #expect(await SwiftVersion.current(cache: cache, environment: environment) == answer)
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == SwiftVersion.file(answer, key))

        // Another frontend behind the same driver.
        try write(SwiftVersion.file("Swift as kept", key), to: kept)
        let frontend = workspace("toolchain/swift-frontend")
        try FileManager.default.removeItem(atPath: frontend)
        try FileManager.default.copyItem(atPath: "/bin/ls", toPath: frontend)
        #expect(await SwiftVersion.current(cache: cache, environment: environment) == answer)
        try await Task.sleep(for: .milliseconds(2_100))
        let other = try #require(SwiftVersion.key(environment))
        #expect(other != key)
        #expect(await SwiftVersion.current(cache: cache, environment: environment) == answer)
    }

    @Test func isAskedForWhereSomethingElseChooses() async throws {
        let workspace = try Workspace()
        var environment = try toolchain(workspace)
        try await Task.sleep(for: .milliseconds(2_100))
        #expect(SwiftVersion.key(environment) != nil)
        for name in ["SWIFT_EXEC", "TOOLCHAINS", "SWIFT_DRIVER_SWIFT_FRONTEND_EXEC"] {
            #expect(SwiftVersion.key(environment.merging([name: "other"]) { $1 }) == nil)
        }
        // A script, and a program that goes by the name of another.
        let directory = workspace("shims")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try write("#!/bin/sh\necho anything\n", to: "\(directory)/swift")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(directory)/swift")
        environment["PATH"] = directory
        #expect(SwiftVersion.key(environment) == nil)
        #expect(await SwiftVersion.current(cache: workspace("cache"), environment: environment) == "anything")
        try FileManager.default.removeItem(atPath: "\(directory)/swift")
        try FileManager.default.createSymbolicLink(atPath: "\(directory)/swift", withDestinationPath: "/bin/echo")
        #expect(SwiftVersion.key(environment) == nil)
        #expect(SwiftVersion.key(["PATH": workspace("nowhere")]) == nil)
    }
}
