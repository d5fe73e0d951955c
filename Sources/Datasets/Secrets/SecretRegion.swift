import Objects

/// A run of whole lines, or a part of a very long one, being searched.
///
/// Two bytes at each position decide, by a table, whether anything can begin there; all else is done only where it can.
struct SecretRegion {
    let text: UnsafeBufferPointer<UInt8>
    let path: String
    let form: SecretFileForm
    var position: SecretPosition
    var findings: [SecretFinding] = []
    // Line feeds before `countedTo`, which goes up from finding to finding.
    private var countedLines = 0
    private var countedTo = 0

    init(text: UnsafeBufferPointer<UInt8>, path: String, form: SecretFileForm, position: SecretPosition) {
        self.text = text
        self.path = path
        self.form = form
        self.position = position
    }

    private enum Trigger: UInt8 {
        case none
        case token
        case webToken
        case separator
        case privateKey
    }

    private static let triggers: [UInt8] = {
        var triggers = [UInt8](repeating: Trigger.none.rawValue, count: 1 << 16)
        func set(_ first: UInt8, _ second: UInt8, _ trigger: Trigger) {
            triggers[Int(first) << 8 | Int(second)] = trigger.rawValue
        }
        for token in SecretToken.all { set(token.prefix[0], token.prefix[1], .token) }
        set(UInt8(ascii: "e"), UInt8(ascii: "y"), .webToken)
        set(UInt8(ascii: "-"), UInt8(ascii: "-"), .privateKey)
        for byte in UInt8.min...UInt8.max {
            set(UInt8(ascii: "="), byte, .separator)
            set(UInt8(ascii: ":"), byte, .separator)
        }
        return triggers
    }()

    static func lineFeeds(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var count = 0
        for byte in UnsafeBufferPointer(rebasing: bytes) where byte == 0x0A { count &+= 1 }
        return count
    }

    mutating func scan() {
        if position.privateKey != nil { followPrivateKey(from: 0) }
        switch form {
        case .code, .configuration:
            scan(0..<text.count)
        case .netrc, .pgpass:
            var start = 0
            while start < text.count {
                let line = lineRange(at: start)
                scanCredentials(line)
                scan(line)
                start = line.upperBound + 1
            }
        }
    }

    /// Looks for all that can begin in a range.
    private mutating func scan(_ range: Range<Int>) {
        Self.triggers.withUnsafeBufferPointer { triggers in
            guard let text = text.baseAddress else { return }
            let last = min(range.upperBound, self.text.count - 1)
            var current = range.lowerBound
            while current < last {
                let trigger = triggers[Int(text[current]) << 8 | Int(text[current + 1])]
                guard trigger != 0 else {
                    current += 1
                    continue
                }
                current = max(current + 1, examine(Trigger(rawValue: trigger) ?? .none, at: current))
            }
        }
    }

    /// Looks closer at a position; returns where to go on.
    private mutating func examine(_ trigger: Trigger, at start: Int) -> Int {
        switch trigger {
        case .none:
            return start
        case .token:
            guard let (token, end) = SecretToken.match(in: text, at: start) else { return start }
            report(token.kind, start..<end, prefix: token.prefix.count)
            return end
        case .webToken:
            guard let end = SecretToken.webTokenEnd(in: text, at: start) else { return start }
            report(.jsonWebToken, start..<end, prefix: 3)
            return end
        case .separator:
            if let value = urlPassword(colon: start) {
                report(.urlPassword, value)
                return value.upperBound
            }
            let form: SecretAssignment.Form = form == .code ? .code : .configuration
            guard let assignment = SecretAssignment(in: text, separator: start, form: form) else { return start }
            let value = assignment.value
            // Its own form says more than its name.
            if SecretToken.match(in: text, at: value.lowerBound) != nil { return value.lowerBound }
            if SecretToken.webTokenEnd(in: text, at: value.lowerBound) != nil { return value.lowerBound }
            report(assignment.kind, value)
            return value.upperBound
        case .privateKey:
            return beginPrivateKey(at: start)
        }
    }

    // MARK: Private keys

    private mutating func beginPrivateKey(at start: Int) -> Int {
        let begin = Array("-----BEGIN ".utf8)
        guard text[start...].starts(with: begin) else {
            var end = start
            while end < text.count, text[end] == UInt8(ascii: "-") { end += 1 }
            // Five dashes may end a longer row.
            return end - start > 5 ? end - 5 : start
        }
        let labelStart = start + begin.count
        let label = text[labelStart..<min(text.count, labelStart + 40)].prefix { $0 != UInt8(ascii: "-") && $0 != 0x0A }
        let end = label.endIndex
        guard SecretValue(label).contains(Array("private key".utf8)), text[end...].starts(with: begin.prefix(5)) else {
            return end
        }
        let line = lineRange(at: start)
        let place = place(of: start)
        var wasAllowed = position.isAllowed
        if line.lowerBound > 0 {
            let before = lineRange(at: line.lowerBound - 1)
            wasAllowed = isAllowed(before)
        }
        position.privateKey = SecretPosition.PrivateKey(
            line: place.line,
            column: place.column,
            isAllowed: wasAllowed || isAllowed(line)
        )
        // The material may follow on the same line, the line ends written as `\n`.
        if material(in: end + 5..<line.upperBound) {
            reportPrivateKey(materialLine: line)
            return line.upperBound
        }
        followPrivateKey(from: min(line.upperBound + 1, text.count))
        return end + 5
    }

    /// Looks for key material in the lines from `start`.
    private mutating func followPrivateKey(from start: Int) {
        var start = start
        while var key = position.privateKey, start < text.count {
            let line = lineRange(at: start)
            if material(in: line) {
                reportPrivateKey(materialLine: line)
                return
            }
            key.patience -= 1
            // Its own end, or another block: there is none.
            let isOver = ["-----end ", "-----begin "].contains { SecretValue(text[line]).contains(Array($0.utf8)) }
            position.privateKey = key.patience == 0 || isOver ? nil : key
            start = line.upperBound + 1
        }
    }

    /// Whether 40 bytes of base64 stand in a row that is no example.
    private func material(in range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        var start = range.lowerBound
        var current = start
        while current <= range.upperBound {
            if current < range.upperBound, SecretBytes.base64.contains(text[current]) {
                current += 1
                continue
            }
            if current - start >= 40, SecretValue(text[start..<current]).distinctBytes >= 12 { return true }
            current += 1
            start = current
        }
        return false
    }

    private mutating func reportPrivateKey(materialLine: Range<Int>) {
        guard let key = position.privateKey else { return }
        position.privateKey = nil
        guard !key.isAllowed, !isAllowed(materialLine) else { return }
        findings.append(
            SecretFinding(
                path: path,
                line: key.line,
                column: key.column,
                kind: .privateKey,
                excerpt: "-----BEGIN … PRIVATE KEY-----",
                lineDigest: Digest.of(Array(text[materialLine]))
            )
        )
    }

    // MARK: URLs and credential files

    /// The password of a URL whose scheme ends at `colon`.
    private func urlPassword(colon: Int) -> Range<Int>? {
        let slash = UInt8(ascii: "/")
        guard colon + 2 < text.count, text[colon + 1] == slash, text[colon + 2] == slash, colon > 1 else { return nil }
        guard SecretBytes.alphanumeric.contains(text[colon - 1]) else { return nil }
        let start = colon + 3
        let ends = SecretBytes(0...0x20, others: "/?#\"'`<>()[]{}|\\,;")
        var userEnd: Int?
        var at: Int?
        var current = start
        while current < text.count, current - start < 512, !ends.contains(text[current]) {
            if text[current] == UInt8(ascii: ":"), userEnd == nil { userEnd = current }
            if text[current] == UInt8(ascii: "@") { at = current }
            current += 1
        }
        guard let userEnd, let at, userEnd + 3 <= at else { return nil }
        let value = SecretValue(text[userEnd + 1..<at])
        let trivial = ["pass", "secret", "pwd", "postgres", "root", "admin", "user", "guest", "token", "key"]
        let lowercased = String(decoding: value.bytes.map(SecretValue.lowercased), as: UTF8.self)
        guard !value.isPlaceholder, !trivial.contains(lowercased) else { return nil }
        guard !text[start..<userEnd].elementsEqual(value.bytes), value.bytes.count >= 6 else { return nil }
        guard !SecretValue(text[at..<current]).contains(Array("example.".utf8)) else { return nil }
        return userEnd + 1..<at
    }

    private mutating func scanCredentials(_ line: Range<Int>) {
        guard let first = text[line].first, first != UInt8(ascii: "#") else { return }
        let value = form == .netrc ? netrcPassword(line) : pgpassPassword(line)
        if let value, !value.isEmpty, text[value.lowerBound] != UInt8(ascii: "$") { report(.credentialsFile, value) }
    }

    private func netrcPassword(_ line: Range<Int>) -> Range<Int>? {
        var isNext = false
        for word in text[line].split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            if isNext { return word.startIndex..<word.endIndex }
            isNext = word.elementsEqual("password".utf8)
        }
        return nil
    }

    private func pgpassPassword(_ line: Range<Int>) -> Range<Int>? {
        var colons = 0
        var current = line.lowerBound
        while current < line.upperBound {
            if text[current] == UInt8(ascii: "\\") {
                current += 1
            } else if text[current] == UInt8(ascii: ":") {
                colons += 1
                if colons == 4 { return current + 1..<line.upperBound }
            }
            current += 1
        }
        return nil
    }

    // MARK: Reporting

    /// The line around a position, without its line feed.
    private func lineRange(at position: Int) -> Range<Int> {
        let limit = 64 << 10
        var start = position
        while start > 0, text[start - 1] != 0x0A, position - start < limit { start -= 1 }
        var end = position
        while end < text.count, text[end] != 0x0A, end - position < limit { end += 1 }
        return start..<end
    }

    private func isAllowed(_ line: Range<Int>) -> Bool {
        SecretValue(text[line]).contains(Array(SecretScanner.allowComment.utf8))
    }

    private mutating func place(of start: Int) -> (line: Int, column: Int) {
        if start < countedTo { (countedLines, countedTo) = (0, 0) }
        if start > countedTo {
            countedLines += Self.lineFeeds(text[countedTo..<start])
            countedTo = start
        }
        var column = start
        while column > 0, text[column - 1] != 0x0A { column -= 1 }
        return (position.lines + countedLines + 1, start - column + 1 + (column == 0 ? position.column : 0))
    }

    private mutating func report(_ kind: SecretKind, _ secret: Range<Int>, prefix: Int = 0) {
        // What a part of a long line shares with the part before it has been reported.
        let offset = position.offset + secret.lowerBound
        guard offset >= position.reported else { return }
        position.reported = position.offset + secret.upperBound
        let line = lineRange(at: secret.lowerBound)
        guard !isAllowed(line) else { return }
        let (number, column) = place(of: secret.lowerBound)
        let start = secret.lowerBound
        let shown = String(decoding: text[start..<start + prefix], as: UTF8.self)
        let content = line.last.map { text[$0] == 0x0D } == true ? line.dropLast() : line
        findings.append(
            SecretFinding(
                path: path,
                line: number,
                column: column,
                kind: kind,
                excerpt: "\(shown)… (\(secret.count) bytes)",
                lineDigest: Digest.of(Array(text[content]))
            )
        )
    }
}
