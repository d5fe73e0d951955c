import FoundationEssentials
import NIOHTTP1
import Objects
import Wire

/// The service's object store, with a local cache of what was read.
///
/// Everything is verified by digest on arrival and on every read from the cache.
public struct RemoteObjectStore: ObjectStore {
    private let client: Client
    private let cache: LocalObjectStore

    /// - Parameter cache: the directory that fetched objects are kept in.
    public init(client: Client, cache: String) {
        self.client = client
        self.cache = LocalObjectStore(directory: cache)
    }

    private func path(_ digest: Digest) -> String { "/v1/objects/\(digest)" }

    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        let digest = Digest.of(bytes)
        if try await !contains(digest) {
            _ = try await client.send(.PUT, path(digest) + "?encoding=\(encoding.rawValue)", body: bytes)
        }
        return digest
    }

    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let (digest, size) = try FileDigest.of(path)
        if try await !contains(digest) {
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
        if try await cache.contains(digest) { return try await cache.get(digest) }
        let bytes = try await fetch(digest)
        _ = try await cache.put(bytes, encoding: .raw)
        return bytes
    }

    /// Reads an object from the service, whatever the cache holds.
    private func fetch(_ digest: Digest) async throws -> [UInt8] {
        let bytes = try await client.send(.GET, path(digest))
        let found = Digest.of(bytes)
        guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: client.url + path(digest)) }
        return bytes
    }

    public func contains(_ digest: Digest) async throws -> Bool {
        do {
            _ = try await client.send(.HEAD, path(digest))
            return true
        } catch ClientError.refused(let problem) where problem.status == 404 {
            return false
        }
    }

    public func verify(_ digest: Digest) async throws { _ = try await fetch(digest) }

    public func localPath(_ digest: Digest) async throws -> String? {
        _ = try await get(digest)
        return try await cache.localPath(digest)
    }

    public func write(_ digest: Digest, to path: String) async throws {
        _ = try await get(digest)
        try await cache.write(digest, to: path)
    }
}
