import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Objects
import Synchronization

/// Sends signed requests about one bucket, and again those that failed for a passing reason.
final class S3Client: Sendable {
    struct Call: Sendable {
        /// In the words of S3.
        var operation: String
        var method: HTTPMethod
        /// Empty for the bucket itself.
        var key: String
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        /// The SHA-256 of the body where it is known.
        var digest: Digest?
        /// From when on it is not sent any more, nor waited for.
        var deadline: ContinuousClock.Instant?
    }

    struct Answer: Sendable {
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    /// Past any answer that is not an object's content.
    private static let answerLimit = 16 << 20

    let configuration: S3Configuration
    private let endpoint: Endpoint
    private let signer: SignatureV4
    private let http: HTTPClient
    /// Seconds that the service's clock is ahead of this machine's.
    private let clockOffset = Mutex(0)

    /// Connections are shared by the stores of the process.
    private static let shared = client(HTTPClient.Configuration())

    private static func client(_ configuration: HTTPClient.Configuration) -> HTTPClient {
        var configuration = configuration
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(60)
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    init(_ configuration: S3Configuration) {
        self.configuration = configuration
        endpoint = configuration.endpoint.flatMap(Endpoint.init) ?? Endpoint(region: configuration.region)
        signer = SignatureV4(credentials: configuration.credentials, region: configuration.region)
        if configuration.addresses.isEmpty {
            http = Self.shared
        } else {
            var own = HTTPClient.Configuration()
            own.dnsOverride = configuration.addresses
            http = Self.client(own)
        }
    }

    deinit {
        if http !== Self.shared { http.shutdown { _ in } }
    }

    func place(_ key: String) -> String { "s3://\(configuration.bucket)/\(key)" }

    /// Sends a request and returns the answer whose status is 2xx.
    ///
    /// - Throws: ``S3Error`` for every other, when it is not passing or did not pass.
    func send(_ call: Call) async throws -> Answer {
        try await retrying(call) { limit in
            let response = try await self.execute(call, limit: limit)
            let body = try await self.collected(response, call)
            // S3 may find out that it failed after it has sent the status.
            if let error = self.lateError(body, call) { throw error }
            return Answer(headers: response.headers, body: body)
        }
    }

    /// Sends a request and returns its answer as soon as it begins.
    ///
    /// The body is read without limit but that on silence.
    func open(_ call: Call) async throws -> HTTPClientResponse {
        try await retrying(call) { _ in try await self.execute(call, limit: .seconds(86_400)) }
    }

    private func retrying<Result>(
        _ call: Call,
        _ attempt: (Duration) async throws -> Result
    ) async throws -> Result {
        var attempts = S3Attempts(configuration.retries, until: call.deadline)
        var hasSetClock = false
        while true {
            do {
                return try await attempt(attempts.limit)
            } catch let error as SkewedClock where !hasSetClock {
                hasSetClock = true
                clockOffset.withLock { $0 = error.offset }
            } catch let error as SkewedClock {
                throw error.error
            } catch let error as S3Error where error.isTransient {
                guard try await attempts.again() else { throw error }
            }
        }
    }

    /// The service refused a request for its time, and said its own.
    private struct SkewedClock: Error {
        let offset: Int
        let error: S3Error
    }

    private func execute(_ call: Call, limit: Duration) async throws -> HTTPClientResponse {
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request(call), timeout: .nanoseconds(limit.nanoseconds))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            throw S3Error.unanswered(Self.reason(error), operation: call.operation, place: place(call.key))
        }
        guard (200..<300).contains(response.status.code) else {
            throw failure(response, body: try await collected(response, call), call)
        }
        return response
    }

    private func collected(_ response: HTTPClientResponse, _ call: Call) async throws -> [UInt8] {
        do {
            return Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw S3Error.unanswered(Self.reason(error), operation: call.operation, place: place(call.key))
        }
    }

    private func request(_ call: Call) -> HTTPClientRequest {
        let (host, path) = endpoint.place(of: configuration)
        let time = SigningTime.now(offset: clockOffset.withLock { $0 })
        let payload = (call.digest ?? Digest.of(call.body)).hex
        var headers = call.headers
        headers.append(("host", host))
        headers.append(("x-amz-content-sha256", payload))
        headers.append(("x-amz-date", time.stamp))
        if let token = configuration.credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let signed = SignatureV4.Request(
            method: call.method.rawValue,
            path: path + call.key,
            query: call.query,
            headers: headers,
            payload: payload
        )
        let query = SignatureV4.canonicalQuery(call.query)
        var request = HTTPClientRequest(
            url: "\(endpoint.scheme)://\(host)\(PercentEncoding.encode(path + call.key, keep: "/"))"
                + (query.isEmpty ? "" : "?\(query)")
        )
        request.method = call.method
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.headers.add(name: "authorization", value: signer.authorization(signed, at: time))
        if !call.body.isEmpty || call.method == .PUT || call.method == .POST { request.body = .bytes(call.body) }
        return request
    }

    /// A URL that gives a key's content to whoever has it, for some time.
    func presignedURL(_ key: String, seconds: Int) -> String {
        let (host, path) = endpoint.place(of: configuration)
        let request = SignatureV4.Request(method: "GET", path: path + key, headers: [("host", host)], payload: "")
        let time = SigningTime.now(offset: clockOffset.withLock { $0 })
        return "\(endpoint.scheme)://\(host)\(PercentEncoding.encode(path + key, keep: "/"))?"
            + signer.presignedQuery(request, at: time, seconds: seconds)
    }

    // MARK: Errors

    private func failure(_ response: HTTPClientResponse, body: [UInt8], _ call: Call) -> any Error {
        let status = Int(response.status.code)
        let document = XMLElement(document: body).flatMap { $0.name == "Error" ? $0 : nil }
        let region = document?["Region"] ?? response.headers.first(name: "x-amz-bucket-region")
        let error = S3Error(
            status: status,
            code: document?["Code"] ?? response.status.reasonPhrase.filter { $0 != " " },
            message: document?["Message"] ?? "",
            operation: call.operation,
            place: place(call.key),
            request: document?["RequestId"] ?? response.headers.first(name: "x-amz-request-id") ?? "",
            region: region.flatMap { $0 == configuration.region || status == 404 ? nil : $0 }
        )
        // An answer to HEAD does not say why; a time far from ours does.
        if status == 403 || error.code == "RequestTimeTooSkewed" || error.code == "RequestExpired",
            let theirs = response.headers.first(name: "date").flatMap(SigningTime.init(httpDate:))
        {
            let offset = theirs.seconds - SigningTime.now(offset: 0).seconds
            let isFar = abs(offset - clockOffset.withLock { $0 }) > 240
            if isFar { return SkewedClock(offset: offset, error: error) }
        }
        return error
    }

    private func lateError(_ body: [UInt8], _ call: Call) -> S3Error? {
        guard call.method == .POST, let document = XMLElement(document: body), document.name == "Error" else {
            return nil
        }
        return S3Error(
            status: 200,
            code: document["Code"] ?? "InternalError",
            message: document["Message"] ?? "",
            operation: call.operation,
            place: place(call.key),
            request: document["RequestId"] ?? ""
        )
    }

    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded: "it took too long"
        case let error as HTTPClientError where error == .connectTimeout: "nothing answered at the address"
        default: "\(error)"
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
