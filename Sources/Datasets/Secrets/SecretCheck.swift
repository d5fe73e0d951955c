import Objects
import Synchronization

/// Scans what a capture is about to store and refuses it as a whole.
final class SecretCheck: Sendable {
    private let scanner = SecretScanner()
    /// Files that may be stored whatever they hold, as findings name them.
    private let allowed: Set<String>
    private let findings = Mutex<[SecretFinding]>([])

    init(allowed: some Sequence<String>) { self.allowed = Set(allowed) }

    func check(_ file: DiskPath, named name: String) throws(SnapshotError) {
        guard !allowed.contains(name) else { return }
        let content = try OpenedFile.content(of: file, limit: scanner.sizeLimit)
        if let content { take(scanner.scan(content.span, path: name)) }
    }

    /// - Parameter commit: the commit that the content is from.
    func check(_ content: [UInt8], named name: String, in commit: String? = nil) {
        guard !allowed.contains(name) else { return }
        take(scanner.scan(content.span, path: name), commit)
    }

    /// Ends the scan.
    ///
    /// - Throws: ``SnapshotError/secrets(_:)`` with all that was found.
    func finish() throws(SnapshotError) {
        let found = findings.withLock { $0 }
        guard found.isEmpty else {
            throw .secrets(
                found.sorted {
                    ($0.path, $0.line, $0.column, $0.commit ?? "") < ($1.path, $1.line, $1.column, $1.commit ?? "")
                }
            )
        }
    }

    private func take(_ outcome: SecretScan.Outcome, _ commit: String? = nil) {
        guard case .scanned(var found) = outcome, !found.isEmpty else { return }
        for position in found.indices { found[position].commit = commit }
        findings.withLock { $0 += found }
    }
}
