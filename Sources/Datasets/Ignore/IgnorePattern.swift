/// One line of an ignore file.
struct IgnorePattern: Sendable {
    /// The line, counted from 1.
    let line: Int
    /// As written, without what is not part of it: the line's end and unquoted spaces before that.
    let text: [UInt8]
    let isNegated: Bool
    let condition: Condition
    private let form: Form

    /// What every match has: dismisses most candidates by a few comparisons, before anything else is looked at.
    struct Condition: Sendable {
        let matchesOnlyDirectories: Bool
        /// Whether the last component alone is compared; otherwise the path from the ignore file's directory.
        let matchesName: Bool
        let minimumLength: Int
        let firstByte: UInt8?
        let lastByte: UInt8?

        func admits(_ subject: UnsafeBufferPointer<UInt8>, isDirectory: Bool) -> Bool {
            if subject.count < minimumLength || matchesOnlyDirectories && !isDirectory { return false }
            guard let first = subject.first, let last = subject.last else { return true }
            return (firstByte ?? first) == first && (lastByte ?? last) == last
        }
    }

    private enum Form {
        case never
        case literal([UInt8])
        case suffix([UInt8])
        /// A literal beginning, and a glob for the rest.
        case glob(prefix: [UInt8], Glob)
    }

    /// - Parameter text: neither empty nor a comment.
    init(_ text: ArraySlice<UInt8>, line: Int) {
        self.line = line
        self.text = Array(text)
        var pattern = text
        isNegated = pattern.first == UInt8(ascii: "!")
        if isNegated { pattern = pattern.dropFirst() }
        let matchesOnlyDirectories = pattern.last == UInt8(ascii: "/")
        if matchesOnlyDirectories { pattern = pattern.dropLast() }
        let matchesName = !pattern.contains(UInt8(ascii: "/"))
        if !matchesName, pattern.first == UInt8(ascii: "/") { pattern = pattern.dropFirst() }
        form = Self.form(of: pattern, matchesName: matchesName)
        let minimumLength: Int
        var firstByte: UInt8?
        var lastByte: UInt8?
        switch form {
        case .never:
            minimumLength = .max
        case .literal(let literal):
            (minimumLength, firstByte, lastByte) = (literal.count, literal.first, literal.last)
        case .suffix(let suffix):
            (minimumLength, lastByte) = (suffix.count, suffix.last)
        case .glob(let prefix, _):
            (minimumLength, firstByte) = (prefix.count, prefix.first)
            // The last byte of a glob is its own, unless something before it quotes it or makes it part of a bracket.
            let special = Array("*?[]\\".utf8)
            let before = pattern.dropLast().last
            lastByte = pattern.last.flatMap { special.contains($0) || before == UInt8(ascii: "\\") ? nil : $0 }
        }
        condition = Condition(
            matchesOnlyDirectories: matchesOnlyDirectories,
            matchesName: matchesName,
            minimumLength: minimumLength,
            firstByte: firstByte,
            lastByte: lastByte
        )
    }

    private static func form(of pattern: ArraySlice<UInt8>, matchesName: Bool) -> Form {
        let special = Array("*?[\\".utf8)
        guard !pattern.isEmpty else { return .never }
        guard let first = pattern.firstIndex(where: special.contains) else { return .literal(Array(pattern)) }
        if matchesName, pattern[first] == UInt8(ascii: "*"), first == pattern.startIndex,
            !pattern.dropFirst().contains(where: special.contains)
        {
            return .suffix(Array(pattern.dropFirst()))
        }
        // As git does, what follows the literal beginning is a pattern of its own: two stars there are at its start.
        guard let glob = Glob(pattern[first...]) else { return .never }
        return .glob(prefix: Array(pattern[..<first]), glob)
    }

    /// Whether what the condition admits matches.
    ///
    /// - Parameter subject: the last component or the path from the ignore file's directory, as the condition says.
    func matches(_ subject: UnsafeBufferPointer<UInt8>) -> Bool {
        switch form {
        case .never: return false
        case .literal(let literal): return subject.count == literal.count && subject.elementsEqual(literal)
        case .suffix(let suffix):
            return UnsafeBufferPointer(rebasing: subject[(subject.count - suffix.count)...]).elementsEqual(suffix)
        case .glob(let prefix, let glob):
            guard subject.starts(with: prefix) else { return false }
            return glob.matches(UnsafeBufferPointer(rebasing: subject[prefix.count...]))
        }
    }
}

/// The patterns of one ignore file.
public struct IgnorePatterns: Sendable {
    private let patterns: [IgnorePattern]
    // Those of the patterns, side by side.
    private let conditions: [IgnorePattern.Condition]

    /// Whether there is no pattern, only comments and empty lines.
    public var isEmpty: Bool { patterns.isEmpty }

    /// Reads an ignore file: any bytes are one, and what matches nothing is no error, as for git.
    public init(_ content: [UInt8]) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = content.starts(with: byteOrderMark) ? content.dropFirst(3) : content[...]
        var patterns: [IgnorePattern] = []
        for (position, line) in content.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if let text = Self.pattern(line.last == 0x0D ? line.dropLast() : line) {
                patterns.append(IgnorePattern(text, line: position + 1))
            }
        }
        self.patterns = patterns
        conditions = patterns.map(\.condition)
    }

    /// What of a line is a pattern.
    private static func pattern(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard line.first != UInt8(ascii: "#") else { return nil }
        // A NUL ends the line.
        let text = line.prefix { $0 != 0 }
        var spaces: Int?
        var position = text.startIndex
        while position < text.endIndex {
            switch text[position] {
            case UInt8(ascii: " "): spaces = spaces ?? position
            case UInt8(ascii: "\\"):
                position += 1
                // A backslash at the end quotes nothing, and leaves the spaces before it.
                spaces = nil
            default: spaces = nil
            }
            position += 1
        }
        let trimmed = text[..<(spaces ?? text.endIndex)]
        return trimmed.isEmpty ? nil : trimmed
    }

    /// The last pattern that matches.
    ///
    /// - Parameters:
    ///   - path: relative to the ignore file's directory.
    ///   - name: its last component.
    func lastMatch(
        _ path: UnsafeBufferPointer<UInt8>,
        name: UnsafeBufferPointer<UInt8>,
        isDirectory: Bool
    ) -> IgnorePattern? {
        conditions.withUnsafeBufferPointer { conditions in
            var position = conditions.count
            while position > 0 {
                position -= 1
                let subject = conditions[position].matchesName ? name : path
                if conditions[position].admits(subject, isDirectory: isDirectory), patterns[position].matches(subject) {
                    return patterns[position]
                }
            }
            return nil
        }
    }
}
