import Formats
import Testing

@Suite struct JSONTests {
    // MARK: RFC 8259

    private static let accepted: [(text: String, value: JSON)] = [
        ("null", .null), (" \t\r\n true \n", .bool(true)), ("false", .bool(false)),
        ("0", .number("0")), ("-0", .number("-0")), ("-0.0e-0", .number("-0.0e-0")), ("1E+2", .number("1E+2")),
        ("1.50", .number("1.50")), ("123456789012345678901234567890", .number("123456789012345678901234567890")),
        ("1e999", .number("1e999")), ("0.1e01", .number("0.1e01")),
        (#""""#, .string("")), (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u0041\u00e9\u00E9\u0000""#, .string("A\u{E9}\u{E9}\0")), (#""\ud834\udd1e""#, .string("𝄞")),
        (#""\uDBFF\uDFFF""#, .string("\u{10FFFF}")), ("\"\u{7F}\u{2028}\u{FEFF}\"", .string("\u{7F}\u{2028}\u{FEFF}")),
        (#""\uFFFF\uE000""#, .string("\u{FFFF}\u{E000}")),
        ("[]", .array([])), ("[ ]", .array([])), ("[1 , [ ] ]", .array([.number("1"), .array([])])),
        ("{}", .object([JSON.Member]())), ("{ }", .object([JSON.Member]())),
        (#"{ "" : 1 , "a" : { } }"#, .object(["": .number("1"), "a": .object([JSON.Member]())])),
        (#"{"a":1,"A":2}"#, .object(["a": .number("1"), "A": .number("2")])),
    ]

    @Test(arguments: accepted) func reads(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    private static let refused: [(text: String, error: String)] = [
        ("", "not valid JSON at byte 0: the text ends where a value is expected"),
        ("  ", "not valid JSON at byte 2: the text ends where a value is expected"),
        ("nul", "not valid JSON at byte 3: expected 'null'"), ("True", "not valid JSON at byte 0: expected a value"),
        ("nan", "not valid JSON at byte 1: expected 'null'"), ("NaN", "not valid JSON at byte 0: expected a value"),
        ("Infinity", "not valid JSON at byte 0: expected a value"),
        ("+1", "not valid JSON at byte 0: expected a value"),
        ("-", "not valid JSON at byte 1: expected a digit"), ("-a", "not valid JSON at byte 1: expected a digit"),
        (".5", "not valid JSON at byte 0: expected a value"), ("5.", "not valid JSON at byte 2: expected a digit"),
        ("01", "not valid JSON at byte 1: the text goes on after its value"),
        ("-01", "not valid JSON at byte 2: the text goes on after its value"),
        ("1e", "not valid JSON at byte 2: expected a digit"), ("1e+", "not valid JSON at byte 3: expected a digit"),
        ("1e-+1", "not valid JSON at byte 3: expected a digit"),
        ("0x10", "not valid JSON at byte 1: the text goes on after its value"),
        ("1 2", "not valid JSON at byte 2: the text goes on after its value"),
        ("'a'", "not valid JSON at byte 0: expected a value"),
        ("\u{FEFF}1", "not valid JSON at byte 0: expected a value"),
        (#"""#, "not valid JSON at byte 1: the text ends inside a string"),
        (#""\"#, "not valid JSON at byte 2: the text ends inside an escape"),
        (#""\x""#, "not valid JSON at byte 3: unknown escape"),
        (#""\U0041""#, "not valid JSON at byte 3: unknown escape"),
        ("\"\n\"", "not valid JSON at byte 1: a control character stands unescaped in a string"),
        ("\"a\u{1F}\"", "not valid JSON at byte 2: a control character stands unescaped in a string"),
        (#""\u12""#, "not valid JSON at byte 3: expected four hexadecimal digits"),
        (#""\u+123""#, "not valid JSON at byte 3: expected four hexadecimal digits"),
        (#""\u 123""#, "not valid JSON at byte 3: expected four hexadecimal digits"),
        (#""\ud834""#, "not valid JSON at byte 7: half of a surrogate pair"),
        (#""\ud834x""#, "not valid JSON at byte 7: half of a surrogate pair"),
        (#""\ud834\n""#, "not valid JSON at byte 8: half of a surrogate pair"),
        (#""\ud834\ud834""#, "not valid JSON at byte 13: half of a surrogate pair"),
        (#""\udd1e""#, "not valid JSON at byte 7: half of a surrogate pair"),
        ("[", "not valid JSON at byte 1: the text ends where a value is expected"),
        ("[1", "not valid JSON at byte 2: expected ',' or ']'"), ("[1,]", "not valid JSON at byte 3: expected a value"),
        ("[,1]", "not valid JSON at byte 1: expected a value"),
        ("[1 2]", "not valid JSON at byte 3: expected ',' or ']'"),
        ("[1}", "not valid JSON at byte 2: expected ',' or ']'"), ("]", "not valid JSON at byte 0: expected a value"),
        ("{", "not valid JSON at byte 1: expected a name in quotes"),
        ("{a:1}", "not valid JSON at byte 1: expected a name in quotes"),
        (#"{"a"}"#, "not valid JSON at byte 4: expected ':'"),
        (#"{"a":}"#, "not valid JSON at byte 5: expected a value"),
        (#"{"a":1,}"#, "not valid JSON at byte 7: expected a name in quotes"),
        (#"{"a":1 "b":2}"#, "not valid JSON at byte 7: expected ',' or '}'"),
        (#"{"a":1,"b":2,"a":3}"#, "not valid JSON at byte 16: the name 'a' stands twice in one object"),
        (#"{"a":1,"\u0061":3}"#, "not valid JSON at byte 15: the name 'a' stands twice in one object"),
        ("// a\n1", "not valid JSON at byte 0: expected a value"),
        ("[1]\0", "not valid JSON at byte 3: the text goes on after its value"),
    ]

    @Test(arguments: refused) func refuses(text: String, error: String) {
        let found = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(found?.description == error)
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
        ] as [[UInt8]]
    ) func textIsUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }

    /// Names are compared byte by byte, as every other reader does; Swift's strings would call these two equal.
    @Test func composedAndDecomposedNamesAreTwoNames() throws {
        let json = try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(json.members?.count == 2)
    }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSON(parsing: nested(64)) }
        #expect(throws: JSONError.self) { try JSON(parsing: nested(65)) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "{\"a\":", count: 100_000)) }
    }

    // MARK: Values

    @Test func numbersKeepTheirText() throws {
        let json = try JSON(
            parsing: "[9223372036854775807,-9223372036854775808,9223372036854775808,1.0,1e3,-0,16777217]"
        )
        #expect(json.text == "[9223372036854775807,-9223372036854775808,9223372036854775808,1.0,1e3,-0,16777217]")
        #expect(json.array?.map(\.int) == [.max, .min, nil, nil, nil, 0, 16_777_217])
    }

    @Test func floatsAreWrittenAsTheShortestTextOfTheirWidth() {
        #expect(JSON.float(0.1).text == "0.1")
        #expect(JSON.double(Double(Float(0.1))).text == "0.10000000149011612")
        #expect(JSON.double(-0.0).text == "-0.0")
        #expect(JSON.double(.nan) == .string("NaN"))
        #expect(JSON.double(-.infinity) == .string("-Infinity"))
        #expect(JSON.float(.infinity) == .string("Infinity"))
        for value in [
            Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e22, 123_456.789,
        ] {
            let text = JSON.double(value).text
            #expect((try? JSON(parsing: text)) == .number(text))
            #expect(Double(text)?.bitPattern == value.bitPattern)
        }
    }

    @Test func canonicalNamesAreSortedByBytes() throws {
        let json = try JSON(parsing: "{\"é\":1,\"z\":{\"b\":1,\"a\":2},\"Z\":2,\"\":[{\"y\":1,\"x\":2}]}")
        let canonical = String(decoding: json.encoded(canonical: true), as: UTF8.self)
        #expect(canonical == "{\"\":[{\"x\":2,\"y\":1}],\"Z\":2,\"z\":{\"a\":2,\"b\":1},\"é\":1}")
        #expect(json.text == "{\"é\":1,\"z\":{\"b\":1,\"a\":2},\"Z\":2,\"\":[{\"y\":1,\"x\":2}]}")
    }

    @Test func membersAndElements() throws {
        let json = try JSON(parsing: #"{"a":[true,"x",1,null],"b":{}}"#)
        #expect(json["a"]?.array?.map(\.bool) == [true, nil, nil, nil])
        #expect(json["a"]?.array?.map(\.string) == [nil, "x", nil, nil])
        #expect(json["a"]?["b"] == nil)
        #expect(json["none"] == nil)
        #expect(json["b"]?.members == [])
    }

    // MARK: Seeded

    private func randomText(_ random: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "\"", "\\", "/", "\0", "\n", "\t", "\r", "\u{8}", "\u{1F}", "\u{7F}", "é", "\u{301}", "𝄞", "\u{2028}",
            "\u{FEFF}", "\u{FFFF}",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            text.unicodeScalars.append(scalars.randomElement(using: &random) ?? "a")
        }
        return text
    }

    private func randomValue(_ random: inout SeededGenerator, depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64(bitPattern: random.next()))
        case 3: return .double(Double(bitPattern: random.next()))
        case 4: return .float(Float(bitPattern: UInt32(truncatingIfNeeded: random.next())))
        case 5: return .string(randomText(&random))
        case 6:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in randomValue(&random, depth: depth - 1) }
            )
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map { position in
                    JSON.Member("\(position)" + randomText(&random), randomValue(&random, depth: depth - 1))
                }
            )
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>) func roundTrips(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value = randomValue(&random, depth: 4)
        let bytes = value.encoded()
        let read = try JSON(parsing: bytes)
        #expect(read == value)
        #expect(read.encoded() == bytes)
        let canonical = value.encoded(canonical: true)
        #expect(try JSON(parsing: canonical).encoded(canonical: true) == canonical)
    }

    /// Whatever the bytes, the parser answers; and what it accepts, it writes back to something it reads as the same.
    @Test(arguments: 0..<40 as Range<UInt64>) func damagedTextNeverTraps(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        let bytes = randomValue(&random, depth: 4).encoded()
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0...Int.random(in: 0..<3, using: &random) where !damaged.isEmpty {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: damaged.remove(at: place)
                case 2: damaged.insert(Array("{}[]\",:\\u0eE+-.d8".utf8).randomElement(using: &random) ?? 0, at: place)
                default: damaged.removeLast(damaged.count - place)
                }
            }
            guard let value = try? JSON(parsing: damaged) else { continue }
            #expect(try JSON(parsing: value.encoded()) == value)
        }
    }
}
