import Foundation
import Objects
import Testing

@Suite struct CanonicalJSONTests {
    @Test func oneLineForEachEntry() {
        let value = CanonicalJSON.members([
            "b": .array([
                .object(["z": .integer(-1), "a": .string("x")]),
                .array([.bool(true), .null]),
            ]),
            "a": .object(["empty": .array([]), "none": .object([:])]),
            "left_out": nil,
        ])
        let expected = """
            {
              "a": {
                "empty": [],
                "none": {}
              },
              "b": [
                {"a":"x","z":-1},
                [true,null]
              ]
            }

            """
        #expect(String(decoding: value.encoded, as: UTF8.self) == expected)
    }

    @Test func stringsSurviveAForeignParser() throws {
        let text = "q\" b\\ / \u{0} \u{8}\t\n\u{C}\r \u{1F} \u{7F} é 😀 \u{2028}"
        let json = CanonicalJSON.array([.string(text)]).encoded
        let parsed = try JSONSerialization.jsonObject(with: Data(json)) as? [String]
        #expect(parsed == [text])
        #expect(String(decoding: json, as: UTF8.self).contains("\\u0000 \\b\\t\\n\\f\\r \\u001f \u{7F} é"))
    }
}
