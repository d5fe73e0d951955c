/// Why S3 did not do what it was asked.
public struct S3Error: Error, Hashable, Sendable, CustomStringConvertible {
    /// The HTTP status; 0 where no answer came.
    public let status: Int
    /// The service's code, such as `AccessDenied`; where it sent none, the status in words.
    public let code: String
    /// What the service, or the network, says in addition.
    public let message: String
    /// What was asked, in the words of S3: `GetObject`.
    public let operation: String
    /// The bucket and key, as `s3://bucket/key`.
    public let place: String
    /// What the service calls the request in its logs; empty where it sent none.
    public let request: String
    /// Another region that the service names.
    let region: String?

    init(
        status: Int,
        code: String,
        message: String,
        operation: String,
        place: String,
        request: String = "",
        region: String? = nil
    ) {
        (self.status, self.code, self.message) = (status, code, message)
        (self.operation, self.place, self.request, self.region) = (operation, place, request, region)
    }

    /// No answer came.
    static func unanswered(_ reason: String, operation: String, place: String) -> S3Error {
        S3Error(status: 0, code: "NoAnswer", message: reason, operation: operation, place: place)
    }

    public var description: String {
        let said = message.isEmpty ? "" : " (\(message))"
        let found = status == 0 ? "no answer came\(said)" : "the answer was \(status) \(code)\(said)"
        let name = request.isEmpty ? "" : "; the service's name of the request is \(request)"
        return "\(operation) of \(place) failed: \(found); \(advice)\(name)"
    }

    private var advice: String {
        if let region { return "the bucket is in the region '\(region)': set AWS_REGION=\(region)" }
        switch code {
        case "NoAnswer": return "check the network, and S3_ENDPOINT where it is set, then try again"
        case "NoSuchBucket": return "make the bucket, or name another in OBJECT_STORE"
        case "NoSuchKey", "NotFound": return "check the bucket and the prefix in OBJECT_STORE"
        case "AccessDenied", "Forbidden", "AllAccessDisabled":
            return "give these credentials the right s3:\(operation) to it"
        case "InvalidAccessKeyId": return "check AWS_ACCESS_KEY_ID, or the profile in the credentials file"
        case "SignatureDoesNotMatch": return "check AWS_SECRET_ACCESS_KEY, or the profile in the credentials file"
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
            return "get new temporary credentials, then try again"
        case "RequestTimeTooSkewed": return "set the clock of this machine"
        case "AuthorizationHeaderMalformed", "PermanentRedirect": return "set AWS_REGION to the region of the bucket"
        case "SlowDown", "TooManyRequests", "ServiceUnavailable", "InternalError":
            return "the service is overloaded or ill; try again later"
        default: return "look the code up in the documentation of the service"
        }
    }

    /// Whether the same request may well succeed a moment later.
    var isTransient: Bool {
        switch code {
        case "NoAnswer", "SlowDown", "InternalError", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable",
            "ThrottlingException", "Throttling", "TooManyRequests", "OperationAborted", "ConditionalRequestConflict",
            "BandwidthLimitExceeded", "RequestLimitExceeded", "PriorRequestNotComplete":
            true
        default: status == 429 || status == 500 || status == 502 || status == 503 || status == 504 || status == 408
        }
    }
}
