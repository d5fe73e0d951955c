import Datasets
import Formats
import Objects
import Testing

/// `snapshot-manifest.schema.json` describes what `SnapshotManifest` writes.
@Suite struct SnapshotManifestSchemaTests {
    private let schema: JSONSchema

    init() throws { schema = try JSONSchema(SchemaFile.json("snapshot-manifest.schema.json")) }

    private func manifest(full: Bool) throws -> SnapshotManifest {
        func digest(_ text: String) -> Digest { Digest.of(Array(text.utf8)) }
        func file(_ text: String, _ mode: FileMode = .regular) -> EntryContent {
            .file(mode: mode, ObjectReference(size: 1, digest: digest(text)))
        }
        let code = CodeCapture(
            commit: "0123456789012345678901234567890123456789",
            branch: "main",
            remote: "https://example.org/flights.git",
            directory: "",
            diff: ObjectReference(size: 4, digest: digest("diff"), chunks: digest("list")),
            files: [
                CodeFile(path: try SnapshotPath("a.swift"), state: .tracked, content: file("a")),
                CodeFile(path: try SnapshotPath("b.sh"), state: .modified, content: file("b", .executable)),
                CodeFile(
                    path: try SnapshotPath("c/d"),
                    state: .untracked,
                    content: .symbolicLink(target: [0x2E, 0x2E])
                ),
                CodeFile(path: try SnapshotPath("e"), state: .deleted, content: nil),
            ],
            submodules: [
                Submodule(path: try SnapshotPath("lib"), commit: "1"),
                Submodule(path: try SnapshotPath(bytes: [0xFF]), commit: "2"),
            ],
            unpushed: UnpushedCommits(commits: 3, bundle: ObjectReference(size: 5, digest: digest("bundle")))
        )
        return try SnapshotManifest(
            assets: full
                ? [
                    AssetEntry(
                        path: SnapshotPath("data/weather.csv"),
                        mode: .regular,
                        size: 9,
                        digest: digest("weather")
                    ),
                    AssetEntry(
                        path: SnapshotPath("..data"),
                        mode: FileMode(0o600),
                        size: 0,
                        digest: digest(""),
                        chunks: digest("list")
                    ),
                    AssetEntry(path: SnapshotPath("empty"), content: .directory(mode: .executable)),
                    AssetEntry(path: SnapshotPath("up"), content: .symbolicLink(target: Array("../x".utf8))),
                    AssetEntry(path: SnapshotPath(bytes: [0x61, 0xFF]), content: .symbolicLink(target: [0xFE])),
                ] : [],
            code: full ? code : nil,
            environment: EnvironmentCapture(
                operatingSystem: full ? "Debian GNU/Linux 12 (bookworm)" : nil,
                architecture: "x86_64",
                swiftVersion: full ? "Swift version 6.3" : nil,
                lockFiles: full
                    ? [.init(name: try SnapshotPath("uv.lock"), object: .init(size: 3, digest: digest("uv")))] : [],
                variables: full ? [.init(name: "SEED", value: "42"), .init(name: "CUDA", value: nil)] : []
            ),
            parents: full ? [digest("1"), digest("2")] : []
        )
    }

    @Test(arguments: [true, false]) func writtenManifestsAreValid(full: Bool) throws {
        let manifest = try manifest(full: full)
        let json = try JSON(parsing: manifest.canonicalJSON)
        #expect(schema.faults(json) == [])
        #expect(try SnapshotManifest(json: Array(json.encoded()), expecting: manifest.digest) == manifest)
    }

    /// Wherever a member more stands, or a value of another type, the schema refuses it.
    @Test func oneChangeAwayIsInvalid() throws {
        let manifest = try JSON(parsing: manifest(full: true).canonicalJSON)
        let variants = manifest.variants { $0.adding("unknown", .int(1)) + [.bool(true)] }
        #expect(variants.count > 70)
        for variant in variants { #expect(!schema.faults(variant).isEmpty, "\(variant.text)") }
    }

    private static let mutations: [(part: String, replacement: String)] = [
        ("\"a.swift\"", "\"/a.swift\""), ("\"a.swift\"", "\"../a.swift\""), ("\"a.swift\"", "\"x/../a.swift\""),
        ("\"a.swift\"", "\"x//a.swift\""), ("\"a.swift\"", "\"./a.swift\""), ("\"a.swift\"", "\"a.swift/\""),
        ("\"a.swift\"", "\"a.swift/..\""), ("\"a.swift\"", "\"\""), ("\"0755\"", "\"1755\""),
        ("\"size\":9", "\"size\":-1"),
        ("\"state\":\"tracked\"", "\"state\":\"deleted\""), ("\"state\":\"deleted\"", "\"state\":\"tracked\""),
        ("\"kind\":\"directory\"", "\"kind\":\"file\""), ("\"kind\":\"symlink\"", "\"kind\":\"file\""),
        ("\"kind\":\"file\"", "\"kind\":\"symlink\""), ("\"path_bytes\":\"61ff\"", "\"path_bytes\":\"61f\""),
        ("\"path_bytes\":\"61ff\"", "\"path\":\"x\",\"path_bytes\":\"61ff\""),
        ("sha256:", "sha1:"), ("\"format\": 2", "\"format\": 1"),
    ]

    @Test(arguments: mutations) func mutatedManifestsAreInvalid(part: String, replacement: String) throws {
        let text = String(decoding: try manifest(full: true).canonicalJSON, as: UTF8.self)
        let range = try #require(text.firstRange(of: part))
        let mutated = text[..<range.lowerBound] + replacement + text[range.upperBound...]
        #expect(try !schema.faults(JSON(parsing: String(mutated))).isEmpty)
    }
}
