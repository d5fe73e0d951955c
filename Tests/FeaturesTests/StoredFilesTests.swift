import Bins
import Columns
import Embeddings
import Features
import Formats
import Objects
import Testing

@Suite struct FittedBinsFileTests {
    private let discretizer = Digest.of(Array("discretizer".utf8))

    private func fits() throws -> [FittedBins] {
        let column = Column(
            .float64,
            [
                .float64(-0.0), .float64(0.1), .float64(2), .null, .float64(.nan), .float64(.infinity),
                .float64(-.infinity),
            ]
        )
        return [
            try BinMethod.quantile(bins: 3).fit([column]), try BinMethod.uniform(bins: 2).fit([column]),
            try BinMethod.explicit([]).fit([Column.nulls(.float64, count: 2)]),
            try BinMethod.explicit([-1e300, .leastNonzeroMagnitude, 0.1]).fit([column]),
        ]
    }

    @Test func readsBackWhatWasFitted() throws {
        for fitted in try fits() {
            let bytes = FittedBinsFile.encode(fitted, discretizer: discretizer)
            let read = try FittedBinsFile.decode(bytes, discretizer: discretizer)
            #expect(read == fitted)
            #expect(read.edges.edges.map(\.bitPattern) == fitted.edges.edges.map(\.bitPattern))
            #expect(FittedBinsFile.encode(read, discretizer: discretizer) == bytes)
        }
    }

    @Test func binsOfAnotherDiscretizerAreRefused() throws {
        let other = Digest.of(Array("other".utf8))
        let bytes = FittedBinsFile.encode(try fits()[0], discretizer: discretizer)
        let found = #expect(throws: DefinitionError.self) { try FittedBinsFile.decode(bytes, discretizer: other) }
        #expect(found?.description == "fitted bins: they were fitted for discretizer \(discretizer), expected \(other)")
    }

    private func file(
        edges: [Double] = [1],
        counts: [Int64] = [1, 2],
        rows: [Int64] = [3, 0, 0, 0, 0],
        range: [Double] = [0, 2],
        format: String = "lockstep.bins/1"
    ) -> [UInt8] {
        Safetensors(
            [
                .init(name: "edges", shape: [edges.count], edges),
                .init(name: "bin_counts", shape: [counts.count], counts),
                .init(name: "row_counts", shape: [rows.count], rows), .init(name: "range", shape: [range.count], range),
            ],
            metadata: ["format": format, "discretizer": "\(discretizer)"]
        ).encode()
    }

    @Test func whatDoesNotHoldBinsIsRefused() throws {
        #expect(throws: Never.self) { try FittedBinsFile.decode(file(), discretizer: discretizer) }
        let refused = [
            file(format: "lockstep.bins/2"), file(rows: [3, 0, 0, 0]), file(edges: [2, 1]), file(edges: [.nan]),
            Safetensors([], metadata: ["format": "lockstep.bins/1", "discretizer": "\(discretizer)"]).encode(), [],
            Array("kind: Discretizer".utf8),
        ]
        for bytes in refused {
            #expect(throws: (any Error).self) { try FittedBinsFile.decode(bytes, discretizer: discretizer) }
        }
    }

    /// Counts that do not belong to the edges are not bins of theirs.
    @Test func countsMustFitTheEdges() {
        for bytes in [file(counts: [1]), file(counts: [1, 2, 3]), file(range: [0]), file(range: [0, 1, 2])] {
            #expect(throws: (any Error).self) { try FittedBinsFile.decode(bytes, discretizer: discretizer) }
        }
    }

    @Test func damageNeverTraps() throws {
        let bytes = FittedBinsFile.encode(try fits()[0], discretizer: discretizer)
        for position in bytes.indices {
            #expect(throws: (any Error).self) {
                try FittedBinsFile.decode(Array(bytes[..<position]), discretizer: discretizer)
            }
            for bit in [0, 3, 7] {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                _ = try? FittedBinsFile.decode(damaged, discretizer: discretizer)
            }
        }
    }

    @Test func summaryIsForPeople() throws {
        let summary = FittedBinsFile.summary(try fits()[2])
        #expect(summary.text == #"{"edges":[],"bin_counts":[0],"rows":2,"nulls":2,"nans":0,"trivial":true}"#)
    }
}

@Suite struct EmbeddingFileTests {
    private let space = EmbeddingSpace(name: "routes", dimension: 2, metric: "dot", producer: "svd")
    private let spaceDigest = Digest.of(Array("space".utf8))
    private let version = Digest.of(Array("version".utf8))

    private let rows = RecordBatch([
        "key": .string(BinaryColumn(["b", "", "é", "ab"])),
        "vector": .vector(VectorColumn(dimension: 2, values: [1, 2, 3, -0.0, 5, .leastNonzeroMagnitude, 7, 8])),
    ])

    private func decode(_ bytes: [UInt8], space: EmbeddingSpace? = nil) throws -> EmbeddingTable {
        try EmbeddingFile.decode(bytes, space: space ?? self.space, spaceDigest: spaceDigest, version: version)
    }

    @Test func readsBackInKeyOrder() throws {
        let table = try EmbeddingFile.table(rows, space: space, name: "routes.parquet")
        let bytes = EmbeddingFile.encode(table, space: spaceDigest)
        let read = try decode(bytes)
        #expect((0..<4).map { read.keys.string($0) } == ["", "ab", "b", "é"])
        #expect(
            read.vectors.values.map(\.bitPattern)
                == ([3, -0.0, 7, 8, 1, 2, 5, .leastNonzeroMagnitude] as [Float]).map(\.bitPattern)
        )
        #expect(read.version == "\(version)")
        #expect(read.metric == .dot)
        #expect(EmbeddingFile.encode(read, space: spaceDigest) == bytes)
    }

    /// The same embeddings in another order, or column by column, are the same object.
    @Test func oneSetOfEmbeddingsIsOneObject() throws {
        let bytes = EmbeddingFile.encode(try EmbeddingFile.table(rows, space: space, name: "a"), space: spaceDigest)
        let columns = RecordBatch([
            "v1": Column(.float32, [.float32(8), .float32(.leastNonzeroMagnitude), .float32(2), .float32(-0.0)]),
            "key": .string(BinaryColumn(["ab", "é", "b", ""])),
            "v0": Column(.float32, [.float32(7), .float32(5), .float32(1), .float32(3)]),
        ])
        let other = try EmbeddingFile.table(columns, space: space, name: "b")
        #expect(EmbeddingFile.encode(other, space: spaceDigest) == bytes)
        let none = try EmbeddingFile.table(rows.empty, space: space, name: "none")
        #expect(try decode(EmbeddingFile.encode(none, space: spaceDigest)).count == 0)
    }

    private func refusal(_ columns: KeyValuePairs<String, Column>) -> String {
        let found = #expect(throws: (any Error).self) {
            try EmbeddingFile.table(RecordBatch(columns), space: space, name: "e.csv")
        }
        return found.map { "\($0)" } ?? ""
    }

    @Test func tablesThatAreNotEmbeddingsAreRefused() {
        let keys = Column.string(BinaryColumn(["a", "b"]))
        let halves = Column(.float32, [.float32(1), .float32(2)])
        func vectors(_ values: [Float]) -> Column { .vector(VectorColumn(dimension: 2, values: values)) }
        #expect(refusal(["k": keys]) == "e.csv: embeddings need a string column 'key'; the file has k")
        #expect(refusal(["key": halves]) == "e.csv: embeddings need a string column 'key'; the file has key")
        #expect(
            refusal(["key": keys, "v0": halves])
                == "e.csv: embedding space 'routes' has dimension 2, but there is no float32 column 'v1'; the file has key, v0"
        )
        #expect(
            refusal(["key": keys, "v0": halves, "v1": Column(.float32, [.null, .float32(1)])])
                == "e.csv: column 'v1' has 1 empty cells"
        )
        #expect(
            refusal(["key": keys, "vector": .vector(VectorColumn(dimension: 1, values: [1, 2]))]).contains(
                "found a vector of 1"
            )
        )
        #expect(
            refusal(["key": .string(BinaryColumn(["a", "a"])), "vector": vectors([1, 2, 3, 4])]).contains(
                "more than once"
            )
        )
        #expect(
            refusal(["key": .string(BinaryColumn(["a", nil])), "vector": vectors([1, 2, 3, 4])]).contains("null key")
        )
        #expect(refusal(["key": keys, "vector": vectors([1, 2, .nan, 4])]).contains("finite"))
    }

    @Test func embeddingsOfAnotherSpaceAreRefused() throws {
        let table = try EmbeddingFile.table(rows, space: space, name: "a")
        let other = Digest.of(Array("other".utf8))
        let found = #expect(throws: DefinitionError.self) { try decode(EmbeddingFile.encode(table, space: other)) }
        #expect(
            found?.description == "embeddings of 'routes': they were made for space \(other), expected \(spaceDigest)"
        )
        let wide = EmbeddingSpace(name: "routes", dimension: 4, metric: "dot", producer: "svd")
        #expect(throws: DefinitionError.self) {
            try decode(EmbeddingFile.encode(table, space: spaceDigest), space: wide)
        }
    }

    @Test func damageNeverTraps() throws {
        let bytes = EmbeddingFile.encode(try EmbeddingFile.table(rows, space: space, name: "a"), space: spaceDigest)
        for position in bytes.indices {
            #expect(throws: (any Error).self) { try decode(Array(bytes[..<position])) }
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                _ = try? decode(damaged)
            }
        }
    }
}

extension RecordBatch {
    fileprivate var empty: RecordBatch {
        RecordBatch(schema: schema, columns: schema.fields.map { Column.nulls($0.type, count: 0) }, rowCount: 0)
    }
}
