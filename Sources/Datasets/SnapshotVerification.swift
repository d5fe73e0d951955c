import Objects

/// The result of reading every object of a snapshot through: assets, code, diff and lock files.
public struct SnapshotVerification: Hashable, Sendable {
    /// One file that cannot be given back as it was captured.
    public struct Problem: Hashable, Sendable, CustomStringConvertible {
        public enum Kind: Hashable, Sendable {
            case missing
            case corrupt(found: Digest)
            case unreadable
        }

        /// `assets/`, `code/` or `environment/` and the path in that part; `code.diff` for the diff.
        public let path: String
        public let digest: Digest
        public let kind: Kind
        /// What is wrong, where, and what to do.
        public let message: String

        public var description: String { "\(path): \(message)" }
    }

    /// The number of distinct objects read.
    public let objects: Int
    /// In the order of the manifest.
    public let problems: [Problem]

    public var isClean: Bool { problems.isEmpty }

    /// Verifies every object of `manifest`, each once, and reports every path that needs a bad one.
    public static func run(_ manifest: SnapshotManifest, in store: any ObjectStore) async throws -> SnapshotVerification
    {
        let results = try await concurrently(manifest.objects.sorted()) { digest in
            do {
                try await store.verify(digest)
                return (digest, nil as (any Error)?)
            } catch let error as CancellationError {
                throw error
            } catch {
                return (digest, error)
            }
        }
        var errors: [Digest: any Error] = [:]
        for case (let digest, .some(let error)) in results { errors[digest] = error }
        let problems = uses(of: manifest).compactMap { path, digest in
            errors[digest].map { Problem(path: path, digest: digest, kind: kind(of: $0), message: "\($0)") }
        }
        return SnapshotVerification(objects: results.count, problems: problems)
    }

    private static func kind(of error: any Error) -> Problem.Kind {
        switch error as? ObjectError {
        case .missing: .missing
        case .corrupt(_, let found, _): .corrupt(found: found)
        default: .unreadable
        }
    }

    private static func uses(of manifest: SnapshotManifest) -> [(path: String, digest: Digest)] {
        var uses = manifest.assets.map { (path: "assets/\($0.path)", digest: $0.digest) }
        if let code = manifest.code {
            for file in code.files {
                if let digest = file.digest { uses.append(("code/\(file.path)", digest)) }
            }
            if let diff = code.diff { uses.append(("code.diff", diff.digest)) }
        }
        for file in manifest.environment.lockFiles { uses.append(("environment/\(file.name)", file.digest)) }
        return uses
    }
}
