import Columns
import Expressions
import Testing

@Suite struct CanonicalTests {
    private static let schema = Schema([
        Field("a", .float64), Field("b", .float64), Field("i", .int64), Field("s", .string), Field("Mixed", .int64),
    ])

    private func bytes(_ text: String, _ expecting: DataType? = nil) throws -> [UInt8] {
        try Expression(text, schema: Self.schema, expecting: expecting).canonical
    }

    @Test func spellingDoesNotCount() throws {
        let groups = [
            ["a+b*2.0", " a + ( b * 2. ) ", "A + \"b\"*2e0", "(((a))) + b\n* 2.00"],
            ["a < 1 AND not b is null or i = 2", "((a<1) and (NOT (b IS NULL))) OR (i=2)"],
            ["i in (1)", "i = 1"],
            ["i in (1, 2)", "i = 1 or i = 2"],
            ["i != 1", "i <> 1"],
            ["cast(i as bigint)", "i::int8", "i"],
            ["i between 1 and 2", "i >= 1 and i <= 2"],
            ["nullif(a, b)", "case a when b then null else a end", "case when a = b then null else a end"],
            ["mod(i, 2)", "i % 2"],
            ["a and b is null"].map { _ in "a > 0 and b is null" },
        ]
        for group in groups {
            let first = try bytes(group[0])
            for text in group { #expect(try bytes(text) == first, "\(text)") }
        }
    }

    @Test func meaningCounts() throws {
        let texts = [
            "a", "b", "i", "a + b", "b + a", "a - b", "a + i", "a + 1", "a + 1.0", "a + 2.0", "a = b", "a < b", "b < a",
            "s",
            "'s'", "''", "null", "s || 'ab' || 'c'", "s || 'a' || 'bc'", "a is null", "a is not null", "coalesce(a, b)",
            "coalesce(a, b, 1)", "greatest(a, b)", "least(a, b)", "a + (b + a)", "a + b + a", "i::float64",
            "i::float32",
            "0.0", "-0.0", "0", "true", "false", "substring(s, 1)", "substring(s, 1, 1)", "\"Mixed\"",
        ]
        #expect(Set(try texts.map { try bytes($0) }).count == texts.count)
        #expect(try bytes("i") != bytes("i", .float64))
        #expect(try bytes("i", .float64) == bytes("i::float64"))
        let retyped = Schema([Field("i", .float64)])
        #expect(try Expression("i", schema: retyped).canonical != bytes("i"))
    }

    /// The layout is frozen with the language's version: locks hold digests of these bytes.
    @Test func layoutIsFrozen() throws {
        var expected = Array("F".utf8)
        func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count), 0, 0, 0, 0, 0, 0, 0] + text.utf8 }
        expected += text("add") + text("int64") + [2, 0, 0, 0, 0, 0, 0, 0]
        expected += Array("C".utf8) + text("i") + text("int64") + [0, 0, 0, 0, 0, 0, 0, 0]
        expected += Array("K".utf8) + [2, 7, 0, 0, 0, 0, 0, 0, 0] + text("int64") + [0, 0, 0, 0, 0, 0, 0, 0]
        #expect(try bytes("i + 7") == expected)
        #expect(Language.version == 3)
    }

    @Test func inputsAreSortedAndUnique() throws {
        #expect(try Expression("i + b * a - b", schema: Self.schema).inputs == ["a", "b", "i"])
        #expect(try Expression("1", schema: Self.schema).inputs == [])
        #expect(try Expression("\"Mixed\"", schema: Self.schema).inputs == ["Mixed"])
    }
}
