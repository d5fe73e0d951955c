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
        let percent = request.repack ?? Self.standardPercent
        guard (0...100).contains(percent) else {
            throw RequestError("packs are rewritten when 0 to 100 percent of them are dead, not \(percent)")
        }
        let repacker = Repacker(context: context, share: Double(percent) / 100)
        // A hundred percent dead is nobody's pack: there is nothing to look for.
        let survey = percent < 100 || request.isDryRun ? try await PackSurvey.run(context) : nil
        if request.isDryRun {
            let outlook = try await context.catalog.collectionOutlook(grace: grace)
            let sparse = survey.map(repacker.chosen) ?? []
            return JobResult(counts: [
                "needed": outlook.needed, "pinned": outlook.pinned, "recent": outlook.recent,
                "collectable": outlook.collectable, "bytes": outlook.collectableBytes, "withdrawn": outlook.withdrawn,
                "dead": Int64(survey?.deadBytes ?? 0), "sparse": Int64(sparse.count),
                "sparse_dead": Int64(sparse.reduce(0) { $0 + $1.deadBytes }),
                "unreadable": Int64(survey?.unreadable ?? 0),
            ])
        }
        var repacked = Repacker.Outcome()
        if let survey { repacked = try await repacker.run(survey) }
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
            "recent": outlook.recent, "repacked": Int64(repacked.packs), "repacked_bytes": Int64(repacked.bytes),
            "new_bytes": Int64(repacked.newBytes), "held": Int64(repacked.held), "damaged": Int64(repacked.damaged),
            "unreadable": Int64(survey?.unreadable ?? 0),
            "dead": Int64((survey?.deadBytes ?? 0) - repacked.dead),
        ])
    }

    /// Half, as it costs the bytes that are kept to give back those that are dead.
    private static let standardPercent = 50

    /// A day: longer than any writer that has no session takes from its first object to its record.
    private static let standardGrace = TimeSpan(microseconds: 86_400_000_000)
}
