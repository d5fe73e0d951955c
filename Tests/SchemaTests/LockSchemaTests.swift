import Features
import Formats
import Objects
import Testing

/// `lock.schema.json` describes what `Lock` writes and refuses what `Lock` refuses.
@Suite struct LockSchemaTests {
    private let schema: JSONSchema

    init() throws { schema = try JSONSchema(SchemaFile.json("lock.schema.json")) }

    private func lock(seed: UInt8) -> Lock {
        func digest(_ text: String) -> Digest { Digest.of([seed] + Array(text.utf8)) }
        let kinds = Kind.allCases.filter { $0 != .segment && $0 != .lock }
        var pins = kinds.enumerated().map { position, kind in
            Lock.Pin(
                kind: kind,
                reference: VersionReference(name: "\(kind.rawValue)_a", number: position + 1),
                digest: digest(kind.rawValue),
                object: position % 2 == 0 ? digest("object of \(kind.rawValue)") : nil
            )
        }
        for number in 1...3 {
            pins.append(
                Lock.Pin(
                    kind: .segment,
                    reference: VersionReference(name: "weather", number: number),
                    digest: digest("segment \(number)"),
                    source: VersionReference(name: "weather", number: 1),
                    sequences: Int64(number * 100)...Int64(number * 100 + 99)
                )
            )
        }
        return Lock(
            project: "flights",
            service: VersionReference(name: "delay_model", number: 4),
            pins: pins.reversed()
        )
    }

    @Test(arguments: 0..<4 as Range<UInt8>) func writtenLocksAreValid(seed: UInt8) throws {
        let text = lock(seed: seed).text
        #expect(schema.faults(try JSON(parsing: text)) == [])
        #expect(try Lock(text: text, name: "lockstep.lock") == lock(seed: seed))
        let empty = Lock(project: "p", service: VersionReference(name: "s", number: 1), pins: [])
        #expect(schema.faults(try JSON(parsing: empty.text)) == [])
    }

    @Test func everyMemberButTheObjectIsRequired() throws {
        let lock = try JSON(parsing: lock(seed: 7).text)
        let pins = try #require(lock["pins"]?.array)
        for variant in lock.withoutEachMember { #expect(!schema.faults(variant).isEmpty, "\(variant.text.prefix(80))") }
        for (position, pin) in pins.enumerated() {
            for variant in pin.withoutEachMember {
                var copy = pins
                copy[position] = variant
                let isOptional = pin["object"] != nil && variant["object"] == nil
                #expect(schema.faults(replacing("pins", .array(copy), in: lock)).isEmpty == isOptional)
            }
        }
    }

    private static let mutations: [(part: String, replacement: String)] = [
        ("@1\"", "\""), ("@1\"", "@0\""), ("@1\"", "@01\""), ("sha256:", ""), ("sha256:", "md5:"),
        ("\"kind\":\"view\"", "\"kind\":\"views\""), ("\"kind\":\"view\"", "\"kind\":\"lock\""),
        ("\"format\":1", "\"format\":2"), ("\"language\":3", "\"language\":\"3\""), ("[100,199]", "[100]"),
        ("[100,199]", "[100,199,200]"), ("[100,199]", "[\"100\",199]"),
        ("\"project\":", "\"comment\":\"\",\"project\":"),
        ("\"kind\":\"view\"", "\"kind\":\"view\",\"note\":1"),
        ("\"kind\":\"view\"", "\"kind\":\"view\",\"sequences\":[1,2]"),
        ("\"flights\"", "\"\""), ("\"pins\":[", "\"pins\":[1,"),
    ]

    @Test(arguments: mutations) func mutatedLocksAreInvalid(part: String, replacement: String) throws {
        let text = lock(seed: 1).text
        let range = try #require(text.firstRange(of: part))
        let mutated = text.replacingCharacters(in: range, with: replacement)
        #expect(try !schema.faults(JSON(parsing: mutated)).isEmpty)
        #expect(throws: LockError.self) { try Lock(text: mutated, name: "lockstep.lock") }
    }

    private func replacing(_ name: String, _ value: JSON, in object: JSON) -> JSON {
        .object((object.members ?? []).map { $0.name == name ? JSON.Member(name, value) : $0 })
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        var copy = self
        copy.replaceSubrange(range, with: text)
        return copy
    }
}
