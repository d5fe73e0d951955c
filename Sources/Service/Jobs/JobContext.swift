import Catalog
import Columns
import Features
import Formats
import Kernels
import Objects
import Wire

/// What a running job works with.
struct JobContext: Sendable {
    let catalog: Catalog
    let objects: any ManagedObjectStore
    let project: Int64
    let allowsReplay: Bool
    /// Tells whoever follows the job what it is doing; the total is zero while unknown.
    let report: @Sendable (_ step: String, _ done: Int, _ total: Int) async throws -> Void
}

extension TableFormat {
    /// The format that a request names, or that of a file's extension.
    init(request format: String?, file name: String) throws {
        if let format {
            guard let known = TableFormat(rawValue: format) else {
                let formats = TableFormat.allCases.map(\.rawValue).joined(separator: " or ")
                throw RequestError("'\(format)' is not a format; use \(formats)")
            }
            self = known
        } else {
            guard let known = TableFormat(path: name) else {
                throw RequestError(
                    "\(name): the format is not known by its extension; use .csv, .parquet or .arrow, or give --format"
                )
            }
            self = known
        }
    }
}

extension VersionReference {
    /// Reads a reference that a request gave.
    init(request text: String) throws {
        guard let reference = VersionReference(text) else {
            throw RequestError("'\(text)' is not a reference; write name or name@number")
        }
        self = reference
    }
}

/// A view's version with all that is needed to compute it.
struct LoadedView: Sendable {
    let record: VersionRecord
    let plan: ViewPlan
    let sourceRecord: VersionRecord
    let source: SourcePlan
}

extension Catalog {
    /// Plans a view version that has a source; `nil` for one that is computed on demand.
    func loadStored(_ record: VersionRecord) async throws -> LoadedView? {
        if case .onDemand = try record.definition() { return nil }
        return try await load(record)
    }

    /// Plans a view version over the very versions of its entities and source that it uses.
    func load(_ record: VersionRecord) async throws -> LoadedView {
        guard case .view(let view) = try record.definition() else {
            throw CatalogError(.conflict, "\(record.name) is not a feature view in the catalog")
        }
        let uses = try await uses(of: record.id)
        var entities: [Entity] = []
        for name in view.entities {
            for use in uses where use.version.name == DefinitionName(kind: .entity, name: name) {
                if case .entity(let entity) = try use.version.definition() { entities.append(entity) }
            }
        }
        guard let sourceRecord = uses.first(where: { $0.version.name.kind == .source })?.version,
            case .source(let source) = try sourceRecord.definition(), entities.count == view.entities.count
        else {
            throw CatalogError(
                .conflict,
                "\(record.name)@\(record.number) lacks its source or an entity in the catalog"
            )
        }
        return LoadedView(
            record: record,
            plan: try ViewPlan(view, entities: entities, source: source),
            sourceRecord: sourceRecord,
            source: try SourcePlan(source)
        )
    }
}

/// Reads a source's history.
struct SourceHistory {
    let catalog: Catalog
    let objects: any ObjectStore

    /// Rows of segments, then of the head, with the named columns.
    ///
    /// - Parameters:
    ///   - segments: the objects to read.
    ///   - columns: of the source's history schema.
    ///   - head: rows that are not sealed.
    func rows(
        _ source: SourcePlan,
        segments: [Digest],
        columns: [String],
        head: [HeadRow] = []
    ) async throws -> RecordBatch {
        var batches: [RecordBatch] = []
        for segment in segments {
            let file = try ParquetFile(bytes: try await objects.get(segment), name: segment.description)
            batches.append(try file.read(columns: columns))
        }
        if !head.isEmpty { batches.append(try Self.batch(head, source: source).select(columns: columns)) }
        guard !batches.isEmpty else {
            let schema = Schema(source.historySchema.fields.filter { columns.contains($0.name) })
            return try RecordBatch(
                schema: schema,
                columns: schema.fields.map { .nulls($0.type, count: 0) },
                rowCount: 0
            )
            .select(columns: columns)
        }
        return RecordBatch.concatenate(batches)
    }

    /// Head rows as history.
    static func batch(_ head: [HeadRow], source: SourcePlan) throws -> RecordBatch {
        let types = source.schema.fields.map(\.type)
        var builders = types.map { ColumnBuilder($0) }
        for row in head {
            for (position, cell) in try PackedRow.decode(row.row, types: types).enumerated() {
                builders[position].append(cell.value)
            }
        }
        return RecordBatch(
            schema: source.historySchema,
            columns: builders.map { $0.finish() } + [
                .timestamp(PrimitiveColumn(head.map(\.eventTime))), .timestamp(PrimitiveColumn(head.map(\.knownAt))),
                .int64(PrimitiveColumn(head.map(\.sequence))),
            ],
            rowCount: head.count
        )
    }
}
