import Datasets
import Features
import Foundation
import Lockstep
import Objects
import Wire

/// How much of a scrub is done at once.
struct ScrubBudget {
    private let seconds: Double?
    private let bytes: Int?

    /// Reads `30s`, `10m`, `2h`, `500MB` or `4GiB`.
    init(_ text: String) throws {
        let digits = text.prefix { $0.isNumber }
        let times: [String: Double] = ["s": 1, "m": 60, "h": 3600]
        let sizes = ["kB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        let unit = String(text.dropFirst(digits.count))
        guard let count = Int(digits), count > 0 else {
            throw UsageError("'\(text)' is no budget; write for example 30s, 10m, 2h, 500MB or 4GiB")
        }
        seconds = times[unit].map { $0 * Double(count) }
        bytes = sizes[unit].flatMap { size in
            let (product, overflow) = size.multipliedReportingOverflow(by: count)
            return overflow ? nil : product
        }
        guard seconds != nil || bytes != nil else {
            throw UsageError("'\(text)' is no budget; write for example 30s, 10m, 2h, 500MB or 4GiB")
        }
    }

    func isUsedUp(since start: ContinuousClock.Instant, bytes read: Int) -> Bool {
        if let seconds, .now - start >= Duration.seconds(seconds) { return true }
        if let bytes, read >= bytes { return true }
        return false
    }
}

/// Reads a dataset's packs through, a part at a time.
///
/// Packs are read in the order of their digests. The last one read is kept in the repository's state, so that the next run
/// goes on behind it, also when this one is killed.
struct Scrub {
    private struct Position: Codable {
        var last: String
    }

    private let dataset: String
    private let budget: ScrubBudget
    private let repository: Repository

    init(_ dataset: String, _ budget: ScrubBudget, _ repository: Repository) throws {
        guard !dataset.contains("@") else {
            throw UsageError("a budget is for all snapshots of a dataset; name it without @n")
        }
        self.dataset = dataset
        self.budget = budget
        self.repository = repository
    }

    func run() async throws {
        let (service, known) = try await SnapshotService.open(repository, dataset: dataset)
        defer { service.close() }
        let packs = known.sorted()
        guard !packs.isEmpty else { throw UsageError("dataset '\(dataset)' has no packs") }
        let file = "\(service.state)/scrub-\(dataset).json"
        let position = FileManager.default.contents(atPath: file).flatMap {
            try? JSONDecoder().decode(Position.self, from: $0)
        }
        let last = position.flatMap { Digest($0.last) }
        // After the last pack the first follows, in the next run.
        var rest = packs.filter { pack in last.map { pack.digest > $0 } ?? true }
        if rest.isEmpty { rest = packs }
        let start = ContinuousClock.now
        let source = FreshPacks(service: service)
        var read = 0
        var count = 0
        var damaged: [PackCheck] = []
        for pack in rest {
            let check = try await PackCheck.run(pack, from: source)
            // A collection may have had another pack take its place meanwhile.
            if !check.isClean, try await isListed(pack) { damaged.append(check) }
            read += pack.size
            count += 1
            let position = try JSONEncoder().encode(Position(last: "\(pack.digest)"))
            try AtomicFile.write([UInt8](position), to: file)
            Terminal.progress("verifying packs", count, rest.count)
            if budget.isUsedUp(since: start, bytes: read) { break }
        }
        Terminal.endProgress()
        for check in damaged { try await report(check, service) }
        let left = rest.count - count
        let state =
            left == 0
            ? "all \(packs.count) packs are read" : "\(left) of \(packs.count) packs are left for the next run"
        guard damaged.isEmpty else {
            Terminal.error("\(dataset): \(damaged.count) of \(count) packs damaged, \(read) bytes read; \(state)")
            throw CheckFailed()
        }
        print("\(dataset): \(count) packs, \(read) bytes, verified; \(state)")
    }

    private func isListed(_ pack: PackReference) async throws -> Bool {
        let client = repository.client
        let list = try await client.get(client.projectPath("datasets/\(dataset)/packs"), as: PackList.self)
        return try SnapshotService.packs(list.packs).contains(pack)
    }

    /// Names the damaged contents of a pack and the files of every snapshot that need them.
    private func report(_ check: PackCheck, _ service: SnapshotService) async throws {
        if let problem = check.problem { Terminal.error("pack \(check.pack.digest): \(problem)") }
        for (digest, fault) in check.faults.sorted(by: { $0.key < $1.key }) {
            Terminal.error("pack \(check.pack.digest): \(digest): \(fault.message)")
        }
        let client = repository.client
        let history = try await client.get(
            client.projectPath("versions/snapshot/\(dataset)/history"),
            as: VersionList.self
        )
        // As they are: a damaged one is served to nobody who asks for it whole.
        let packs = FreshPacks(service: service)
        for version in history.versions {
            let snapshot = try await RecordedSnapshot.find(version.reference, in: repository)
            guard snapshot.packs.contains(check.pack) else { continue }
            // Of a pack that cannot be read at all, everything is lost that no other pack has.
            let readable = snapshot.packs.filter { $0 != check.pack || !check.faults.isEmpty || check.problem == nil }
            let catalog = try await PackCatalog(readable, from: packs)
            let contents = try await SnapshotContents(catalog, from: packs)
            var lost = Set(check.faults.keys)
            for reference in snapshot.manifest.objectReferences where reference.chunks == nil {
                if !catalog.contains(reference.digest) { lost.insert(reference.digest) }
            }
            for (path, digest) in SnapshotVerification.paths(of: snapshot.manifest, in: contents, needing: lost) {
                Terminal.error("\(snapshot.reference) \(path): needs \(digest) in pack \(check.pack.digest)")
            }
        }
    }
}
