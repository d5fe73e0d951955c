/// The ignore files in force in one directory of a walk: its own and those of the directories above it.
///
/// Semantics are those of gitignore(5), byte for byte and case-sensitive: the last matching pattern of the deepest
/// ignore file that has one decides. Paths are bytes; nothing is normalised. A walk that does not enter ignored
/// directories needs no more: what is below them is ignored, and their ignore files are never read.
public struct IgnoreScope: Sendable {
    private struct File: Sendable {
        let patterns: IgnorePatterns
        /// The number of bytes of ``prefix`` that lead to its directory.
        let prefixLength: Int
    }

    // The directory's path from the walk's root, with a slash behind each component.
    private let prefix: [UInt8]
    // Innermost last.
    private let files: [File]

    /// The root of a walk.
    public init(_ patterns: IgnorePatterns? = nil) {
        self.init(prefix: [], files: [], adding: patterns)
    }

    private init(prefix: [UInt8], files: [File], adding patterns: IgnorePatterns?) {
        self.prefix = prefix
        guard let patterns, !patterns.isEmpty else {
            self.files = files
            return
        }
        self.files = files + [File(patterns: patterns, prefixLength: prefix.count)]
    }

    /// The directory `name` in this one, and the patterns of its ignore file if it has one.
    public func entering(_ name: [UInt8], _ patterns: IgnorePatterns? = nil) -> IgnoreScope {
        IgnoreScope(prefix: prefix + name + [UInt8(ascii: "/")], files: files, adding: patterns)
    }

    /// The same directory with the patterns of its own ignore file.
    func adding(_ patterns: IgnorePatterns) -> IgnoreScope {
        IgnoreScope(prefix: prefix, files: files, adding: patterns)
    }

    /// Whether something in this directory is ignored.
    public func ignores(_ name: [UInt8], isDirectory: Bool) -> Bool {
        decision(name, isDirectory: isDirectory)?.isIgnored ?? false
    }

    /// The pattern that decides about something in this directory; `nil` if none matches.
    public func decision(_ name: [UInt8], isDirectory: Bool) -> IgnoreDecision? {
        guard !files.isEmpty else { return nil }
        let path = prefix + name
        return path.withUnsafeBufferPointer { path in
            let name = UnsafeBufferPointer(rebasing: path[prefix.count...])
            for file in files.reversed() {
                let relative = UnsafeBufferPointer(rebasing: path[file.prefixLength...])
                if let pattern = file.patterns.lastMatch(relative, name: name, isDirectory: isDirectory) {
                    return IgnoreDecision(
                        isIgnored: !pattern.isNegated,
                        directory: Array(prefix[..<max(0, file.prefixLength - 1)]),
                        line: pattern.line,
                        pattern: pattern.text,
                        path: Array(path)
                    )
                }
            }
            return nil
        }
    }
}

/// Which pattern decided about a path.
public struct IgnoreDecision: Hashable, Sendable {
    /// `false` where a negated pattern includes the path again.
    public let isIgnored: Bool
    /// The directory of the ignore file, from the walk's root; empty for the root.
    public let directory: [UInt8]
    /// The line of the ignore file, counted from 1.
    public let line: Int
    /// The pattern as written.
    public let pattern: [UInt8]
    /// The path that matched it: the one asked about, or the outermost ignored directory above it.
    public let path: [UInt8]
}

/// Every ignore file of a tree, for asking about single paths.
public struct IgnoreRules: Sendable {
    private var files: [[UInt8]: IgnorePatterns] = [:]

    public init() {}

    /// Adds the ignore file of a directory; `directory` is relative to the root, empty for the root itself.
    public mutating func add(_ patterns: IgnorePatterns, in directory: [UInt8]) {
        files[directory] = patterns
    }

    /// Whether a path, or a directory above it, is ignored.
    public func ignores(_ path: [UInt8], isDirectory: Bool) -> Bool {
        decision(path, isDirectory: isDirectory)?.isIgnored ?? false
    }

    /// The pattern that decides about a path; `nil` if none matches.
    ///
    /// If a directory above the path is ignored, it is the pattern that ignores the outermost of them: nothing
    /// includes a file again whose directory is ignored.
    ///
    /// - Parameter path: relative to the root, with `/` between components and none at its end.
    public func decision(_ path: [UInt8], isDirectory: Bool) -> IgnoreDecision? {
        var scope = IgnoreScope(files[[]])
        var start = 0
        for slash in path.indices where path[slash] == UInt8(ascii: "/") {
            let name = Array(path[start..<slash])
            if let decision = scope.decision(name, isDirectory: true), decision.isIgnored { return decision }
            scope = scope.entering(name, files[Array(path[..<slash])])
            start = slash + 1
        }
        return scope.decision(Array(path[start...]), isDirectory: isDirectory)
    }
}
