import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import S3Objects
import Synchronization

/// S3 as a process of this machine, for tests: a moto server that checks signatures with botocore.
///
/// There is one for the test program, started when it is first asked for; it ends with the program, however that ends.
package final class S3Server: Sendable {
    package struct Failure: Error, CustomStringConvertible { package let description: String }

    /// Something that goes wrong with the next requests that match; see `s3_server.py`.
    package struct Fault: Encodable {
        let kind: String
        let match: String
        let method: String?
        let times: Int
        var status: Int?
        var code: String?
        var seconds: Double?

        package static func status(
            _ status: Int,
            _ code: String,
            method: String? = nil,
            match: String,
            times: Int = 1
        ) -> Fault {
            Fault(kind: "status", match: match, method: method, times: times, status: status, code: code)
        }

        /// - Parameter kind: `lose`, `cut`, `late`, `skew` or `wait`.
        package static func of(
            _ kind: String,
            method: String? = nil,
            match: String,
            times: Int = 1,
            seconds: Double? = nil
        ) -> Fault {
            Fault(kind: kind, match: match, method: method, times: times, code: "InternalError", seconds: seconds)
        }
    }

    package let port: Int
    package var endpoint: String { "http://127.0.0.1:\(port)" }
    // The process ends when this is closed.
    private let input: Pipe

    private static let started = Mutex<Result<S3Server, any Error>?>(nil)

    /// The server of this program.
    package static func shared() throws -> S3Server {
        try started.withLock { started in
            let result = started ?? Result { try S3Server() }
            started = result
            return try result.get()
        }
    }

    package static let credentials = S3Credentials(accessKey: "testing", secretKey: "secret/of+testing")
    package static let temporaryCredentials = S3Credentials(
        accessKey: "temporary",
        secretKey: "secret of temporary",
        sessionToken: "a token/with+signs=="
    )

    /// What a process needs to use the server.
    package var environment: [String: String] {
        [
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "secret/of+testing", "AWS_REGION": "us-east-1",
            "S3_ENDPOINT": endpoint,
        ]
    }

    private init(source: String = #filePath) throws {
        let directory = URL(filePath: source).deletingLastPathComponent().path
        let process = Process()
        let scratch = try ScratchDirectory()
        let portFile = scratch.path + "/port"
        input = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [Self.python, directory + "/s3_server.py", portFile]
        var environment = ProcessInfo.processInfo.environment
        if let packages = try Self.packages(directory) {
            environment["PYTHONPATH"] = packages + (environment["PYTHONPATH"].map { ":\($0)" } ?? "")
        }
        process.environment = environment
        process.standardInput = input
        try process.run()
        while !FileManager.default.fileExists(atPath: portFile) {
            guard process.isRunning else {
                throw Failure(description: "the S3 server for tests ended before it listened")
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        let line = String(decoding: try scratch.read("port"), as: UTF8.self)
        guard let port = Int(line) else {
            throw Failure(description: "the S3 server for tests says '\(line)', expected its port")
        }
        self.port = port
    }

    /// A new bucket of a name that no other test has.
    package func makeBucket() async throws -> String {
        let name = "bucket-\(UUID().uuidString.lowercased())"
        _ = try await send(.PUT, "/\(name)")
        return name
    }

    /// Writes the bytes under a key, behind the back of every client.
    package func overwrite(_ bucket: String, _ key: String, with bytes: [UInt8]) async throws {
        _ = try await send(.PUT, "/\(bucket)/\(Self.encoded(key))", bytes)
    }

    /// The bytes under a key.
    package func content(_ bucket: String, _ key: String) async throws -> [UInt8] {
        try await send(.GET, "/\(bucket)/\(Self.encoded(key))")
    }

    package func fail(_ faults: Fault...) async throws {
        _ = try await send(.POST, "/-/faults", [UInt8](try JSONEncoder().encode(faults)))
    }

    /// The requests so far whose line has `text`: method, decoded path and query, status.
    package func requests(_ text: String) async throws -> [String] {
        try JSONDecoder().decode([String].self, from: Data(try await send(.POST, "/-/log", Array(text.utf8))))
    }

    /// Asks for a URL as anyone may, without a signature.
    package func fetch(_ url: String) async throws -> [UInt8] { try await answer(to: HTTPClientRequest(url: url)) }

    private func send(_ method: HTTPMethod, _ path: String, _ body: [UInt8] = []) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: endpoint + path)
        request.method = method
        request.headers.add(name: "x-lockstep-admin", value: "1")
        if method != .GET { request.body = .bytes(body) }
        return try await answer(to: request)
    }

    private func answer(to request: HTTPClientRequest) async throws -> [UInt8] {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let answer = Array(try await response.body.collect(upTo: 1 << 30).readableBytesView)
        guard response.status == .ok else {
            throw Failure(
                description:
                    "\(request.method) \(request.url) gave \(response.status): \(String(decoding: answer, as: UTF8.self))"
            )
        }
        return answer
    }

    private static func encoded(_ key: String) -> String {
        key.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? key
    }

    // MARK: Python

    private static var python: String { ProcessInfo.processInfo.environment["PYTHON"] ?? "python3" }

    /// The directory of the server's packages, installed there once for a user; `nil` where Python has them.
    private static func packages(_ directory: String) throws -> String? {
        if try run([python, "-c", "import moto.server, botocore, flask"]) { return nil }
        let requirements = directory + "/requirements.txt"
        let text = try String(contentsOfFile: requirements, encoding: .utf8)
        let home = ProcessInfo.processInfo.environment["HOME"] ?? "."
        let cache = (ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? home + "/.cache") + "/lockstep"
        // Named by what is in it, so that other requirements make another one.
        let target = "\(cache)/s3-server-\(text.utf8.reduce(5_381) { ($0 &* 33 &+ UInt64($1)) & 0xFFFF_FFFF })"
        if FileManager.default.fileExists(atPath: target) { return target }
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        let building = "\(target)-\(ProcessInfo.processInfo.processIdentifier)"
        let install = [python, "-m", "pip", "install", "--quiet", "--target", building, "--requirement", requirements]
        guard try run(install) else {
            throw Failure(
                description: "the S3 server for tests needs the Python packages of \(requirements), and "
                    + "'\(install.joined(separator: " "))' failed; install them"
            )
        }
        do {
            try FileManager.default.moveItem(atPath: building, toPath: target)
        } catch {
            // Another program was faster.
            try? FileManager.default.removeItem(atPath: building)
            guard FileManager.default.fileExists(atPath: target) else { throw error }
        }
        return target
    }

    private static func run(_ command: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
