import Catalog
import Expressions
import Features
import Objects

/// Gives back the space of objects that no version needs and nobody is working with; for the whole store, since
/// projects share it.
///
/// Three steps, each safe to die in: unneeded objects are withdrawn, and no longer promised; their bytes are deleted;
/// their rows go. What an earlier run left withdrawn is finished first by the same steps.
struct GarbageCollector {
    /// What was done.
    struct Outcome: Hashable, Sendable {
        /// Objects in the store that no row knew, as of crashed uploads, whose grace begins now.
        var adopted = 0
        var withdrawn = 0
        var deleted = 0
        var deletedBytes: Int64 = 0
        /// Withdrawn and left: another collector's, or a session began to send them again.
        var left = 0
        var sessions = 0
        var unfinished = 0
    }

    let catalog: Catalog
    let objects: any ManagedObjectStore
    /// How long ago an object was sent, at least, before it goes.
    let grace: TimeSpan
    /// How long a batch of deletions may take; a batch stops at half of it, so that none of its calls outlives it.
    var claim = TimeSpan(microseconds: 300_000_000)
    /// How many objects one transaction takes.
    var batch = 500
    /// Tells what it is doing.
    let report: @Sendable (_ step: String, _ done: Int, _ total: Int) async throws -> Void

    /// Uploads that began at least this long ago, by the store's clock, have died.
    private static let unfinishedAge: Int64 = 3_600_000_000
    /// How much the clocks of the database and of the store may differ.
    private static let clockDifference: Int64 = 300_000_000

    func run() async throws -> Outcome {
        var outcome = Outcome()
        outcome.sessions = try await catalog.endLapsedSessions()
        outcome.unfinished = try await objects.removeUnfinished(before: try await unfinishedEnd())
        outcome.adopted = try await adoptUnknown()
        try await withdraw(&outcome)
        try await delete(&outcome)
        outcome.left = Int(try await catalog.withdrawalCount())
        return outcome
    }

    /// Before when an upload must have begun to have died: a writer that is at work may have begun one long ago.
    private func unfinishedEnd() async throws -> Int64 {
        let end = serverClock() - max(grace.microseconds, Self.unfinishedAge)
        guard let opened = try await catalog.oldestWriter() else { return end }
        return min(end, opened - Self.clockDifference)
    }

    /// Gives a row to every object of the store that has none.
    ///
    /// - Returns: how many there were.
    func adoptUnknown() async throws -> Int {
        var last: Digest?
        var seen = 0
        var adopted = 0
        while true {
            let page = try await objects.list(after: last, limit: 1_000)
            guard let end = page.last else { return adopted }
            adopted += try await catalog.adopt(page.map { ($0.digest, $0.storedSize) })
            last = end.digest
            seen += page.count
            try await report("listing objects", seen, 0)
        }
    }

    private func withdraw(_ outcome: inout Outcome) async throws {
        var last: Digest?
        repeat {
            let withdrawn = try await catalog.withdraw(after: last, limit: batch, grace: grace)
            outcome.withdrawn += withdrawn.digests.count
            last = withdrawn.next
            try await report("withdrawing objects", outcome.withdrawn, 0)
        } while last != nil
    }

    private func delete(_ outcome: inout Outcome) async throws {
        var last: Digest?
        while true {
            let start = ContinuousClock.now
            let claim = try await catalog.claimDeletion(after: last, limit: batch, duration: claim)
            guard let end = claim.objects.last else { return }
            last = end.digest
            // Whatever fails in between, the rows of what is gone go with it, as far as the database answers.
            let (deleted, error) = await delete(
                claim.objects.map(\.digest),
                until: start + .microseconds(self.claim.microseconds / 2)
            )
            try await catalog.finishDeletion(deleted, of: claim)
            if let error { throw error }
            let gone = Set(deleted)
            outcome.deleted += gone.count
            outcome.deletedBytes += claim.objects.filter { gone.contains($0.digest) }.reduce(0) { $0 + $1.byteCount }
            try await report("deleting objects", outcome.deleted, 0)
        }
    }

    /// Deletes objects, some at a time, until all are gone, the time is up, or the store refuses.
    private func delete(
        _ digests: [Digest],
        until deadline: ContinuousClock.Instant
    ) async -> (deleted: [Digest], error: (any Error)?) {
        await withTaskGroup(of: Result<Digest, any Error>.self) { group in
            var deleted: [Digest] = []
            var failure: (any Error)?
            var waiting = digests[...]
            func start() -> Bool {
                guard failure == nil, ContinuousClock.now < deadline, let digest = waiting.popFirst() else {
                    return false
                }
                group.addTask {
                    do {
                        try await objects.delete(digest, before: deadline)
                        return .success(digest)
                    } catch {
                        return .failure(error)
                    }
                }
                return true
            }
            for _ in 0..<8 where !start() { break }
            while let result = await group.next() {
                switch result {
                case .success(let digest): deleted.append(digest)
                case .failure(let error): failure = failure ?? error
                }
                _ = start()
            }
            return (deleted, failure)
        }
    }
}
