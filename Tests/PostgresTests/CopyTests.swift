import FoundationEssentials
import Testing

@testable import Postgres

private struct Interruption: Error {}

@Suite struct CopyTests {
    private let copy = "copy t from stdin (format binary)"

    private func write(_ count: Int, _ writer: inout CopyWriter) throws {
        for number in 0..<count {
            try writer.startRow()
            writer.append(int64: Int64(number))
            if number % 7 == 0 { writer.appendNull() } else { writer.append(text: "row \(number)") }
        }
    }

    private func table() throws -> Connection {
        let connection = try connect()
        try connection.script("create table t (n int8 primary key, s text)")
        return connection
    }

    @Test func tenThousandRows() throws {
        let connection = try table()
        #expect(try connection.copyIn(copy) { try write(10_000, &$0) } == 10_000)
        let row = try connection.query("select count(*) as n, count(s) as s, max(s) as m, sum(n)::int8 as t from t")
            .only()
        #expect(try row.int64("n") == 10_000)
        #expect(try row.int64("s") == 10_000 - 1429)
        #expect(try row.text("m") == "row 9999")
        #expect(try row.int64("t") == 49_995_000)
    }

    @Test func anyFailureLeavesNothing() throws {
        let connection = try table()
        #expect(throws: Interruption.self) {
            try connection.copyIn(copy) { writer in
                try write(10_000, &writer)
                throw Interruption()
            }
        }
        let duplicate = try failure {
            _ = try connection.copyIn(copy) { writer in
                try write(10_000, &writer)
                try write(1, &writer)
            }
        }
        #expect(duplicate.sqlState == "23505")
        let short = try failure {
            _ = try connection.copyIn(copy) { writer in
                try writer.startRow()
                writer.append(int64: 1)
            }
        }
        #expect(short.message.contains("row 1 of the COPY has 1 fields, the statement names 2"))
        let busy = try failure {
            _ = try connection.copyIn(copy) { _ in _ = try connection.query("select 1") }
        }
        #expect(busy.code == .usage)
        #expect(try failure { _ = try connection.copyIn("copy t from stdin") { _ in } }.code == .usage)
        #expect(try failure { _ = try connection.copyIn("select 1") { _ in } }.code == .usage)
        #expect(
            try failure { _ = try connection.copyIn("copy absent from stdin (format binary)") { _ in } }.code == .query
        )
        #expect(try connection.query("select count(*) from t").only().int64(0) == 0)
        #expect(try connection.copyIn(copy) { _ in } == 0)
    }

    @Test func everyColumnType() throws {
        let connection = try connect()
        try connection.script(
            """
            create table t (a bool, b int2, c int4, d int8, e real, f float8, g text, h bytea, i timestamptz, j jsonb,
                k uuid, l int8[], m json)
            """
        )
        let id = UUID()
        let count = try connection.copyIn(copy) { writer in
            try writer.startRow()
            writer.append(bool: true)
            writer.append(int16: .min)
            writer.append(int32: .min)
            writer.append(int64: .min)
            writer.append(float: -0.5)
            writer.append(double: .nan)
            writer.append(text: "é")
            writer.append(bytes: [1, 0, 2])
            writer.append(timestamp: -1)
            writer.append(json: "[1]")
            writer.append(uuid: id)
            writer.append(.int64Array([1, 2]))
            writer.append(text: "{}")
            try writer.startRow()
            for _ in 0..<13 { writer.append(.null) }
        }
        #expect(count == 2)
        let row = try #require(try connection.query("select * from t order by b").first)
        #expect(try row.bool("a"))
        #expect(try row.int64("b") == -32768)
        #expect(try row.int64("c") == Int64(Int32.min))
        #expect(try row.int64("d") == .min)
        #expect(try row.double("e") == -0.5)
        #expect(try row.double("f").isNaN)
        #expect(try row.text("g") == "é")
        #expect(try row.bytes("h") == [1, 0, 2])
        #expect(try row.timestamp("i") == -1)
        #expect(try row.json("j") == "[1]")
        #expect(try row.uuid("k") == id)
        #expect(try row.int64Array("l") == [1, 2])
        #expect(try row.json("m") == "{}")
    }
}
