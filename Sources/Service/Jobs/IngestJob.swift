import Catalog
import Columns
import Features
import Formats
import Kernels
import Objects
import Wire

/// Loads files into a source's history: reads, times, sorts and seals them, as a whole or not at all.
struct IngestJob {
    let context: JobContext
    let request: JobRequest.Ingest

    func run() async throws -> JobResult {
        let record = try await context.catalog.version(
            context.project,
            .source,
            try VersionReference(request: request.source)
        )
        guard case .source(let source) = try record.definition() else {
            throw CatalogError(.conflict, "\(record.name) is not a source in the catalog")
        }
        let plan = try SourcePlan(source)
        var snapshot: VersionRecord?
        if let text = request.snapshot {
            snapshot = try await context.catalog.version(
                context.project,
                .snapshot,
                try VersionReference(request: text)
            )
        }
        // The inputs' identity makes a repeated ingest change nothing: it is recorded with the segment and looked up here.
        // It leaves the snapshot out, so that a new snapshot with the same file does not load its rows twice.
        let inputs = try inputDigest(record)
        if let known = try await context.catalog.ingested(context.project, inputs: inputs) {
            if let snapshot { try await context.catalog.addUse(of: snapshot.id, by: known.id, role: "snapshot") }
            return JobResult(
                made: [RecordedVersion(known, isNew: false)],
                counts: ["rows": 0]
            )
        }
        var parts: [TimedRows] = []
        var readCount = 0
        for input in request.inputs {
            guard let digest = Digest(input.object) else { throw RequestError("'\(input.object)' is not a digest") }
            try await context.report("reading \(input.name)", readCount, 0)
            var rowsOfInput = 0
            let format = try TableFormat(request: input.format, file: input.name)
            let bytes =
                if let snapshot {
                    try await ServicePacks(objects: context.objects).bytes(
                        digest,
                        of: snapshot,
                        catalog: context.catalog
                    )
                } else {
                    try await context.objects.get(digest)
                }
            try await read(input.name, bytes, format: format, source: plan) { batch in
                parts.append(try plan.timed(batch, arrival: nil, origin: (input.name, rowsOfInput + 1)))
                readCount += batch.rowCount
                rowsOfInput += batch.rowCount
                try await context.report("reading \(input.name)", readCount, 0)
            }
        }
        let rowCount = parts.reduce(0) { $0 + $1.batch.rowCount }
        let filtered = parts.reduce(0) { $0 + $1.filteredCount }
        guard rowCount > 0 else {
            throw RequestError(
                "\(request.inputs.map(\.name).joined(separator: ", ")): no row is left for source '\(source.name)'"
            )
        }
        let invalid = try await invalidCounts(parts, source: record)
        try await context.report("sorting", rowCount, rowCount)
        let live = try await context.catalog.liveNamespace(context.project)
        var sequence = try await context.catalog.reserveSequences(live.id, source: record.id, count: rowCount)
        var batches: [RecordBatch] = []
        for part in parts {
            batches.append(part.history(firstSequence: sequence))
            sequence += Int64(part.batch.rowCount)
        }
        let writer = SegmentWriter(catalog: context.catalog, objects: context.objects, project: context.project)
        let segment = try await writer.write(
            RecordBatch.concatenate(batches),
            source: record,
            snapshot: snapshot?.id,
            inputs: inputs
        )
        return JobResult(
            made: [RecordedVersion(segment.segment, isNew: segment.isNew)],
            counts: ["rows": Int64(rowCount), "filtered": Int64(filtered)],
            invalid: invalid
        )
    }

    /// For each feature of the current views over the source, for how many of the rows it is undefined.
    private func invalidCounts(_ parts: [TimedRows], source: VersionRecord) async throws -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for candidate in try await context.catalog.currentVersions(context.project, .view) {
            guard let view = try await context.catalog.loadStored(candidate), view.sourceRecord.id == source.id else {
                continue
            }
            for part in parts {
                let (stored, inputs) = view.plan.evaluateWithWindows(part.batch)
                for (feature, count) in view.plan.invalidCounts(stored, inputs: inputs) {
                    counts["\(candidate.name.name):\(feature)", default: 0] += count
                }
            }
        }
        return counts
    }

    /// What was asked for, as one digest: the source version and the inputs.
    private func inputDigest(_ source: VersionRecord) throws -> Digest {
        var form = CanonicalEncoder()
        form.digest(source.digest)
        form.list(request.inputs.count)
        for input in request.inputs { form.string(input.object) }
        return form.digest(domain: "lockstep.ingest")
    }

    private func read(
        _ name: String,
        _ bytes: [UInt8],
        format: TableFormat,
        source: SourcePlan,
        _ body: (RecordBatch) async throws -> Void
    ) async throws {
        var options = CSVOptions(path: name)
        options.nullSpellings = source.source.nullValues
        options.naiveTimestamps = source.source.naiveTimestamps
        let reader: TableReader
        do {
            reader = try TableReader(bytes: bytes, name: name, format: format, schema: source.schema, options: options)
        } catch let error as TableError {
            throw RequestError("source '\(source.source.name)': \(error), or declare a new version of the source")
        }
        var rows = reader
        while let batch = try rows.next() { try await body(batch) }
    }
}
