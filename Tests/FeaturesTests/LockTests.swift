import Features
import Objects
import Testing

@Suite struct LockTests {
    private static func digest(_ text: String) -> Digest { Digest.of(Array(text.utf8)) }

    private static func reference(_ name: String, _ number: Int) -> VersionReference {
        VersionReference(name: name, number: number)
    }

    private static func lock(view: Int = 3, segments: Int = 2, project: String = "flights") -> Lock {
        var pins = [
            Lock.Pin(
                kind: .view,
                reference: reference("weather", view),
                digest: digest("view \(view)"),
                object: digest("doc")
            ),
            Lock.Pin(kind: .bins, reference: reference("wind_bins", 2), digest: digest("bins")),
            Lock.Pin(
                kind: .entity,
                reference: reference("airport", 1),
                digest: digest("entity"),
                object: digest("doc2")
            ),
        ]
        for number in 0..<segments {
            let first = Int64(number) * 100
            pins.append(
                Lock.Pin(
                    kind: .segment,
                    reference: reference("weather", number + 1),
                    digest: digest("segment \(number)"),
                    source: reference("weather", 1),
                    sequences: first...(first + 99)
                )
            )
        }
        return Lock(project: project, service: reference("delay_model", 4), pins: pins)
    }

    @Test func textIsAsDocumented() {
        #expect(
            Self.lock().text == """
                {
                "digest":"sha256:a7d3905df0315faa6d5073e0fa03a2e696c99b6428e5e92417c9b7cddfe64705",
                "format":1,
                "language":3,
                "pins":[
                {"digest":"sha256:f8bd2d352d8cefd78d2e5aeb9ed94fc56dd5cc1924c2d37785759831cb72c71e","kind":"bins","ref":"wind_bins@2"},
                {"digest":"sha256:bca3685fea8acd4e4b5c149874e1aa2bad0708e7e5ed490f3cf0702cb7a8bb56","kind":"entity","object":"sha256:7897a2d21d9787e908f88cbda8d72101023da9866859ec8827d80467188c143e","ref":"airport@1"},
                {"digest":"sha256:c0dafc1f67ee55a51c4920215b92cd209abb62615bff1ae83fd62f8d310d1289","kind":"segment","ref":"weather@1","sequences":[0,99],"source":"weather@1"},
                {"digest":"sha256:31bd7c356ff3dca969210bb66b140432e11a248b23187bbb3429f5fd18c47fef","kind":"segment","ref":"weather@2","sequences":[100,199],"source":"weather@1"},
                {"digest":"sha256:ad22a24e6b5c72814af553a5ea50dba87f6632fe598c3b095d676cfabdb543f8","kind":"view","object":"sha256:139d544b821b13ebea14f1b0fe18577222e415c2966e3a3511c4196055232202","ref":"weather@3"}
                ],
                "project":"flights",
                "service":"delay_model@4"
                }

                """
        )
        #expect(
            Self.lock().digest.description == "sha256:a7d3905df0315faa6d5073e0fa03a2e696c99b6428e5e92417c9b7cddfe64705"
        )
    }

    @Test func orderOfPinsDoesNotMatter() {
        let lock = Self.lock(segments: 12)
        var random = SeededGenerator(seed: 1)
        for _ in 0..<10 {
            let shuffled = Lock(project: lock.project, service: lock.service, pins: lock.pins.shuffled(using: &random))
            #expect(shuffled == lock)
            #expect(shuffled.text == lock.text)
        }
        #expect(lock.pins(of: .segment).map(\.reference.number) == (1...12).map { $0 })
        #expect(lock.pins(of: .snapshot) == [])
    }

    @Test func readsWhatItWrote() throws {
        for lock in [Self.lock(), Self.lock(segments: 0), Self.lock(project: "é \"quoted\"\n")] {
            let read = try Lock(text: lock.text, name: "lockstep.lock")
            #expect(read == lock)
            #expect(read.digest == lock.digest)
        }
    }

    /// There is no byte of a lock that can be changed.
    @Test func everyByteIsGuarded() {
        let bytes = Array(Self.lock(segments: 1).text.utf8)
        for position in bytes.indices {
            for replacement: UInt8 in [
                bytes[position] ^ 1, bytes[position] ^ 0x20, UInt8(ascii: "0"), UInt8(ascii: " "),
            ] {
                var tampered = bytes
                tampered[position] = replacement
                guard tampered != bytes else { continue }
                refuses(tampered)
            }
            var shorter = bytes
            shorter.remove(at: position)
            refuses(shorter)
            var longer = bytes
            longer.insert(UInt8(ascii: " "), at: position)
            refuses(longer)
        }
        refuses(bytes + [0x0A])
        refuses(bytes + bytes)
        refuses([])
    }

    private func refuses(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(throws: LockError.self, "\(text)") { try Lock(text: text, name: "lockstep.lock") }
    }

    /// With a digest to match, another format, language or an unpinned reference is still refused.
    @Test(arguments: [
        ("\"format\":1", "\"format\":2", "lockstep.lock has lock format 2, expected 1"),
        ("\"format\":1", "\"format\":\"1\"", "lockstep.lock has lock format \"1\", expected 1"),
        (
            "\"language\":3", "\"language\":4",
            "lockstep.lock was made with version 4 of the feature language, this program has 3; "
                + "use the program it was made with, or make the lock again and retrain"
        ),
        (
            "\"service\":\"delay_model@4\"", "\"service\":\"delay_model\"",
            "lockstep.lock is not a lock: it lacks a project, a pinned service, pins or a digest; make it again"
        ),
    ]) func saysWhyItRefuses(part: String, replacement: String, message: String) throws {
        var text = Self.lock().text
        let range = try #require(text.firstRange(of: part))
        text.replaceSubrange(range, with: replacement)
        let found = #expect(throws: LockError.self) { try Lock(text: text, name: "lockstep.lock") }
        #expect(found?.description == message)
    }

    @Test func anUnpinnedReferenceIsNamed() throws {
        var text = Self.lock().text
        text.replaceSubrange(try #require(text.firstRange(of: "weather@3")), with: "weather")
        let found = #expect(throws: LockError.self) { try Lock(text: text, name: "my.lock") }
        #expect(found?.description.hasPrefix("my.lock has a pin that cannot be read: {\"digest\":") == true)
    }

    @Test func differencesNameEachPin() {
        let old = Self.lock()
        #expect(Lock.differences(old, old) == [])
        #expect(
            Lock.differences(old, Self.lock(view: 4, segments: 3)) == [
                "segment weather: locked @1,@2, now @1,@2,@3", "view weather: locked @3, now @4",
            ]
        )
        let fewer = Lock(project: "flights", service: old.service, pins: Array(old.pins.dropFirst()))
        #expect(Lock.differences(old, fewer) == ["bins wind_bins: locked @2, now none"])
        #expect(Lock.differences(fewer, old) == ["bins wind_bins: locked none, now @2"])
    }
}
