/// A snapshot as a person may name it: `flights`, `flights@3`, or by a tag or an alias, `flights@golden`.
///
/// Only a shell reads these: what is written down, a lock above all, holds numbers and digests.
public struct LabelledReference: Hashable, Sendable, CustomStringConvertible {
    public enum Selector: Hashable, Sendable {
        case newest
        case number(Int)
        case label(String)
    }

    public var name: String
    public var selector: Selector

    /// Reads `name`, `name@number` or `name@label`, each optionally after `snapshot:`.
    ///
    /// Returns `nil` for anything else.
    public init?(_ text: String) {
        let text = text.hasPrefix("snapshot:") ? String(text.dropFirst("snapshot:".count)) : text
        if let reference = VersionReference(text) {
            name = reference.name
            selector = reference.number.map { .number($0) } ?? .newest
            return
        }
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, isName(parts[0]), isLabel(parts[1]) else { return nil }
        name = String(parts[0])
        selector = .label(String(parts[1]))
    }

    public var description: String {
        switch selector {
        case .newest: name
        case .number(let number): "\(name)@\(number)"
        case .label(let label): "\(name)@\(label)"
        }
    }

    /// The reference without a label, where it has none.
    public var versionReference: VersionReference? {
        switch selector {
        case .newest: VersionReference(name: name)
        case .number(let number): VersionReference(name: name, number: number)
        case .label: nil
        }
    }
}

/// Whether the text can be a tag or an alias: a letter, digit or underscore, then those or `-` and `.`, and not a number.
///
/// `1.0` is one; `7` is not, since `flights@7` is a version. Nor is anything with `@`, `:` or `/`.
public func isLabel(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, isWord(first), text.utf8.count <= 200 else { return false }
    return text.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
        && !text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
}

private func isWord(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: "_")
}
