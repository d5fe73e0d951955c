import FoundationEssentials

/// The keys that requests are signed with; their text says nothing of them.
public struct S3Credentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let accessKey: String
    let secretKey: String
    let sessionToken: String?

    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    public var description: String { "S3Credentials(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The credentials of a process: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else those of
    /// the profile `AWS_PROFILE` in the shared credentials file.
    ///
    /// - Throws: ``S3ConfigurationError`` when there are none.
    public static func find(in environment: [String: String]) throws -> S3Credentials {
        if let accessKey = environment.nonEmpty("AWS_ACCESS_KEY_ID"),
            let secretKey = environment.nonEmpty("AWS_SECRET_ACCESS_KEY")
        {
            return S3Credentials(
                accessKey: accessKey,
                secretKey: secretKey,
                sessionToken: environment.nonEmpty("AWS_SESSION_TOKEN")
            )
        }
        let files = SharedFiles(environment)
        if let profile = files.credentials, let accessKey = profile.nonEmpty("aws_access_key_id"),
            let secretKey = profile.nonEmpty("aws_secret_access_key")
        {
            return S3Credentials(
                accessKey: accessKey,
                secretKey: secretKey,
                sessionToken: profile.nonEmpty("aws_session_token")
            )
        }
        throw S3ConfigurationError(
            "there are no S3 credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and "
                + "\(files.credentialsPath) has no keys of the profile '\(files.profile)'; set the variables, or write the file"
        )
    }
}

/// The files that AWS tools share, in `~/.aws`.
struct SharedFiles {
    let profile: String
    let credentialsPath: String
    private let configPath: String

    init(_ environment: [String: String]) {
        let home = environment.nonEmpty("HOME") ?? "."
        profile = environment.nonEmpty("AWS_PROFILE") ?? "default"
        credentialsPath = environment.nonEmpty("AWS_SHARED_CREDENTIALS_FILE") ?? home + "/.aws/credentials"
        configPath = environment.nonEmpty("AWS_CONFIG_FILE") ?? home + "/.aws/config"
    }

    /// The profile's section of the credentials file.
    var credentials: [String: String]? { Self.section(profile, of: credentialsPath) }

    /// The profile's section of the configuration file, where all but the default one are called `profile NAME`.
    var configuration: [String: String]? {
        Self.section(profile == "default" ? profile : "profile \(profile)", of: configPath)
    }

    private static func section(_ name: String, of path: String) -> [String: String]? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        var section: [String: String]?
        var isInside = false
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = line.trimmingWhitespace()
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                isInside = line.dropFirst().dropLast().trimmingWhitespace() == name
                if isInside, section == nil { section = [:] }
            } else if isInside, let sign = line.firstIndex(of: "=") {
                section?[line[..<sign].trimmingWhitespace().lowercased()] =
                    line[line.index(after: sign)...].trimmingWhitespace()
            }
        }
        return section
    }
}

extension [String: String] {
    func nonEmpty(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}

extension StringProtocol {
    func trimmingWhitespace() -> String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
