import Foundation
import Objects

/// Looks for secrets in commits that are about to be stored as a bundle: what was committed and taken out again is in it,
/// though no file of the work tree has it.
struct UnpushedScan {
    /// A content that a commit brings.
    private struct Blob {
        let name: String
        let commit: String
    }

    private let repository: GitRepository
    private let secrets: SecretCheck
    /// How many bytes of contents are unpacked at a time.
    private static let batchSize = 64 << 20

    init(_ repository: GitRepository, _ secrets: SecretCheck) {
        self.repository = repository
        self.secrets = secrets
    }

    /// Scans the messages and every content of the commits that HEAD needs and no remote has, each content once for each
    /// of its paths, as of the first commit that brings it.
    ///
    /// Contents above the scanner's size bound are not scanned. Memory: one batch of contents, and some 200 bytes for each
    /// content.
    ///
    /// - Throws: ``SnapshotError/secrets(_:)``
    func run() async throws {
        let commits = try await repository.output(of: ["rev-list", "--reverse"] + GitRepository.unpushed)
        var blobs = try await self.blobs(of: commits)
        for commit in commits.split(separator: UInt8(ascii: "\n")) {
            let id = String(decoding: commit, as: UTF8.self)
            blobs[id, default: []].append(Blob(name: "commit message", commit: id))
        }
        let sizes = try await repository.output(
            of: ["cat-file", "--buffer", "--batch-check=%(objectname) %(objectsize)"],
            input: Self.lines(blobs.keys.sorted())
        )
        var batch: [String] = []
        var batchSize = 0
        for line in sizes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count == 2, let size = Int(String(decoding: fields[1], as: UTF8.self)),
                size <= SecretScanner.standardSizeLimit
            else { continue }
            batch.append(String(decoding: fields[0], as: UTF8.self))
            batchSize += size
            if batchSize >= Self.batchSize {
                try await scan(batch, blobs)
                (batch, batchSize) = ([], 0)
            }
        }
        try await scan(batch, blobs)
        try secrets.finish()
    }

    /// The contents that commits bring, by object name.
    private func blobs(of commits: [UInt8]) async throws -> [String: [Blob]] {
        // Of a merge, what differs from all its parents: the rest is another commit's, or a remote has it.
        let records = try await repository.output(
            of: ["diff-tree", "--stdin", "-r", "-c", "--root", "--no-renames", "--raw", "--no-abbrev", "-z"],
            input: commits
        ).split(separator: 0)
        var blobs: [String: [Blob]] = [:]
        var commit = ""
        var position = 0
        while position < records.count {
            let record = records[position]
            position += 1
            guard record.first == UInt8(ascii: ":") else {
                commit = String(decoding: record, as: UTF8.self)
                continue
            }
            guard position < records.count else { break }
            let path = records[position]
            position += 1
            // `:` for each parent, a mode for each and one for the result, then object names in the same order.
            let parents = record.prefix { $0 == UInt8(ascii: ":") }.count
            let fields = record.dropFirst(parents).split(separator: UInt8(ascii: " "))
            guard fields.count >= 2 * parents + 2 else { continue }
            let mode = fields[parents]
            guard mode.starts(with: "100".utf8) || mode.starts(with: "120".utf8) else { continue }
            let id = String(decoding: fields[2 * parents + 1], as: UTF8.self)
            let name = repository.name(ofPathFromTop: Array(path))
            if blobs[id]?.contains(where: { $0.name == name }) != true {
                blobs[id, default: []].append(Blob(name: name, commit: commit))
            }
        }
        return blobs
    }

    private func scan(_ ids: [String], _ blobs: [String: [Blob]]) async throws {
        guard !ids.isEmpty else { return }
        let output = try await repository.output(of: ["cat-file", "--batch", "--buffer"], input: Self.lines(ids))
        // Each as `<name> <type> <size>`, a line feed, the content, a line feed.
        var rest = output[...]
        for id in ids {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")),
                let size = rest[..<end].split(separator: UInt8(ascii: " ")).last.flatMap({
                    Int(String(decoding: $0, as: UTF8.self))
                })
            else { return }
            let content = rest[(end + 1)...].prefix(size)
            rest = rest[(end + 1)...].dropFirst(size + 1)
            for blob in blobs[id] ?? [] {
                let text = id == blob.commit ? Self.message(content) : Array(content)
                secrets.check(text, named: blob.name, in: blob.commit)
            }
        }
    }

    /// What follows the header of a commit.
    private static func message(_ commit: ArraySlice<UInt8>) -> [UInt8] {
        let lines = commit.split(separator: UInt8(ascii: "\n"), maxSplits: .max, omittingEmptySubsequences: false)
        guard let empty = lines.firstIndex(where: \.isEmpty), empty + 1 < lines.count else { return [] }
        return Array(commit[lines[empty + 1].startIndex...])
    }

    private static func lines(_ names: [String]) -> [UInt8] { Array((names.joined(separator: "\n") + "\n").utf8) }
}
