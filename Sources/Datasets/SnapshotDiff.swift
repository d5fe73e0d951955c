import Objects

/// What changed from one snapshot to another.
public struct SnapshotDiff: Hashable, Sendable {
    /// Paths in one only, and paths whose content or mode differs; each in byte order.
    public struct Paths: Hashable, Sendable {
        public var added: [SnapshotPath] = []
        public var removed: [SnapshotPath] = []
        public var changed: [SnapshotPath] = []

        public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

        fileprivate init<Entry>(
            from old: [Entry],
            to new: [Entry],
            path: (Entry) -> SnapshotPath,
            isSame: (Entry, Entry) -> Bool
        ) {
            let before = Dictionary(old.map { (path($0), $0) }, uniquingKeysWith: { first, _ in first })
            let after = Set(new.map(path))
            for entry in new {
                if let earlier = before[path(entry)] {
                    if !isSame(earlier, entry) { changed.append(path(entry)) }
                } else {
                    added.append(path(entry))
                }
            }
            removed = old.map(path).filter { !after.contains($0) }
        }
    }

    /// One fact about the environment or the commit, `nil` where it is absent.
    public struct Fact: Hashable, Sendable {
        public let name: String
        public let old: String?
        public let new: String?
    }

    public let assets: Paths
    /// Files on disk; a deleted one counts as absent.
    public let code: Paths
    /// Commit, operating system, architecture, Swift, and each variable that differs.
    public let facts: [Fact]
    public let lockFiles: Paths

    public init(from old: SnapshotManifest, to new: SnapshotManifest) {
        assets = Paths(from: old.assets, to: new.assets, path: \.path) { $0.mode == $1.mode && $0.digest == $1.digest }
        func present(_ manifest: SnapshotManifest) -> [CodeFile] {
            (manifest.code?.files ?? []).filter { $0.state != .deleted }
        }
        code = Paths(from: present(old), to: present(new), path: \.path) {
            $0.mode == $1.mode && $0.digest == $1.digest
        }
        lockFiles = Paths(from: old.environment.lockFiles, to: new.environment.lockFiles, path: \.name) {
            $0.digest == $1.digest
        }
        var facts = [
            Fact(name: "commit", old: old.code?.commit, new: new.code?.commit),
            Fact(name: "os", old: old.environment.operatingSystem, new: new.environment.operatingSystem),
            Fact(name: "architecture", old: old.environment.architecture, new: new.environment.architecture),
            Fact(name: "swift", old: old.environment.swiftVersion, new: new.environment.swiftVersion),
        ]
        let before = Dictionary(old.environment.variables.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let after = Dictionary(new.environment.variables.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        for name in Set(before.keys).union(after.keys).sorted() {
            facts.append(Fact(name: "variable \(name)", old: before[name] ?? nil, new: after[name] ?? nil))
        }
        self.facts = facts.filter { $0.old != $0.new }
    }

    public var isEmpty: Bool { assets.isEmpty && code.isEmpty && lockFiles.isEmpty && facts.isEmpty }
}
