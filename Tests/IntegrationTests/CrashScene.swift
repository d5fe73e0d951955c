import Foundation
import Objects
import Testing

/// What happens at one file operation of a process; see `SystemFaults`.
enum CrashFault: String, CaseIterable, CustomTestStringConvertible {
    case refused = "EIO"
    case full = "ENOSPC"
    /// The operation does its work and then reports an error.
    case late
    case killed = "kill"

    var testDescription: String { rawValue }

    /// Every fault in every setting; a full disk, which differs from a broken one in its code alone, in the first.
    static func cases<Setting>(of settings: [Setting]) -> [(CrashFault, Setting)] {
        settings.enumerated().flatMap { position, setting in
            allCases.filter { $0 != .full || position == 0 }.map { ($0, setting) }
        }
    }
}

/// Data in several states, and processes that have a fault at one of their file operations.
struct CrashScene {
    let fixture: ServiceFixture
    private let report: String

    init(_ fixture: ServiceFixture) {
        self.fixture = fixture
        report = fixture.repository.directory + "/../fault-report"
    }

    var repository: FeatureRepository { fixture.repository }

    /// Writes one state of the data: small files, a large one, a link; returns what a tree of it holds.
    func write(_ state: Int) throws -> [String: Digest] {
        for number in 0..<5 { try repository.write("data/\(number)/file", "state \(state) of \(number)\n") }
        try repository.write("data/state", "\(state)")
        let large = (0..<45_000).map { "\($0 + state * 7),\($0 % 13)" }.joined(separator: "\n")
        try repository.write("data/large", "\(state)\n" + large + large)
        let link = repository.path("data/link")
        if !repository.exists("data/link") {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "state")
        }
        return try tree("data")
    }

    /// Every path below a directory with what it holds; a link as its target's.
    func tree(_ name: String) throws -> [String: Digest] {
        var tree: [String: Digest] = [:]
        for file in repository.files(name) {
            guard let bytes = FileManager.default.contents(atPath: repository.path("\(name)/\(file)")) else { continue }
            tree[file] = .of([UInt8](bytes))
        }
        return tree
    }

    /// The environment in which a process has a fault.
    func environment(_ fault: CrashFault, at operation: Int) -> [String: String] {
        try? FileManager.default.removeItem(atPath: report)
        return ["LOCKSTEP_SYSTEM_FAULT": "\(fault.rawValue) \(operation) \(report)"]
    }

    /// The operation at which the last process had its fault; `nil` if it did not come to it.
    var struck: String? {
        FileManager.default.contents(atPath: report).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Runs a command that has a fault at one of its file operations.
    func run(
        _ arguments: [String],
        _ fault: CrashFault,
        at operation: Int,
        _ environment: [String: String] = [:]
    ) async throws -> Program.Outcome {
        do {
            return try await Program.run(
                arguments,
                in: repository.directory,
                environment: ["LOCKSTEP_URL": repository.url].merging(self.environment(fault, at: operation)) { $1 }
                    .merging(environment) { $1 }
            )
        } catch let error as Program.Failure where fault == .killed && struck != nil {
            return Program.Outcome(code: SIGKILL, output: "", errors: error.description)
        }
    }

    /// Every version that is listed is whole and is one of the states that were to be recorded, and those that were
    /// acknowledged are what was acknowledged.
    ///
    /// - Parameter acknowledged: states by reference.
    func check(_ states: [Int: [String: Digest]], acknowledged: [String: Int] = [:]) async throws {
        let list = try await repository.outcome(["snapshot", "list", "records"])
        var found: Set<String> = []
        for line in list.output.split(separator: "\n").dropFirst() {
            let reference = String(line.prefix { $0 != " " })
            found.insert(reference)
            try await repository.lockstep("snapshot", "verify", reference)
            repository.removeIfThere("checked")
            try await repository.lockstep("snapshot", "checkout", reference, "checked")
            let state = try #require(Int(String(decoding: try repository.bytes("checked/state"), as: UTF8.self)))
            #expect(try tree("checked") == states[state], "\(reference)")
            if let promised = acknowledged[reference] { #expect(state == promised, "\(reference)") }
        }
        #expect(Set(acknowledged.keys).subtracting(found) == [])
    }
}

extension FeatureRepository {
    func removeIfThere(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }
}

/// The first word of each: the operation without its path.
func operations(_ calls: [String]) -> Set<String> {
    Set(calls.compactMap { $0.split(separator: " ").first.map(String.init) })
}
