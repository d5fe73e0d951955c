/// What some paths name, relative to their root.
struct AssetTree: Sendable {
    /// Absolute, without symbolic links.
    let root: String
    /// Files, symbolic links and empty directories, in byte order, each once.
    let entries: [TreeEntry]

    /// - Parameters:
    ///   - root: what paths in the snapshot are relative to; the deepest directory that holds all of them where left out.
    ///   - ignoreRoot: a directory above the root whose ignore files count as well, with those in between.
    init(paths: [String], root: String?, ignoreRoot: String? = nil) throws(SnapshotError) {
        guard !paths.isEmpty else { throw .noPaths }
        var named: [(path: String, status: FileStatus)] = []
        for path in paths {
            let status = try FileStatus.existing(Self.withoutTrailingSlashes(path))
            if status.kind == .symbolicLink { throw .symbolicLink(path: path) }
            if status.kind == .other { throw .notAFile(path: path) }
            named.append((try FileStatus.resolved(path), status))
        }
        let directories = named.map { $0.status.kind == .directory ? $0.path : Self.parent(of: $0.path) }
        let resolvedRoot: String
        if let root {
            resolvedRoot = try FileStatus.resolved(root)
        } else {
            resolvedRoot = Self.deepestCommon(directories)
        }
        let rules = try Self.scope(from: ignoreRoot, to: resolvedRoot)
        // `.git` is a file where the repository is elsewhere, as of a submodule.
        var walk = DirectoryWalk(obeysIgnoreFiles: true) { name, isDirectory in
            name.elementsEqual(".git".utf8) || isDirectory && name.elementsEqual(".lockstep".utf8)
        }
        var files: [TreeEntry] = []
        for (path, status) in named {
            guard let relative = Self.relative(path, to: resolvedRoot) else {
                throw .outsideRoot(path: path, root: resolvedRoot)
            }
            let prefix = relative.isEmpty ? nil : try SnapshotPath(relative)
            if status.kind == .file, let prefix {
                files.append(TreeEntry(path: prefix, status: status))
                continue
            }
            let scope = try Self.scope(rules, above: prefix, in: resolvedRoot)
            let before = walk.entries.count
            try walk.add(below: DiskPath(path), prefix: prefix, scope: scope)
            if walk.entries.count == before, let prefix { files.append(TreeEntry(path: prefix, status: status)) }
        }
        self.root = resolvedRoot
        entries = Self.unique(walk.entries + files)
    }

    /// The ignore files of the directories from one to above another; none where that is not below it.
    private static func scope(from directory: String?, to root: String) throws(SnapshotError) -> IgnoreScope {
        guard let directory, let above = try? FileStatus.resolved(directory), let rest = relative(root, to: above),
            !rest.isEmpty
        else { return IgnoreScope() }
        return try scope(IgnoreScope(), above: SnapshotPath(rest), in: above)
    }

    /// The ignore files of the directories from the root to above a path.
    private static func scope(
        _ outer: IgnoreScope,
        above path: SnapshotPath?,
        in root: String
    ) throws(SnapshotError) -> IgnoreScope {
        var scope = outer
        guard let path else { return scope }
        var directory = DiskPath(root)
        for name in path.components {
            let file = directory.appending(DirectoryWalk.ignoreFile.utf8)
            if try FileStatus(of: file)?.kind == .file, let rules = try OpenedFile.content(of: file, limit: 1 << 20) {
                scope = scope.adding(IgnorePatterns(rules))
            }
            scope = scope.entering(Array(name))
            directory = directory.appending(name)
        }
        return scope
    }

    private static func unique(_ entries: [TreeEntry]) -> [TreeEntry] {
        let sorted = entries.sortedByPath(\.path)
        let isRepeated = zip(sorted.dropFirst(), sorted).map { $0.path == $1.path }
        guard isRepeated.contains(true) else { return sorted }
        return sorted.prefix(1) + zip(sorted.dropFirst(), isRepeated).filter { !$1 }.map(\.0)
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
