import Foundation
import Synchronization

/// A program run to its end, its output in a file: of any size, and no pipe to fill up.
struct Command {
    /// What a program left behind.
    struct Outcome {
        let status: Int32
        let output: Data
        let message: String

        /// The output as text without the line feed at its end; `nil` if it is not UTF-8.
        var line: String? {
            String(validating: output, as: UTF8.self).map { $0.hasSuffix("\n") ? String($0.dropLast()) : $0 }
        }
    }

    /// Runs a program found on `PATH`; `nil` if there is none of that name.
    ///
    /// - Parameters:
    ///   - input: what it reads.
    ///   - limit: after how many seconds it is terminated.
    static func run(
        _ name: String,
        _ arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        input: [UInt8] = [],
        limit: Double? = nil
    ) async throws -> Outcome? {
        try await withOutput(
            of: name,
            arguments,
            environment: environment,
            input: input,
            limit: limit
        ) { status, path, message in
            Outcome(status: status, output: try Data(contentsOf: URL(filePath: path)), message: message)
        }
    }

    /// Runs a program found on `PATH` and hands status, the path of its output and its error text to `body`.
    static func withOutput<Result>(
        of name: String,
        _ arguments: [String],
        environment: [String: String],
        input: [UInt8] = [],
        limit: Double? = nil,
        _ body: (_ status: Int32, _ output: String, _ message: String) async throws -> Result
    ) async throws -> Result? {
        guard let executable = locate(name, in: environment["PATH"] ?? "") else { return nil }
        let files = FileManager.default
        let directory = files.temporaryDirectory.appending(path: "lockstep-\(UUID().uuidString)")
        try files.createDirectory(
            at: directory,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? files.removeItem(at: directory) }
        let output = directory.appending(path: "output")
        let errors = directory.appending(path: "errors")
        try Data().write(to: output)
        try Data().write(to: errors)
        let outputHandle = try FileHandle(forWritingTo: output)
        let errorHandle = try FileHandle(forWritingTo: errors)
        defer {
            try? outputHandle.close()
            try? errorHandle.close()
        }

        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = environment
        if input.isEmpty {
            process.standardInput = FileHandle.nullDevice
        } else {
            let file = directory.appending(path: "input")
            try Data(input).write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        }
        process.standardOutput = outputHandle
        process.standardError = errorHandle
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
                return
            }
            if let limit {
                let identifier = process.processIdentifier
                let running = WeakProcess(process)
                DispatchQueue.global().asyncAfter(deadline: .now() + limit) {
                    if running.isRunning { kill(identifier, SIGKILL) }
                }
            }
        }
        let message = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        return try await body(
            process.terminationStatus,
            output.path(percentEncoded: false),
            message.trimmingCharacters(in: .whitespacesAndNewlines)
        )
    }

    /// The first line a program prints, or `nil` if it is absent, fails, or takes longer than 20 seconds.
    static func firstLine(
        of name: String,
        _ arguments: [String],
        _ environment: [String: String]
    ) async -> String? {
        guard let outcome = try? await run(name, arguments, environment: environment, limit: 20), outcome.status == 0
        else { return nil }
        return outcome.line?.split(separator: "\n").first.map(String.init)
    }

    /// The path of a program, the first of its name on a search path.
    static func locate(_ name: String, in path: String) -> String? {
        path.split(separator: ":").lazy.map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
    }
}

/// Whether a process still runs, without keeping it alive.
private final class WeakProcess: @unchecked Sendable {
    // `Process` guards its state with a lock of its own.
    private weak var process: Process?

    init(_ process: Process) {
        self.process = process
    }

    var isRunning: Bool { process?.isRunning ?? false }
}
