import Objects
import Synchronization

/// Scans what a capture is about to store and refuses it as a whole.
final class SecretCheck: Sendable {
    private let scanner = SecretScanner()
    /// Files that may be stored whatever they hold, as findings name them.
    private let allowed: Set<String>
    private let findings = Mutex<[SecretFinding]>([])

    init(allowed: some Sequence<String>) { self.allowed = Set(allowed) }

    /// - Returns: the digest of what was looked at; `nil` for a file that is allowed, or larger than is scanned.
    @discardableResult
    func check(_ file: DiskPath, named name: String) throws(SnapshotError) -> Digest? {
        guard !allowed.contains(name) else { return nil }
        guard let content = try OpenedFile.content(of: file, limit: scanner.sizeLimit) else { return nil }
        take(scanner.scan(content.span, path: name))
        return .of(content)
    }

    /// - Parameter commit: the commit that the content is from.
    func check(_ content: [UInt8], named name: String, in commit: String) {
        guard !allowed.contains(name) else { return }
        take(scanner.scan(content.span, path: name)) { $0.origin = .commit(commit) }
    }

    /// Scans an environment variable as a line of a configuration file.
    func check(variable name: String, _ value: String) {
        guard !allowed.contains(name) else { return }
        take(scanner.scan(Array("\(name)=\(value)".utf8).span, path: ".env")) {
            ($0.path, $0.origin) = (name, .variable)
        }
    }

    /// Ends the scan.
    ///
    /// - Throws: ``SnapshotError/secrets(_:)`` with all that was found.
    func finish() throws(SnapshotError) {
        let found = findings.withLock { $0 }
        guard found.isEmpty else {
            throw .secrets(
                found.sorted {
                    ($0.path, $0.line, $0.column, $0.place) < ($1.path, $1.line, $1.column, $1.place)
                }
            )
        }
    }

    private func take(_ outcome: SecretScan.Outcome, _ change: (inout SecretFinding) -> Void = { _ in }) {
        guard case .scanned(var found) = outcome, !found.isEmpty else { return }
        for position in found.indices { change(&found[position]) }
        findings.withLock { $0 += found }
    }
}
