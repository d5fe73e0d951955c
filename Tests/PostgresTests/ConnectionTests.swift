import Testing

@testable import Postgres

@Suite struct ConnectionTests {
    @Test func errorsCarryWhatTheServerSaid() throws {
        let connection = try connect()
        try connection.script(
            "create table t (id int8 constraint t_id_key unique, n int4 constraint positive check (n > 0))"
        )
        try connection.execute("insert into t values ($1, 1)", [.int64(987_654)])
        let duplicate = try failure { try connection.execute("insert into t values ($1, 1)", [.int64(987_654)]) }
        #expect(duplicate.code == .query)
        #expect(duplicate.sqlState == "23505")
        #expect(duplicate.constraint == "t_id_key")
        #expect(duplicate.table == "t")
        #expect(duplicate.detail?.contains("987654") == true)
        #expect(!duplicate.description.contains("987654"))
        let check = try failure { try connection.execute("insert into t values (2, $1)", [.int64(-4)]) }
        #expect(check.sqlState == "23514")
        #expect(check.constraint == "positive")
        let syntax = try failure { _ = try connection.query("select 1\nfrom\nnowhere") }
        #expect(syntax.sqlState == "42P01")
        #expect(syntax.lineNumber == 3)
        let value = try failure { _ = try connection.query("select $1::text::int8", [.text("secret")]) }
        #expect(value.sqlState == "22P02")
        #expect(!value.description.contains("secret"))
        #expect(try connection.query("select 1").only().int64(0) == 1)
    }

    @Test func aBadTargetDoesNotShowItsPassword() throws {
        for target in ["postgresql://me:hunter2%@host/db", "password=hunter2 oops", "", "host=a\0b"] {
            let error = try failure { _ = try Connection(target) }
            #expect(error.code == .connectionFailed)
            #expect(!error.description.contains("hunter2"))
        }
        let absent = try failure { _ = try Connection("host=/nonexistent dbname=x password=hunter2") }
        #expect(absent.code == .connectionFailed)
        #expect(!absent.description.contains("hunter2"))
    }

    @Test func executeCountsRows() throws {
        let connection = try connect()
        try connection.script("create table t (n int8); insert into t select generate_series(1, 10)")
        #expect(try connection.execute("update t set n = n + 1 where n > $1", [.int64(7)]) == 3)
        #expect(try connection.execute("delete from t") == 10)
        #expect(try failure { try connection.execute("copy t to stdout") }.code == .usage)
        #expect(try failure { try connection.script("copy t from stdin") }.code == .usage)
        #expect(try connection.query("select count(*) from t").only().int64(0) == 0)
    }

    @Test func statementsArePreparedOnceAndEvicted() throws {
        let connection = try connect()
        let prepared = "select count(*) from pg_prepared_statements"
        for _ in 0..<5 { _ = try connection.query("select $1 + 1", [.int64(1)]) }
        #expect(try connection.query(prepared).only().int64(0) == 2)
        _ = try connection.query("select $1 + 1", [.double(1)])
        #expect(try connection.query(prepared).only().int64(0) == 3)
        for number in 0..<600 { _ = try connection.query("select \(number)") }
        #expect(try connection.query(prepared).only().int64(0) == Int64(StatementCache.capacity))
        #expect(connection.statements.count == StatementCache.capacity)
    }

    @Test func aStatementThatDDLMadeStaleIsPreparedAgain() throws {
        let connection = try connect()
        try connection.script("create table t (a int8); insert into t values (1)")
        #expect(try connection.query("select * from t").columnNames == ["a"])
        try connection.script("alter table t add b int8")
        #expect(try connection.query("select * from t").columnNames == ["a", "b"])
        try connection.script("alter table t add c int8")
        #expect(try connection.pipeline([("select * from t", [])])[0].columnNames == ["a", "b", "c"])
        try connection.script("deallocate all")
        #expect(try connection.query("select * from t").columnNames == ["a", "b", "c"])
    }

    @Test func tooManyParametersAreRefused() throws {
        let connection = try connect()
        let many = [Parameter](repeating: .int64(1), count: 65_536)
        #expect(try failure { _ = try connection.query("select 1", many) }.code == .usage)
    }

    @Test func theSessionIsUTC() throws {
        let row = try connect().query("select current_setting('TimeZone'), current_setting('client_encoding')").only()
        #expect(try row.text(0) == "UTC")
        #expect(try row.text(1) == "UTF8")
    }

    @Test func aLostConnectionSaysSo() throws {
        let target = try TemporaryCluster.shared().makeDatabase()
        let connection = try Connection(target)
        try Connection(target).execute(
            "select pg_terminate_backend($1::int4)",
            [.int64(Int64(connection.backendProcess))]
        )
        let error = try failure { _ = try connection.query("select 1") }
        #expect(error.code == .connectionFailed)
        #expect(!connection.isUsable)
        #expect(try failure { _ = try connection.query("select 1") }.code == .connectionFailed)
    }

    @Test func notificationsArrive() throws {
        let target = try TemporaryCluster.shared().makeDatabase()
        let listener = try Connection(target)
        let sender = try Connection(target)
        try listener.listen(to: "Odd \"name\"")
        #expect(try listener.notifications(timeout: .zero).isEmpty)
        try sender.notify("Odd \"name\"", payload: "one")
        try sender.notify("other", payload: "two")
        let received = try listener.notifications(timeout: .seconds(10))
        #expect(received == [Notification(channel: "Odd \"name\"", payload: "one", process: sender.backendProcess)])
        let start = ContinuousClock.now
        #expect(try listener.notifications(timeout: .milliseconds(50)).isEmpty)
        #expect(start.duration(to: .now) >= .milliseconds(50))
    }
}
