import Formats
import Testing

/// The validator itself: a schema test is worth what its validator is.
@Suite struct JSONSchemaTests {
    private func accepts(_ schema: String, _ value: String) throws -> Bool {
        try JSONSchema(JSON(parsing: schema)).faults(JSON(parsing: value)).isEmpty
    }

    @Test func refusesKeywordsItDoesNotCheck() throws {
        #expect(throws: JSONSchema.Fault.self) { try accepts(#"{"minLength":1}"#, #""""#) }
        #expect(throws: JSONSchema.Fault.self) { try accepts(#"{"properties":{"a":{"patternProperties":{}}}}"#, "{}") }
        #expect(throws: JSONSchema.Fault.self) { try accepts(##"{"$ref":"#/$defs/a"}"##, "1") }
        #expect(throws: JSONSchema.Fault.self) { try accepts(#"{"anyOf":[{"contains":1}]}"#, "1") }
    }

    private static let examples: [(schema: String, valid: String, invalid: String)] = [
        (#"{"type":"integer"}"#, "1", "1.5"), (#"{"type":["string","null"]}"#, "null", "1"),
        (#"{"type":"number"}"#, "1e3", #""1""#), (#"{"type":"boolean"}"#, "true", "0"),
        (#"{"enum":["a",1]}"#, "1.0", #""b""#), (#"{"const":1}"#, "1", "2"),
        (#"{"pattern":"^a+$"}"#, #""aa""#, #""ab""#), (#"{"pattern":"^(?=.*[1-9])[0-9]+$"}"#, #""010""#, #""000""#),
        (#"{"minimum":2,"maximum":3}"#, "2", "1"), (#"{"minimum":2,"maximum":3}"#, "3", "3.5"),
        (#"{"minItems":1,"maxItems":2}"#, "[1,2]", "[]"), (#"{"minItems":1,"maxItems":2}"#, "[1]", "[1,2,3]"),
        (#"{"uniqueItems":true}"#, "[1,2]", "[1,1]"), (#"{"items":{"type":"string"}}"#, "[]", "[1]"),
        (#"{"required":["a"]}"#, #"{"a":1}"#, "{}"), (#"{"properties":{"a":false}}"#, #"{"b":1}"#, #"{"a":1}"#),
        (#"{"minProperties":1,"maxProperties":1}"#, #"{"a":1}"#, "{}"),
        (#"{"properties":{"a":{}},"additionalProperties":false}"#, #"{"a":1}"#, #"{"b":1}"#),
        (#"{"additionalProperties":{"type":"string"}}"#, #"{"a":"x"}"#, #"{"a":1}"#),
        (#"{"propertyNames":{"pattern":"^a"}}"#, #"{"ab":1}"#, #"{"b":1}"#),
        (#"{"not":{"required":["a","b"]}}"#, #"{"a":1}"#, #"{"a":1,"b":1}"#),
        (#"{"anyOf":[{"const":1},{"const":2}]}"#, "2", "3"), (#"{"oneOf":[{"minimum":1},{"maximum":5}]}"#, "0", "3"),
        (#"{"allOf":[{"minimum":1},{"maximum":5}]}"#, "3", "6"),
        (#"{"if":{"const":1},"then":{"const":1},"else":{"type":"string"}}"#, #""x""#, "2"),
        (##"{"$ref":"#/$defs/a","$defs":{"a":{"const":1}}}"##, "1", "2"),
    ]

    @Test(arguments: examples) func eachKeywordTellsValuesApart(schema: String, valid: String, invalid: String) throws {
        #expect(try accepts(schema, valid))
        #expect(try !accepts(schema, invalid))
    }

    @Test func keywordsLookAtTheirOwnTypeOnly() throws {
        for value in ["null", "1", #""""#, "[]", "{}"] {
            #expect(
                try accepts(
                    #"{"anyOf":[{"pattern":"","minimum":0,"minItems":0,"required":[],"uniqueItems":true}]}"#,
                    value
                )
            )
        }
    }
}
