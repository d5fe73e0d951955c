import FoundationEssentials
import NIOHTTP1
import Objects
import Wire

/// The service's object store, with a local cache of what was read.
///
/// Everything is verified by digest on arrival and on every read from the cache; what is damaged there is fetched anew.
/// An object that several ask for at a time is fetched once.
public struct RemoteObjectStore: ObjectStore {
    /// How often a download is taken up again after its connection broke without a byte.
    private static let attempts = 3

    private let client: Client
    private let cache: ObjectCache
    private let lease: ObjectLease?

    /// - Parameters:
    ///   - cache: the directory that fetched objects are kept in.
    ///   - lease: keeps what is put, and what need not be since the service has it, until it is recorded.
    public init(client: Client, cache: String, lease: ObjectLease? = nil) {
        self.client = client
        self.cache = ObjectCache(directory: cache)
        self.lease = lease
    }

    /// Whether the service lacks an object; with a lease, it keeps it from now on.
    private func lacks(_ digest: Digest) async throws -> Bool {
        guard let lease else { return try await !contains(digest) }
        return try await lease.pin([digest]).contains(digest)
    }

    private func path(_ digest: Digest) -> String { "/v1/objects/\(digest)" }

    private func origin(_ digest: Digest) -> String { client.url + path(digest) }

    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        let digest = Digest.of(bytes)
        if try await lacks(digest) {
            _ = try await client.send(.PUT, path(digest) + "?encoding=\(encoding.rawValue)", body: bytes)
        }
        return digest
    }

    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let (digest, size) = try FileDigest.of(path)
        if try await lacks(digest) {
            do {
                _ = try await client.upload(
                    .PUT,
                    self.path(digest) + "?encoding=\(encoding.rawValue)",
                    file: path,
                    size: size
                )
            } catch ClientError.refused(let problem) where problem.type == "corrupt-object" {
                throw ObjectError.changedWhileRead(path: path)
            }
        }
        return (digest, size)
    }

    public func get(_ digest: Digest) async throws -> [UInt8] {
        try await cache.get(digest, from: origin(digest), fetch)
    }

    /// Reads the service's object, whatever the cache holds, which is left as it is.
    public func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        var hasher = Digest.Hasher()
        try await download(digest) { piece in
            hasher.update(piece)
            try await body(piece)
        }
        let found = hasher.finalize()
        guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: origin(digest)) }
    }

    public func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws {
        if try await cache.store.contains(digest) {
            return try await cache.store.stream(digest, range: range, body)
        }
        guard !range.isEmpty else { return }
        do {
            let header = ("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")
            try await client.stream(path(digest), headers: [header], body)
        } catch ClientError.refused(let problem) where problem.status == 416 {
            // The content ends before the range begins.
        }
    }

    private func fetch(_ object: ArrivingObject) async throws {
        try await download(object.digest) { try await object.write($0) }
    }

    /// Hands over the content of the service's object as it comes; a broken connection is taken up where it broke.
    private func download(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        var offset = 0
        var attempt = 0
        while true {
            let before = offset
            do {
                let headers = before > 0 ? [("range", "bytes=\(before)-")] : []
                return try await client.stream(path(digest), headers: headers) { piece in
                    offset += piece.count
                    try await body(piece)
                }
            } catch ClientError.refused(let problem) where problem.status == 416 && before > 0 {
                // It broke behind the last byte.
                return
            } catch ClientError.unreachable(let url, let reason) {
                attempt = offset > before ? 0 : attempt + 1
                guard offset > 0, attempt < Self.attempts else {
                    throw ClientError.unreachable(url: url, reason: reason)
                }
                try await Task.sleep(for: .milliseconds(100 << attempt))
            }
        }
    }

    public func size(_ digest: Digest) async throws -> Int {
        let headers = try await client.head(path(digest))
        guard let text = headers.first(name: "content-length"), let size = Int(text) else {
            throw ClientError.unreachable(url: client.url, reason: "it does not say how large \(digest) is")
        }
        return size
    }

    public func contains(_ digest: Digest) async throws -> Bool {
        do {
            _ = try await client.head(path(digest))
            return true
        } catch ClientError.refused(let problem) where problem.status == 404 {
            return false
        }
    }

    /// Reads the service's object through; the cache is not asked.
    public func verify(_ digest: Digest) async throws { try await stream(digest) { _ in } }

    public func localPath(_ digest: Digest) async throws -> String? {
        try await cache.path(digest, from: origin(digest), fetch)
    }

    public func isLocal(_ digest: Digest) async throws -> Bool { try await cache.store.contains(digest) }

    public func write(_ digest: Digest, to path: String) async throws {
        try await cache.write(digest, to: path, from: origin(digest), fetch)
    }
}
