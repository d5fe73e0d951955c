/// A setting of the S3 store that cannot be used.
public struct S3ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Where an S3 object store is, and how it is spoken to.
public struct S3Configuration: Sendable {
    /// How a request names the bucket.
    public enum Addressing: String, Sendable {
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`.
        case virtual
    }

    public let bucket: String
    /// In front of every key: empty, or ending in a slash.
    public let prefix: String
    public var region: String
    /// Scheme, host and port of another service than that of AWS; `nil` for AWS.
    public var endpoint: String?
    public var addressing: Addressing
    public var credentials: S3Credentials
    /// The directory that objects are fetched to for readers by path; `nil` for none.
    public var cache: String?
    public var retries = S3Retries()
    /// Bytes of a part of a large upload, at least 5 MiB; an object of at most this size is put in one request.
    ///
    /// An object too large for 10,000 parts has larger ones.
    public var partSize = 8 << 20
    /// How many parts of one upload are on their way at once.
    ///
    /// An upload takes `partSize * (partsAtOnce + 2)` of memory.
    public var partsAtOnce = 4
    // Addresses of hosts that no name server knows.
    package var addresses: [String: String] = [:]

    /// - Parameter location: `s3://bucket` or `s3://bucket/prefix`.
    /// - Throws: ``S3ConfigurationError`` if it is something else.
    public init(
        location: String,
        region: String = "us-east-1",
        endpoint: String? = nil,
        addressing: Addressing? = nil,
        credentials: S3Credentials
    ) throws {
        guard Self.isLocation(location) else {
            throw S3ConfigurationError("'\(location)' is not an S3 location; write s3://bucket/prefix")
        }
        let rest = location.dropFirst("s3://".count)
        let bucket = rest.prefix { $0 != "/" }
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isBucketCharacter) else {
            throw S3ConfigurationError(
                "'\(bucket)' in '\(location)' is not the name of a bucket: 3 to 63 of a–z, 0–9, '.', '-' and '_'"
            )
        }
        let segments = rest.dropFirst(bucket.count).split(separator: "/", omittingEmptySubsequences: true)
        guard !segments.contains("."), !segments.contains("..") else {
            throw S3ConfigurationError("'\(location)' has '.' or '..' in its prefix; name the prefix without them")
        }
        self.bucket = String(bucket)
        prefix = segments.map { $0 + "/" }.joined()
        self.region = region
        self.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        // A bucket with dots has no certificate as a host name, and few services but AWS have host names of buckets.
        self.addressing = addressing ?? (endpoint == nil && !bucket.contains(".") ? .virtual : .path)
        self.credentials = credentials
        if let endpoint = self.endpoint, Endpoint(endpoint) == nil {
            throw S3ConfigurationError("'\(endpoint)' is not an endpoint; write http://host:port or https://host")
        }
    }

    /// What the environment says about `location`.
    ///
    /// `S3_ENDPOINT`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`; `S3_ADDRESSING` (`path` or `virtual`); `AWS_REGION`,
    /// `AWS_DEFAULT_REGION` or the shared configuration file; the credentials of ``S3Credentials/find(in:)``.
    public init(location: String, environment: [String: String]) throws {
        let style = environment.nonEmpty("S3_ADDRESSING")
        let addressing = style.flatMap(Addressing.init(rawValue:))
        if let style, addressing == nil {
            throw S3ConfigurationError("S3_ADDRESSING is '\(style)', expected path or virtual")
        }
        try self.init(
            location: location,
            region: environment.nonEmpty("AWS_REGION") ?? environment.nonEmpty("AWS_DEFAULT_REGION")
                ?? SharedFiles(environment).configuration?.nonEmpty("region") ?? "us-east-1",
            endpoint: environment.nonEmpty("S3_ENDPOINT") ?? environment.nonEmpty("AWS_ENDPOINT_URL_S3")
                ?? environment.nonEmpty("AWS_ENDPOINT_URL"),
            addressing: addressing,
            credentials: S3Credentials.find(in: environment)
        )
    }

    /// Whether an object store's name is one of S3.
    public static func isLocation(_ text: String) -> Bool { text.hasPrefix("s3://") }

    private static func isBucketCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// The scheme and host of a service, and how a bucket is named there.
struct Endpoint: Sendable {
    let scheme: String
    /// With the port where it is not that of the scheme: the value of the `Host` header.
    let host: String

    init?(_ url: String) {
        guard let separator = url.firstRange(of: "://") else { return nil }
        scheme = url[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        var host = url[separator.upperBound...].lowercased()
        let standardPort = scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(standardPort) { host.removeLast(standardPort.count) }
        guard !host.isEmpty, !host.contains("/"), !host.contains("@") else { return nil }
        self.host = host
    }

    /// The service of AWS in a region.
    init(region: String) {
        scheme = "https"
        host = "s3.\(region).amazonaws.com"
    }

    /// The endpoint, and the path in front of keys, at which a bucket is found.
    func place(of configuration: S3Configuration) -> (host: String, path: String) {
        switch configuration.addressing {
        case .path: (host, "/\(configuration.bucket)/")
        case .virtual: ("\(configuration.bucket).\(host)", "/")
        }
    }
}
