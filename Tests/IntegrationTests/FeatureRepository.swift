import Foundation
import Testing

/// A temporary feature repository, and the program run in it.
final class FeatureRepository {
    static let project = "trial"

    let directory: String
    let url: String

    init(directory: String, port: Int) throws {
        self.directory = directory
        self.url = "http://127.0.0.1:\(port)"
        try write("lockstep.yaml", "project: \(Self.project)\n")
    }

    func path(_ name: String) -> String { directory + "/" + name }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    func write(_ name: String, bytes: [UInt8]) throws {
        let file = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try #require(FileManager.default.contents(atPath: path(name)), "\(name) is not there"))
    }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func outcome(_ arguments: [String], limit: Duration = .seconds(60)) async throws -> Program.Outcome {
        try await Program.run(arguments, in: directory, environment: ["LOCKSTEP_URL": url], limit: limit)
    }

    /// Runs a command that ends with the given code, and returns its standard output.
    @discardableResult
    func lockstep(
        _ arguments: String...,
        code: Int32 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let outcome = try await outcome(arguments)
        try #require(
            outcome.code == code,
            "lockstep \(arguments.joined(separator: " ")):\n\(outcome.output)\(outcome.errors)",
            sourceLocation: sourceLocation
        )
        return outcome.output
    }
}
