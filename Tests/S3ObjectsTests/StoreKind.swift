import Objects
import S3Objects
import StoreTesting
import Testing

/// The stores that have to behave alike.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case local
    /// With keys as paths, and long-lived keys.
    case s3
    /// With the bucket as a host, and temporary keys.
    case s3VirtualHost

    var testDescription: String { rawValue }

    /// Of a part of an upload to S3: the least that the server for tests takes.
    static let partSize = 1 << 20

    /// A new empty store.
    func make(prefix: String = "stores/one") async throws -> TestStore {
        let directory = try ScratchDirectory()
        switch self {
        case .local:
            let path = "\(directory.path)/\(prefix)"
            return TestStore(directory: directory, location: path, server: nil) { LocalObjectStore(directory: path) }
        case .s3, .s3VirtualHost:
            let server = try S3Server.shared()
            let bucket = try await server.makeBucket()
            let configuration = try configuration(server, bucket, prefix, cache: directory.path + "/cache")
            return TestStore(
                directory: directory,
                location: configuration.prefix,
                server: (server, bucket, configuration)
            ) { S3ObjectStore(configuration) }
        }
    }

    private func configuration(
        _ server: S3Server,
        _ bucket: String,
        _ prefix: String,
        cache: String
    ) throws -> S3Configuration {
        let isHost = self == .s3VirtualHost
        var configuration = try S3Configuration(
            location: "s3://\(bucket)/\(prefix)",
            endpoint: isHost ? "http://s3.amazonaws.com:\(server.port)" : server.endpoint,
            addressing: isHost ? .virtual : .path,
            credentials: isHost ? S3Server.temporaryCredentials : S3Server.credentials
        )
        if isHost { configuration.addresses = ["\(bucket).s3.amazonaws.com": "127.0.0.1"] }
        configuration.cache = cache
        configuration.partSize = Self.partSize
        configuration.retries.pause = .milliseconds(5)
        return configuration
    }
}

/// A store, and what a test does to it that no store would.
struct TestStore: Sendable {
    /// For what the test writes beside the store.
    let directory: ScratchDirectory
    let location: String
    let server: (server: S3Server, bucket: String, configuration: S3Configuration)?
    /// Opens the store as another process would.
    let open: @Sendable () -> any ManagedObjectStore
    let store: any ManagedObjectStore

    init(
        directory: ScratchDirectory,
        location: String,
        server: (S3Server, String, S3Configuration)?,
        open: @escaping @Sendable () -> any ManagedObjectStore
    ) {
        self.directory = directory
        self.location = location
        self.server = server.map { ($0.0, $0.1, $0.2) }
        self.open = open
        store = open()
    }

    private func name(_ digest: Digest, _ encoding: ObjectEncoding) -> String {
        "sha256/\(digest.hex.prefix(2))/\(digest.hex)" + (encoding == .lz4 ? ".lz4" : "")
    }

    /// The bytes that the store keeps.
    func stored(_ digest: Digest, _ encoding: ObjectEncoding) async throws -> [UInt8] {
        if let server { return try await server.server.content(server.bucket, location + name(digest, encoding)) }
        return try directory.read(file(digest, encoding))
    }

    /// Replaces the bytes that the store keeps.
    func replace(_ digest: Digest, _ encoding: ObjectEncoding, with bytes: [UInt8]) async throws {
        if let server {
            try await server.server.overwrite(server.bucket, location + name(digest, encoding), with: bytes)
        } else {
            try directory.write(bytes, to: file(digest, encoding))
        }
    }

    private func file(_ digest: Digest, _ encoding: ObjectEncoding) -> String {
        location.dropFirst(directory.path.count + 1) + "/" + name(digest, encoding)
    }
}

/// Bytes that compress.
func lines(_ count: Int) -> [UInt8] {
    let line = Array("2013-01-01T05:00:00Z,EWR,39.02,10.35702\n".utf8)
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += bytes.isEmpty ? line : bytes }
    return Array(bytes[..<count])
}
