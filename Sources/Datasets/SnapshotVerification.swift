import Objects

/// The result of reading everything a snapshot needs: assets, code, diff, bundle and lock files.
public struct SnapshotVerification: Hashable, Sendable {
    /// One file that cannot be given back as it was captured.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        public enum Kind: Hashable, Sendable {
            case missing
            case corrupt
            case unreadable
        }

        /// `assets/`, `code/` or `environment/` and the path in that part; `code.diff` and `code.bundle`.
        public let path: String
        /// The file's.
        public let digest: Digest
        /// The pack that should hold it; `nil` where none does, and for a snapshot of format 1.
        public let pack: Digest?
        public let kind: Kind
        /// What is wrong, where, and what to do.
        public let message: String

        public var description: String {
            "\(path): \(digest)\(pack.map { " in pack \($0)" } ?? ""): \(message)"
        }
    }

    /// A pack whose bytes are not what its name says, whether or not a file suffers from it.
    public struct PackProblem: Hashable, Sendable {
        public let pack: Digest
        public let message: String
    }

    /// The number of distinct contents read: files, and the chunks and lists of large ones.
    public var contents = 0
    /// Bytes of packs read.
    public var bytes = 0
    /// In the order of the manifest.
    public var problems: [Problem] = []
    public var packProblems: [PackProblem] = []

    public init() {}

    public var isClean: Bool { problems.isEmpty && packProblems.isEmpty }

    /// Reads every pack of a snapshot through, each once, and reports every path that needs a bad content.
    ///
    /// A snapshot of format 1 has objects in place of packs.
    public static func run(
        _ manifest: SnapshotManifest,
        packs: [PackReference],
        from source: any PackSource,
        objects: any ObjectStore
    ) async throws -> SnapshotVerification {
        if manifest.format == SnapshotManifest.firstFormat { return try await runFirstFormat(manifest, objects) }
        let checks = try await concurrently(packs, width: 2) { try await PackCheck.run($0, from: source) }
        var catalog = PackCatalog()
        var result = SnapshotVerification()
        var bad: [Digest: PackCheck.Fault] = [:]
        for check in checks {
            if let index = check.index { catalog.add(check.pack, index) }
            result.bytes += check.pack.size
            bad.merge(check.faults) { first, _ in first }
            if let problem = check.problem {
                result.packProblems.append(PackProblem(pack: check.pack.digest, message: problem))
            }
        }
        let contents = try await SnapshotContents(catalog, from: ReadableSource(checks))
        (result.problems, result.contents) = try await fileWork.run { [catalog, bad] in
            var seen: Set<Digest> = []
            let problems = manifest.uses.compactMap { path, reference in
                fault(of: path, reference, contents, catalog, bad, &seen)
            }
            return (problems, seen.count)
        }
        return result
    }

    /// The paths of a snapshot that cannot be given back without some contents.
    public static func paths(
        of manifest: SnapshotManifest,
        in contents: SnapshotContents,
        needing digests: Set<Digest>
    ) -> [(path: String, digest: Digest)] {
        manifest.uses.compactMap { path, reference in
            var needed: Digest?
            do {
                try contents.forEachContent(of: reference) { if digests.contains($0) { needed = $0 } }
            } catch {
                // A list that cannot be read is one of them.
                needed = reference.chunks
            }
            return needed.map { (path, $0) }
        }
    }

    private static func fault(
        of path: String,
        _ reference: ObjectReference,
        _ contents: SnapshotContents,
        _ catalog: PackCatalog,
        _ bad: [Digest: PackCheck.Fault],
        _ seen: inout Set<Digest>
    ) -> Problem? {
        func problem(_ digest: Digest, _ kind: Problem.Kind, _ message: String) -> Problem {
            let pack = bad[digest]?.pack ?? catalog.pack(of: digest).map { catalog.packs[$0].digest }
            return Problem(path: path, digest: reference.digest, pack: pack, kind: kind, message: message)
        }
        do {
            var found: Problem?
            try contents.forEachContent(of: reference) { digest in
                seen.insert(digest)
                guard found == nil else { return }
                if let fault = bad[digest] {
                    found = problem(digest, .corrupt, fault.message)
                } else if !catalog.contains(digest) {
                    found = problem(digest, .missing, "\(SnapshotError.missingContent(digest))")
                }
            }
            // The manifest may say what is not so, whoever wrote it.
            if found == nil { try contents.checkSize(of: reference) }
            if found == nil, reference.chunks != nil { try contents.read(reference) { _ in } }
            return found
        } catch SnapshotError.missingContent(let digest) {
            return problem(digest, .missing, "\(SnapshotError.missingContent(digest))")
        } catch {
            return problem(reference.chunks ?? reference.digest, .unreadable, "\(error)")
        }
    }

    /// Packs that were opened for their check.
    private struct ReadableSource: PackSource {
        private let readers: [Digest: PackReader]

        init(_ checks: [PackCheck]) {
            readers = Dictionary(checks.compactMap { check in check.reader.map { (check.pack.digest, $0) } }) { $1 }
        }

        func index(of pack: PackReference) async throws -> PackIndex { try await open(pack).index }

        func open(_ pack: PackReference) async throws -> PackReader {
            guard let reader = readers[pack.digest] else { throw SnapshotError.missingContent(pack.digest) }
            return reader
        }
    }

    private static func runFirstFormat(
        _ manifest: SnapshotManifest,
        _ objects: any ObjectStore
    ) async throws -> SnapshotVerification {
        let results = try await concurrently(manifest.objects.sorted()) { digest in
            do {
                try await objects.verify(digest)
                return (digest, nil as (any Error)?)
            } catch let error as CancellationError {
                throw error
            } catch {
                return (digest, error)
            }
        }
        var errors: [Digest: any Error] = [:]
        for case (let digest, .some(let error)) in results { errors[digest] = error }
        var result = SnapshotVerification()
        result.contents = results.count
        result.problems = manifest.uses.compactMap { path, reference in
            errors[reference.digest].map { error in
                let kind: Problem.Kind =
                    switch error as? ObjectError {
                    case .missing: .missing
                    case .corrupt: .corrupt
                    default: .unreadable
                    }
                return Problem(path: path, digest: reference.digest, pack: nil, kind: kind, message: "\(error)")
            }
        }
        return result
    }
}

/// One pack read through.
public struct PackCheck: Sendable {
    /// A content that the pack has and cannot give back.
    public struct Fault: Sendable {
        public let pack: Digest
        public let message: String
    }

    public let pack: PackReference
    let reader: PackReader?
    var index: PackIndex? { reader?.index }
    public let faults: [Digest: Fault]
    /// What is wrong with the pack as a whole; `nil` where nothing is.
    public let problem: String?

    public var isClean: Bool { problem == nil && faults.isEmpty }

    /// Reads every byte of a pack and checks every digest, its own among them.
    public static func run(_ pack: PackReference, from source: any PackSource) async throws -> PackCheck {
        let reader: PackReader
        do {
            reader = try await source.open(pack)
        } catch let error as CancellationError {
            throw error
        } catch let error as PackError {
            return PackCheck(pack: pack, reader: nil, faults: [:], problem: "\(error)")
        } catch let error as ObjectError {
            return PackCheck(pack: pack, reader: nil, faults: [:], problem: "\(error)")
        }
        return try await fileWork.run {
            var faults: [Digest: Fault] = [:]
            var problem: String?
            let byOffset = Dictionary(reader.index.entries.map { ($0.offset, $0.digest) }) { $1 }
            for error in try reader.verify(name: pack.digest) {
                switch error {
                case .corrupt(let digest, _, _, _): faults[digest] = Fault(pack: pack.digest, message: "\(error)")
                case .damaged(_, let offset, _):
                    if let digest = byOffset[offset] {
                        faults[digest] = Fault(pack: pack.digest, message: "\(error)")
                    } else {
                        problem = "\(error)"
                    }
                default: problem = "\(error)"
                }
            }
            return PackCheck(pack: pack, reader: reader, faults: faults, problem: problem)
        }
    }
}

extension SnapshotManifest {
    /// Every path with bytes, in the order of the manifest.
    var uses: [(path: String, reference: ObjectReference)] {
        var uses = assets.compactMap { asset in
            asset.content.object.map { (path: "assets/\(asset.path)", reference: $0) }
        }
        if let code {
            for file in code.files {
                if let object = file.content?.object { uses.append(("code/\(file.path)", object)) }
            }
            if let diff = code.diff { uses.append(("code.diff", diff)) }
            if let bundle = code.unpushed?.bundle { uses.append(("code.bundle", bundle)) }
        }
        for file in environment.lockFiles { uses.append(("environment/\(file.name)", file.object)) }
        return uses
    }
}
