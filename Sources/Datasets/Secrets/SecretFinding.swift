import Objects

/// A place that looks like a secret; holds nothing of the secret but what its kind begins with.
public struct SecretFinding: Hashable, Sendable {
    /// The file, as it was named to the scanner.
    public internal(set) var path: String
    /// Counted from 1; a private key's is that of its `BEGIN`.
    public let line: Int
    /// The byte of the line at which the secret starts, counted from 1.
    public let column: Int
    public let kind: SecretKind
    /// The secret's published prefix, if its kind has one, and its length: `ghp_… (40 bytes)`.
    public let excerpt: String
    /// The SHA-256 of the line without its end, which with the path is what an allow-list names.
    ///
    /// For a private key it is that of the first line of key material, since every key begins alike.
    public let lineDigest: Digest
    public internal(set) var origin = Origin.file

    /// What has it.
    public enum Origin: Hashable, Sendable {
        case file
        /// A commit that would be stored, or from which a diff would; the file may be another by now.
        case commit(String)
        /// An environment variable, whose name stands for the path.
        case variable
    }
}

extension SecretFinding: CustomStringConvertible {
    /// Where it is: `config.py:3:8`.
    var place: String {
        switch origin {
        case .file: "\(path):\(line):\(column)"
        case .commit(let commit): "\(path):\(line):\(column) in commit \(commit.prefix(12))"
        case .variable: "variable \(path)"
        }
    }

    public var description: String {
        let advice =
            switch origin {
            case .file: "take it out and revoke it, or end the line with '\(SecretScanner.allowComment)' if it is none"
            case .commit: "it would be stored with the code; revoke it and take it out of the history"
            case .variable: "leave it out"
            }
        return "\(place): \(kind.rawValue), \(excerpt); \(advice)"
    }
}

/// Findings that someone has looked at and allowed, by file and line content.
///
/// One a line: a digest, a space, a path. Empty lines and lines that begin with `#` say nothing. An entry holds only
/// while the line stays as it is. Whoever has the list can try guesses against a digest, so allow no weak password by
/// it.
public struct SecretAllowList: Hashable, Sendable {
    private struct Entry: Hashable {
        let path: [UInt8]
        let lineDigest: Digest
    }

    private var entries: Set<Entry> = []

    /// An empty list.
    public init() {}

    /// Reads a list.
    ///
    /// - Throws: ``SecretAllowListError`` for a line of another form.
    public init(_ text: String) throws(SecretAllowListError) {
        var number = 0
        for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let space = line.firstIndex(of: UInt8(ascii: " ")),
                let digest = Digest(String(Substring(line[..<space])))
            else { throw SecretAllowListError(line: number) }
            let path = Array(line[space...].dropFirst())
            guard !path.isEmpty else { throw SecretAllowListError(line: number) }
            entries.insert(Entry(path: path, lineDigest: digest))
        }
    }

    public func allows(_ finding: SecretFinding) -> Bool {
        !entries.isEmpty
            && entries.contains(Entry(path: Array(finding.path.utf8), lineDigest: finding.lineDigest))
    }

    /// The line that allows a finding.
    public static func line(for finding: SecretFinding) -> String { "\(finding.lineDigest) \(finding.path)" }
}

/// A line of an allow-list that is none.
public struct SecretAllowListError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    public let line: Int

    public var description: String {
        "line \(line) of the list of allowed secrets is not 'sha256:<64 digits> <path>'; copy it from the report"
    }
}
