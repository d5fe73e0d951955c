import FoundationEssentials
import Postgres
import Testing

@Suite struct RoundTripTests {
    private func echo(_ parameter: Parameter, as type: String) throws -> Row {
        try connect().query("select $1::\(type) as v", [parameter]).only()
    }

    @Test func integersOfEveryWidth() throws {
        let connection = try connect()
        for value in [Int64.min, -1, 0, 1, Int64.max] {
            #expect(try connection.query("select $1 as v", [.int64(value)]).only().int64("v") == value)
        }
        let row = try connection.query(
            "select (-32768)::int2 a, (-2147483648)::int4 b, 4294967295::oid c, null::int8 d"
        )
        .only()
        #expect(try row.int64("a") == -32768)
        #expect(try row.int64(1) == -2_147_483_648)
        #expect(try row.int64("c") == 4_294_967_295)
        #expect(try row.int64IfPresent("d") == nil)
        #expect(try row.isNull("d"))
    }

    @Test func doublesKeepTheirBits() throws {
        let connection = try connect()
        let values: [Double] = [
            0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, -1.5e-300,
            Double(bitPattern: 0x7FF8_0000_0000_BEEF),
        ]
        for value in values {
            let found = try connection.query("select $1 as v", [.double(value)]).only().double("v")
            #expect(found.bitPattern == value.bitPattern)
        }
        let array = try connection.query("select $1", [.doubleArray(values)]).only().doubleArray(0)
        #expect(array.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try connection.query("select 0.1::real").only().double(0) == Double(Float(0.1)))
        #expect(try connection.query("select $1::text", [.double(0.1)]).only().text(0) == "0.1")
    }

    @Test func textAndBytes() throws {
        let connection = try connect()
        for value in ["", "plain", "naïve 🦤 \u{FFFD}", "it's \"quoted\" \\", String(repeating: "x", count: 100_000)] {
            #expect(try connection.query("select $1 as v", [.text(value)]).only().text("v") == value)
        }
        for value in [[], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 70_000)] as [[UInt8]] {
            #expect(try connection.query("select $1 as v", [.bytes(value)]).only().bytes("v") == value)
        }
        #expect(try connection.query("select 'a'::varchar, 'b'::name, 'c'::char(3)").only().text(2) == "c  ")
        let error = try failure { _ = try connection.query("select $1", [.text("a\0b")]) }
        #expect(error.sqlState == "22021")
        #expect(try failure { _ = try connection.query("select 1 \0") }.code == .usage)
    }

    @Test func boolJSONAndUUID() throws {
        let connection = try connect()
        #expect(try connection.query("select $1", [.bool(true)]).only().bool(0))
        #expect(try !connection.query("select $1", [.bool(false)]).only().bool(0))
        let row = try connection.query("select $1 as b, $1::json as j", [.json("{\"a\": [1, null]}")]).only()
        #expect(try row.json("b") == "{\"a\": [1, null]}")
        #expect(try row.json("j") == "{\"a\": [1, null]}")
        let id = UUID()
        #expect(try connection.query("select $1", [.uuid(id)]).only().uuid(0) == id)
        let text = try connection.query("select $1::text", [.uuid(id)]).only().text(0)
        #expect(text == id.uuidString.lowercased())
    }

    @Test func timestampsAgreeWithTheServersText() throws {
        let connection = try connect()
        let known: [(Int64, String)] = [
            (0, "1970-01-01 00:00:00+00"), (-1, "1969-12-31 23:59:59.999999+00"),
            (946_684_800_000_000, "2000-01-01 00:00:00+00"), (1_700_000_000_123_456, "2023-11-14 22:13:20.123456+00"),
            (Int64.max, "infinity"), (Int64.min, "-infinity"),
            (Int64.max - 1, "294247-01-10 04:00:54.775806+00"),
            (-210_866_803_200_000_000, "4714-11-24 00:00:00+00 BC"),
        ]
        for (microseconds, text) in known {
            let row = try connection.query("select $1 as v, $1::text as t", [.timestamp(microseconds)])
            #expect(try row.only().text("t") == text)
            #expect(try row.only().timestamp("v") == microseconds)
        }
        for outside in [Int64.min + 1, -210_866_803_200_000_001] {
            #expect(try failure { _ = try connection.query("select $1", [.timestamp(outside)]) }.sqlState == "22008")
        }
        for late in ["294247-01-10 04:00:54.775807", "294276-12-31 23:59:59.999999"] {
            let row = try connection.query("select '\(late)+00'::timestamptz").only()
            #expect(try failure { _ = try row.timestamp(0) }.code == .decoding)
        }
        let naive = try connection.query("select now()::timestamp as naive").only()
        let error = try failure { _ = try naive.timestamp("naive") }
        #expect(error.code == .decoding)
        #expect(error.message.contains("'naive' is timestamp without time zone"))
    }

    @Test func arrays() throws {
        let connection = try connect()
        for values in [[], [7], [Int64.min, 0, Int64.max]] as [[Int64]] {
            let row = try connection.query("select $1 as v, cardinality($1) as n", [.int64Array(values)]).only()
            #expect(try row.int64Array("v") == values)
            #expect(try row.int64("n") == Int64(values.count))
            #expect(try connection.query("select $1", [.timestampArray(values)]).only().timestampArray(0) == values)
        }
        for values in [[], [""], ["a,b", "{}", "\"", "NULL"]] as [[String]] {
            #expect(try connection.query("select $1", [.textArray(values)]).only().textArray(0) == values)
        }
        for values in [[], [[]], [[0, 1], [], [255]]] as [[[UInt8]]] {
            #expect(try connection.query("select $1", [.bytesArray(values)]).only().bytesArray(0) == values)
            let rows = try connection.query("select b from unnest($1::bytea[]) as b", [.bytesArray(values)])
            #expect(try rows.map { try $0.bytes("b") } == values)
        }
        #expect(try connection.query("select $1", [.boolArray([true, false])]).only().boolArray(0) == [true, false])
        #expect(try connection.query("select 5 = any($1)", [.int64Array([4, 5])]).only().bool(0))
        #expect(try !connection.query("select 5 = any($1)", [.int64Array([])]).only().bool(0))
        let odd = try connection.query("select array[1, null]::int8[] as a, array[[1],[2]]::int8[] as b").only()
        #expect(try failure { _ = try odd.int64Array("a") }.code == .decoding)
        #expect(try failure { _ = try odd.int64Array("b") }.code == .decoding)
    }

    @Test func nullIsNullForEveryType() throws {
        let types = [
            "bool", "int8", "float8", "text", "bytea", "timestamptz", "jsonb", "uuid", "bool[]", "int8[]", "float8[]",
            "text[]", "bytea[]", "timestamptz[]",
        ]
        let columns = types.map { "$1::text::\($0)" }.joined(separator: ", ")
        let row = try connect().query("select \(columns)", [.null]).only()
        #expect(try row.boolIfPresent(0) == nil)
        #expect(try row.int64IfPresent(1) == nil)
        #expect(try row.doubleIfPresent(2) == nil)
        #expect(try row.textIfPresent(3) == nil)
        #expect(try row.bytesIfPresent(4) == nil)
        #expect(try row.timestampIfPresent(5) == nil)
        #expect(try row.jsonIfPresent(6) == nil)
        #expect(try row.uuidIfPresent(7) == nil)
        #expect(try row.boolArrayIfPresent(8) == nil)
        #expect(try row.int64ArrayIfPresent(9) == nil)
        #expect(try row.doubleArrayIfPresent(10) == nil)
        #expect(try row.textArrayIfPresent(11) == nil)
        #expect(try row.bytesArrayIfPresent(12) == nil)
        #expect(try row.timestampArrayIfPresent(13) == nil)
        #expect(try failure { _ = try row.int64(1) }.message.contains("'int8' is null"))
        let isNil = try row.withUnsafeBytes(3) { $0 == nil }
        #expect(isNil)
    }

    @Test func theWrongTypeNamesTheColumn() throws {
        let row = try connect().query("select sum(x) as total, 'a' as name from generate_series(1, 3::int8) x").only()
        let error = try failure { _ = try row.int64("total") }
        #expect(error.code == .decoding)
        #expect(error.message.contains("column 'total' is numeric, bigint was asked for"))
        #expect(try failure { _ = try row.bytes("name") }.message.contains("column 'name' is text"))
        #expect(try failure { _ = try row.text("missing") }.message.contains("no column 'missing'"))
        #expect(try failure { _ = try row.text(2) }.code == .decoding)
    }

    @Test func rowsAreACollection() throws {
        let rows = try connect().query("select n from generate_series(1, 1000::int8) as n")
        let column = try rows.column("n")
        #expect(try rows.reduce(0) { try $0 + $1.int64(column) } == 500_500)
        #expect(rows.columnNames == ["n"])
        #expect(try rows.last?.int64(0) == 1000)
        #expect(try failure { _ = try rows.only() }.code == .decoding)
    }
}
