import Objects

/// What changed from one snapshot to another.
public struct SnapshotDiff: Hashable, Sendable {
    /// What became of paths; each list in byte order.
    public struct Paths: Hashable, Sendable {
        /// In the new snapshot only, and at no other path in the old one.
        public var added: [SnapshotPath] = []
        /// In the old snapshot only.
        public var removed: [SnapshotPath] = []
        /// In both with other bytes, another target, or as another kind of thing.
        public var changed: [SnapshotPath] = []
        /// In both with the same bytes and another mode.
        public var modeChanged: [SnapshotPath] = []
        /// A file whose bytes stood at a path that is gone; in the order of the new paths.
        public var moved: [Move] = []

        public struct Move: Hashable, Sendable {
            public let from: SnapshotPath
            public let to: SnapshotPath
        }

        /// How many paths differ.
        public var count: Int { added.count + removed.count + changed.count + modeChanged.count + moved.count }
        public var isEmpty: Bool { count == 0 }

        init<Entry>(
            from old: [Entry],
            to new: [Entry],
            path: (Entry) -> SnapshotPath,
            content: (Entry) -> EntryContent?
        ) {
            let before = Dictionary(old.map { (path($0), $0) }, uniquingKeysWith: { first, _ in first })
            let after = Set(new.map(path))
            var gone: [Digest: [SnapshotPath]] = [:]
            for entry in old.reversed() where !after.contains(path(entry)) {
                if let object = content(entry)?.object, object.size > 0 {
                    gone[object.digest, default: []].append(path(entry))
                }
            }
            var left: Set<SnapshotPath> = []
            for entry in new {
                let place = path(entry)
                if let earlier = before[place] {
                    let (first, second) = (content(earlier), content(entry))
                    if Self.bytes(first) != Self.bytes(second) {
                        changed.append(place)
                    } else if first?.mode != second?.mode {
                        modeChanged.append(place)
                    }
                } else if let digest = content(entry)?.object?.digest, let from = gone[digest]?.popLast() {
                    moved.append(Move(from: from, to: place))
                    left.insert(from)
                } else {
                    added.append(place)
                }
            }
            removed = old.map(path).filter { !after.contains($0) && !left.contains($0) }
        }

        /// What makes content the same whatever its mode and wherever it is stored.
        private static func bytes(_ content: EntryContent?) -> [String?] {
            var target: String?
            if case .symbolicLink(let bytes) = content { target = HexText.of(bytes) }
            return [content?.kind, content?.object.map { "\($0.digest)" }, target]
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
        assets = Paths(from: old.assets, to: new.assets, path: \.path, content: \.content)
        func present(_ manifest: SnapshotManifest) -> [CodeFile] {
            (manifest.code?.files ?? []).filter { $0.state != .deleted }
        }
        code = Paths(from: present(old), to: present(new), path: \.path, content: \.content)
        lockFiles = Paths(from: old.environment.lockFiles, to: new.environment.lockFiles, path: \.name) {
            .file(mode: .regular, $0.object)
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
