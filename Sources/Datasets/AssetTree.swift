/// The files that some paths name, relative to their root.
struct AssetTree: Sendable {
    /// Absolute, without symbolic links.
    let root: String
    /// In byte order, each once.
    let files: [SnapshotPath]

    init(paths: [String], root: String?) throws(SnapshotError) {
        guard !paths.isEmpty else { throw .noPaths }
        var named: [(path: String, kind: FileStatus.Kind)] = []
        for path in paths {
            let kind = try FileStatus.existing(Self.withoutTrailingSlashes(path)).kind
            if kind == .symbolicLink { throw .symbolicLink(path: path) }
            if kind == .other { throw .notAFile(path: path) }
            named.append((try FileStatus.resolved(path), kind))
        }
        let directories = named.map { $0.kind == .directory ? $0.path : Self.parent(of: $0.path) }
        let resolvedRoot: String
        if let root {
            resolvedRoot = try FileStatus.resolved(root)
        } else {
            resolvedRoot = Self.deepestCommon(directories)
        }

        var files: Set<SnapshotPath> = []
        for (path, kind) in named {
            guard let relative = Self.relative(path, to: resolvedRoot) else {
                throw .outsideRoot(path: path, root: resolvedRoot)
            }
            if kind == .file {
                files.insert(try SnapshotPath(relative))
                continue
            }
            for file in try DirectoryWalk.files(below: path, skips: { $0 == ".git" || $0 == ".lockstep" }) {
                files.insert(try SnapshotPath(relative.isEmpty ? file : "\(relative)/\(file)"))
            }
        }
        self.root = resolvedRoot
        self.files = files.sorted()
    }

    private static func withoutTrailingSlashes(_ path: String) -> String {
        var path = path[...]
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The path below `root`, `""` for `root` itself, `nil` outside it.
    private static func relative(_ path: String, to root: String) -> String? {
        if path.utf8.elementsEqual(root.utf8) { return "" }
        let prefix = root == "/" ? "/" : root + "/"
        guard path.utf8.starts(with: prefix.utf8) else { return nil }
        return String(Substring(path.utf8.dropFirst(prefix.utf8.count)))
    }

    private static func deepestCommon(_ directories: [String]) -> String {
        var common: [Substring.UTF8View]?
        for directory in directories {
            let components = directory[...].utf8.split(separator: UInt8(ascii: "/"))
            guard let before = common else {
                common = components
                continue
            }
            let shared = zip(before, components).prefix { $0.elementsEqual($1) }.count
            common = Array(before.prefix(shared))
        }
        return "/" + (common ?? []).map { String(Substring($0)) }.joined(separator: "/")
    }
}
