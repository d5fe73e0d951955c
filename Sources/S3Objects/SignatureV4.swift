import Crypto
import Objects

/// AWS Signature Version 4: what proves a request to be from the holder of a secret key.
///
/// Source: the AWS General Reference, "Signature Version 4 signing process", and for S3 the S3 API Reference,
/// "Authenticating Requests".
struct SignatureV4: Sendable {
    /// How a path becomes canonical.
    enum PathRule: Sendable {
        /// S3: a key is what it is; nothing is taken out of it.
        case verbatim
        /// Other services: empty segments, `.` and `..` are resolved (RFC 3986, section 5.2.4).
        case normalized
    }

    struct Request: Sendable {
        var method: String
        /// Not percent-encoded; begins with a slash.
        var path: String
        /// Not percent-encoded; a parameter without a value has an empty one.
        var query: [(name: String, value: String)] = []
        /// Those that are signed; a value that was folded contains its line feeds.
        var headers: [(name: String, value: String)] = []
        /// The SHA-256 of the body in hexadecimal digits, or `UNSIGNED-PAYLOAD`.
        var payload: String
    }

    static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: S3Credentials
    let region: String
    var service = "s3"
    var pathRule = PathRule.verbatim

    /// The value of the `Authorization` header.
    func authorization(_ request: Request, at time: SigningTime) -> String {
        "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope(time)), "
            + "SignedHeaders=\(Self.signedHeaders(request)), Signature=\(signature(request, at: time))"
    }

    /// The query of a URL that does what `request` does, without a header, until `seconds` after `time`.
    ///
    /// - Parameter request: its payload is not looked at: whoever has the URL decides on it.
    func presignedQuery(_ request: Request, at time: SigningTime, seconds: Int) -> String {
        var request = request
        request.payload = "UNSIGNED-PAYLOAD"
        request.query += [
            ("X-Amz-Algorithm", Self.algorithm),
            ("X-Amz-Credential", "\(credentials.accessKey)/\(scope(time))"),
            ("X-Amz-Date", time.stamp),
            ("X-Amz-Expires", String(seconds)),
            ("X-Amz-SignedHeaders", Self.signedHeaders(request)),
        ]
        if let token = credentials.sessionToken { request.query.append(("X-Amz-Security-Token", token)) }
        return Self.canonicalQuery(request.query) + "&X-Amz-Signature=" + signature(request, at: time)
    }

    // MARK: The steps

    func canonicalRequest(_ request: Request) -> String {
        var text = "\(request.method)\n"
        text += PercentEncoding.encode(pathRule == .verbatim ? request.path : Self.normalized(request.path), keep: "/")
        text += "\n\(Self.canonicalQuery(request.query))\n"
        for (name, value) in Self.canonicalHeaders(request.headers) { text += "\(name):\(value)\n" }
        return text + "\n\(Self.signedHeaders(request))\n\(request.payload)"
    }

    func stringToSign(_ request: Request, at time: SigningTime) -> String {
        let hash = Objects.Digest.of(Array(canonicalRequest(request).utf8)).hex
        return "\(Self.algorithm)\n\(time.stamp)\n\(scope(time))\n\(hash)"
    }

    func signature(_ request: Request, at time: SigningTime) -> String {
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [time.day, region, service, "aws4_request"] { key = Self.hmac(part, key: key) }
        return Objects.Digest(bytes: Self.hmac(stringToSign(request, at: time), key: key))?.hex ?? ""
    }

    private func scope(_ time: SigningTime) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

    private static func hmac(_ text: String, key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// Parameters in the order of their encoded names, then values.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }

    private static func signedHeaders(_ request: Request) -> String {
        canonicalHeaders(request.headers).map(\.name).joined(separator: ";")
    }

    /// Names in lower case and in order, the values of equal names joined by commas in the order in which they stand.
    private static func canonicalHeaders(
        _ headers: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in headers {
            let lines = header.value.split(separator: "\n").map(collapsed)
            values[header.name.lowercased(), default: []] += lines.isEmpty ? [""] : lines
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    /// Without spaces at the ends, and with one where several stood.
    private static func collapsed(_ value: Substring) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).joined(separator: " ")
    }

    private static func normalized(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": break
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        let isDirectory = path.hasSuffix("/") || path.hasSuffix("/.") || path.hasSuffix("/..")
        return "/" + segments.joined(separator: "/") + (isDirectory && !segments.isEmpty ? "/" : "")
    }
}

/// Percent-encoding as signatures need it: every byte but the unreserved ones of RFC 3986, in upper case.
enum PercentEncoding {
    static func encode(_ text: String, keep: String = "") -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            case _ where keep.utf8.contains(byte): output.append(byte)
            default: output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Undoes ``encode(_:keep:)``, and `+` for a space as forms have it; what cannot be decoded is left as it is.
    static func decode(_ text: String) -> String {
        var output: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "%"), bytes.count >= 2,
                let value = UInt8(String(decoding: bytes.prefix(2), as: UTF8.self), radix: 16)
            {
                output.append(value)
                bytes.removeFirst(2)
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
