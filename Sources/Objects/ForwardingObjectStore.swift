/// A store that passes on to another one what it does not do itself.
public protocol ForwardingObjectStore: ManagedObjectStore {
    var base: any ManagedObjectStore { get }
}

extension ForwardingObjectStore {
    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        try await base.put(bytes, encoding: encoding)
    }

    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        try await base.putFile(at: path, encoding: encoding)
    }

    public func get(_ digest: Digest) async throws -> [UInt8] { try await base.get(digest) }

    public func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        try await base.stream(digest, body)
    }

    public func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws {
        try await base.stream(digest, range: range, body)
    }

    public func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8] {
        try await base.read(digest, range: range)
    }

    public func size(_ digest: Digest) async throws -> Int { try await base.size(digest) }

    public func contains(_ digest: Digest) async throws -> Bool { try await base.contains(digest) }

    public func verify(_ digest: Digest) async throws { try await base.verify(digest) }

    public func localPath(_ digest: Digest) async throws -> String? { try await base.localPath(digest) }

    public func isLocal(_ digest: Digest) async throws -> Bool { try await base.isLocal(digest) }

    public func write(_ digest: Digest, to path: String) async throws { try await base.write(digest, to: path) }

    public func list(after: Digest?, limit: Int) async throws -> [StoredObject] {
        try await base.list(after: after, limit: limit)
    }

    @discardableResult
    public func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool {
        try await base.delete(digest, before: deadline)
    }

    @discardableResult
    public func removeUnfinished(before instant: Int64) async throws -> Int {
        try await base.removeUnfinished(before: instant)
    }
}
