import Foundation
import Objects
import Testing

@testable import Datasets

/// The cache spares reading, and never makes a wrong snapshot.
@Suite struct StatCacheTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        for name in ["a", "b", "deep/c"] { try workspace.write("content of \(name)", to: "data/\(name)") }
        try workspace.write(String(repeating: "a large file\n", count: 84_000), to: "data/large")
    }

    /// Makes every file look as if it had been written an hour ago; only the change time tells.
    private func age() throws {
        for name in ["a", "b", "deep/c", "large"] {
            let times: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSinceNow: -3600)]
            try FileManager.default.setAttributes(times, ofItemAtPath: workspace("data/\(name)"))
        }
    }

    /// Waits until the files are old enough to be recorded.
    private func settle() async throws {
        try await Task.sleep(nanoseconds: UInt64(StatCache.settlingTime) + 100_000_000)
    }

    private func capture(_ known: CapturedSnapshot? = nil, readsEverything: Bool = false) async throws
        -> CapturedSnapshot
    {
        var catalog = PackCatalog()
        if let known { catalog = try await workspace.catalog(known) }
        return try await workspace.capture(["data"], known: catalog) {
            $0.cache = workspace("cache")
            $0.readsEverything = readsEverything
        }
    }

    @Test func whatHasNotChangedIsNotRead() async throws {
        try await settle()
        let first = try await capture()
        #expect(first.filesRead == 4)
        let second = try await capture(first)
        #expect(second.filesRead == 0)
        #expect(second.manifest == first.manifest)
        #expect(second.packs == first.packs && second.newPacks.isEmpty)
        #expect(try await capture(first, readsEverything: true).filesRead == 4)
        // A content that the store does not have is read again, whatever the cache says.
        let other = try await capture()
        #expect(other.filesRead == 4)
        #expect(other.packs == first.packs)

        var wanted = SnapshotRequirements(paths: [workspace("data")])
        wanted.cache = workspace("cache")
        let clean = try await SnapshotStatus.of(wanted, against: first.manifest)
        #expect(clean.assets.isEmpty && clean.filesRead == 0 && clean.count == 4)
        try workspace.write("another", to: "data/b")
        #expect(chmod(workspace("data/a"), 0o600) == 0)
        try workspace.write("new", to: "data/new")
        try workspace.remove("data/deep/c")
        let changed = try await SnapshotStatus.of(wanted, against: first.manifest).assets
        #expect(changed.changed.map(\.text) == ["b"])
        #expect(changed.modeChanged.map(\.text) == ["a"])
        #expect(changed.added.map(\.text) == ["deep", "new"])
        #expect(changed.removed.map(\.text) == ["deep/c"])
        // A mode that changed is seen although the content is known.
        let third = try await capture(first)
        #expect(third.manifest.assets.first?.mode == FileMode(0o600))
        #expect(third.filesRead == 3)
    }

    /// A file of the same size and modification time is another by its change time or inode.
    @Test func sameSizeAndTimeAreNotTheSameContent() async throws {
        try age()
        try await settle()
        let first = try await capture()
        let before = try FileStatus.existing(workspace("data/a"))
        try Data("CONTENT OF a".utf8).write(to: URL(filePath: workspace("data/a")))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: Double(before.modified) / 1e9)],
            ofItemAtPath: workspace("data/a")
        )
        let second = try await capture(first)
        #expect(second.filesRead == 1)
        #expect(second.manifest.assets.first?.digest == Digest.of(Array("CONTENT OF a".utf8)))
    }

    /// What was written just before it was read may be written again within the same tick: it is not recorded.
    @Test func freshFilesAreNotBelieved() {
        let old = CapturedFile(
            status: FileStatus(
                kind: .file,
                mode: .regular,
                size: 1,
                modified: 0,
                changed: 10_000_000_000,
                inode: 1,
                device: 1
            ),
            object: ObjectReference(size: 1, digest: .of([])),
            readAt: 11_999_999_999
        )
        #expect(!StatCache.mayRecord(old))
        #expect(StatCache.mayRecord(CapturedFile(status: old.status, object: old.object, readAt: 12_000_000_000)))
        // A clock that was set back.
        #expect(!StatCache.mayRecord(CapturedFile(status: old.status, object: old.object, readAt: 5_000_000_000)))
    }

    /// A damaged cache is as good as none.
    @Test func aDamagedCacheIsNotBelieved() async throws {
        try await settle()
        let first = try await capture()
        let names = try FileManager.default.contentsOfDirectory(atPath: workspace("cache")).filter {
            $0.hasSuffix(".stat")
        }
        let file = "cache/" + (try #require(names.first))
        let whole = try workspace.bytes(file)
        #expect(try await capture(first).filesRead == 0)
        for position in stride(from: 0, to: whole.count, by: 37) {
            var damaged = whole
            damaged[position] ^= 1
            try Data(damaged).write(to: URL(filePath: workspace(file)))
            let root = try FileStatus.resolved(workspace("data"))
            #expect(StatCache.load(root: root, from: workspace("cache")).entries.isEmpty)
        }
        try Data(whole.dropLast(40)).write(to: URL(filePath: workspace(file)))
        let again = try await capture(first)
        #expect(again.filesRead == 4)
        #expect(again.manifest == first.manifest)
        // So is a chunk list that is not what its name says.
        let list = try #require(first.manifest.assets.last?.content.object?.chunks)
        try Data("x".utf8).write(to: URL(filePath: workspace("cache/chunks/\(list.hex)")))
        #expect(try await capture(first).filesRead == 1)
    }

    /// Random changes: what the cache gives is what reading everything gives.
    @Test(arguments: 0..<4) func theCacheAgreesWithReading(seed: Int) async throws {
        var random = SeededBytes(seed: UInt64(seed))
        try workspace.remove("data/large")
        var last = try await capture()
        for step in 0..<6 {
            for _ in 0..<3 {
                let name = ["a", "b", "deep/c", "new/\(step)"].randomElement(using: &random) ?? "a"
                switch Int.random(in: 0..<4, using: &random) {
                case 0: try workspace.write("\(step) \(Int.random(in: 0..<9, using: &random))", to: "data/\(name)")
                case 1: try? workspace.remove("data/\(name)")
                case 2: _ = rename(workspace("data/a"), workspace("data/\(name)"))
                default: _ = chmod(workspace("data/\(name)"), 0o600)
                }
            }
            let cached = try await capture(last)
            let read = try await capture(last, readsEverything: true)
            #expect(cached.manifest == read.manifest)
            last = cached
        }
    }
}
