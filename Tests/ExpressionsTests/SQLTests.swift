import Columns
import Expressions
import Testing

/// What is written for PostgreSQL is evaluated by PostgreSQL; the other dialects' text is pinned, and what has no exact
/// counterpart is refused by name.
@Suite struct SQLTests {
    @Test(arguments: [1, 2] as [UInt64])
    func postgresGivesTheSameValues(seed: UInt64) throws {
        let oracle = try PostgresOracle.shared.get()
        let sample = Sample(seed: seed + 100, rows: 12)
        var generator = RandomExpressions(seed: seed + 100)
        var cases: [(expression: Expression, sql: String, kind: RandomExpressions.Kind, twin: Twin)] = []
        for number in 0..<800 {
            let kinds = RandomExpressions.Kind.ofColumns
            let kind = kinds[number % kinds.count]
            let twin = generator.expression(kind, depth: 1 + number % 4)
            guard let expression = try? Expression(twin.ours, schema: Sample.schema),
                expression.type.description == kind.rawValue
            else { continue }
            cases.append((expression, try expression.sql(.postgres), kind, twin))
        }
        let questions = cases.map { "select pg_temp.ask($q$\($0.sql)$q$, '\($0.kind.rawValue)');" }
        let answers = try oracle.lines(([sample.script] + questions).joined(separator: "\n"))
        try #require(answers.count == cases.count)
        var compared = 0
        for (item, answer) in zip(cases, answers) {
            if answer.hasPrefix("refused") {
                Issue.record("\(item.expression.text): \(answer)\n\(item.sql)")
                continue
            }
            let fields = answer.split(separator: "|", omittingEmptySubsequences: false)
            try #require(fields.count == sample.rows.count + 1)
            if !fields[0].isEmpty { #expect(fields[0] == item.kind.theirs, "\(item.sql)") }
            let result = item.expression.evaluate(sample.batch)
            for row in sample.rows.indices {
                // PostgreSQL computes operations on literals while planning, so it may fail for a branch that is not taken.
                guard let theirs = Sample.answer(fields[row + 1], item.expression.type) else { continue }
                compared += 1
                let isUndefined = result.invalid?[row] ?? false
                // Nor does it compute the other operand of a literal null.
                if isUndefined, theirs == .null { continue }
                let agrees = PostgresParityTests.agree(result.column[row], theirs, ulps: item.twin.hasLibrary ? 1 : 0)
                #expect(
                    agrees && !isUndefined,
                    "\(item.expression.text): \(result.column[row]) here, \(theirs) there\n\(item.sql)"
                )
            }
        }
        #expect(compared > 5000)
    }

    private static let schema = Schema([
        Field("a", .float64), Field("i", .int64), Field("s", .string), Field("t", .timestamp),
        Field("odd\"name", .bool),
        Field("v", .vector(dimension: 2)),
    ])

    private func sql(_ text: String, _ dialect: SQLDialect, isExact: Bool = true) throws -> String {
        let bin = ExternalFunction(name: "bin", argument: "b", input: .float64, identity: []) {
            .nulls(.int64, count: $0.count)
        }
        return try Expression(text, schema: Self.schema, functions: [bin]).sql(dialect, isExact: isExact)
    }

    @Test func dialectsAreWritten() throws {
        let cases: [(String, SQLDialect, String)] = [
            ("a + 1.5", .duckDB, #"("a" + cast('1.5' as double precision))"#),
            ("a + 1.5", .spark, "(`a` + cast('1.5' as double))"),
            ("i / 2", .postgres, #"("i" / cast('2' as bigint))"#),
            ("i / 2", .duckDB, #"("i" // cast('2' as bigint))"#),
            ("i / 2", .spark, "(`i` div cast('2' as bigint))"),
            ("round(a)", .duckDB, #"round_even("a", 0)"#),
            ("round(a)", .spark, "rint(`a`)"),
            ("a::int64", .spark, "cast(rint(cast(`a` as double)) as bigint)"),
            (#"s < 'it''s\'"#, .postgres, #"("s" collate "C" < 'it''s\'::text)"#),
            (#"s < 'it''s\'"#, .spark, #"(`s` < 'it\'s\\')"#),
            ("lower(s)", .duckDB, #"translate("s", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"#),
            (
                "t + interval '1 hour'", .duckDB,
                #"make_timestamptz((epoch_us("t") + cast('3600000000' as bigint)))"#
            ),
            (#"not "odd""name""#, .duckDB, #"(not "odd""name")"#),
            ("date_trunc('day', t)", .duckDB, #"(date_trunc('day', ("t" at time zone 'UTC')) at time zone 'UTC')"#),
        ]
        for (text, dialect, expected) in cases { #expect(try sql(text, dialect) == expected) }
        #expect(try sql("ln(1 + a)", .spark, isExact: false) == "log1p(`a`)")
    }

    @Test func whatHasNoCounterpartIsRefused() throws {
        let refused: [(String, [SQLDialect], String)] = [
            ("ln(1 + a)", [.postgres, .duckDB, .spark], "ln(1 + x), which is computed as log1p,"),
            ("exp(a)", [.spark], "exp"), ("greatest(a, 0)", [.duckDB], "greatest of floats"),
            ("sign(a)", [.spark], "sign"),
            ("reverse(s)", [.duckDB, .spark], "reverse"),
            ("hash_bucket(i, 8)", SQLDialect.allCases, "hash_bucket"),
            ("norm(v)", SQLDialect.allCases, "norm of vectors"),
            ("bin(a, b)", SQLDialect.allCases, "bin(…, b)"),
            ("a::text", [.duckDB, .spark], "a cast from float64 to string"),
            ("date_trunc('day', t, 'Europe/Berlin')", [.duckDB, .spark], "date_trunc in a time zone"),
            ("s like '%\\%'", [.spark], "like with a pattern that may hold a backslash"),
        ]
        for (text, dialects, construct) in refused {
            for dialect in dialects {
                let error = #expect(throws: SQLRenderingError.self) { try sql(text, dialect) }
                #expect(error?.construct == construct && error?.dialect == dialect && error?.text == text)
                #expect(error?.description.contains(dialect.name) == true)
            }
        }
    }
}
