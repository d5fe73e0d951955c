import Columns
import Expressions
import Testing

/// Casts from text against PostgreSQL's input functions.
@Suite struct TextInputTests {
    private static let numbers = [
        "0", "-0", "+1", " 12 ", "\t7\n", "1.5", ".5", "5.", "1e3", "1E-3", "1e", "e1", ".", "", " ", "- 1", "1 2",
        "1_000",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e308", "1e309", "-1e309", "1e-323",
        "1e-400",
        "0e999", "3.4028236e38", "1e39", "1e-45", "1e-46", "0.1", "16777217", "16777217.0000000001", "nan", "NaN",
        "-nan",
        "inf", "+Infinity", "-INF", "infinit", "1d", "1f", "٣", "123456789012345678901234567890",
        "2.2250738585072011e-308",
        "9007199254740993", "0.30000000000000004", "1e23", "8.41e21", "1e+5", "1e+", "+-1",
    ]
    private static let booleans = [
        "t", "TRUE", "tr", " true ", "truee", "f", "Fals", "y", "ye", "yes", "yess", "n", "no", "on", "off", "of", "o",
        "1",
        "0", "10", "", "oN",
    ]
    /// PostgreSQL reads more spellings than RFC 3339's; these are read by both or by neither.
    private static let timestamps = [
        "2013-01-01T00:00:00Z", "2013-01-01 00:00:00", "2013-01-01", " 2013-01-01T10:20 ",
        "2013-01-01T10:20:30.1234565Z",
        "2013-01-01T10:20:30.1234575Z", "2013-01-01T10:20:30.9999999Z", "2013-01-01T10:20:30+05:30",
        "2013-01-01 10:20:30-08",
        "2013-01-01 10:20:30 +0530", "2012-02-29T00:00:00Z", "2013-02-29T00:00:00Z", "2013-13-01", "2013-04-31",
        "2013-01-01T24:00:00Z", "2013-01-01T24:00:01Z", "2013-01-01T25:00:00Z", "2013-01-01T10:60:00Z",
        "2016-12-31T23:59:60Z", "2013-01-01T10:20:61Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
        "20130-01-01T00:00:00Z", "", "hello", "2013-01-01T", "2013-1-1", "2013-01-01T1:02:03Z",
        "1969-12-31T23:59:59.999999Z",
        "1900-02-29", "2000-02-29", "2013-01-01T10:20:30.Z", "2013-01-01t10:20:30z",
    ]

    @Test func castsAgree() throws {
        let oracle = try PostgresOracle.shared.get()
        let cases: [(type: DataType, theirs: String, shown: String, texts: [String])] = [
            (.int64, "int8", "(@)::text", Self.numbers),
            (.float64, "float8", "encode(float8send(@), 'hex')", Self.numbers),
            (.float32, "float4", "encode(float4send(@), 'hex')", Self.numbers),
            (.bool, "bool", "(@)::text", Self.booleans),
            (.timestamp, "timestamptz", "encode(timestamptz_send(@), 'hex')", Self.timestamps),
        ]
        for (type, theirs, shown, texts) in cases {
            let query = "select '=' || " + shown.replacing("@", with: "value::\(theirs)")
            let questions = texts.map { text in
                "select pg_temp.read($q$\(text)$q$);"
            }
            let function = """
                create function pg_temp.read(value text) returns text language plpgsql as $$
                declare answer text;
                begin
                    \(query.replacing("select ", with: "answer := "));
                    return answer;
                exception when others then return 'E';
                end $$;
                """
            let answers = try oracle.lines(([function] + questions).joined(separator: "\n"))
            try #require(answers.count == texts.count)
            let batch = RecordBatch(["s": Column(.string, texts.map { .string($0) })])
            let result = try Expression("cast(s as \(type))", schema: batch.schema).evaluate(batch)
            for (row, answer) in answers.enumerated() {
                let expected = Sample.answer(answer[...], type)
                let isUndefined = result.invalid?[row] ?? false
                let agrees = expected.map { !isUndefined && result.column[row].isIdentical(to: $0) } ?? isUndefined
                #expect(agrees, "'\(texts[row])' as \(type): \(result.column[row]), \(answer) in PostgreSQL")
            }
        }
    }
}
