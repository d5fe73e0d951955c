import Foundation
import Objects
import Testing

@testable import Datasets

@Suite struct SnapshotManifestTests {
    private let environment: EnvironmentCapture

    init() throws {
        environment = EnvironmentCapture(
            operatingSystem: "Debian GNU/Linux 12 (bookworm)",
            architecture: "x86_64",
            swiftVersion: nil,
            lockFiles: [.init(name: try path("uv.lock"), object: .init(size: 3, digest: .of([1, 2, 3])))],
            variables: [.init(name: "SEED", value: "42"), .init(name: "CUDA", value: nil)]
        )
    }

    private func asset(_ name: String, _ content: String, _ mode: FileMode = .regular) throws -> AssetEntry {
        AssetEntry(path: try path(name), mode: mode, size: content.utf8.count, digest: .of(Array(content.utf8)))
    }

    /// - Parameter isFirst: as format 1 has it.
    private func manifest(isFirst: Bool = false) throws -> SnapshotManifest {
        let code = CodeCapture(
            commit: "0123456789012345678901234567890123456789",
            branch: "main",
            remote: "https://example.org/flights.git",
            directory: "",
            diff: ObjectReference(size: 4, digest: .of(Array("diff".utf8))),
            files: [
                CodeFile(
                    path: try path("train.py"),
                    state: .modified,
                    content: .file(mode: .executable, .init(size: 1, digest: .of([0])))
                ),
                CodeFile(path: try path("old.py"), state: .deleted, content: nil),
            ],
            submodules: isFirst
                ? [] : [Submodule(path: try path("lib"), commit: "9876543210987654321098765432109876543210")],
            unpushed: isFirst
                ? nil : UnpushedCommits(commits: 2, bundle: .init(size: 6, digest: .of(Array("bundle".utf8))))
        )
        let more = [
            AssetEntry(path: try path("links/newest"), content: .symbolicLink(target: Array("../latest".utf8))),
            AssetEntry(path: try path("out"), content: .directory(mode: FileMode(0o750))),
            AssetEntry(
                path: try SnapshotPath(bytes: [0x72, 0xE9, 0x73]),
                mode: FileMode(0o600),
                size: 3 << 20,
                digest: .of([5]),
                chunks: .of([6])
            ),
        ]
        return try SnapshotManifest(
            assets: [asset("weather.csv", "a,b\n"), asset("bin/run", "#!", .executable)] + (isFirst ? [] : more),
            code: code,
            environment: environment,
            parents: [.of([2]), .of([1]), .of([2])],
            format: isFirst ? SnapshotManifest.firstFormat : SnapshotManifest.formatVersion
        )
    }

    @Test func theFileHasOneLineForEachEntry() throws {
        #expect(String(decoding: try manifest().canonicalJSON, as: UTF8.self) == Self.golden)
        #expect(String(decoding: try manifest(isFirst: true).canonicalJSON, as: UTF8.self) == Self.firstGolden)
    }

    @Test func theFileReadsBack() throws {
        let manifest = try manifest()
        let read = try SnapshotManifest(json: manifest.canonicalJSON, expecting: manifest.digest)
        #expect(read == manifest)
        #expect(read.canonicalJSON == manifest.canonicalJSON)
        let first = try self.manifest(isFirst: true)
        #expect(try SnapshotManifest(json: first.canonicalJSON, expecting: first.digest) == first)
        // Another program may write the same members in another way.
        let object = try JSONSerialization.jsonObject(with: Data(manifest.canonicalJSON))
        let other = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted])
        #expect(try SnapshotManifest(json: [UInt8](other)) == manifest)
        let bare = try SnapshotManifest(assets: [], code: nil, environment: environment)
        #expect(try SnapshotManifest(json: bare.canonicalJSON) == bare)
    }

    /// Computed with Python's `hashlib` and `struct` from the documented form.
    @Test func workedExample() throws {
        let first = try manifest(isFirst: true)
        #expect(first.assetsDigest.hex == "1a020c06d9e5464a4ae5588da7de77ceab2d606ad666387f5d8a71cc037ee4e1")
        #expect(first.code?.digest(format: 1).hex == "ff0dcf9cc49a811d2e79422ceb1cb48bd7330d2d55a4aa42fd353eeb5f8f5193")
        #expect(environment.digest(format: 1).hex == "4c32e6396de8f3aec8e87985808dd55036940150e74298afe33e414dcc5595ce")
        #expect(first.digest.hex == "d5b08d44202a0d7e650f3beaf82b9273195aba93c46d4b156c34d25678eab8fc")
        #expect(try manifest().assetsDigest.hex == "d9252c21c941a00cbf69acaa22ea56660178ecc5edf5435763044305177843b9")
        #expect(try manifest().code?.digest().hex == "f0cc4643a4451fb03a84ef303b5db03bc05fb494235edcd001e99fe9448743a9")
        #expect(environment.digest().hex == "35cce4181906ad96c71618b895a7a2ae84f4a3f5b36f39533b07ec6dcefe3dab")
        #expect(try manifest().digest.hex == "d0de1f578cbed9fece3b45d3d9738add95503fed1b7cf3e9312c4fadd2391043")
    }

    @Test func everyHashedFieldChangesTheDigest() throws {
        let original = String(decoding: try manifest().canonicalJSON, as: UTF8.self)
        let digest = try manifest().digest
        let changes = [
            ("weather.csv", "weather.tsv"), (#""mode":"0644","path":"weather"#, #""mode":"0755","path":"weather"#),
            ("../latest", "./latest"), ("links/newest", "links/oldest"), ("0750", "0700"), ("72e973", "72e974"),
            ("9876543210", "8876543210"), (#""lib""#, #""lob""#),
            (#""kind":"directory","mode":"0750""#, #""kind":"symlink","target":"x""#),
            (#""size":4}"#, #""size":5}"#), ("\(Digest.of(Array("a,b\n".utf8)))", "\(Digest.of([7]))"),
            ("0123456789", "1123456789"), (#""directory": """#, #""directory": "sub""#),
            ("\(Digest.of(Array("diff".utf8)))", "\(Digest.of([7]))"), ("train.py", "tried.py"),
            ("modified", "tracked"), ("old.py", "odd.py"), ("bookworm", "trixie"), ("x86_64", "aarch64"),
            (#""os":"#, #""swift": "6.3", "os":"#), ("uv.lock", "up.lock"),
            ("\(Digest.of([1, 2, 3]))", "\(Digest.of([7]))"),
            ("\"42\"", "\"43\""), ("CUDA", "CUDB"), (#"{"name":"CUDA"}"#, #"{"name":"CUDA","value":""}"#),
            ("\(Digest.of([1]))", "\(Digest.of([3]))"),
        ]
        for (old, new) in changes {
            let changed = original.replacing(old, with: new, maxReplacements: 1)
            #expect(changed != original, "\(old)")
            let manifest = try SnapshotManifest(json: Array(changed.utf8))
            #expect(manifest.digest != digest, "\(old)")
            #expect(throws: SnapshotError.wrongDigest(expected: digest, found: manifest.digest)) {
                try SnapshotManifest(json: Array(changed.utf8), expecting: digest)
            }
        }
        // Labels, not content.
        for (old, new) in [
            (#""branch": "main""#, #""branch": "next""#), ("example.org", "example.com"),
            (#""commits": 2"#, #""commits": 3"#),
            ("\(Digest.of(Array("bundle".utf8)))", "\(Digest.of([7]))"), ("\(Digest.of([6]))", "\(Digest.of([7]))"),
        ] {
            let changed = original.replacing(old, with: new)
            #expect(changed != original)
            #expect(try SnapshotManifest(json: Array(changed.utf8)).digest == digest)
        }
    }

    @Test func entriesGivenTwiceAreRefused() throws {
        let lock = environment.lockFiles[0]
        let twice = EnvironmentCapture(
            operatingSystem: nil,
            architecture: "x86_64",
            swiftVersion: nil,
            lockFiles: [lock, lock]
        )
        #expect(throws: SnapshotError.malformedManifest(reason: "environment has 'uv.lock' twice")) {
            try SnapshotManifest(assets: [], code: nil, environment: twice)
        }
    }

    /// Another order in the file is the same manifest, with the same digest.
    @Test func theOrderInTheFileDoesNotMatter() throws {
        let original = String(decoding: try manifest().canonicalJSON, as: UTF8.self)
        var lines = original.split(separator: "\n")
        for name in [#""name":"CUDA""#, #""path":"bin/run""#, #""path":"old.py""#] {
            let position = try #require(lines.firstIndex { $0.contains(name) })
            let isLast = !lines[position + 1].hasSuffix(",")
            let moved = lines[position].dropLast()
            lines[position] = isLast ? lines[position + 1] + "," : lines[position + 1]
            lines[position + 1] = isLast ? moved : moved + ","
        }
        let text = lines.joined(separator: "\n")
        #expect(text != original)
        let digest = try manifest().digest
        #expect(try SnapshotManifest(json: Array(text.utf8), expecting: digest) == manifest())
    }

    @Test(arguments: [
        ("weather.csv", "../weather.csv"), ("weather.csv", "/weather.csv"), ("weather.csv", "a//b"),
        ("train.py", "x/../../train.py"), ("uv.lock", "../uv.lock"), ("weather.csv", "bin/run"), ("weather.csv", "bin"),
        (#""format": 2"#, #""format": 3"#), (#""format": 2"#, #""format": 1"#), (#""mode":"0644""#, #""mode":"1644""#),
        (#""path_bytes":"72e973""#, #""path_bytes":"727373""#), (#""path_bytes":"72e973""#, #""path_bytes":"72E973""#),
        (#""path_bytes":"72e973""#, #""path_bytes":"72e973","path":"x""#),
        (#""path_bytes":"72e973""#, #""path_bytes":"7""#),
        (#""target":"../latest""#, #""target":"""#), (#""kind":"symlink""#, #""kind":"socket""#),
        ("links/newest", "out/x"),
        ("weather.csv", "bin/run/x"), ("}", ""), ("sha256:3", "sha256:"), ("sha256:", "md5:"),
        (#""state":"deleted""#, #""state":"tracked""#), (#""state":"modified""#, #""state":"deleted""#), ("{", "["),
        (#""assets""#, #""axes""#),
    ])
    func malformedManifestsAreRefused(_ old: String, _ new: String) throws {
        let original = String(decoding: try manifest().canonicalJSON, as: UTF8.self)
        let changed = original.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != original)
        #expect(throws: SnapshotError.self) { try SnapshotManifest(json: Array(changed.utf8)) }
    }

    private static let golden = """
        {
          "assets": [
            {"digest":"sha256:3612ddaf46e149a4f583faf0face846585148f59e0ce2645594df83b5dc807e8","kind":"file","mode":"0755","path":"bin/run","size":2},
            {"kind":"symlink","path":"links/newest","target":"../latest"},
            {"kind":"directory","mode":"0750","path":"out"},
            {"chunks":"sha256:67586e98fad27da0b9968bc039a1ef34c939b9b8e523a8bef89d478608c5ecf6","digest":"sha256:e77b9a9ae9e30b0dbdb6f510a264ef9de781501d7b6b92ae89eb059c5ab743db","kind":"file","mode":"0600","path_bytes":"72e973","size":3145728},
            {"digest":"sha256:5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313","kind":"file","mode":"0644","path":"weather.csv","size":4}
          ],
          "code": {
            "branch": "main",
            "commit": "0123456789012345678901234567890123456789",
            "diff": {
              "digest": "sha256:df087996d45b03e7eb8c133c0298fd98d35113fca26aaba58612fef3cc212cad",
              "size": 4
            },
            "directory": "",
            "files": [
              {"path":"old.py","state":"deleted"},
              {"digest":"sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","kind":"file","mode":"0755","path":"train.py","size":1,"state":"modified"}
            ],
            "remote": "https://example.org/flights.git",
            "submodules": [
              {"commit":"9876543210987654321098765432109876543210","path":"lib"}
            ],
            "unpushed": {
              "bundle": {
                "digest": "sha256:1e6ed65d77d6364eeaed5a745ba5c4985ae2b700dd85d7cf7f027bdf294a33fc",
                "size": 6
              },
              "commits": 2
            }
          },
          "environment": {
            "architecture": "x86_64",
            "lock_files": [
              {"digest":"sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81","name":"uv.lock","size":3}
            ],
            "os": "Debian GNU/Linux 12 (bookworm)",
            "variables": [
              {"name":"CUDA"},
              {"name":"SEED","value":"42"}
            ]
          },
          "format": 2,
          "parents": [
            "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
            "sha256:dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986"
          ]
        }

        """

    private static let firstGolden = """
        {
          "assets": [
            {"digest":"sha256:3612ddaf46e149a4f583faf0face846585148f59e0ce2645594df83b5dc807e8","mode":"0755","path":"bin/run","size":2},
            {"digest":"sha256:5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313","mode":"0644","path":"weather.csv","size":4}
          ],
          "code": {
            "branch": "main",
            "commit": "0123456789012345678901234567890123456789",
            "diff": {
              "digest": "sha256:df087996d45b03e7eb8c133c0298fd98d35113fca26aaba58612fef3cc212cad",
              "size": 4
            },
            "directory": "",
            "files": [
              {"mode":"0644","path":"old.py","size":0,"state":"deleted"},
              {"digest":"sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","mode":"0755","path":"train.py","size":1,"state":"modified"}
            ],
            "remote": "https://example.org/flights.git"
          },
          "environment": {
            "architecture": "x86_64",
            "lock_files": [
              {"digest":"sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81","name":"uv.lock","size":3}
            ],
            "os": "Debian GNU/Linux 12 (bookworm)",
            "variables": [
              {"name":"CUDA"},
              {"name":"SEED","value":"42"}
            ]
          },
          "format": 1,
          "parents": [
            "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
            "sha256:dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986"
          ]
        }

        """
}
