/// Tokens that say what they are by a published prefix.
struct SecretToken: Sendable {
    let kind: SecretKind
    let prefix: [UInt8]
    /// How many bytes follow the prefix.
    let lengths: ClosedRange<Int>
    let bytes: SecretBytes

    private init(_ kind: SecretKind, _ prefix: String, _ lengths: ClosedRange<Int>, _ bytes: SecretBytes) {
        self.kind = kind
        self.prefix = Array(prefix.utf8)
        self.lengths = lengths
        self.bytes = bytes
    }

    /// Where the token at `start` ends, `nil` if there is none, or only an example.
    func end(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        guard text.count - start >= prefix.count + lengths.lowerBound else { return nil }
        for (offset, byte) in prefix.enumerated() where text[start + offset] != byte { return nil }
        let body = start + prefix.count
        var end = body
        while end < text.count, bytes.contains(text[end]), end - body <= lengths.upperBound { end += 1 }
        guard lengths.contains(end - body) else { return nil }
        // Part of a longer word: something else.
        if end < text.count, SecretBytes.word.contains(text[end]) { return nil }
        let value = SecretValue(text[body..<end])
        guard value.hasLetter || value.hasDigit, !value.isExample, value.distinctBytes >= 8 else { return nil }
        return end
    }

    /// Those that can begin with two bytes.
    static let all: [SecretToken] = {
        var tokens: [SecretToken] = []
        for prefix in ["AKIA", "ASIA"] { tokens.append(SecretToken(.awsAccessKey, prefix, 16...16, .base32)) }
        for letter in "pousr" { tokens.append(SecretToken(.gitHubToken, "gh\(letter)_", 36...251, .alphanumeric)) }
        tokens.append(SecretToken(.gitHubToken, "github_pat_", 40...244, .word))
        for name in ["pat", "dt", "rt", "ptt", "cbt", "ft", "oas", "soat", "agent", "imt"] {
            tokens.append(SecretToken(.gitLabToken, "gl\(name)-", 20...255, .base64URL))
        }
        for letter in "abeoprs" { tokens.append(SecretToken(.slackToken, "xox\(letter)-", 20...255, .base64URL)) }
        tokens.append(SecretToken(.slackToken, "xapp-", 30...255, .base64URL))
        tokens.append(SecretToken(.slackWebhook, "hooks.slack.com/services/", 40...80, .base64))
        tokens.append(SecretToken(.googleKey, "AIza", 35...35, .base64URL))
        tokens.append(SecretToken(.googleKey, "GOCSPX-", 28...28, .base64URL))
        tokens.append(SecretToken(.googleKey, "ya29.", 40...2_048, .base64URL))
        for prefix in ["sk_live_", "rk_live_"] {
            tokens.append(SecretToken(.stripeKey, prefix, 16...255, .alphanumeric))
        }
        tokens.append(SecretToken(.stripeKey, "whsec_", 32...64, .base64))
        for name in ["proj", "svcacct", "admin"] {
            tokens.append(SecretToken(.openAIKey, "sk-\(name)-", 40...255, .base64URL))
        }
        tokens.append(SecretToken(.openAIKey, "sk-", 48...48, .alphanumeric))
        tokens.append(SecretToken(.anthropicKey, "sk-ant-", 40...255, .base64URL))
        tokens.append(SecretToken(.huggingFaceToken, "hf_", 34...64, .alphanumeric))
        tokens.append(SecretToken(.huggingFaceToken, "api_org_", 34...64, .alphanumeric))
        tokens.append(SecretToken(.npmToken, "npm_", 36...36, .alphanumeric))
        tokens.append(SecretToken(.pyPIToken, "pypi-AgE", 50...255, .base64URL))
        tokens.append(
            SecretToken(
                .sendGridKey,
                "SG.",
                66...66,
                SecretBytes(
                    SecretBytes.digits,
                    SecretBytes.upper,
                    SecretBytes.lower,
                    others: "-_."
                )
            )
        )
        tokens.append(SecretToken(.digitalOceanToken, "dop_v1_", 64...64, .hex))
        tokens.append(SecretToken(.databricksToken, "dapi", 32...32, .hex))
        return tokens
    }()

    /// The token that starts at `start`, which no word byte precedes.
    static func match(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (token: SecretToken, end: Int)? {
        guard start == 0 || !SecretBytes.word.contains(text[start - 1]) else { return nil }
        for token in all where token.prefix[0] == text[start] {
            if let end = token.end(in: text, at: start) { return (token, end) }
        }
        return nil
    }

    /// Where the JSON Web Token at `start` ends, `nil` if there is none.
    static func webTokenEnd(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        guard start == 0 || !SecretBytes.word.contains(text[start - 1]) else { return nil }
        // `{"` in base64 is `eyJ`.
        let brace = Array("eyJ".utf8)
        // The subject 1234567890 of the example that everyone copies.
        let example = Array("eyjzdwiioiixmjm0nty3odkwi".utf8)
        var position = start
        for part in 0..<3 {
            let begin = position
            while position < text.count, SecretBytes.base64URL.contains(text[position]) { position += 1 }
            guard position - begin >= 10, part == 2 || text[begin...].starts(with: brace) else { return nil }
            if part == 1, SecretValue(text[begin..<position]).contains(example) { return nil }
            if part < 2 {
                guard position < text.count, text[position] == UInt8(ascii: ".") else { return nil }
                position += 1
            }
        }
        return SecretValue(text[start..<position]).isExample ? nil : position
    }
}
