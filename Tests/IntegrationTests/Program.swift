import Foundation
import Testing

/// The built `lockstep` executable, run as a user runs it.
enum Program {
    struct Outcome {
        let code: Int32
        let output: String
        let errors: String
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Beside the test program, which the same build makes.
    static func path(source: String = #filePath) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/lockstep"
        let root = URL(fileURLWithPath: source).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let built = root + "/.build/debug/lockstep"
        for candidate in [beside, built] where FileManager.default.isExecutableFile(atPath: candidate) {
            return candidate
        }
        throw Failure(description: "there is no executable at \(beside) or \(built); run: swift build")
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String],
        in directory: String,
        environment: [String: String],
        limit: Duration = .seconds(60)
    ) async throws -> Outcome {
        let running = try RunningProgram(arguments, in: directory, environment: environment)
        return try await running.wait(limit: limit)
    }
}

/// A process that was started and has to be waited for or killed.
final class RunningProgram {
    private let process = Process()
    private let scratch: Scratch
    private let arguments: [String]

    init(_ arguments: [String], in directory: String, environment: [String: String]) throws {
        self.arguments = arguments
        scratch = try Scratch()
        process.executableURL = URL(fileURLWithPath: try Program.path())
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        var variables = ProcessInfo.processInfo.environment
        for name in ["DATABASE_URL", "OBJECT_STORE", "LOCKSTEP_URL"] { variables[name] = nil }
        process.environment = variables.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(scratch.path + "/output")
        process.standardError = try Self.file(scratch.path + "/errors")
        try process.run()
    }

    deinit { kill() }

    private static func file(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(fileURLWithPath: path))
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    var output: String { text("output") }
    var errors: String { text("errors") }

    private func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: scratch.path + "/" + name) ?? Data(), as: UTF8.self)
    }

    func wait(limit: Duration) async throws -> Program.Outcome {
        let start = ContinuousClock.now
        while process.isRunning {
            guard ContinuousClock.now - start < limit else {
                kill()
                throw Program.Failure(
                    description:
                        "lockstep \(arguments.joined(separator: " ")) did not end in \(limit):\n\(output)\(errors)"
                )
            }
            try await Task.sleep(for: .milliseconds(4))
        }
        guard process.terminationReason == .exit else {
            throw Program.Failure(
                description:
                    "lockstep \(arguments.joined(separator: " ")) ended by signal \(process.terminationStatus):\n\(errors)"
            )
        }
        return Program.Outcome(code: process.terminationStatus, output: output, errors: errors)
    }

    /// Waits until a server says that it is there.
    func waitForOutput(_ word: String, limit: Duration = .seconds(30)) async throws {
        let start = ContinuousClock.now
        while !output.contains(word) {
            guard process.isRunning, ContinuousClock.now - start < limit else {
                throw Program.Failure(description: "lockstep did not say '\(word)':\n\(output)\(errors)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Asks the program to stop, as Control-C does.
    func interrupt() { Foundation.kill(process.processIdentifier, SIGINT) }

    /// Without warning, as a crash.
    func kill() {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A directory of its own, removed with the object.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "lockstep-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
