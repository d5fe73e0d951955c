import Columns
import Kernels
import Testing

@Suite("Key encoding")
struct KeyColumnTests {
    @Test("The layout is fixed for good: these bytes are stored in databases")
    func goldenBytes() throws {
        let keys = try KeyColumn(
            [
                Column(.bool, [.bool(true)]), Column(.int64, [.int64(-2)]), Column(.string, [.string("ab")]),
                Column(.bytes, [.bytes([7])]), Column(.timestamp, [.timestamp(1)]),
            ],
            rowCount: 1
        )
        #expect(
            keys.bytes(0) == [
                1,
                1, 1, 1,
                2, 1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                3, 1, 0, 0, 0, 0, 0, 0, 0, 2, 97, 98,
                4, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7,
                5, 1, 0x80, 0, 0, 0, 0, 0, 0, 1,
            ]
        )
        let integer = try KeyColumn([Column(.int64, [.int64(5)])], rowCount: 1)
        #expect(integer.bytes(0) == [1, 2, 1, 0x80, 0, 0, 0, 0, 0, 0, 5])
        let text = try KeyColumn([Column(.string, [.string("é")])], rowCount: 1)
        #expect(text.bytes(0) == [1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0xc3, 0xa9])
        let flag = try KeyColumn([Column(.bool, [.bool(false)])], rowCount: 1)
        #expect(flag.bytes(0) == [1, 1, 1, 0])
    }

    @Test func keysThatCollideWhenJoined() throws {
        let text = try KeyColumn(
            [
                Column(.string, [.string("a"), .string("ab"), .string(""), .string("abc")]),
                Column(.string, [.string("bc"), .string("c"), .string("abc"), .string("")]),
            ],
            rowCount: 4
        )
        #expect(KeyDictionary(text).count == 4)
        let integers = try KeyColumn(
            [Column(.int64, [.int64(1), .int64(12)]), Column(.int64, [.int64(23), .int64(3)])],
            rowCount: 2
        )
        #expect(KeyDictionary(integers).count == 2)
    }

    @Test("The encoding is injective, and the same for any batch and any storage")
    func injective() throws {
        var generator = SeededGenerator(seed: 3)
        for partCount in 0...3 {
            for _ in 0..<20 {
                let types = (0..<partCount).map { _ in keyTypes.randomElement(using: &generator) ?? .int64 }
                let columns = types.map { randomColumn($0, count: 40, nullOneIn: 6, using: &generator) }
                let keys = try KeyColumn(columns, rowCount: 40)
                let encoded = keys.encoded()
                var seen: [[UInt8]: [Scalar]] = [:]
                for row in 0..<40 {
                    let parts = columns.map { $0[row] }
                    #expect(keys.isNull(row) == parts.contains(.null))
                    #expect((keys.bytes(row) == nil) == keys.isNull(row))
                    #expect(encoded[row].map(Array.init) == keys.bytes(row))
                    let single = try KeyColumn(columns.map { $0.slice(row..<row + 1) }, rowCount: 1)
                    #expect(single.bytes(0) == keys.bytes(row))
                    if let bytes = keys.bytes(row) {
                        #expect(bytes.first == KeyColumn.encodingVersion)
                        #expect(seen.updateValue(parts, forKey: bytes) ?? parts == parts)
                    }
                }
                #expect(Set(seen.values).count == seen.count)
            }
        }
    }

    @Test func keysOfTwoTypesNeverMeet() throws {
        let columns: [[Column]] = [
            [Column(.int64, [.int64(1)])], [Column(.timestamp, [.timestamp(1)])], [Column(.bool, [.bool(true)])],
            [Column(.string, [.string("a")])], [Column(.bytes, [.bytes([97])])], [],
            [Column(.int64, [.int64(1)]), Column(.int64, [.int64(1)])],
        ]
        let keys = try columns.map { try KeyColumn($0, rowCount: 1) }
        #expect(Set(keys.map { $0.bytes(0) }).count == keys.count)
        for left in keys.indices {
            for right in keys.indices {
                #expect(KeyDictionary(keys[left]).ids(of: keys[right], rows: 0..<1) == [left == right ? 0 : -1])
            }
        }
    }

    @Test func noColumnsGiveEveryRowTheSameKey() throws {
        let keys = try KeyColumn([], rowCount: 3)
        #expect(keys.nullCount == 0 && keys.count == 3)
        #expect((0..<3).allSatisfy { keys.bytes($0) == [1] })
        #expect(KeyDictionary.numbering(keys).ids == [0, 0, 0])
    }

    @Test func otherTypesAreRefused() {
        let columns = [Column(.int64, []), Column(.float64, [])]
        #expect(throws: KeyError.unsupportedType(position: 1, .float64)) { try KeyColumn(columns, rowCount: 0) }
        #expect(
            KeyError.unsupportedType(position: 1, .float64).description
                == "key column 1 is float64, and a key is bool, int64, string, bytes or timestamp; "
                + "cast it, or choose another join key"
        )
    }

    @Test func numberingAgreesWithADictionary() throws {
        var generator = SeededGenerator(seed: 4)
        for partCount in 0...2 {
            for domain in [3, 400] {
                let columns = (0..<partCount).map { part in
                    Column(
                        part == 0 && domain == 400 ? .int64 : .string,
                        (0..<900).map { _ in
                            let number = Int64.random(in: 0..<Int64(domain), using: &generator)
                            if number == 0 { return .null }
                            return part == 0 && domain == 400 ? .int64(number) : .string("key \(number)")
                        }
                    )
                }
                let keys = try KeyColumn(columns, rowCount: 900)
                let (dictionary, ids) = KeyDictionary.numbering(keys)
                var naive: [[UInt8]: Int] = [:]
                for row in 0..<900 {
                    guard let bytes = keys.bytes(row) else {
                        #expect(ids[row] == -1)
                        continue
                    }
                    let id = naive[bytes] ?? naive.count
                    if naive[bytes] == nil {
                        #expect(dictionary.firstRows[id] == row && dictionary.keys.bytes(id) == bytes)
                    }
                    naive[bytes] = id
                    #expect(ids[row] == id)
                }
                #expect(dictionary.count == naive.count)
                #expect(dictionary.ids(of: keys, rows: 100..<900) == Array(ids[100...]))
                #expect(dictionary.keys.nullCount == 0)
                #expect(keys.take([-1, 5]).bytes(0) == nil && keys.take([-1, 5]).bytes(1) == keys.bytes(5))
            }
        }
    }
}
