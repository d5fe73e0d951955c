import Foundation
import Objects
import Testing

extension Integration {
    /// Snapshots of what DVC and git-lfs track, and scrubs that go on where they stopped.
    @Suite struct SnapshotImportTests {
        private func md5(_ text: String) -> String { digest(text, .md5("")) }

        private func digest(_ text: String, _ kind: ForeignDigest) -> String {
            var hasher = ForeignDigest.Hasher(kind)
            Array(text.utf8).withUnsafeBytes { hasher.update($0) }
            return hasher.finalize().hex
        }

        /// A repository as DVC lays it out: a tracked file, a tracked directory, an output of a stage; in both layouts of
        /// the cache, one file behind a symbolic link.
        private func writeDVC(_ repository: FeatureRepository) throws {
            #expect(md5("abc") == "900150983cd24fb0d6963f7d28e17f72")
            func cache(_ text: String, suffix: String = "", in layout: String) throws {
                let name = md5(text)
                try repository.write("old/.dvc/cache/\(layout)\(name.prefix(2))/\(name.dropFirst(2))\(suffix)", text)
            }
            let listing = """
                [{"md5": "\(md5("one"))", "relpath": "1.txt"}, {"md5": "\(md5("two"))", "relpath": "deep/2.txt", "isexec": true}]
                """
            for text in ["labels", "one"] { try cache(text, in: "files/md5/") }
            try cache("model", in: "")
            try cache(listing, suffix: ".dir", in: "files/md5/")
            let name = md5("two")
            try repository.write("elsewhere", "two")
            try repository.write("old/.dvc/cache/files/md5/\(name.prefix(2))/keep", "")
            try FileManager.default.createSymbolicLink(
                atPath: repository.path("old/.dvc/cache/files/md5/\(name.prefix(2))/\(name.dropFirst(2))"),
                withDestinationPath: repository.path("elsewhere")
            )
            try repository.write(
                "old/data/images.dvc",
                "outs:\n- md5: \(md5(listing)).dir\n  size: 6\n  nfiles: 2\n  hash: md5\n  path: images\n"
            )
            try repository.write(
                "old/labels.csv.dvc",
                "outs:\n- md5: \(md5("labels"))\n  size: 6\n  path: labels.csv\n"
            )
            try repository.write(
                "old/dvc.lock",
                "schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n    - path: model.bin\n      md5: \(md5("model"))\n"
            )
        }

        @Test(arguments: ObjectPlace.allCases)
        func whatDVCTracks(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try writeDVC(repository)
                let made = try await repository.lockstep("snapshot", "import", "records", "old")
                expectWords(made, "records@1", "4 files")
                try await repository.lockstep("snapshot", "checkout", "records@1", "out")
                for (name, text) in [
                    ("data/images/1.txt", "one"), ("data/images/deep/2.txt", "two"), ("labels.csv", "labels"),
                    ("model.bin", "model"),
                ] { #expect(try repository.bytes("out/\(name)") == Array(text.utf8)) }
                let mode =
                    try FileManager.default.attributesOfItem(
                        atPath: repository.path("out/data/images/deep/2.txt")
                    )[.posixPermissions] as? Int
                #expect(mode == 0o755)
                // A cache that is not what its names say is not imported, nor one that lacks a file.
                let name = md5("labels")
                let file = "old/.dvc/cache/files/md5/\(name.prefix(2))/\(name.dropFirst(2))"
                try repository.write(file, "lobels")
                let corrupt = try await repository.outcome(["snapshot", "import", "records", "old"])
                #expect(corrupt.code != 0)
                expectWords(corrupt.errors, "labels.csv", name, md5("lobels"))
                try repository.remove(file)
                let missing = try await repository.outcome(["snapshot", "import", "records", "old"])
                #expect(missing.code != 0)
                expectWords(missing.errors, "labels.csv", name, "fetch")
                let left = try FileManager.default.contentsOfDirectory(atPath: repository.path(".lockstep/snapshots"))
                #expect(!left.contains { $0.hasPrefix("import-") })
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func whatGitLFSTracks(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                let oid = digest("large content", .sha256(""))
                try repository.write("old/.git/HEAD", "ref: refs/heads/main\n")
                try repository.write(
                    "old/.git/lfs/objects/\(oid.prefix(2))/\(oid.dropFirst(2).prefix(2))/\(oid)",
                    "large content"
                )
                try repository.write(
                    "old/data/large.bin",
                    "version https://git-lfs.github.com/spec/v1\noid sha256:\(oid)\nsize 13\n"
                )
                try repository.write("old/README", "not tracked")
                let made = try await repository.lockstep("snapshot", "import", "records", "old")
                expectWords(made, "records@1", "1 files", "13 bytes")
                try await repository.lockstep("snapshot", "checkout", "records@1", "out")
                #expect(try repository.bytes("out/data/large.bin") == Array("large content".utf8))
                try repository.remove("old/.git/lfs")
                #expect(try await repository.outcome(["snapshot", "import", "records", "old"]).code != 0)
            }
        }

        /// Columns, rows, statistics and rows by key of a table that changed.
        @Test(arguments: ObjectPlace.allCases)
        func tablesAreCompared(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                try repository.write("data/t.csv", "id,name,score\n1,a,1.5\n2,b,2.5\n3,c,\n4,d,4\n")
                try repository.write("data/other.txt", "1")
                try await repository.lockstep("snapshot", "create", "records", "data")
                try repository.write(
                    "data/t.csv",
                    "id,name,score,new\n4,d,4,x\n2,b,9.5,x\n5,e,1,x\n1,a,1.5,x\n6,f,1,x\n"
                )
                try repository.write("data/other.txt", "2")
                try await repository.lockstep("snapshot", "create", "records", "data")
                let plain = try await repository.lockstep("snapshot", "diff", "records@1", "records@2")
                #expect(!plain.contains("rows"))
                let tables = try await repository.lockstep("snapshot", "diff", "records@1", "records@2", "--tables")
                expectWords(
                    tables,
                    "table t.csv",
                    "rows: 4 -> 5",
                    "+ column new: string",
                    "~ column id: max 4 -> 6",
                    "~ column score: nulls 1 -> 0, min 1.5 -> 1.0, max 4.0 -> 9.5"
                )
                #expect(!tables.contains("by key"))
                // A new column changes every row that stays.
                let keyed = try await repository.lockstep("snapshot", "diff", "records@1", "records@2", "--key", "id")
                expectWords(keyed, "by key: 2 added, 1 removed, 3 changed", "+ 5", "- 3")
                let wrong = try await repository.outcome(["snapshot", "diff", "records@1", "records@2", "--key", "ID"])
                #expect(wrong.code == 2)
                expectWords(wrong.errors, "t.csv", "'ID'", "id, name, score")
            }
        }

        @Test(arguments: ObjectPlace.allCases)
        func aScrubGoesOnWhereItStopped(_ place: ObjectPlace) async throws {
            try await ServiceFixture.run(place: place) { fixture in
                let repository = fixture.repository
                var packs: Set<String> = []
                for number in 0..<3 {
                    try repository.write("data/\(number)", "content \(number)")
                    try await repository.lockstep("snapshot", "create", "records", "data")
                    let shown = try await repository.lockstep("snapshot", "show", "records", "--packs")
                    packs.formUnion(shown.matches(of: /sha256:([0-9a-f]{64})/).map { String($0.output.1) })
                }
                #expect(packs.count == 3)
                func scrub() async throws -> Program.Outcome {
                    try await repository.outcome(["snapshot", "verify", "records", "--budget", "1kB"])
                }
                for left in ["2 of 3 packs are left", "1 of 3 packs are left", "all 3 packs are read"] {
                    expectWords(try await scrub().output, "1 packs", left)
                }
                // Round again: the second pack is damaged, and found in its turn.
                let second = try #require(Digest(hex: packs.sorted()[1]))
                let index = try #require(try await fixture.placed.packs.first { $0.digest == second }?.index)
                let content = try #require(index.entries.first).digest
                let original = try await fixture.placed.flipBit(second, of: content)
                #expect(try await scrub().code == 0)
                let damaged = try await scrub()
                #expect(damaged.code == 1)
                let number = try #require((0..<3).first { Digest.of(Array("content \($0)".utf8)) == content })
                expectWords(
                    damaged.errors,
                    second.hex,
                    content.hex,
                    "records@3 assets/\(number)",
                    "1 of 1 packs damaged"
                )
                #expect(try await scrub().code == 0)
                try await fixture.placed.overwrite(second, original)
                let all = try await repository.lockstep("snapshot", "verify", "records", "--budget", "10m")
                expectWords(all, "3 packs", "all 3 packs are read")
                for wrong in ["0s", "10", "1x", "s"] {
                    #expect(
                        try await repository.outcome(["snapshot", "verify", "records", "--budget", wrong]).code == 2
                    )
                }
            }
        }
    }
}
