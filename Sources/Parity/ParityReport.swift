import Features
import Formats
import Objects

/// A comparison under one lock, as it is kept: a passing one is a certificate.
///
/// The document says nothing of when or where it was made, so that the same proof has the same digest.
public struct ParityReport: Sendable {
    /// What was compared.
    public enum Scope: Hashable, Sendable {
        /// Every row asked for at one instant.
        case instant(at: String)
        /// Each row at its own time, after the history between was pushed.
        case replay(from: String, to: String)
    }

    public let lock: Digest
    public let service: String
    public let scope: Scope
    /// The digest of what was asked for: the join keys and times of every row.
    public let rows: Digest
    public let comparison: ParityComparison

    public init(lock: Digest, service: String, scope: Scope, rows: Digest, comparison: ParityComparison) {
        self.lock = lock
        self.service = service
        self.scope = scope
        self.rows = rows
        self.comparison = comparison
    }

    public var passed: Bool { comparison.passed }

    /// Canonical JSON.
    public var document: [UInt8] {
        let scopeJSON: JSON =
            switch scope {
            case .instant(let at): .object(["at": .string(at)])
            case .replay(let from, let to): .object(["from": .string(from), "to": .string(to)])
            }
        let causes = comparison.causes.sorted { $0.key < $1.key }.map { view, counts in
            JSON.Member(
                view,
                .object(counts.sorted { $0.key < $1.key }.map { JSON.Member($0.key.rawValue, .int($0.value)) })
            )
        }
        return JSON.object([
            "format": .int(1),
            "lock": .string("\(lock)"),
            "service": .string(service),
            "scope": scopeJSON,
            "asked": .object(["count": .int(comparison.rowCount), "digest": .string("\(rows)")]),
            "passed": .bool(passed),
            "features": .object(
                comparison.features.map { feature in
                    JSON.Member(
                        feature.name,
                        .object([
                            "invalid": .int(feature.counts.invalid),
                            "match": .int(feature.counts.match), "mismatch": .int(feature.counts.mismatch),
                            "offline_only": .int(feature.counts.offlineOnly),
                            "online_only": .int(feature.counts.onlineOnly), "present": .int(feature.counts.present),
                        ])
                    )
                }
            ),
            "causes": .object(causes),
        ]).encoded(canonical: true)
    }

    public var digest: Digest { Digest.of(document) }
}
