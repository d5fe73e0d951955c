import Foundation
import Objects
import Testing

@testable import Datasets

/// What the scanner finds, and what it lets pass.
///
/// Every secret here is made up as the test runs, so that none stands in this file.
@Suite struct SecretScannerTests {
    private var random = SeededGenerator(seed: 77)

    private mutating func text(_ count: Int, _ alphabet: String) -> String {
        let alphabet = Array(alphabet)
        return String((0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
    }

    private static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    private func findings(
        _ text: String,
        _ path: String = "a.py",
        allowed: SecretAllowList = SecretAllowList()
    ) -> [SecretFinding] {
        let content = Array(text.utf8)
        guard case .scanned(let findings) = SecretScanner(allowed: allowed).scan(content.span, path: path) else {
            return []
        }
        return findings
    }

    private func kinds(_ text: String, _ path: String = "a.py") -> [SecretKind] { findings(text, path).map(\.kind) }

    /// One of each kind that a prefix names.
    private mutating func tokens() -> [(kind: SecretKind, token: String)] {
        let letters = Self.alphanumeric
        return [
            (.awsAccessKey, "AKIA" + text(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
            (.gitHubToken, "ghp_" + text(36, letters)), (.gitHubToken, "gho_" + text(40, letters)),
            (.gitHubToken, "github_pat_" + text(22, letters) + "_" + text(59, letters)),
            (.gitLabToken, "glpat-" + text(20, letters)),
            (.slackToken, "xoxb-" + text(12, "0123456789") + "-" + text(24, letters)),
            (
                .slackWebhook,
                "hooks.slack.com/services/T" + text(8, letters) + "/B" + text(10, letters) + "/" + text(24, letters)
            ),
            (.googleKey, "AIza" + text(35, letters)), (.googleKey, "GOCSPX-" + text(28, letters)),
            (.stripeKey, "sk_live_" + text(24, letters)), (.stripeKey, "whsec_" + text(32, letters)),
            (.openAIKey, "sk-proj-" + text(64, letters)), (.openAIKey, "sk-" + text(48, letters)),
            (.anthropicKey, "sk-ant-api03-" + text(80, letters)), (.huggingFaceToken, "hf_" + text(34, letters)),
            (.npmToken, "npm_" + text(36, letters)), (.pyPIToken, "pypi-AgEIcHlwaS5vcmc" + text(70, letters)),
            (.sendGridKey, "SG." + text(22, letters) + "." + text(43, letters)),
            (.digitalOceanToken, "dop_v1_" + text(64, "0123456789abcdef")),
            (.databricksToken, "dapi" + text(32, "0123456789abcdef")),
            (.jsonWebToken, "eyJ" + text(30, letters) + ".eyJ" + text(60, letters) + "." + text(43, letters)),
        ]
    }

    @Test mutating func tokensAreFoundByTheirPrefixes() {
        for (kind, token) in tokens() {
            for line in [
                "\(token)", "x = \"\(token)\"", "curl -H 'X: \(token)'", "api_token: \(token)", "f(\(token), 1)",
            ] {
                let found = findings("first line\n\(line)\n")
                #expect(found.map(\.kind) == [kind], "\(kind) in a line of \(line.count) bytes")
                guard let finding = found.first else { continue }
                #expect(finding.line == 2)
                #expect(finding.column == (line.range(of: token).map { line[..<$0.lowerBound].utf8.count } ?? -1) + 1)
                #expect(finding.lineDigest == Digest.of(Array(line.utf8)))
                #expect(!finding.description.contains(token.suffix(12)))
                #expect(finding.excerpt.hasSuffix("… (\(token.utf8.count) bytes)"))
            }
            // Part of a longer word, too short, or an example.
            #expect(kinds("x = z\(token)").isEmpty || kind == .slackWebhook)
            let body = token.prefix(12)
            #expect(kinds("x = \(body)").isEmpty)
            #expect(kinds("x = \(token.prefix(8))EXAMPLE\(token.dropFirst(15))").isEmpty || kind == .jsonWebToken)
        }
    }

    @Test mutating func privateKeys() {
        for label in [
            "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK",
        ] {
            let begin = "-----BEGIN \(label)-----"
            let material = text(64, Self.alphanumeric + "+/")
            #expect(kinds("a\n\(begin)\n\(material)\n\(material)\n") == [.privateKey])
            #expect(kinds("a\n\(begin)\nVersion: 1\n\n  \(material)\n") == [.privateKey])
            #expect(kinds("\"key\": \"\(begin)\\n\(material)\\n\"") == [.privateKey])
            #expect(findings("a\n\(begin)\n\(material)\n").first?.line == 2)
            // What documentation and code say of keys.
            #expect(kinds("\(begin)\n").isEmpty)
            #expect(kinds("\(begin)\n...\n-----END \(label)-----\n\(material)").isEmpty)
            #expect(kinds("if text.contains(\"\(begin)\") {\n").isEmpty)
            #expect(kinds("# \(SecretScanner.allowComment)\n\(begin)\n\(material)\n").isEmpty)
        }
        #expect(kinds("-----BEGIN CERTIFICATE-----\n\(text(64, Self.alphanumeric))\n").isEmpty)
        #expect(kinds("-----BEGIN PUBLIC KEY-----\n\(text(64, Self.alphanumeric))\n").isEmpty)
    }

    @Test mutating func assignmentsOfLiterals() {
        let password = "tr0ub" + text(6, "bcdfghjk2345")
        let secret = text(32, "0123456789abcdef")
        for line in [
            "password = \"\(password)\"", "DB_PASSWORD='\(password)'", "let dbPassword: String = \"\(password)\"",
            "\"passwd\": \"\(password)\"", "config[\"password\"] = \"\(password)\"", "pwd := `\(password)`",
            "passphrase => '\(password)'", "user.pass = b'\(password)'", "dbPass = \"\(password)\"",
        ] {
            #expect(kinds(line) == [.password], "\(line)")
        }
        for line in [
            "client_secret = \"\(secret)\"", "apiKey: '\(secret)'", "\"access-token\": \"\(secret)\"",
            "SECRET_KEY = '\(secret)'", "private static final String API_KEY = \"\(secret)\";",
        ] {
            #expect(kinds(line) == [.secret], "\(line)")
        }
        #expect(kinds("aws_secret_access_key = \"\(text(40, Self.alphanumeric + "+/"))\"") == [.awsSecretKey])
        #expect(kinds("-H \"Authorization: Bearer \(secret)\"") == [.authorization])
        // Without quotes only in configuration.
        for path in [".env", "a/.env.local", "x.yaml", "x.toml", "settings.ini", "Dockerfile"] {
            #expect(kinds("PASSWORD=\(password)\nOTHER=1", path) == [.password])
            #expect(kinds("token: \(secret)  # comment", path) == [.secret])
        }
        #expect(kinds("PASSWORD=\(password)", "a.py").isEmpty)
    }

    @Test(arguments: [
        "password = \"password\"", "password = \"changeme\"", "password: \"your-password-here\"",
        "password = \"${DB_PASSWORD}\"",
        "password = \"$PASSWORD1\"", "password = \"<password>\"", "password = os.environ[\"DB_PASSWORD\"]",
        "password = \"********\"",
        "password = \"xxxxxxxx1\"", "password = getpass(\"Password: \")", "password = \"\"", "password = \"hunter2\"",
        "password = \"{{ vault_password_1 }}\"", "token = \"access_token\"",
        "token = \"5b8e1c0a-93d7-4f26-8a11-c2d90e7b6f34\"",
        "token = \"StreamDescription.Shards[-1].Id22\"",
        "secret_name = \"projects/1/secrets/db-2\"",
        "let token = try parser.next(\"identifier1234567\")", "token: \"0123456789abcdef0123456789abcdef\"",
        "tokens = [\"a1b2c3d4e5f6a7b8c9d0\"]", "api_key = \"YOUR_API_KEY_1234567890\"", "password == \"Abcd3f9h1\"",
        "bypass = \"z9y8x7w6v5\"", "password_hash = \"5f4dcc3b5aa765d6\"",
        "digest = \"9f86d081884c7d659a2feaa0c55ad015\"",
        "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"",
        "postgres://postgres:postgres@localhost:5432/db", "https://user:password@example.com/",
        "https://user:pass@host/",
        "postgres://lockstep:lockstep@db/lockstep", "redis://:${REDIS_PASSWORD}@redis:6379",
        "https://example.com:8080/@scope/x",
        "http://user:<password>@host/", "git+ssh://git@github.com/a/b", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "sk_live_", "hf_", "eyJ", "-----BEGIN", "=", ":", "://",
        "password=",
        "a:b:c=d==e", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token = \"/var/run/secrets/token1\"",
        "password = \"s3cr3t-pass\" # lockstep: allow-secret",
    ]) func placeholdersPass(_ line: String) {
        #expect(findings(line, "a.py").isEmpty)
        #expect(findings(line, "a.yaml").isEmpty)
    }

    @Test mutating func passwordsInURLs() {
        let password = text(12, Self.alphanumeric) + "9"
        #expect(kinds("url = \"postgres://app:\(password)@db.internal:5432/x\"") == [.urlPassword])
        #expect(kinds("https://oauth2:\(password)@git.internal/a.git", ".git-credentials") == [.urlPassword])
        let finding = findings("redis://:\(password)@cache").first
        #expect(finding?.kind == .urlPassword)
        #expect(finding?.column == 10)
        #expect(finding?.excerpt == "… (13 bytes)")
    }

    @Test mutating func credentialFiles() {
        let password = text(9, Self.alphanumeric)
        #expect(kinds("machine a login b password \(password)\n", "home/.netrc") == [.credentialsFile])
        #expect(kinds("machine a\n  login b\n  password \(password)\n", ".netrc") == [.credentialsFile])
        #expect(kinds("# a:1:b:c:d\nhost:5432:*:me:\(password)\n", ".pgpass") == [.credentialsFile])
        #expect(
            kinds("ho\\:st:5432:*:me:\(password)\nb:1:c:d:\(password)", ".pgpass") == [
                .credentialsFile, .credentialsFile,
            ]
        )
        #expect(kinds("machine a login b\n", ".netrc").isEmpty)
        #expect(kinds("host:5432:*:me:\n", ".pgpass").isEmpty)
        #expect(kinds("host:5432:*:me:\(password)\n", "x.txt").isEmpty)
    }

    @Test mutating func allowing() throws {
        let token = "ghp_" + text(36, Self.alphanumeric)
        let line = "x = '\(token)'"
        #expect(kinds("\(line)  # \(SecretScanner.allowComment)").isEmpty)
        #expect(kinds("\(line)\n# \(SecretScanner.allowComment)\n") == [.gitHubToken])
        let finding = try #require(findings(line + "\r\n", "dir/a file.py").first)
        let list = try SecretAllowList("# seen\n\n" + SecretAllowList.line(for: finding) + "\n")
        #expect(findings(line, "dir/a file.py", allowed: list).isEmpty)
        #expect(findings(line, "dir/other.py", allowed: list).count == 1)
        #expect(findings(line + " ", "dir/a file.py", allowed: list).count == 1)
        for text in ["x", "sha256:00 a", "\(finding.lineDigest)", "\(finding.lineDigest) "] {
            #expect(throws: SecretAllowListError(line: 2)) { try SecretAllowList("# one\n" + text) }
        }
    }

    @Test mutating func whatIsNotScanned() throws {
        let token = Array("\nghp_\(text(36, Self.alphanumeric))\n".utf8)
        let scanner = SecretScanner(sizeLimit: 10_000)
        let binary = [1, 2, 0] + token
        #expect(scanner.scan(binary.span, path: "a") == .skippedBinary)
        let large = [UInt8](repeating: 0x20, count: 10_001) + token
        #expect(scanner.scan(large.span, path: "a") == .skippedTooLarge)
        // A NUL behind the sample leaves it text.
        let late = [UInt8](repeating: 0x20, count: 8_192) + [0] + token
        guard case .scanned(let findings) = scanner.scan(late.span, path: "a") else {
            Issue.record("not scanned")
            return
        }
        #expect(findings.map(\.line) == [2])
    }

    /// However content comes in pieces, and from a file, the findings are the same.
    @Test mutating func piecesMakeNoDifference() throws {
        var lines: [String] = []
        for (_, token) in tokens() {
            for _ in 0..<20 {
                lines.append("value_\(random.next() % 100) = call(\(random.next()), 'x: y') # https://a.b/c")
            }
            lines.append("x = '\(token)'")
        }
        let material = text(64, Self.alphanumeric)
        lines += [
            "-----BEGIN PRIVATE KEY-----", material, "-----END PRIVATE KEY-----",
            "password = \"q\(text(9, "xyz789"))\"",
        ]
        let content = Array(lines.joined(separator: "\n").utf8)
        let whole = SecretScanner().scan(content.span, path: "a.py")
        guard case .scanned(let findings) = whole else { return }
        #expect(findings.count >= 22)
        for size in [1, 7, 100, 4_096] {
            var scan = SecretScan(path: "a.py", scanner: SecretScanner())
            for start in stride(from: 0, to: content.count, by: size) {
                let piece = Array(content[start..<min(start + size, content.count)])
                scan.take(piece.span)
            }
            #expect(scan.finish() == whole)
        }
        let workspace = try Workspace()
        try workspace.write(lines.joined(separator: "\n"), to: "a.py")
        #expect(try SecretScanner().scan(file: workspace("a.py"), path: "a.py") == whole)
        #expect(throws: SnapshotError.self) { try SecretScanner().scan(file: workspace("none"), path: "a") }
    }

    /// Text of nothing but beginnings: it never traps, and says the same in pieces.
    @Test mutating func fragments() {
        let fragments = [
            "-----BEGIN ", "PRIVATE KEY", "-----", "-----END ", "\n", "\n", "\r\n", "password", "token", "=", ":",
            "://", "@", "\"",
            "'", "eyJ", ".", text(44, Self.alphanumeric), text(11, Self.alphanumeric), "ghp_", "AKIA", " ",
            "Authorization: Bearer ",
            "\\", SecretScanner.allowComment, "#", "machine", "_", "]", "é", "\u{0}",
        ]
        for number in 0..<1_200 {
            let count = 1 + Int(random.next() % 30)
            let content = Array(
                (0..<count).map { _ in fragments[Int(random.next() % UInt64(fragments.count))] }.joined().utf8
            )
            let path = ["a.py", "x.env", ".netrc", ".pgpass"][number % 4]
            let whole = SecretScanner().scan(content.span, path: path)
            var scan = SecretScan(path: path, scanner: SecretScanner())
            let size = 1 + Int(random.next() % 50)
            for start in stride(from: 0, to: content.count, by: size) {
                scan.take(Array(content[start..<min(start + size, content.count)]).span)
            }
            #expect(scan.finish() == whole, "\(String(decoding: content, as: UTF8.self).debugDescription)")
        }
    }

    /// A line too long to be kept whole: each secret is found once, where it is.
    @Test mutating func veryLongLines() {
        let tokens = (0..<30).map { _ in "ghp_" + text(36, Self.alphanumeric) }
        let filler = String(repeating: "lorem ipsum, ", count: 700)
        let line = tokens.map { "\(filler)'\($0)'" }.joined()
        let content = "first\n\(line)\nx = '\(tokens[0])'\n"
        let found = findings(content)
        #expect(found.count == 31)
        #expect(found.dropLast().allSatisfy { $0.line == 2 })
        #expect(found.last?.line == 3)
        let columns = tokens.indices.map { $0 * (filler.utf8.count + 42) + filler.utf8.count + 2 }
        #expect(found.dropLast().map(\.column) == columns)
    }

    /// The scanner has nothing to say of the project's own files.
    @Test func theProjectItselfIsClean() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let files = FileManager.default
        var scanned = 0
        for part in ["Sources", "Tests", "docs", "schemas", "migrations", "scripts"] {
            var pending = ["\(root)/\(part)"]
            while let directory = pending.popLast() {
                for name in (try? files.contentsOfDirectory(atPath: directory)) ?? [] where !name.hasPrefix(".") {
                    let path = "\(directory)/\(name)"
                    var isDirectory: ObjCBool = false
                    guard files.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
                    if isDirectory.boolValue {
                        pending.append(path)
                    } else if path.hasSuffix(".swift") || path.hasSuffix(".md") || path.hasSuffix(".json")
                        || path.hasSuffix(".sql") || path.hasSuffix(".py") || path.hasSuffix(".sh")
                    {
                        let outcome = try SecretScanner().scan(file: path, path: path)
                        #expect(outcome == .scanned([]))
                        scanned += 1
                    }
                }
            }
        }
        #expect(scanned > 50)
    }
}
