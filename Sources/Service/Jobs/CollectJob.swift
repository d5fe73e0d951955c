import Catalog
import Expressions
import Features
import Wire

/// Collects garbage, or says what a collection would find.
struct CollectJob {
    let context: JobContext
    let request: JobRequest.Collect

    func run() async throws -> JobResult {
        let grace =
            try request.grace.map { text in
                guard let span = TimeSpan(text) else {
                    throw RequestError("'\(text)' is not a length of time; write for example 1d, 12h or 0s")
                }
                return span
            } ?? Self.standardGrace
        if request.isDryRun {
            let outlook = try await context.catalog.collectionOutlook(grace: grace)
            return JobResult(counts: [
                "needed": outlook.needed, "pinned": outlook.pinned, "recent": outlook.recent,
                "collectable": outlook.collectable, "bytes": outlook.collectableBytes, "withdrawn": outlook.withdrawn,
            ])
        }
        let outcome = try await GarbageCollector(
            catalog: context.catalog,
            objects: context.objects,
            grace: grace,
            report: context.report
        ).run()
        let outlook = try await context.catalog.collectionOutlook(grace: grace)
        return JobResult(counts: [
            "adopted": Int64(outcome.adopted), "withdrawn": Int64(outcome.withdrawn),
            "deleted": Int64(outcome.deleted), "bytes": outcome.deletedBytes, "left": Int64(outcome.left),
            "unfinished": Int64(outcome.unfinished), "needed": outlook.needed, "pinned": outlook.pinned,
            "recent": outlook.recent,
        ])
    }

    /// A day: longer than any writer that has no session takes from its first object to its record.
    private static let standardGrace = TimeSpan(microseconds: 86_400_000_000)
}
