import Columns
import Datasets
import Expressions
import Features
import FoundationEssentials
import Kernels
import Objects
import Testing

/// The worked examples of `docs/formats.md` are what the code gives, and stand there as it gives them.
@Suite struct FormatsDocumentTests {
    private let text: String

    init() throws {
        text = try String(
            contentsOf: SchemaFile.repository.appending(components: "docs", "formats.md"),
            encoding: .utf8
        )
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The hexadecimal digits of the indented block that follows a line.
    private func block(after line: String) throws -> String {
        let start = try #require(text.firstRange(of: line + "\n")).upperBound
        let lines = text[start...].split(separator: "\n", omittingEmptySubsequences: false).drop {
            !$0.hasPrefix("    ")
        }
        return lines.prefix { $0.hasPrefix("    ") }
            .flatMap { $0.split(separator: "|")[0].filter { !$0.isWhitespace } }.map(String.init).joined()
    }

    @Test func identityOfAnEntity() throws {
        let entity = Definition.entity(Entity(name: "airport", joinKeys: [Field("origin", .string)]))
        let digest = try CanonicalForm.digest(of: entity, uses: [], schema: nil)
        #expect(text.contains("\(digest)"))
        #expect(Digest.of(try bytes(try block(after: "The bytes that are hashed:"))) == digest)
    }

    @Test func identityOfASnapshot() throws {
        let file = AssetEntry(
            path: try SnapshotPath("a.csv"),
            mode: .regular,
            size: 4,
            digest: .of(Array("a,b\n".utf8))
        )
        let link = AssetEntry(path: try SnapshotPath("latest"), content: .symbolicLink(target: Array("a.csv".utf8)))
        let environment = EnvironmentCapture(operatingSystem: nil, architecture: "x86_64", swiftVersion: nil)
        let manifest = try SnapshotManifest(assets: [file, link], code: nil, environment: environment)
        #expect(text.contains("The digest of the assets is `\(manifest.assetsDigest)`"))
        #expect(text.contains("\(environment.digest())"))
        #expect(text.contains("the snapshot is\n`\(manifest.digest)`"))
        #expect(Digest.of(try bytes(try block(after: "bytes of the assets' digest:"))) == manifest.assetsDigest)
    }

    @Test func keys() throws {
        let one = try KeyColumn([.string(strings(["EWR"]))], rowCount: 1)
        #expect(try block(after: "The key `EWR`:") == hex(try #require(one.bytes(0))))
        let two = try KeyColumn([.int64(PrimitiveColumn([7])), .string(strings(["a"]))], rowCount: 1)
        #expect(try block(after: "The key (7, `a`):") == hex(try #require(two.bytes(0))))
    }

    @Test func packedRow() throws {
        let features: [FeatureColumn] = [
            FeatureColumn(.float64(PrimitiveColumn([1.5])), statuses: [.present]),
            FeatureColumn(.nulls(.bool, count: 1), statuses: [.nullValue]),
            FeatureColumn(.string(strings(["ab"])), statuses: [.present]),
        ]
        let packed = PackedRow.encode(ViewRows(features: features, rowCount: 1), row: 0)
        #expect(try block(after: "The row (1.5, null, `ab`):") == hex(packed))
    }

    @Test func window() throws {
        let expression = try Expression("sum(n) over 1h", schema: Schema([Field("n", .int64)]), windows: .allowed)
        #expect(try block(after: "The window `sum(n) over 1h` of an int64 column:") == hex(expression.canonical))
    }

    @Test func onlineEvent() throws {
        let plan = try ViewPlan(
            FeatureView(
                name: "v",
                entities: [],
                source: "s",
                features: [
                    Feature(name: "recent", type: .int64, expression: "count(*) over 2s"),
                    Feature(name: "total", type: .int64, expression: "sum(n) filter (where n > 1) over 1h"),
                ]
            ),
            entities: [],
            source: Source(
                name: "s",
                columns: [Field("n", .int64), Field("at", .timestamp)],
                eventTime: .column("at")
            )
        )
        let row = RecordBatch(["n": .int64(PrimitiveColumn([3]))])
        let packed = ViewWindows.pack(plan.evaluateWithWindows(row).inputs, rowCount: 1)
        let line = "A row with n = 3, for a view of `count(*) over 2s` and `sum(n) filter (where n > 1) over 1h`:"
        #expect(try block(after: line) == hex(packed[0]))
    }

    private func strings(_ values: [String]) -> BinaryColumn {
        var offsets = [0]
        var data: [UInt8] = []
        for value in values {
            data += Array(value.utf8)
            offsets.append(data.count)
        }
        return BinaryColumn(offsets: offsets, data: data)
    }

    private func bytes(_ hex: String) throws -> [UInt8] {
        let digits = Array(hex)
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0..<min($0 + 2, digits.count)]), radix: 16))
        }
    }
}
