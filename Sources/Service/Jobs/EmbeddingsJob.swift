import Catalog
import Columns
import Embeddings
import Features
import Formats
import Objects
import Wire

/// Makes a version of embeddings from a table with a column `key` and a column `vector`, or `v0`, `v1`, ….
struct EmbeddingsJob {
    let context: JobContext
    let request: JobRequest.ImportEmbeddings

    func run() async throws -> JobResult {
        let record = try await context.catalog.version(
            context.project,
            .space,
            try VersionReference(request: request.space)
        )
        guard case .space(let space) = try record.definition() else {
            throw CatalogError(.conflict, "\(record.name) is not an embedding space in the catalog")
        }
        guard let digest = Digest(request.object) else { throw RequestError("'\(request.object)' is not a digest") }
        try await context.report("reading \(request.name)", 0, 0)
        let rows = try table(try await context.objects.get(digest), space: space)
        let table = try EmbeddingFile.table(rows, space: space, name: request.name)
        let artifact = EmbeddingFile.encode(table, space: record.digest)
        let object = try await context.objects.put(artifact, encoding: .raw)
        let made = try await context.catalog.record(
            NewVersion(
                name: DefinitionName(kind: .embeddings, name: space.name),
                digest: object,
                object: object,
                document: .object(["count": .int(table.count), "dimension": .int(space.dimension)]),
                uses: [(record.id, "space")],
                objects: [(object, artifact.count)]
            ),
            in: context.project
        )
        return JobResult(
            made: [RecordedVersion(made.version, isNew: made.isNew)],
            counts: ["keys": Int64(table.count), "dimension": Int64(space.dimension)]
        )
    }

    private func table(_ bytes: [UInt8], space: EmbeddingSpace) throws -> RecordBatch {
        switch try TableFormat(request: request.format, file: request.name) {
        case .csv:
            let fields = (0..<space.dimension).map { Field("v\($0)", .float32) }
            var reader = try CSVReader(
                bytes: bytes,
                name: request.name,
                schema: Schema([Field("key", .string)] + fields)
            )
            return try reader.readAll()
        case .parquet, .arrow:
            let format = try TableFormat(request: request.format, file: request.name)
            return try readTable(bytes: bytes, name: request.name, format: format)
        }
    }
}
