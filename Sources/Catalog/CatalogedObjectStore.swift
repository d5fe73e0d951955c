import Objects

/// A store whose every object has a row in the catalog before its bytes are written.
///
/// The service and its jobs write through it, so that whatever is sent and whatever is collected take turns. Reading
/// costs nothing more than of the store beneath; writing an object two transactions.
public final class CatalogedObjectStore: ForwardingObjectStore {
    public let base: any ManagedObjectStore
    private let catalog: Catalog
    /// Pins what is written, for a writer that records it later.
    private let session: Int64?
    /// How long a writer waits for a collector that deletes the same object.
    private static let patience = Duration.seconds(30)

    public init(_ base: any ManagedObjectStore, catalog: Catalog, session: Int64? = nil) {
        self.base = base
        self.catalog = catalog
        self.session = session
    }

    /// The same store for one writer's session.
    public func within(_ session: ObjectSession) -> CatalogedObjectStore {
        CatalogedObjectStore(base, catalog: catalog, session: session.id)
    }

    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        let digest = Digest.of(bytes)
        return try await storing(digest, byteCount: bytes.count) {
            (try await base.put(bytes, encoding: encoding), bytes.count)
        }.digest
    }

    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let (digest, size) = try Digest.ofFile(path)
        return try await putFile(at: path, encoding: encoding, expecting: digest, byteCount: size)
    }

    /// Stores a file whose digest its sender has given; the answer has the digest that it has.
    public func putFile(
        at path: String,
        encoding: ObjectEncoding,
        expecting digest: Digest,
        byteCount: Int
    ) async throws -> (digest: Digest, size: Int) {
        try await storing(digest, byteCount: byteCount) { try await base.putFile(at: path, encoding: encoding) }
    }

    public func get(_ digest: Digest) async throws -> [UInt8] {
        try await explaining(digest) { try await base.get(digest) }
    }

    public func size(_ digest: Digest) async throws -> Int {
        try await explaining(digest) { try await base.size(digest) }
    }

    /// Whether the object is promised and there.
    public func contains(_ digest: Digest) async throws -> Bool {
        guard try await catalog.stored(among: [digest]).contains(digest) else { return false }
        return try await base.contains(digest)
    }

    /// Says of an object that is missing that it was erased, where it was.
    private func explaining<R>(_ digest: Digest, _ read: () async throws -> R) async throws -> R {
        do {
            return try await read()
        } catch let error as ObjectError {
            if case .missing = error { try await catalog.refuseErased([digest]) }
            throw error
        }
    }

    /// Makes the row, writes the bytes, and promises them: in this order, whatever a collector does meanwhile.
    ///
    /// Bytes of another digest than was announced are left without a promise.
    public func storing(
        _ digest: Digest,
        byteCount: Int,
        _ write: () async throws -> (digest: Digest, size: Int)
    ) async throws -> (digest: Digest, size: Int) {
        let start = ContinuousClock.now
        var isWritten = false
        while true {
            do {
                switch try await catalog.beginStoring(digest, byteCount: byteCount, session: session) {
                case .write:
                    let stored = try await write()
                    isWritten = true
                    guard stored.digest == digest else { return stored }
                    if try await catalog.finishStoring(digest) { return stored }
                case .wait:
                    try await Task.sleep(for: .milliseconds(20))
                }
            } catch let error as CatalogError where error.code == .erased {
                // Erased while it was being written: what was written goes again.
                if isWritten { try await base.delete(digest) }
                throw error
            }
            guard ContinuousClock.now - start < Self.patience else {
                throw CatalogError(
                    .conflict,
                    "object \(digest) is being deleted as unneeded; send it again in some minutes"
                )
            }
        }
    }
}
