import Dispatch
import Testing

@testable import Postgres

private struct Interruption: Error {}

@Suite struct TransactionTests {
    private func table() throws -> Connection {
        let connection = try connect()
        try connection.script("create table t (n int8 primary key)")
        return connection
    }

    private func count(_ connection: Connection) throws -> Int64 {
        try connection.query("select count(*) from t").only().int64(0)
    }

    @Test func commitsAndRollsBack() throws {
        let connection = try table()
        let value = try connection.transaction {
            try connection.execute("insert into t values (1)")
            return 42
        }
        #expect(value == 42)
        #expect(throws: Interruption.self) {
            try connection.transaction {
                try connection.execute("insert into t values (2)")
                throw Interruption()
            }
        }
        let error = try failure {
            _ = try connection.transaction { try connection.execute("insert into t values (3), (1)") }
        }
        #expect(error.sqlState == "23505")
        #expect(try count(connection) == 1)
        #expect(!connection.isInTransaction)
    }

    @Test func aSwallowedErrorIsNotACommit() throws {
        let connection = try table()
        let error = try failure {
            try connection.transaction {
                try connection.execute("insert into t values (1)")
                _ = try? connection.query("select 1 / 0")
            }
        }
        #expect(error.sqlState == "25P02")
        #expect(try count(connection) == 0)
    }

    @Test func transactionsDoNotNest() throws {
        let connection = try table()
        #expect(try failure { try connection.transaction { try connection.transaction {} } }.code == .usage)
        #expect(try failure { try connection.transaction { try connection.script("commit") } }.code == .usage)
    }

    @Test func isolationIsAsAsked() throws {
        let connection = try table()
        let level = try connection.transaction(isolation: .repeatableRead) {
            try connection.query("select current_setting('transaction_isolation')").only().text(0)
        }
        #expect(level == "repeatable read")
    }

    @Test func conflictsAreRetriedOnlyWhenAsked() throws {
        let target = try TemporaryCluster.shared().makeDatabase()
        let first = try Connection(target)
        let second = try Connection(target)
        try first.script("create table t (n int8); insert into t values (0)")
        var attempts = 0
        func attempt(retries: Int) throws {
            attempts = 0
            try first.transaction(isolation: .repeatableRead, retries: retries) {
                attempts += 1
                _ = try first.query("select n from t")
                if attempts == 1 { try second.execute("update t set n = n + 10") }
                try first.execute("update t set n = n + 1")
            }
        }
        #expect(try failure { try attempt(retries: 0) }.sqlState == "40001")
        #expect(attempts == 1)
        try attempt(retries: 2)
        #expect(attempts == 2)
        #expect(try first.query("select n from t").only().int64(0) == 21)
    }

    @Test func aPipelineIsOneRoundTripAndOneTransaction() throws {
        let connection = try table()
        let insert = "insert into t values ($1)"
        let results = try connection.pipeline([
            (insert, [.int64(1)]), (insert, [.int64(2)]), ("select count(*) as n from t", []),
        ])
        #expect(results.count == 3)
        #expect(try results[2].only().int64("n") == 2)
        let error = try failure {
            _ = try connection.pipeline([
                (insert, [.int64(3)]), ("select $1::text::int8", [.text("x")]), (insert, [.int64(4)]), ("select 9", []),
            ])
        }
        #expect(error.sqlState == "22P02")
        #expect(error.statement == "select $1::text::int8")
        #expect(try count(connection) == 2)
        let syntax = try failure { _ = try connection.pipeline([("select 9", []), ("selct", []), ("select 10", [])]) }
        #expect(syntax.sqlState == "42601")
        #expect(try connection.pipeline([("select 9", []), ("select 10", [])]).count == 2)
        #expect(try connection.pipeline([]).isEmpty)
    }

    @Test func aPipelineInATransactionFailsWithIt() throws {
        let connection = try table()
        _ = try failure {
            try connection.transaction {
                try connection.execute("insert into t values (1)")
                _ = try connection.pipeline([("insert into t values (2)", []), ("insert into t values (1)", [])])
            }
        }
        #expect(try count(connection) == 0)
        #expect(try connection.pipeline([("insert into t values (1)", [])]).count == 1)
    }

    @Test func aPipelineLargerThanEveryBufferDoesNotDeadlock() throws {
        let connection = try connect()
        let bytes = [UInt8](repeating: 7, count: 200_000)
        let statements = (0..<100).map { _ in ("select $1 as b", [Parameter.bytes(bytes)]) }
        let results = try connection.pipeline(statements)
        #expect(results.count == 100)
        #expect(try results.allSatisfy { try $0.only().bytes("b") == bytes })
    }

    @Test func aCopyInAPipelineBreaksOnlyThisConnection() throws {
        let connection = try table()
        let error = try failure { _ = try connection.pipeline([("copy t from stdin", []), ("select 1", [])]) }
        #expect(!error.description.isEmpty)
    }
}
