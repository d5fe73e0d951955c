import Columns
import Features
import Testing

@Suite struct PackedRowTests {
    private static let types: [DataType] = [
        .bool, .int64, .float32, .float64, .string, .bytes, .timestamp, .vector(dimension: 1), .vector(dimension: 3),
    ]

    private func rows(_ cells: [(type: DataType, value: Scalar, status: FeatureStatus)]) -> ViewRows {
        ViewRows(
            features: cells.map { FeatureColumn(Column($0.type, [$0.value]), statuses: [$0.status]) },
            rowCount: 1
        )
    }

    private func randomCells(_ random: inout SeededGenerator) -> [(
        type: DataType, value: Scalar, status: FeatureStatus
    )] {
        (0..<Int.random(in: 0...7, using: &random)).map { _ in
            let type = Self.types.randomElement(using: &random) ?? .bool
            let status: FeatureStatus =
                [.present, .present, .present, .nullValue, .invalid].randomElement(using: &random) ?? .present
            guard status == .present else { return (type, .null, status) }
            let word = random.next()
            let value: Scalar =
                switch type {
                case .bool: .bool(word & 1 == 0)
                case .int64: .int64([.min, .max, -1, Int64(bitPattern: word)].randomElement(using: &random) ?? 0)
                case .timestamp: .timestamp(Int64(bitPattern: word))
                case .float32: .float32([-0.0, .nan, -.infinity, Float(word)].randomElement(using: &random) ?? 0)
                case .float64:
                    .float64(
                        [-0.0, .nan, .infinity, .leastNonzeroMagnitude, Double(word)].randomElement(using: &random) ?? 0
                    )
                case .string: .string(["", "é\u{301}𝄞", "a\0b"].randomElement(using: &random) ?? "")
                case .bytes: .bytes((0..<Int(word % 5)).map { UInt8($0 &* 77) })
                case .vector(let dimension): .vector((0..<dimension).map { Float($0) - Float(word % 9) })
                }
            return (type, value, status)
        }
    }

    /// The example of `docs/formats.md`.
    @Test func theLayoutIsAsDocumented() throws {
        let row = rows([
            (.float64, .float64(1.5), .present), (.int64, .null, .nullValue), (.string, .string("ab"), .present),
        ])
        let bytes: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 1, 0, 2, 0, 0, 0, 0x61, 0x62]
        #expect(PackedRow.encode(row, row: 0) == bytes)
        #expect(PackedRow.encode(rows([]), row: 0) == [1])
    }

    @Test(arguments: 0..<100 as Range<UInt64>) func roundTripsBitForBit(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let cells = randomCells(&random)
        let decoded = try PackedRow.decode(PackedRow.encode(rows(cells), row: 0), types: cells.map(\.type))
        #expect(decoded.count == cells.count)
        for (found, cell) in zip(decoded, cells) {
            #expect(found.value.isIdentical(to: cell.value), "\(found.value) and \(cell.value)")
            #expect(found.status == cell.status)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>) func cutOrLengthenedRowsAreRefused(seed: UInt64) {
        var random = SeededGenerator(seed: seed &+ 500)
        let cells = randomCells(&random)
        let (types, bytes) = (cells.map(\.type), PackedRow.encode(rows(cells), row: 0))
        for count in bytes.indices {
            #expect(throws: DefinitionError.self) { try PackedRow.decode(Array(bytes[..<count]), types: types) }
        }
        #expect(throws: DefinitionError.self) { try PackedRow.decode(bytes + [0], types: types) }
        #expect(throws: DefinitionError.self) { try PackedRow.decode(bytes, types: types + [.int64]) }
    }

    /// A damaged row is refused or is a row of the same shape; it never stops the program.
    @Test(arguments: 0..<40 as Range<UInt64>) func flippedBitsNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed &+ 900)
        let cells = randomCells(&random)
        let (types, bytes) = (cells.map(\.type), PackedRow.encode(rows(cells), row: 0))
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                guard let decoded = try? PackedRow.decode(damaged, types: types) else { continue }
                #expect(decoded.count == types.count)
                for (cell, type) in zip(decoded, types) { #expect(cell.value.isNull || cell.value.type == type) }
            }
        }
    }

    @Test func faultsSayWhatToDo() {
        let found = #expect(throws: DefinitionError.self) { try PackedRow.decode([2], types: []) }
        #expect(
            found?.description
                == "online row: it cannot be read at byte 1: its format version is unknown; materialize the view again"
        )
        #expect(throws: DefinitionError.self) { try PackedRow.decode([], types: []) }
        #expect(throws: DefinitionError.self) { try PackedRow.decode([1, 5], types: [.bool]) }
        #expect(throws: DefinitionError.self) { try PackedRow.decode([1, 0, 255, 255, 255, 255], types: [.string]) }
    }

    /// What no writer writes is not read as something else.
    @Test func onlyOneSpellingOfAValueIsRead() {
        #expect(throws: DefinitionError.self) { try PackedRow.decode([1, 0, 2], types: [.bool]) }
        #expect(throws: DefinitionError.self) { try PackedRow.decode([1, 0, 1, 0, 0, 0, 0xFF], types: [.string]) }
    }
}
