import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Wire

/// Why a request has no answer.
public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// Nothing answers at the address.
    case unreachable(url: String, reason: String)
    /// The service did not answer in time.
    case timedOut(url: String)
    /// The service refused.
    case refused(Problem)

    public var description: String {
        switch self {
        case .unreachable(let url, let reason):
            "the service at \(url) cannot be reached (\(reason)); start it with: lockstep dev"
        case .timedOut(let url): "the service at \(url) did not answer in time; look at its log, then try again"
        case .refused(let problem): problem.detail
        }
    }
}

/// Speaks HTTP to a Lockstep service.
///
/// Connections are kept and reused; a client is safe to share between tasks.
public struct Client: Sendable {
    public let url: String
    public let project: String
    private let http: HTTPClient
    private let timeout: TimeAmount

    /// One pool of connections for the process.
    ///
    /// A refused connection is an answer: it is not tried again.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.timeout.connect = .seconds(5)
        configuration.timeout.read = .minutes(10)
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// - Parameters:
    ///   - url: without a path, for example `http://127.0.0.1:6566`.
    ///   - project: the project of every request.
    ///   - timeout: for one request.
    public init(url: String, project: String, timeout: TimeAmount = .minutes(10)) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.project = project
        self.http = Self.http
        self.timeout = timeout
    }

    /// Sends a request and returns the body of a 2xx answer.
    ///
    /// - Throws: `ClientError`.
    public func send(
        _ method: HTTPMethod,
        _ path: String,
        headers: [(String, String)] = [],
        body: [UInt8]? = nil,
        limit: Int = 1 << 32
    ) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: WireHeader.project, value: project)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(body) }
        return try await execute(request, limit: limit)
    }

    /// Sends a file's bytes as a request's body, in bounded memory.
    public func upload(_ method: HTTPMethod, _ path: String, file: String, size: Int) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        request.headers.add(name: WireHeader.project, value: project)
        request.body = .stream(FileChunks(path: file), length: .known(Int64(size)))
        return try await execute(request, limit: 1 << 20, within: Self.transferTimeout)
    }

    /// Asks with HEAD and returns the headers of a 2xx answer.
    ///
    /// - Throws: `ClientError`.
    public func head(_ path: String) async throws -> HTTPHeaders {
        var request = HTTPClientRequest(url: url + path)
        request.method = .HEAD
        request.headers.add(name: WireHeader.project, value: project)
        return try await respond(to: request, within: timeout) { response in response.headers }
    }

    /// Asks with GET and hands the body of a 2xx answer to `receive` as it comes, in bounded memory.
    ///
    /// - Throws: `ClientError`, also when the answer ends early; what `receive` throws.
    public func stream(
        _ path: String,
        headers: [(String, String)] = [],
        _ receive: ([UInt8]) async throws -> Void
    ) async throws {
        var request = HTTPClientRequest(url: url + path)
        request.headers.add(name: WireHeader.project, value: project)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        try await respond(to: request, within: Self.transferTimeout) { response in
            var body = response.body.makeAsyncIterator()
            while let buffer = try await translated({ try await body.next() }) {
                try await receive(Array(buffer.readableBytesView))
            }
        }
    }

    /// For one body of any size; a transfer that stands still ends earlier.
    private static let transferTimeout = TimeAmount.hours(24)

    private func execute(
        _ request: HTTPClientRequest,
        limit: Int,
        within timeout: TimeAmount? = nil
    ) async throws -> [UInt8] {
        try await respond(to: request, within: timeout ?? self.timeout) { response in
            try await translated { Array(try await response.body.collect(upTo: limit).readableBytesView) }
        }
    }

    /// Sends a request and hands the answer to `read`, or throws what a refusal says.
    private func respond<Result>(
        to request: HTTPClientRequest,
        within timeout: TimeAmount,
        _ read: (HTTPClientResponse) async throws -> Result
    ) async throws -> Result {
        let response = try await translated { try await http.execute(request, timeout: timeout) }
        guard (200..<300).contains(response.status.code) else {
            let body = try await translated { Array(try await response.body.collect(upTo: 1 << 20).readableBytesView) }
            let problem = try? WireCoding.decode(Problem.self, from: body)
            throw ClientError.refused(
                problem
                    ?? Problem(
                        type: "http",
                        title: response.status.reasonPhrase,
                        status: Int(response.status.code),
                        detail:
                            "\(request.method.rawValue) \(request.url) gave \(response.status.code) \(response.status.reasonPhrase)"
                    )
            )
        }
        return try await read(response)
    }

    /// Says in this library's words why the network did not do what it was asked.
    private func translated<Result>(_ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as FileChunks.ReadFailure {
            throw error
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
            throw ClientError.timedOut(url: url)
        } catch {
            throw ClientError.unreachable(url: url, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        if text.contains("ECONNREFUSED") || text.contains("Connection refused") || text.contains("NIOConnectionError") {
            return "connection refused"
        }
        return text
    }

    public func get<Message: Decodable>(_ path: String, as type: Message.Type) async throws -> Message {
        try WireCoding.decode(type, from: try await send(.GET, path))
    }

    public func post<Message: Decodable>(
        _ path: String,
        _ message: some Encodable,
        as type: Message.Type
    ) async throws -> Message {
        let body = try await send(
            .POST,
            path,
            headers: [("content-type", "application/json")],
            body: try WireCoding.encode(message)
        )
        return try WireCoding.decode(type, from: body)
    }

    public func delete<Message: Decodable>(_ path: String, as type: Message.Type) async throws -> Message {
        try WireCoding.decode(type, from: try await send(.DELETE, path))
    }

    /// A path below the client's project.
    public func projectPath(_ rest: String) -> String { "/v1/projects/\(project)/\(rest)" }
}
