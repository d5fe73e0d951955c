import Columns
import Embeddings
import Formats
import Objects

/// One version of embeddings as a stored object: a safetensors file with `matrix` (float32, keys × dimension), and the keys
/// as `key_offsets` (int64) into `key_bytes` (uint8).
///
/// Keys are in byte order, so the same embeddings give the same bytes and the object's digest is the version's identity.
public enum EmbeddingFile {
    /// Checks a table of keys and vectors against its space.
    ///
    /// - Parameter rows: a string column `key`, and a vector column `vector` or float columns `v0`, `v1`, ….
    public static func table(_ rows: RecordBatch, space: EmbeddingSpace, name: String) throws -> EmbeddingTable {
        let names = rows.schema.fields.map(\.name).joined(separator: ", ")
        guard case .string(let keys)? = rows["key"] else {
            throw DefinitionError(place: name, message: "embeddings need a string column 'key'; the file has \(names)")
        }
        let vectors: VectorColumn
        if case .vector(let column)? = rows["vector"] {
            vectors = column
        } else {
            vectors = try assemble(rows, space: space, name: name, names: names)
        }
        return try EmbeddingTable(
            space: space.name,
            version: "",
            dimension: space.dimension,
            metric: metric(of: space),
            keys: keys,
            vectors: vectors
        )
    }

    private static func assemble(
        _ rows: RecordBatch,
        space: EmbeddingSpace,
        name: String,
        names: String
    ) throws(DefinitionError) -> VectorColumn {
        var values = [Float](repeating: 0, count: rows.rowCount * space.dimension)
        for element in 0..<space.dimension {
            guard case .float32(let column)? = rows["v\(element)"] else {
                throw DefinitionError(
                    place: name,
                    message:
                        "embedding space '\(space.name)' has dimension \(space.dimension), but there is no float32 column 'v\(element)'; the file has \(names)"
                )
            }
            guard column.nullCount == 0 else {
                throw DefinitionError(place: name, message: "column 'v\(element)' has \(column.nullCount) empty cells")
            }
            for row in 0..<rows.rowCount { values[row * space.dimension + element] = column.values[row] }
        }
        return VectorColumn(dimension: space.dimension, values: values)
    }

    /// - Parameter space: the digest of the space's version.
    public static func encode(_ table: EmbeddingTable, space: Digest) -> [UInt8] {
        Safetensors(
            [
                .init(name: "matrix", shape: [table.count, table.dimension], table.vectors.values),
                .init(name: "key_offsets", shape: [table.count + 1], table.keys.offsets.map { Int64($0) }),
                .init(name: "key_bytes", dtype: .uint8, shape: [table.keys.data.count], bytes: table.keys.data),
            ],
            metadata: ["format": "lockstep.embeddings/1", "space": "\(space)"]
        ).encode()
    }

    /// - Parameters:
    ///   - space: with the digest of its version, which the embeddings must have been made for.
    ///   - version: the digest that vectors and queries must share.
    public static func decode(
        _ bytes: [UInt8],
        space: EmbeddingSpace,
        spaceDigest: Digest,
        version: Digest
    ) throws -> EmbeddingTable {
        let fault = DefinitionError(
            place: "embeddings of '\(space.name)'",
            message: "the object \(version) does not hold them; import them again"
        )
        let file = try Safetensors(bytes: bytes, name: "embeddings")
        guard file.metadata["format"] == "lockstep.embeddings/1", let matrix = file["matrix"]?.floats,
            let offsets = file["key_offsets"]?.integers?.map({ Int($0) }), let keys = file["key_bytes"]?.bytes,
            offsets.first == 0, offsets.last == keys.count, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
            matrix.count == (offsets.count - 1) * space.dimension
        else { throw fault }
        guard file.metadata["space"] == "\(spaceDigest)" else {
            throw DefinitionError(
                place: "embeddings of '\(space.name)'",
                message: "they were made for space \(file.metadata["space"] ?? "unknown"), expected \(spaceDigest)"
            )
        }
        return try EmbeddingTable(
            space: space.name,
            version: "\(version)",
            dimension: space.dimension,
            metric: metric(of: space),
            keys: BinaryColumn(offsets: offsets, data: keys),
            vectors: VectorColumn(dimension: space.dimension, values: matrix)
        )
    }

    private static func metric(of space: EmbeddingSpace) throws(DefinitionError) -> EmbeddingMetric {
        guard let metric = EmbeddingMetric(rawValue: space.metric) else {
            throw DefinitionError(
                place: "embedding space '\(space.name)'",
                message: "'\(space.metric)' is not a metric"
            )
        }
        return metric
    }
}
