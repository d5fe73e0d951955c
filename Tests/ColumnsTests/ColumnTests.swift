import Columns
import Testing

private let everyType: [DataType] = [
    .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 1), .vector(dimension: 3),
]

private func randomScalar(_ type: DataType, using generator: inout SeededGenerator) -> Scalar {
    if Int.random(in: 0..<4, using: &generator) == 0 { return .null }
    let word = generator.next()
    return switch type {
    case .bool: .bool(word & 1 == 1)
    case .int64: .int64(Int64(bitPattern: word))
    case .timestamp: .timestamp(Int64(bitPattern: word))
    case .float32: .float32(Float(bitPattern: UInt32(truncatingIfNeeded: word)))
    case .float64: .float64(Double(bitPattern: word))
    case .string: .string(String(repeating: "é𝄞", count: Int(word % 4)))
    case .bytes: .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: word), count: Int(word % 5)))
    case .vector(let dimension): .vector((0..<dimension).map { Float(word % 97) - Float($0) })
    }
}

/// Columns against the arrays of scalars they were built from.
@Suite struct ColumnTests {
    @Test(arguments: everyType) func holdsWhatWasAppended(type: DataType) {
        var generator = SeededGenerator(seed: 11)
        for count in [0, 1, 64, 130] {
            let values = (0..<count).map { _ in randomScalar(type, using: &generator) }
            let column = Column(type, values)
            #expect(column.type == type)
            #expect(column.count == count)
            #expect(column.nullCount == values.count { $0 == .null })
            for row in 0..<count {
                #expect(column[row].isIdentical(to: values[row]))
                #expect(column.isValid(row) == !values[row].isNull)
            }
        }
    }

    @Test(arguments: everyType) func withoutNullsThereIsNoBitmap(type: DataType) {
        var generator = SeededGenerator(seed: 5)
        let values = (0..<90).map { _ in randomScalar(type, using: &generator) }.filter { !$0.isNull }
        #expect(Column(type, values).validity == nil)
        #expect(Column(type, values + [.null]).validity?.setCount == values.count)
    }

    @Test(arguments: everyType) func nullsAreZeroUnderneath(type: DataType) {
        let nulls = Column.nulls(type, count: 3)
        #expect(nulls == Column(type, [.null, .null, .null]))
        #expect(nulls.nullCount == 3)
        switch nulls {
        case .bool(let column): #expect(column.values == [false, false, false])
        case .int64(let column), .timestamp(let column): #expect(column.values == [0, 0, 0])
        case .float32(let column): #expect(column.values.allSatisfy { $0.bitPattern == 0 })
        case .float64(let column): #expect(column.values.allSatisfy { $0.bitPattern == 0 })
        case .string(let column), .bytes(let column):
            #expect(column.data.isEmpty)
            #expect(column.offsets == [0, 0, 0, 0])
        case .vector(let column): #expect(column.values == [Float](repeating: 0, count: 3 * column.dimension))
        }
    }

    @Test func optionalsAndSubscripts() {
        let numbers = PrimitiveColumn<Int64>([1, nil, 3], zero: 0)
        #expect(numbers.values == [1, 0, 3])
        #expect((numbers[0], numbers[1], numbers[2]) == (1, nil, 3))
        #expect(numbers.nullCount == 1)
        #expect(PrimitiveColumn<Int64>([1, 2], zero: 0).validity == nil)

        let words = BinaryColumn(["a", nil, "", "é"])
        #expect(words.offsets == [0, 1, 1, 1, 3])
        #expect((0..<4).map { words.string($0) } == ["a", nil, "", "é"])
        #expect(words[3].map { Array($0) } == [0xC3, 0xA9])

        let vectors = VectorColumn(dimension: 2, values: [1, 2, 0, 0], validity: Bitmap(words: [0b01], count: 2))
        #expect(vectors.count == 2)
        #expect(vectors[0].map { Array($0) } == [1, 2])
        #expect(vectors[1] == nil)
        #expect(vectors.nullCount == 1)
    }

    @Test func wrongShapesStopTheProgram() async {
        await #expect(processExitsWith: .failure) {
            _ = PrimitiveColumn<Int64>([1, 2], validity: Bitmap(repeating: true, count: 3))
        }
        await #expect(processExitsWith: .failure) { _ = BinaryColumn(offsets: [0, 2], data: [1]) }
        await #expect(processExitsWith: .failure) { _ = VectorColumn(dimension: 3, values: [1, 2]) }
        await #expect(processExitsWith: .failure) { _ = Column(.int64, [.string("a")]) }
        await #expect(processExitsWith: .failure) { _ = Column(.vector(dimension: 2), [.vector([1, 2, 3])]) }
    }
}

@Suite struct RecordBatchTests {
    private let batch = RecordBatch([
        "id": Column(.int64, [.int64(1), .null]), "name": .string(BinaryColumn(["a", "b"])),
    ])

    @Test func columnsAreFoundByName() {
        #expect(batch.rowCount == 2)
        #expect(batch.schema == Schema([Field("id", .int64), Field("name", .string)]))
        #expect(batch["name"] == .string(BinaryColumn(["a", "b"])))
        #expect(batch["Name"] == nil)
        #expect(batch.schema.position(of: "name") == 1)
        #expect(batch.schema.type(of: "id") == .int64)
        #expect(batch.schema.type(of: "none") == nil)
        #expect(batch.schema[0].name == "id")
    }

    @Test func aBatchMayHaveRowsAndNoColumns() {
        #expect(RecordBatch(schema: Schema([]), columns: [], rowCount: 7).rowCount == 7)
    }

    @Test func wrongShapesStopTheProgram() async {
        await #expect(processExitsWith: .failure) {
            _ = RecordBatch(schema: Schema([Field("a", .int64)]), columns: [], rowCount: 0)
        }
        await #expect(processExitsWith: .failure) {
            let column = Column(.string, [.string("x")])
            _ = RecordBatch(schema: Schema([Field("a", .int64)]), columns: [column], rowCount: 1)
        }
        await #expect(processExitsWith: .failure) {
            let column = Column(.int64, [.int64(1)])
            _ = RecordBatch(schema: Schema([Field("a", .int64)]), columns: [column], rowCount: 2)
        }
        await #expect(processExitsWith: .failure) { _ = Schema([Field("a", .int64), Field("a", .bool)]) }
    }
}
