import Bins
import Formats
import Objects

/// Fitted edges as a stored object: a safetensors file with the tensor `edges` (float64) and `bin_counts` (int64).
///
/// The same fit gives the same bytes, so the object's digest is the version's identity.
public enum FittedBinsFile {
    /// - Parameter discretizer: the digest of the discretizer's version.
    public static func encode(_ fitted: FittedBins, discretizer: Digest) -> [UInt8] {
        let statistics = fitted.statistics
        let counts = statistics.binCounts.map { Int64($0) }
        return Safetensors(
            [
                .init(name: "edges", shape: [fitted.edges.edges.count], fitted.edges.edges),
                .init(name: "bin_counts", shape: [counts.count], counts),
                .init(
                    name: "row_counts",
                    shape: [5],
                    [
                        Int64(statistics.rowCount), Int64(statistics.nullCount), Int64(statistics.nanCount),
                        Int64(statistics.negativeInfinityCount), Int64(statistics.positiveInfinityCount),
                    ]
                ),
                .init(
                    name: "range",
                    shape: [statistics.minimum == nil ? 0 : 2],
                    [statistics.minimum, statistics.maximum].compactMap { $0 }
                ),
            ],
            metadata: ["format": "lockstep.bins/1", "discretizer": "\(discretizer)"]
        ).encode()
    }

    /// - Parameter discretizer: the version that the bins must have been fitted for.
    /// - Throws: `DefinitionError` when the bytes are not fitted bins, or those of another discretizer.
    public static func decode(_ bytes: [UInt8], discretizer: Digest) throws -> FittedBins {
        let file = try Safetensors(bytes: bytes, name: "fitted bins")
        guard file.metadata["format"] == "lockstep.bins/1", let edges = file["edges"]?.doubles,
            let counts = file["bin_counts"]?.integers, let rows = file["row_counts"]?.integers, rows.count == 5,
            let range = file["range"]?.doubles, range.isEmpty || range.count == 2, counts.count == edges.count + 1
        else {
            throw DefinitionError(place: "fitted bins", message: "the object does not hold them; run: lockstep fit")
        }
        guard file.metadata["discretizer"] == "\(discretizer)" else {
            throw DefinitionError(
                place: "fitted bins",
                message:
                    "they were fitted for discretizer \(file.metadata["discretizer"] ?? "unknown"), expected \(discretizer)"
            )
        }
        return FittedBins(
            edges: try BinEdges(edges),
            statistics: BinStatistics(
                rowCount: Int(rows[0]),
                nullCount: Int(rows[1]),
                nanCount: Int(rows[2]),
                negativeInfinityCount: Int(rows[3]),
                positiveInfinityCount: Int(rows[4]),
                binCounts: counts.map { Int($0) },
                minimum: range.first,
                maximum: range.last
            )
        )
    }

    /// The fit for people: edges, and how many values fell in each bin.
    public static func summary(_ fitted: FittedBins) -> JSON {
        .object([
            "edges": .array(fitted.edges.edges.map(JSON.double)),
            "bin_counts": .array(fitted.statistics.binCounts.map { .int($0) }),
            "rows": .int(fitted.statistics.rowCount),
            "nulls": .int(fitted.statistics.nullCount),
            "nans": .int(fitted.statistics.nanCount),
            "trivial": .bool(fitted.isTrivial),
        ])
    }
}
