import FoundationEssentials
import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes a snapshot out as files, whole or not at all.
public enum Checkout {
    /// What to write out.
    public enum Part: Hashable, Sendable {
        /// The assets, at their paths in the directory itself.
        case assets
        /// The code files, at their paths in the directory itself.
        case code
        /// `assets/`, `code/`, `code.diff`, `code.bundle`, `environment/` and the manifest as `snapshot.json`.
        case everything
    }

    /// How it is written.
    public struct Options: Sendable {
        public var part = Part.everything
        /// Replaces an existing directory **and everything in it**; with a selection, the files that are selected.
        public var overwrite = false
        /// Paths and globs of what to write, with what is below them; everything where empty.
        ///
        /// What else an existing directory holds is left alone then.
        public var selection: [String] = []
        /// Ways to make a file, the preferred first; ``FileWay/copy`` is what is left.
        public var ways: [FileWay] = [.copy]
        /// The directory of whole files that are cloned and linked from; without one files are copied.
        public var cache: String?

        public init() {}
    }

    /// What was written.
    public struct Outcome: Hashable, Sendable {
        public var files = 0
        public var bytes = 0
        public var links = 0
        public var directories = 0
        /// How many files were made in which way.
        public var ways: [FileWay: Int] = [:]
    }

    /// Writes a part of a snapshot to `directory`, with the bytes and modes that were captured.
    ///
    /// Everything is written to a new directory beside it and verified, put on the disk, and only then takes the place of
    /// `directory`, in one step where the file system can exchange two directories. On any error, and wherever the process
    /// is killed, `directory` is as it was or as it is to be. What a killed checkout leaves beside it, the next one to the
    /// same place removes.
    ///
    /// A selection goes into a directory that is there already file by file, each in one step, once all of it is written and
    /// nothing is in its way; done again, a killed one is completed.
    ///
    /// No symbolic link is followed: nothing is written through one, and those of the snapshot are made last.
    ///
    /// - Throws: ``SnapshotError/occupied(directory:)`` if `directory` is not empty and not to be overwritten, or is not
    ///   a directory, also for a selected file that is there, and for a file or a link above one;
    ///   ``SnapshotError/precious(directory:what:)`` if it is the working directory or above it, or holds a repository; ``SnapshotError/nothingSelected(_:)``; `PackError` or `ObjectError` for content that is missing or
    ///   corrupt.
    @discardableResult
    public static func write(
        _ manifest: SnapshotManifest,
        _ contents: SnapshotContents,
        to directory: String,
        _ options: Options = Options()
    ) async throws -> Outcome {
        let items = try self.items(of: manifest, options)
        return try await fileWork.run {
            let place = try CheckoutPlace(
                directory,
                overwrite: options.overwrite,
                isPart: !options.selection.isEmpty
            )
            do {
                var outcome = Outcome()
                try makeDirectories(for: items, in: place.temporary)
                if options.part == .everything, options.selection.isEmpty {
                    try AtomicFile.write(
                        manifest.canonicalJSON,
                        to: place.temporary + "/snapshot.json",
                        isDurable: false
                    )
                }
                let writer = try FileWriter(contents, in: place.temporary, ways: options.ways, cache: options.cache)
                try writer.write(items, &outcome)
                try writer.finish()
                try makeLinks(items, in: place.temporary, &outcome)
                try place.finish(items)
                return outcome
            } catch {
                place.abandon()
                throw error
            }
        }
    }

    /// Removes a content from a directory of whole files; names elsewhere that were linked to it stay.
    public static func forget(_ digest: Digest, in cache: String) throws {
        try WholeFileCache.remove(digest, from: cache)
    }

    /// The bytes that a checkout with these options reads.
    public static func references(of manifest: SnapshotManifest, _ options: Options) throws -> [ObjectReference] {
        try items(of: manifest, options).compactMap(\.content.object)
    }

    /// Something to write.
    struct Item: Sendable {
        let path: SnapshotPath
        let content: EntryContent
    }

    static func items(of manifest: SnapshotManifest, _ options: Options) throws -> [Item] {
        var items: [Item] = []
        let isWhole = options.part == .everything
        func path(_ name: String, _ path: SnapshotPath) -> SnapshotPath {
            isWhole ? SnapshotPath(checked: Array("\(name)/".utf8) + path.bytes) : path
        }
        if options.part != .code {
            items += manifest.assets.map { Item(path: path("assets", $0.path), content: $0.content) }
        }
        if options.part != .assets, let code = manifest.code {
            items += code.files.compactMap { file in
                file.content.map { Item(path: path("code", file.path), content: $0) }
            }
        }
        if isWhole {
            for (name, object) in [
                ("code.diff", manifest.code?.diff), ("code.bundle", manifest.code?.unpushed?.bundle),
            ] {
                if let object {
                    items.append(Item(path: try SnapshotPath(name), content: .file(mode: .regular, object)))
                }
            }
            items += manifest.environment.lockFiles.map {
                Item(path: path("environment", $0.name), content: .file(mode: .regular, $0.object))
            }
        }
        guard !options.selection.isEmpty else { return items }
        let selection = PathSelection(options.selection)
        let selected = items.filter { selection.contains($0.path) }
        if let idle = selection.patterns.first(where: { pattern in !items.contains { pattern.matches($0.path) } }) {
            throw SnapshotError.nothingSelected(idle.text)
        }
        return selected
    }

    /// Makes the directories above all items, and those that are items.
    private static func makeDirectories(for items: [Item], in root: String) throws(SnapshotError) {
        var made: Set<SnapshotPath> = []
        func make(_ path: SnapshotPath) throws(SnapshotError) {
            guard made.insert(path).inserted else { return }
            let place = DiskPath(root, path)
            guard place.withCString({ SystemCall.makeDirectory($0) }) == 0 else {
                throw FileStatus.error("create", place)
            }
        }
        var last: SnapshotPath?
        for item in items {
            if let parent = item.path.parents.first, parent != last {
                for directory in item.path.parents.reversed() { try make(directory) }
                last = parent
            }
            if case .directory = item.content { try make(item.path) }
        }
    }

    private static func makeLinks(_ items: [Item], in root: String, _ outcome: inout Outcome) throws(SnapshotError) {
        for item in items {
            let place = DiskPath(root, item.path)
            switch item.content {
            case .file: continue
            case .directory(let mode):
                guard place.withCString({ SystemCall.setMode($0, mode_t(mode.bits)) }) == 0 else {
                    throw FileStatus.error("set the mode of", place)
                }
                outcome.directories += 1
            case .symbolicLink(let target):
                let result = DiskPath(target).withCString { target in
                    place.withCString { SystemCall.makeSymbolicLink($0, to: target) }
                }
                guard result == 0 else { throw FileStatus.error("create", place) }
                outcome.links += 1
            }
        }
    }
}

/// Paths and globs that select files.
struct PathSelection {
    struct Pattern {
        let text: String
        private let prefix: [UInt8]
        private let glob: Glob?

        init(_ text: String) {
            self.text = text
            var bytes = Array(text.utf8)
            while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
            prefix = bytes
            glob = text.utf8.contains { "*?[".utf8.contains($0) } ? Glob(bytes[...]) : nil
        }

        /// Whether it names a path or a directory above it.
        func matches(_ path: SnapshotPath) -> Bool {
            if path.bytes == prefix { return true }
            if path.bytes.count > prefix.count, path.bytes.starts(with: prefix),
                path.bytes[prefix.count] == UInt8(ascii: "/")
            {
                return true
            }
            guard let glob else { return false }
            return ([path] + path.parents).contains { candidate in
                candidate.bytes.withUnsafeBufferPointer { glob.matches($0) }
            }
        }
    }

    let patterns: [Pattern]

    init(_ texts: [String]) { patterns = texts.map(Pattern.init) }

    func contains(_ path: SnapshotPath) -> Bool { patterns.contains { $0.matches(path) } }
}
