/// How an object's bytes are kept; its digest is always that of the bytes as they were put.
public enum ObjectEncoding: String, Hashable, Sendable, Codable, CaseIterable {
    /// As they are: readable by path, mappable.
    case raw
    /// One LZ4 frame.
    case lz4
}

/// Immutable blobs named by the SHA-256 of their content.
///
/// An object is durable when `put` or `putFile` returns, so a record that names it may be written then. Every method
/// that hands out content hashes it on the way and throws ``ObjectError`` rather than return bytes that are not the
/// object; nothing is believed because a file exists, has some size, or is read-only.
public protocol ObjectStore: Sendable {
    /// Stores `bytes` and returns their digest; does nothing if the object is there.
    func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest

    /// Stores the content of the file at `path` in bounded memory and returns its digest and size in bytes.
    ///
    /// - Throws: ``ObjectError/changedWhileRead(path:)`` if the content differs between two reads of it.
    func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int)

    /// The content of an object, verified.
    func get(_ digest: Digest) async throws -> [UInt8]

    /// Whether the store has an object of this name; says nothing of its content.
    func contains(_ digest: Digest) async throws -> Bool

    /// Reads an object through and throws if it is missing or is not what its name says.
    func verify(_ digest: Digest) async throws

    /// The path of a raw object, for mapping and for readers outside; `nil` when it is stored only compressed.
    ///
    /// What is read through the path is not verified: call ``verify(_:)`` first.
    func localPath(_ digest: Digest) async throws -> String?

    /// Writes an object to a file (mode 0644), verified on the way: `path` holds the whole object or is left alone.
    func write(_ digest: Digest, to path: String) async throws
}
