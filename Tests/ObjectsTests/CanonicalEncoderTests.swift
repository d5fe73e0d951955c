import Objects
import Testing

@Suite struct CanonicalEncoderTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func encoded(_ write: (inout CanonicalEncoder) -> Void) -> String {
        var encoder = CanonicalEncoder()
        write(&encoder)
        return hex(encoder.encoded)
    }

    @Test func everyValueHasTheDocumentedBytes() {
        #expect(encoded { $0.null() } == "00")
        #expect(encoded { $0.bool(false) } == "01")
        #expect(encoded { $0.bool(true) } == "02")
        #expect(encoded { $0.int(1) } == "030000000000000001")
        #expect(encoded { $0.int(-2) } == "03fffffffffffffffe")
        #expect(encoded { $0.double(1.5) } == "043ff8000000000000")
        #expect(encoded { $0.double(-0.0) } == "048000000000000000")
        #expect(encoded { $0.float(1.5) } == "053fc00000")
        #expect(encoded { $0.string("é") } == "060000000000000002c3a9")
        #expect(encoded { $0.string("") } == "060000000000000000")
        #expect(encoded { $0.string(String?.none) } == "00")
        #expect(encoded { $0.bytes([0, 255]) } == "07000000000000000200ff")
        let digest = Digest.of([])
        #expect(encoded { $0.digest(digest) } == "08" + digest.hex)
        #expect(encoded { $0.list(0) } == "090000000000000000")
        #expect(
            encoded {
                $0.list(2)
                $0.null()
                $0.bool(true)
            } == "0900000000000000020002"
        )
        #expect(
            encoded {
                $0.record(1)
                $0.field("a")
                $0.int(7)
            } == "0a00000000000000010b000000000000000161030000000000000007"
        )
    }

    /// The expected digests were computed with Python's `hashlib` from the documented layout.
    @Test func workedExample() {
        var encoder = CanonicalEncoder()
        encoder.record(3)
        encoder.field("name")
        encoder.string("wind")
        encoder.field("edges")
        encoder.list(2)
        encoder.double(0.5)
        encoder.double(10)
        encoder.field("unit")
        encoder.null()
        #expect(
            encoder.digest(domain: "example").hex == "c886516d6581843793929034950a13310f92c02eafd7479c837861db93db5586"
        )
        #expect(
            encoder.digest(domain: "other").hex == "addc6657995e7e9ffec5f1e94ae7ea4d37bc8a267e9f0bb56d6f45436ddb5698"
        )
    }

    @Test func nestingCountsAsOneValue() {
        var encoder = CanonicalEncoder()
        encoder.list(3)
        encoder.list(0)
        encoder.record(1)
        encoder.field("inner")
        encoder.list(1)
        encoder.record(0)
        encoder.int(1)
        // Complete: a digest of an incomplete list would stop the program.
        _ = encoder.digest(domain: "nested")
    }

    @Test func whatCouldBeConfusedDiffers() {
        let encodings = [
            encoded { $0.string("") }, encoded { $0.bytes([]) }, encoded { $0.null() }, encoded { $0.list(0) },
            encoded { $0.record(0) }, encoded { $0.int(0) }, encoded { $0.double(0) }, encoded { $0.float(0) },
            encoded { $0.double(-0.0) }, encoded { $0.bool(false) }, encoded { $0.string("\u{E9}") },
            encoded { $0.string("e\u{301}") },
            encoded {
                $0.list(2)
                $0.string("ab")
                $0.string("c")
            },
            encoded {
                $0.list(2)
                $0.string("a")
                $0.string("bc")
            },
        ]
        #expect(Set(encodings).count == encodings.count)
    }
}
