import Columns
import Embeddings
import Testing

private func table(
    _ rows: [(String, [Float])],
    dimension: Int,
    metric: EmbeddingMetric = .cosine
) throws -> EmbeddingTable {
    try EmbeddingTable(
        space: "items",
        version: "items@1",
        dimension: dimension,
        metric: metric,
        keys: BinaryColumn(rows.map(\.0)),
        vectors: VectorColumn(dimension: dimension, values: rows.flatMap(\.1))
    )
}

private func randomRows(_ count: Int, dimension: Int, using generator: inout SeededGenerator) -> [(String, [Float])] {
    (0..<count).map { row in
        // Few distinct elements, so that scores tie.
        ("key \(row)", (0..<dimension).map { _ in Float(Int.random(in: -1...1, using: &generator)) })
    }
    .shuffled(using: &generator)
}

@Suite("Embedding tables")
struct EmbeddingTableTests {
    @Test("Rows are in order of key bytes, whatever order they came in")
    func canonicalOrder() throws {
        var generator = SeededGenerator(seed: 1)
        let rows = randomRows(40, dimension: 3, using: &generator)
        let sorted = rows.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        for order in [rows, sorted, rows.reversed(), rows.shuffled(using: &generator)] {
            let table = try table(order, dimension: 3)
            #expect(table.count == 40 && table.dimension == 3)
            #expect(table.keys == BinaryColumn(sorted.map(\.0)))
            #expect(table.vectors.values == sorted.flatMap(\.1))
            for (row, (key, vector)) in sorted.enumerated() {
                #expect(table.row(of: key) == row && Array(table.vector(row)) == vector)
            }
            #expect(table.row(of: "key") == nil && table.row(of: "") == nil)
        }
    }

    @Test func lookup() throws {
        let table = try table([("b", [3, 4]), ("a", [1, 2]), ("", [-0.0, 9])], dimension: 2)
        let keys = Column(.string, [.string("a"), .null, .string("z"), .string(""), .string("b"), .string("a")])
        let expected: [Scalar] = [
            .vector([1, 2]), .null, .null, .vector([-0.0, 9]), .vector([3, 4]), .vector([1, 2]),
        ]
        let found = try table.lookup(keys)
        #expect(found == Column(.vector(dimension: 2), expected))
        #expect(found[3].isIdentical(to: .vector([-0.0, 9])))
        #expect(try table.lookup(Column(.string, [])) == Column(.vector(dimension: 2), []))
        #expect(throws: EmbeddingError.keyType(space: "items", found: .bytes)) {
            try table.lookup(Column(.bytes, [.bytes([97])]))
        }
    }

    @Test("Lookup agrees with a dictionary")
    func lookupAgreesWithNaive() throws {
        var generator = SeededGenerator(seed: 2)
        let rows = randomRows(50, dimension: 4, using: &generator)
        let naive = Dictionary(uniqueKeysWithValues: rows)
        let table = try table(rows, dimension: 4)
        let keys = (0..<200).map { _ in "key \(Int.random(in: 0..<70, using: &generator))" }
        let expected = keys.map { naive[$0].map(Scalar.vector) ?? .null }
        #expect(try table.lookup(.string(BinaryColumn(keys))) == Column(.vector(dimension: 4), expected))
    }

    @Test func anEmptyTableFindsNothing() throws {
        let table = try table([], dimension: 2)
        #expect(table.count == 0 && table.row(of: "a") == nil)
        #expect(try table.lookup(Column(.string, [.string("a")])) == .nulls(.vector(dimension: 2), count: 1))
        #expect(try table.nearest(to: [1, 2], queryVersion: "items@1", k: 3) == [])
    }

    @Test func badContentIsRefused() {
        let vectors = VectorColumn(dimension: 2, values: [1, 2, 3, 4])
        func make(
            dimension: Int = 2,
            keys: BinaryColumn = BinaryColumn(["a", "b"]),
            vectors: VectorColumn
        ) throws -> EmbeddingTable {
            try EmbeddingTable(
                space: "items",
                version: "items@1",
                dimension: dimension,
                metric: .dot,
                keys: keys,
                vectors: vectors
            )
        }
        #expect(throws: EmbeddingError.dimensionMismatch(space: "items", expected: 3, found: 2)) {
            try make(dimension: 3, vectors: vectors)
        }
        #expect(throws: EmbeddingError.countMismatch(space: "items", keys: 1, vectors: 2)) {
            try make(keys: BinaryColumn(["a"]), vectors: vectors)
        }
        #expect(throws: EmbeddingError.nullKey(space: "items", row: 1)) {
            try make(keys: BinaryColumn(["a", nil]), vectors: vectors)
        }
        #expect(throws: EmbeddingError.duplicateKey(space: "items", key: "x")) {
            try make(keys: BinaryColumn(["x", "x"]), vectors: vectors)
        }
        #expect(throws: EmbeddingError.nullVector(space: "items", key: "a")) {
            try make(
                vectors: VectorColumn(dimension: 2, values: [0, 0, 1, 2], validity: Bitmap(words: [0b10], count: 2))
            )
        }
        #expect(throws: EmbeddingError.elementNotFinite(space: "items", key: "b", element: 1, .infinity)) {
            try make(vectors: VectorColumn(dimension: 2, values: [1, 2, 3, .infinity]))
        }
        #expect(throws: EmbeddingError.self) {
            try make(vectors: VectorColumn(dimension: 2, values: [1, .nan, 3, 4]))
        }
        #expect(
            EmbeddingError.duplicateKey(space: "items", key: "x").description
                == "key 'x' appears more than once in the embeddings for space 'items'; keep one of its vectors"
        )
    }

    @Test("Keys that differ only in Unicode normalisation are two keys")
    func keysAreBytes() throws {
        let table = try table([("e\u{301}", [1]), ("\u{e9}", [2])], dimension: 1)
        #expect(table.row(of: "e\u{301}") == 0 && table.row(of: "\u{e9}") == 1)
    }
}
