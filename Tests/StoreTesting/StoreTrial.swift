import Foundation

/// The program `StoreTrial`, running: it puts objects, and is killed.
package final class StoreTrial {
    package struct NotBuilt: Error, CustomStringConvertible { package let description: String }

    private let process = Process()
    // A file, not a pipe: nothing can be lost of it, whatever happens to this program's reads.
    private let scratch: ScratchDirectory

    package init(_ arguments: [String], environment: [String: String] = [:]) throws {
        scratch = try ScratchDirectory()
        try scratch.write("", to: "output")
        // Beside the test program, which the same build makes.
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: own).deletingLastPathComponent().path + "/StoreTrial"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw NotBuilt(description: "there is no program \(program); run: swift build --build-tests")
        }
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: scratch.path + "/output"))
        try process.run()
    }

    package func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

    /// Waits for the end and returns the lines that the program wrote; one that was cut off is not among them.
    package func wait() throws -> [String] {
        process.waitUntilExit()
        let text = String(decoding: try scratch.read("output"), as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeLast()
        return lines
    }

    /// The signal that ended the program; `nil` if it ended itself.
    package var signal: Int32? { process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil }
}
