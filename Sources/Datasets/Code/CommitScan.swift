import Foundation
import Objects

/// Looks for secrets in what commits hold: those about to be stored as a bundle, and the one that a diff is stored against.
///
/// What was committed and taken out again is in them, though no file of the work tree has it.
struct CommitScan {
    /// The first commit that brings a content, by the content's object name and path.
    private typealias Blobs = [String: [String: String]]

    private let repository: GitRepository
    private let secrets: SecretCheck
    /// How many bytes of contents are unpacked at a time.
    private static let batchSize = 64 << 20

    init(_ repository: GitRepository, _ secrets: SecretCheck) {
        self.repository = repository
        self.secrets = secrets
    }

    /// Scans the messages and every content of commits, the oldest first, each content once for each
    /// of its paths, as of the first commit that brings it.
    ///
    /// Contents above the scanner's size bound are not scanned. Memory: one batch of contents, and some 200 bytes for each
    /// content.
    ///
    /// - Throws: ``SnapshotError/secrets(_:)``
    func run(_ commits: [String]) async throws {
        var blobs = try await self.blobs(of: commits)
        for commit in commits { blobs[commit] = ["commit message": commit] }
        try await scan(blobs)
    }

    /// Scans what HEAD has of the files that differ from it: their removed lines are in the diff.
    func checkRemovedLines() async throws {
        let records = try await repository.output(
            of: ["diff", "--raw", "--no-abbrev", "-z", "HEAD"] + GitRepository.diffOptions
        ).split(separator: 0)
        let head = String(
            decoding: try await repository.output(of: ["rev-parse", "HEAD"]).prefix { $0 != 0x0A },
            as: UTF8.self
        )
        var blobs: Blobs = [:]
        for position in stride(from: 0, to: records.count - 1, by: 2) {
            // `:` and the old mode, the new one, the old object name, the new one and the status.
            let fields = records[position].split(separator: UInt8(ascii: " "))
            guard fields.count >= 5 else { throw Self.unreadable("diff", records[position]) }
            guard fields[0].starts(with: ":100".utf8) || fields[0].starts(with: ":120".utf8) else { continue }
            let name = Printable.text(records[position + 1])
            blobs[String(decoding: fields[2], as: UTF8.self), default: [:]][name] = head
        }
        try await scan(blobs)
    }

    private func scan(_ blobs: Blobs) async throws {
        guard !blobs.isEmpty else { return }
        let sizes = try await repository.output(
            of: ["cat-file", "--buffer", "--batch-check=%(objectname) %(objectsize)"],
            input: Self.lines(blobs.keys.sorted())
        )
        var batch: [String] = []
        var batchSize = 0
        for line in sizes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count == 2, let size = Int(String(decoding: fields[1], as: UTF8.self)) else {
                throw Self.unreadable("cat-file", line)
            }
            guard size <= SecretScanner.standardSizeLimit else { continue }
            batch.append(String(decoding: fields[0], as: UTF8.self))
            batchSize += size
            if batchSize >= Self.batchSize {
                try await scan(batch: batch, blobs)
                (batch, batchSize) = ([], 0)
            }
        }
        try await scan(batch: batch, blobs)
        try secrets.finish()
    }

    /// The contents that commits bring, by object name.
    private func blobs(of commits: [String]) async throws -> Blobs {
        // Of a merge, what differs from all its parents: the rest is another commit's, or a remote has it.
        let records = try await repository.output(
            of: ["diff-tree", "--stdin", "-r", "-c", "--root", "--no-renames", "--raw", "--no-abbrev", "-z"],
            input: Self.lines(commits)
        ).split(separator: 0)
        var blobs: Blobs = [:]
        var commit = ""
        var position = 0
        while position < records.count {
            let record = records[position]
            position += 1
            guard record.first == UInt8(ascii: ":") else {
                commit = String(decoding: record, as: UTF8.self)
                continue
            }
            guard position < records.count else { throw Self.unreadable("diff-tree", record) }
            let path = records[position]
            position += 1
            // `:` for each parent, a mode for each and one for the result, then object names in the same order.
            let parents = record.prefix { $0 == UInt8(ascii: ":") }.count
            let fields = record.dropFirst(parents).split(separator: UInt8(ascii: " "))
            guard fields.count >= 2 * parents + 2 else { throw Self.unreadable("diff-tree", record) }
            let mode = fields[parents]
            guard mode.starts(with: "100".utf8) || mode.starts(with: "120".utf8) else { continue }
            let id = String(decoding: fields[2 * parents + 1], as: UTF8.self)
            let name = repository.name(ofPathFromTop: Array(path))
            if blobs[id]?[name] == nil { blobs[id, default: [:]][name] = commit }
        }
        return blobs
    }

    private func scan(batch ids: [String], _ blobs: Blobs) async throws {
        guard !ids.isEmpty else { return }
        let output = try await repository.output(of: ["cat-file", "--batch", "--buffer"], input: Self.lines(ids))
        // Each as `<name> <type> <size>`, a line feed, the content, a line feed.
        var rest = output[...]
        for id in ids {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")),
                let size = rest[..<end].split(separator: UInt8(ascii: " ")).last.flatMap({
                    Int(String(decoding: $0, as: UTF8.self))
                })
            else { throw Self.unreadable("cat-file", rest.prefix(80)) }
            let content = rest[(end + 1)...].prefix(size)
            rest = rest[(end + 1)...].dropFirst(size + 1)
            for (name, commit) in blobs[id] ?? [:] {
                secrets.check(id == commit ? Self.message(content) : Array(content), named: name, in: commit)
            }
        }
    }

    /// What follows the header of a commit.
    private static func message(_ commit: ArraySlice<UInt8>) -> [UInt8] {
        let lines = commit.split(separator: UInt8(ascii: "\n"), maxSplits: .max, omittingEmptySubsequences: false)
        guard let empty = lines.firstIndex(where: \.isEmpty), empty + 1 < lines.count else { return [] }
        return Array(commit[lines[empty + 1].startIndex...])
    }

    private static func unreadable(_ command: String, _ line: ArraySlice<UInt8>) -> SnapshotError {
        .toolFailed(command: "git \(command)", status: 0, message: "it answered '\(Printable.text(line))'")
    }

    private static func lines(_ names: [String]) -> [UInt8] { Array((names.joined(separator: "\n") + "\n").utf8) }
}
