import Columns
import Kernels
import Testing

@Suite("take, slice, concatenate, select")
struct RowKernelsTests {
    @Test("take agrees with building the column row by row", arguments: everyType)
    func take(type: DataType) {
        var generator = SeededGenerator(seed: 1)
        for nullOneIn in [0, 3] {
            for count in [1, 63, 64, 65, 130] {
                let column = randomColumn(type, count: count, nullOneIn: nullOneIn, using: &generator)
                for lowest in [-1, 0] {
                    for taken in [0, 1, 64, 129] {
                        let rows = (0..<taken).map { _ in Int.random(in: lowest..<count, using: &generator) }
                        let expected = Column(type, rows.map { $0 < 0 ? .null : column[$0] })
                        #expect(column.take(rows) == expected)
                    }
                }
            }
        }
    }

    @Test("take of an empty column gives nulls", arguments: everyType)
    func takeFromEmpty(type: DataType) {
        #expect(Column(type, []).take([-1, -1]) == .nulls(type, count: 2))
        #expect(Column(type, []).take([]) == Column(type, []))
    }

    @Test("slices agree with building the column row by row, and concatenate back", arguments: everyType)
    func slice(type: DataType) {
        var generator = SeededGenerator(seed: 2)
        for nullOneIn in [0, 2, 60] {
            let column = randomColumn(type, count: 200, nullOneIn: nullOneIn, using: &generator)
            for _ in 0..<20 {
                let bounds = (0..<3).map { _ in Int.random(in: 0...200, using: &generator) }.sorted()
                let cuts = [0] + bounds + [200]
                let pieces = zip(cuts, cuts.dropFirst()).map { column.slice($0..<$1) }
                for (piece, (lower, upper)) in zip(pieces, zip(cuts, cuts.dropFirst())) {
                    #expect(piece == Column(type, (lower..<upper).map { column[$0] }))
                }
                #expect(Column.concatenate(pieces) == column)
            }
        }
    }

    @Test("scattered parts agree with building the column row by row", arguments: everyType)
    func scatter(type: DataType) {
        var generator = SeededGenerator(seed: 3)
        for nullOneIn in [0, 3] {
            for count in [0, 1, 64, 130] {
                for isWhole in [true, false] {
                    let column = randomColumn(type, count: count, nullOneIn: nullOneIn, using: &generator)
                    let places = (0..<count).shuffled(using: &generator).prefix(isWhole ? count : count / 2)
                    let cut = Int.random(in: 0...places.count, using: &generator)
                    let parts = [places[..<cut], places[cut...]].map { rows in
                        (column: column.take(Array(rows)), rows: Array(rows))
                    }
                    let given = Set(places)
                    let expected = Column(type, (0..<count).map { given.contains($0) ? column[$0] : .null })
                    #expect(Column.scattered(parts, type, count: count) == expected)
                }
            }
            #expect(Column.scattered([], type, count: 3) == .nulls(type, count: 3))
        }
    }

    @Test func concatenateDropsValidityThatSaysNothing() {
        let full = Column.int64(PrimitiveColumn([1, 2], validity: Bitmap(repeating: true, count: 2)))
        let plain = Column(.int64, [.int64(3)])
        #expect(Column.concatenate([full, plain]) == Column(.int64, [.int64(1), .int64(2), .int64(3)]))
    }

    @Test func batches() throws {
        let batch = RecordBatch([
            "a": Column(.int64, [.int64(1), .null, .int64(3)]),
            "b": Column(.string, [.string("x"), .string("y"), .null]),
        ])
        #expect(batch.take([2, -1])["a"] == Column(.int64, [.int64(3), .null]))
        #expect(RecordBatch.concatenate([batch.slice(0..<1), batch.slice(1..<1), batch.slice(1..<3)]) == batch)
        let selected = try batch.select(columns: ["b"])
        #expect(selected.schema == Schema([Field("b", .string)]) && selected.rowCount == 3)
        #expect(try batch.select(columns: ["b", "a"]).columns == batch.columns.reversed())
        #expect(try batch.select(columns: []).rowCount == 3)
    }

    @Test func selectingWrongColumnsIsRefused() {
        let batch = RecordBatch(["a": Column(.int64, []), "b": Column(.int64, [])])
        #expect(throws: ColumnSelectionError.missing(column: "c", available: ["a", "b"])) {
            try batch.select(columns: ["a", "c"])
        }
        #expect(throws: ColumnSelectionError.repeated(column: "a")) { try batch.select(columns: ["a", "a"]) }
        #expect(
            ColumnSelectionError.missing(column: "c", available: ["a", "b"]).description
                == "no column is called 'c'; the columns are a, b"
        )
    }

    @Test func byteOrder() {
        let column = BinaryColumn(["b", nil, "ab", "", "a", "ab", "abcdefghi", "abcdefghz", nil, "é", "z"])
        #expect(column.rowsInByteOrder() == [3, 4, 2, 5, 6, 7, 0, 10, 9, 1, 8])
        #expect(BinaryColumn([]).rowsInByteOrder() == [])
    }
}
