import Bins
import Catalog
import Columns
import Expressions
import Features
import Formats
import Objects
import Wire

/// Fits a discretizer's edges on sealed history, exactly.
struct FitJob {
    let context: JobContext
    let request: JobRequest.Fit

    func run() async throws -> JobResult {
        let catalog = context.catalog
        let record = try await catalog.version(
            context.project,
            .discretizer,
            try VersionReference(request: request.discretizer)
        )
        guard case .discretizer(let discretizer) = try record.definition(),
            let viewRecord = try await catalog.uses(of: record.id).first(where: { $0.version.name.kind == .view })?
                .version
        else { throw CatalogError(.conflict, "\(record.name)@\(record.number) lacks its feature view in the catalog") }
        let view = try await catalog.load(viewRecord)
        guard let position = view.plan.position(of: discretizer.input.feature) else {
            throw CatalogError(.conflict, "\(viewRecord.name) lacks the feature \(discretizer.input)")
        }
        var segments = try await catalog.segments(of: view.sourceRecord.id)
        if let text = request.snapshot {
            let snapshot = try await catalog.version(context.project, .snapshot, try VersionReference(request: text))
            var fromSnapshot: [SegmentRecord] = []
            for segment in segments
            where try await catalog.uses(of: segment.version.id).contains(where: { $0.version.id == snapshot.id }) {
                fromSnapshot.append(segment)
            }
            segments = fromSnapshot
        }
        guard !segments.isEmpty else {
            throw RequestError(
                "source '\(view.sourceRecord.name.name)' has no sealed history"
                    + (request.snapshot.map { " from snapshot \($0)" } ?? "")
                    + "; run: lockstep ingest \(view.sourceRecord.name.name) FILE"
            )
        }
        try await context.report("reading \(segments.count) segments", 0, segments.count)
        let history = SourceHistory(catalog: catalog, objects: context.objects)
        var chunks: [Column] = []
        if view.plan.features.isDeferred[position] {
            // What a window holds depends on all rows, so all are read, and each is asked for what it found when it was known.
            let rows = try await history.rows(
                view.source,
                segments: segments.map(\.object),
                columns: ViewHistory.columns(for: view.plan)
            )
            chunks.append(ViewHistory(view.plan, rows: rows).valuesWhenKnown(position))
        } else {
            for (done, segment) in segments.enumerated() {
                let rows = try await history.rows(
                    view.source,
                    segments: [segment.object],
                    columns: view.plan.features.columns[position] + ["__sequence"]
                )
                chunks.append(view.plan.features.evaluate(rows, feature: position).column)
                try await context.report("reading segments", done + 1, segments.count)
            }
        }
        let fitted = try discretizer.binMethod.fit(chunks)
        let artifact = FittedBinsFile.encode(fitted, discretizer: record.digest)
        let object = try await context.objects.put(artifact, encoding: .raw)
        let made = try await catalog.record(
            NewVersion(
                name: DefinitionName(kind: .bins, name: discretizer.name),
                digest: object,
                object: object,
                document: FittedBinsFile.summary(fitted),
                uses: [(record.id, "discretizer")] + segments.map { ($0.version.id, "segment") },
                objects: [(object, artifact.count)]
            ),
            in: context.project
        )
        return JobResult(
            made: [RecordedVersion(made.version, isNew: made.isNew)],
            counts: [
                "rows": Int64(fitted.statistics.rowCount), "null": Int64(fitted.statistics.nullCount),
                "nan": Int64(fitted.statistics.nanCount), "bins": Int64(fitted.edges.count),
            ],
            text: FittedBinsFile.summary(fitted).text
        )
    }
}

extension Discretizer {
    var binMethod: BinMethod {
        switch method {
        case .quantile(let bins): .quantile(bins: bins)
        case .uniform(let bins): .uniform(bins: bins)
        case .explicit(let edges): .explicit(edges)
        }
    }
}
