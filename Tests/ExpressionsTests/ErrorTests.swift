import Columns
import Expressions
import Testing

/// Messages as a user sees them, caret and all.
@Suite struct ErrorTests {
    private static let schema = Schema([
        Field("visib", .float64), Field("age", .int64), Field("name", .string), Field("at", .timestamp),
        Field("Wind", .float32), Field("ok", .bool), Field("embedding", .vector(dimension: 2)),
    ])

    private static let golden: [(text: String, expected: String)] = [
        ("visb < 3", "unknown column 'visb'; did you mean 'visib'?\n  visb < 3\n  ^"),
        (
            "visib + Wind",
            "unknown column 'wind'; did you mean \"Wind\"? (without quotes a name is read in lower case)\n"
                + "  visib + Wind\n          ^"
        ),
        ("\"visib\" + sqr(age)", "unknown function 'sqr'; did you mean 'sqrt'?\n  \"visib\" + sqr(age)\n            ^"),
        ("", "the expression is empty\n  \n  ^"),
        ("age +", "expected an expression, found the end of the expression\n  age +\n       ^"),
        ("(age", "expected ')' to close the parenthesis, found the end of the expression\n  (age\n      ^"),
        ("age )", "expected an operator or the end of the expression, found ')'\n  age )\n      ^"),
        (
            "1 < age < 3",
            "comparisons do not chain; join two with and, as in a < b and b < c\n  1 < age < 3\n          ^"
        ),
        ("name + 'x'", "'+' is not defined for string and string; strings are joined with ||\n  name + 'x'\n       ^"),
        ("age and ok", "'and' needs bool, found int64; compare it, as in … <> 0\n  age and ok\n  ^"),
        (
            "at > '2013-01-01'",
            "'>' cannot compare timestamp with string; write the literal as timestamp '…'\n  at > '2013-01-01'\n     ^"
        ),
        (
            "embedding = embedding",
            "'=' cannot compare vector<float32, 2> with vector<float32, 2>\n  embedding = embedding\n            ^"
        ),
        ("visib % 2", "'%' is not defined for float64 and int64; cast both sides to int64\n  visib % 2\n        ^"),
        (
            "case when ok then 1 else 'a' end",
            "the results of case must agree, found int64 and string\n  case when ok then 1 else 'a' end\n                           ^"
        ),
        ("case ok end", "expected 'when' in 'case', found 'end'\n  case ok end\n          ^"),
        (
            "age is 3",
            "expected null, true, false, unknown or distinct from after 'is', found '3'\n  age is 3\n         ^"
        ),
        (
            "age is distinct from 1 is null",
            "is distinct from does not chain with is; use parentheses\n  age is distinct from 1 is null\n"
                + "                         ^"
        ),
        ("cast(at as int64)", "timestamp cannot be cast to int64; use extract(epoch from …)\n  cast(at as int64)\n  ^"),
        ("visib::int", "there is no type 'int'; the only integer type is int64 (bigint)\n  visib::int\n         ^"),
        ("visib::flaot64", "unknown type 'flaot64'; did you mean 'float64'?\n  visib::flaot64\n         ^"),
        (
            "at + interval '1.5 months'",
            "interval '1.5 months': a fraction of months or years has no fixed length; write it in days or smaller units\n"
                + "  at + interval '1.5 months'\n       ^"
        ),
        (
            "at + interval '1 month' * 0.5",
            "'*' is not defined for interval with months and float64; months are only multiplied, and by an int64\n"
                + "  at + interval '1 month' * 0.5\n                          ^"
        ),
        (
            "at at time zone 'Mars'",
            "time zone 'Mars' is not in this system's time zone database; use a name such as America/New_York or UTC\n  at at time zone 'Mars'\n                  ^"
        ),
        (
            "at at time zone 'UTC'",
            "the expression is timestamp without time zone, which no column holds; end it with at time zone '…' for a "
                + "timestamp\n  at at time zone 'UTC'\n     ^"
        ),
        (
            "at at time zone 'UTC' > at",
            "'>' cannot compare timestamp without time zone with timestamp; end the first with at time zone '…' to "
                + "compare two timestamps\n  at at time zone 'UTC' > at\n                        ^"
        ),
        (
            "date_trunc('mounth', at)",
            "date_trunc has no unit 'mounth'; did you mean 'month'?\n  date_trunc('mounth', at)\n             ^"
        ),
        (
            "extract(day from at - at)",
            "from an interval extract gives only epoch, its length in seconds\n  extract(day from at - at)\n"
                + "                      ^"
        ),
        (
            "dot(embedding, 1)",
            "'dot' needs a vector, found int64\n  dot(embedding, 1)\n                 ^"
        ),
        (
            "element(embedding, 3)",
            "vector<float32, 2> has no element 3; the first is 1, the last 2\n  element(embedding, 3)\n"
                + "                     ^"
        ),
        (
            "hash_bucket(age, 0)",
            "'hash_bucket' needs at least 1 bucket, found 0\n  hash_bucket(age, 0)\n                   ^"
        ),
        ("bin(age, winds)", "bin knows no 'winds'; none is declared here\n  bin(age, winds)\n           ^"),
        (
            "position('a', name)",
            "expected 'in' as in position('a' in name), found ','\n  position('a', name)\n              ^"
        ),
        (
            "concat(embedding)",
            "'concat' needs values with a text form, found vector<float32, 2>\n  concat(embedding)\n         ^"
        ),
        ("pi(1)", "pi takes no arguments, found 1\n  pi(1)\n  ^"),
        (
            "split_prt(name, ',', 1)",
            "unknown function 'split_prt'; did you mean 'split_part'?\n  split_prt(name, ',', 1)\n  ^"
        ),
        ("lower(at)", "'lower' needs string, found timestamp; write cast(… as string)\n  lower(at)\n        ^"),
        (
            "name in (1, 2)",
            "'in' cannot compare string with int64; cast one side\n  name in (1, 2)\n           ^"
        ),
        (
            "at - at",
            "the expression is an interval, which no column holds; use extract(epoch from …) for seconds\n  at - at\n     ^"
        ),
        (
            "at + 3",
            "'+' is not defined for timestamp and int64; add an interval, as in … + interval '10 minutes'\n  at + 3\n     ^"
        ),
        ("'abc", "this string has no closing '\n  'abc\n  ^"),
        (
            "age--1",
            "'--' would start a comment in SQL, and expressions have none; put a space between\n  age--1\n     ^"
        ),
        ("1e999", "1e999 is out of range for float64\n  1e999\n  ^"),
        (
            "9223372036854775808",
            "9223372036854775808 is out of range for int64; write 9223372036854775808.0 for a float64\n"
                + "  9223372036854775808\n  ^"
        ),
        ("substring(name)", "substring takes 2 or 3 arguments, found 1\n  substring(name)\n  ^"),
        (
            "extract(hours from at)",
            "extract has no field 'hours'; did you mean 'hour'?\n  extract(hours from at)\n          ^"
        ),
        (
            "timestamp '2013-02-30'",
            "'2013-02-30' is not a timestamp; write it as 2013-01-01T00:00:00Z\n  timestamp '2013-02-30'\n  ^"
        ),
        (
            "'日本' || embedding",
            "'||' joins strings, found string and vector<float32, 2>\n  '日本' || embedding\n       ^"
        ),
        (
            "age || ok",
            "'||' joins strings, found int64 and bool; write cast(… as string)\n  age || ok\n      ^"
        ),
        ("ok and\n  visb > 1\n  and ok", "unknown column 'visb'; did you mean 'visib'?\n    visb > 1\n    ^"),
        ("null + null", "'+' is not defined for null and null; cast one of them\n  null + null\n       ^"),
        ("age ^ ok", "'^' is not defined for int64 and bool\n  age ^ ok\n      ^"),
        ("12ab", "a number is followed directly by other characters; put a space or an operator between\n  12ab\n  ^"),
    ]

    @Test(arguments: golden.indices)
    func messageNamesThePlace(index: Int) throws {
        let (text, expected) = Self.golden[index]
        let error = #expect(throws: ExpressionError.self) { try Expression(text, schema: Self.schema) }
        #expect(error?.description == expected)
        #expect(error?.text == text)
    }

    @Test func positionCountsBytes() {
        let error = #expect(throws: ExpressionError.self) { try Expression("'é' || zz", schema: Schema([])) }
        #expect(error?.position == 8)
    }

    @Test func declaredTypeTakesOnlyWhatLosesNothing() throws {
        #expect(try Expression("age", schema: Self.schema, expecting: .float64).type == .float64)
        #expect(try Expression("\"Wind\"", schema: Self.schema, expecting: .float64).type == .float64)
        for type in [DataType.bool, .int64, .float32, .string, .bytes, .timestamp, .vector(dimension: 3)] {
            let expression = try Expression("null", schema: Self.schema, expecting: type)
            #expect(
                expression.evaluate(RecordBatch(["age": Column(.int64, [.int64(1)])])).column == .nulls(type, count: 1)
            )
        }
        let error = #expect(throws: ExpressionError.self) {
            try Expression("visib + 1", schema: Self.schema, expecting: .int64)
        }
        #expect(
            error?.description
                == "the expression is float64, declared int64; write cast(… as int64), or declare it float64\n"
                + "  visib + 1\n        ^"
        )
        #expect(throws: ExpressionError.self) { try Expression("age", schema: Self.schema, expecting: .float32) }
        #expect(throws: ExpressionError.self) { try Expression("visib", schema: Self.schema, expecting: .float32) }
        #expect(throws: ExpressionError.self) { try Expression("name", schema: Self.schema, expecting: .timestamp) }
    }

    /// Depth is an error, not a stack overflow.
    @Test func depthIsBounded() throws {
        let forms: [(Int) -> String] = [
            { String(repeating: "(", count: $0) + "1" + String(repeating: ")", count: $0) },
            { String(repeating: "- ", count: $0) + "1" },
            { String(repeating: "not ", count: $0) + "true" },
            { "1" + String(repeating: " + 1", count: $0) },
            { "1" + String(repeating: "::int64", count: $0) },
            { String(repeating: "abs(", count: $0) + "1" + String(repeating: ")", count: $0) },
            { String(repeating: "case when true then ", count: $0) + "1" + String(repeating: " end", count: $0) },
        ]
        for form in forms {
            _ = try Expression(form(60), schema: Schema([]))
            let error = #expect(throws: ExpressionError.self) { try Expression(form(50_000), schema: Schema([])) }
            #expect(error?.message.contains("nests deeper") == true)
        }
        // Long lists are not deep.
        _ = try Expression("1 in (\(Array(repeating: "2", count: 2000).joined(separator: ", ")))", schema: Schema([]))
        _ = try Expression(Array(repeating: "true", count: 2000).joined(separator: " and "), schema: Schema([]))
    }

    /// No text crashes the front end; what it takes can be evaluated.
    @Test func anyTextIsReadOrRefused() throws {
        let pieces = [
            "age", "visib", "name", "ok", "at", "(", ")", ",", "+", "-", "*", "/", "%", "=", "<", "||", "::", "'", "\"",
            "and", "or", "not", "is", "null", "in", "between", "case", "when", "then", "else", "end", "cast", "as", "1",
            "2.5", "1e", ".", "'x'", "interval", "timestamp", "extract", "from", "epoch", "coalesce", "like", "é", "\0",
            "distinct", "int64", "double precision", "true", "substring", "greatest", "9223372036854775808", "'1 day'",
        ]
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 1...9, using: &random)).map { _ in pieces.randomElement(using: &random) ?? ""
            }
            .joined(separator: Bool.random(using: &random) ? " " : "")
            do {
                _ = try Expression(text, schema: Self.schema)
            } catch {
                #expect(error.position >= 0 && error.position <= text.utf8.count)
                #expect(!error.description.isEmpty)
            }
        }
    }
}
