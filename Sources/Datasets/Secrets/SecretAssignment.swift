/// A literal given to something whose name says that it is secret.
struct SecretAssignment {
    let kind: SecretKind
    /// Where the literal stands, without its quotes.
    let value: Range<Int>

    /// What a file's form says about literals.
    enum Form {
        /// Only quoted text is a literal.
        case code
        /// So is text without quotes.
        case configuration
    }

    private struct Name {
        let letters: [UInt8]
        let kind: SecretKind
        /// Whether it must be a word by itself: `pass`, not `bypass`.
        let isWholeWord: Bool
    }

    private static let names: [Name] = {
        func names(_ kind: SecretKind, _ words: [String], isWholeWord: Bool = false) -> [Name] {
            words.map { Name(letters: Array($0.utf8), kind: kind, isWholeWord: isWholeWord) }
        }
        return names(.awsSecretKey, ["secretaccesskey", "awssecretkey"])
            + names(.password, ["password", "passwd", "passphrase", "pwd"])
            + names(.password, ["pass"], isWholeWord: true)
            + names(
                .secret,
                [
                    "secret", "secretkey", "token", "apikey", "accesskey", "privatekey", "authkey", "signingkey",
                    "encryptionkey", "accountkey", "credential", "credentials",
                ]
            )
            + names(.authorization, ["authorization"])
    }()

    /// The last two letters of the names, in lower case: what almost all text before a colon does not end in.
    private static let endings: [Bool] = {
        var endings = [Bool](repeating: false, count: 1 << 16)
        for name in names {
            endings[name.letters.suffix(2).reduce(0) { $0 << 8 | Int($1) }] = true
        }
        return endings
    }()

    private static let keyBytes = SecretBytes(
        SecretBytes.digits,
        SecretBytes.upper,
        SecretBytes.lower,
        others: "+/=_-.~"
    )

    /// The assignment whose `=` or `:` stands at `separator`; `nil` if there is none, or nothing secret in it.
    init?(in text: UnsafeBufferPointer<UInt8>, separator: Int, form: Form) {
        guard let name = Self.name(before: separator, in: text) else { return nil }
        var position = separator + 1
        func byte(_ position: Int) -> UInt8? { position < text.count ? text[position] : nil }
        // `:=` and `=>` assign, `==` compares, `::` joins names.
        if text[separator] == UInt8(ascii: ":"), byte(position) == UInt8(ascii: "=") { position += 1 }
        if text[separator] == UInt8(ascii: "="), byte(position) == UInt8(ascii: ">") { position += 1 }
        if byte(position) == UInt8(ascii: "=") || byte(position) == UInt8(ascii: ":") { return nil }
        while byte(position) == UInt8(ascii: " ") || byte(position) == UInt8(ascii: "\t") { position += 1 }
        if name == .authorization {
            guard let value = Self.headerValue(in: text, at: position) else { return nil }
            (kind, self.value) = (name, value)
            return
        }
        // The letter or sign of a raw, byte or format string.
        if let mark = byte(position), SecretBytes.alphanumeric.contains(mark) || mark == 0x23 || mark == 0x40,
            let quote = byte(position + 1), Self.isQuote(quote)
        {
            position += 1
        }
        guard let value = Self.literal(in: text, at: position, form: form) else { return nil }
        guard Self.isSecret(SecretValue(text[value]), name) else { return nil }
        (kind, self.value) = (name, value)
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 || byte == 0x60 }

    /// What the identifier before `separator` says its value is, a type between them passed over.
    private static func name(before separator: Int, in text: UnsafeBufferPointer<UInt8>) -> SecretKind? {
        var end = separator
        for _ in 0..<2 {
            while end > 0, text[end - 1] == UInt8(ascii: " ") || text[end - 1] == UInt8(ascii: "\t") { end -= 1 }
            while end > 0, isQuote(text[end - 1]) || text[end - 1] == UInt8(ascii: "]") || text[end - 1] == 0x3F {
                end -= 1
            }
            guard end > 0, SecretBytes.word.contains(text[end - 1]) else { return nil }
            let pair = end < 2 ? 0 : Int(text[end - 2] | 0x20) << 8 | Int(text[end - 1] | 0x20)
            if endings[pair] {
                for name in names where isNamed(name, before: end, in: text) { return name.kind }
            }
            guard text[separator] == UInt8(ascii: "=") else { return nil }
            // `name: Type =`
            while end > 0, SecretBytes.word.contains(text[end - 1]) { end -= 1 }
            while end > 0, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
            guard end > 0, text[end - 1] == UInt8(ascii: ":") else { return nil }
            end -= 1
        }
        return nil
    }

    /// Whether the identifier before `end` ends in a name, whatever its case and the marks between its words.
    private static func isNamed(_ name: Name, before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = end
        for letter in name.letters.reversed() {
            while position > 0, position < end, isMark(text[position - 1]) { position -= 1 }
            guard position > 0, SecretValue.lowercased(text[position - 1]) == letter else { return false }
            position -= 1
        }
        guard name.isWholeWord, position > 0, SecretBytes.alphanumeric.contains(text[position - 1]) else { return true }
        return SecretBytes.upper.contains(text[position]) && SecretBytes.lower.contains(text[position - 1])
    }

    private static func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") }

    private static func literal(in text: UnsafeBufferPointer<UInt8>, at start: Int, form: Form) -> Range<Int>? {
        guard start < text.count else { return nil }
        let limit = min(text.count, start + 1_024)
        var position = start
        if isQuote(text[start]) {
            position += 1
            while position < limit, text[position] != text[start], text[position] != 0x0A {
                position += text[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard position < limit, text[position] == text[start] else { return nil }
            return start + 1..<position
        }
        guard form == .configuration else { return nil }
        let ends = Array(" \t\r\n,;#\"'`".utf8)
        while position < limit, !ends.contains(text[position]) { position += 1 }
        // A quote that follows shows a call or a subscript.
        if position < text.count, position == limit || isQuote(text[position]) { return nil }
        return start..<position
    }

    private static func headerValue(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Range<Int>? {
        var start = start
        if start < text.count, isQuote(text[start]) { start += 1 }
        for scheme in ["bearer ", "basic ", "token "] where start + scheme.utf8.count < text.count {
            let found = text[start..<start + scheme.utf8.count].lazy.map(SecretValue.lowercased)
            guard found.elementsEqual(scheme.utf8) else { continue }
            let begin = start + scheme.utf8.count
            var end = begin
            while end < text.count,
                SecretBytes.base64URL.contains(text[end]) || SecretBytes.base64.contains(text[end])
                    || text[end] == UInt8(ascii: ".")
            {
                end += 1
            }
            return isSecret(SecretValue(text[begin..<end]), .authorization) ? begin..<end : nil
        }
        return nil
    }

    /// Whether a literal is what its name says, rather than a word that stands for it.
    ///
    /// A password has 8 bytes or more, letters and something else. A secret has 16 or more, those that keys are
    /// written in, with letters, two digits and 3 bits of entropy a byte, and is no UUID, which most often only names
    /// something. Neither has spaces, or is a path, a URL, a call or a placeholder.
    private static func isSecret(_ value: SecretValue, _ kind: SecretKind) -> Bool {
        guard value.bytes.count <= 512, value.isPrintable, !value.isPlaceholder, value.hasLetter else { return false }
        if value.contains(Array("://".utf8)) || value.contains(Array("sha256:".utf8)) { return false }
        if let first = value.bytes.first, "/.~@([".utf8.contains(first) { return false }
        switch kind {
        case .awsSecretKey:
            return value.bytes.count == 40 && value.bytes.allSatisfy(SecretBytes.base64.contains)
                && value.entropy >= 3.5
        case .password:
            guard value.bytes.count >= 8, value.distinctBytes >= 5 else { return false }
            let isIdentifier = value.bytes.allSatisfy { SecretBytes.base64URL.contains($0) || $0 == UInt8(ascii: ".") }
            let isCall = value.bytes.last == UInt8(ascii: ")")
            return (value.hasDigit || !isIdentifier) && !isCall
        default:
            guard value.bytes.count >= 16, value.bytes.allSatisfy(keyBytes.contains), !value.isUUID else {
                return false
            }
            let digits = value.bytes.count(where: SecretBytes.digits.contains)
            return digits >= 2 && value.entropy >= 3 && value.distinctBytes >= 8
        }
    }
}
