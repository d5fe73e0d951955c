/// How an object's bytes are kept; its digest is always that of the bytes as they were put.
public enum ObjectEncoding: String, Hashable, Sendable, Codable, CaseIterable {
    /// As they are: readable by path, mappable, and by range at the cost of the range.
    case raw
    /// One LZ4 frame.
    case lz4
}

/// Immutable blobs named by the SHA-256 of their content.
///
/// An object is durable when `put` or `putFile` returns, so a record that names it may be written then. Every method
/// that hands out a whole object hashes it on the way and throws ``ObjectError`` rather than return bytes that are not
/// the object; nothing is believed because a file exists, has some size, or is read-only. Memory is bounded by a
/// constant whatever the object's size, except where a whole object is taken or returned as an array. Any number of
/// tasks, processes and machines may use one store.
public protocol ObjectStore: Sendable {
    /// Stores `bytes` and returns their digest; does nothing if the object is there.
    func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest

    /// Stores the content of the file at `path` in bounded memory and returns its digest and size in bytes.
    ///
    /// - Throws: ``ObjectError/changedWhileRead(path:)`` if the content differs between two reads of it.
    func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int)

    /// The content of an object, verified.
    func get(_ digest: Digest) async throws -> [UInt8]

    /// Hands the content of an object to `body` in order, in pieces of at most 1 MiB, the next when `body` returns.
    ///
    /// The pieces are the object's only once the call returns: damage is noticed at the latest after the last piece, and
    /// thrown then. Whoever passes pieces on before that must be able to take them back.
    func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws

    /// Hands the part of an object's content at the offsets `range` to `body`, as ``stream(_:_:)`` does the whole.
    ///
    /// What lies past the content's end is left out. **Not verified**: a digest says nothing of a part. Read so only what
    /// carries digests of its own, such as the entries of a pack, or what ``verify(_:)`` has read before. An object kept
    /// raw costs a read of the range; one kept compressed is read and decoded from its beginning.
    func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws

    /// The bytes of an object's content at the offsets `range`, fewer where the content ends before.
    ///
    /// Not verified, and at the cost of ``stream(_:range:_:)``.
    func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8]

    /// Bytes of an object's content, as the store knows it; the content is not read.
    func size(_ digest: Digest) async throws -> Int

    /// Whether the store has an object of this name; says nothing of its content.
    func contains(_ digest: Digest) async throws -> Bool

    /// Reads an object through and throws if it is missing or is not what its name says.
    func verify(_ digest: Digest) async throws

    /// The path of a raw object, for mapping and for readers outside; `nil` when it has none.
    ///
    /// A store elsewhere fetches the object, whole and verified, into its cache. What is read through the path is not
    /// verified: call ``verify(_:)`` first.
    func localPath(_ digest: Digest) async throws -> String?

    /// Whether ``localPath(_:)`` has nothing to fetch.
    func isLocal(_ digest: Digest) async throws -> Bool

    /// Writes an object to a file (mode 0644), verified on the way: `path` holds the whole object or is left alone.
    func write(_ digest: Digest, to path: String) async throws
}

extension ObjectStore {
    public func isLocal(_ digest: Digest) async throws -> Bool { true }

    public func read(_ digest: Digest, range: Range<Int>) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await stream(digest, range: range) { piece in bytes.append(contentsOf: piece) }
        return bytes
    }
}

/// A store whose objects can be listed and removed: what the collection of garbage and the scrub work on.
public protocol ManagedObjectStore: ObjectStore {
    /// Objects in the order of their digests, those after `after`, at most `limit` of them; none only at the end.
    ///
    /// What is put or deleted meanwhile may be listed or not; everything else is, once.
    func list(after: Digest?, limit: Int) async throws -> [StoredObject]

    /// Removes an object in every form in which it is kept; it is gone durably on return.
    ///
    /// The store does not know who needs it: withdraw "the store has this" from every writer first. Who is reading the
    /// object may finish or fail.
    ///
    /// - Parameter deadline: from when on nothing is deleted any more, however long calls wait or are repeated; `nil` for
    ///   none.
    /// - Returns: whether it was there.
    /// - Throws: `ObjectError.late` where the time was not enough; the object may be there or not.
    @discardableResult
    func delete(_ digest: Digest, before deadline: ContinuousClock.Instant?) async throws -> Bool

    /// Removes what writers that died have left: temporary files, unfinished uploads. No object is touched.
    ///
    /// - Parameter instant: in microseconds since 1970 UTC; what was begun later, and may still be written, is left alone.
    /// - Returns: how many were removed.
    @discardableResult
    func removeUnfinished(before instant: Int64) async throws -> Int
}

/// What a listing says of one object.
public struct StoredObject: Hashable, Sendable {
    public let digest: Digest
    /// Bytes that it takes in the store, in all forms in which it is kept: not the size of a compressed content.
    public let storedSize: Int
    /// When it was written, in microseconds since 1970 UTC by the store's clock; of several forms, the last.
    ///
    /// Putting what is there changes nothing.
    public let modified: Int64

    public init(digest: Digest, storedSize: Int, modified: Int64) {
        self.digest = digest
        self.storedSize = storedSize
        self.modified = modified
    }
}

extension ManagedObjectStore {
    /// Every object, in the order of digests, read in pages.
    ///
    /// - Parameter pageSize: how many objects are asked for at a time.
    public func forEachObject(
        pageSize: Int = 1_000,
        _ body: (StoredObject) async throws -> Void
    ) async throws {
        var last: Digest?
        while true {
            let page = try await list(after: last, limit: pageSize)
            guard let end = page.last else { return }
            for object in page { try await body(object) }
            last = end.digest
        }
    }
}

extension ManagedObjectStore {
    /// Removes an object, however long it takes.
    @discardableResult
    public func delete(_ digest: Digest) async throws -> Bool { try await delete(digest, before: nil) }
}
