import NIOCore
import NIOHTTP1
import Objects
import Synchronization

/// Objects in a bucket of S3, or of a service that speaks its protocol.
///
/// Keys are laid out as the local store's files are, behind the prefix: `sha256/ab/<hex>` for an object as it is,
/// `sha256/ab/<hex>.lz4` for one LZ4 frame. S3 shows a key only when its content is whole, and acknowledges it only when
/// it is durable. Every upload carries the SHA-256 of what was sent, which the service checks; every whole object that is
/// read is hashed. Requests that fail for a passing reason are sent again; downloads go on where they broke.
public final class S3ObjectStore: ManagedObjectStore {
    let client: S3Client
    let configuration: S3Configuration
    /// Hashing, compressing and reading files.
    let queue = BlockingQueue(label: "lockstep.s3", width: 8)
    let cache: ObjectCache?
    /// Whether the service knows `If-None-Match: *` on uploads; taken for granted until it refuses.
    let knowsConditions = Mutex(true)

    public init(_ configuration: S3Configuration) {
        self.configuration = configuration
        client = S3Client(configuration)
        cache = configuration.cache.map { ObjectCache(directory: $0) }
    }

    /// The bucket and the prefix, as `s3://bucket/prefix/`.
    public var location: String { client.place(configuration.prefix) }

    // MARK: Writing

    public func put(_ bytes: [UInt8], encoding: ObjectEncoding) async throws -> Digest {
        let digest = try await queue.run { Digest.of(bytes) }
        if try await !isStored(digest, encoding) {
            try await upload(digest, encoding: encoding, content: .bytes(bytes), size: bytes.count)
        }
        return digest
    }

    /// Stores the content of the file at `path` and returns its digest and size in bytes.
    ///
    /// The file is read once to name it; one that is not in the store is read again to be sent, and refused if the second
    /// reading has another digest. Memory: see ``S3Configuration/partsAtOnce``.
    public func putFile(at path: String, encoding: ObjectEncoding) async throws -> (digest: Digest, size: Int) {
        let (digest, size) = try await queue.run { try UploadSource.digest(ofFile: path) }
        if try await !isStored(digest, encoding) {
            try await upload(digest, encoding: encoding, content: .file(path), size: size)
        }
        return (digest, size)
    }

    // MARK: Reading

    public func get(_ digest: Digest) async throws -> [UInt8] {
        var content: [UInt8] = []
        try await stream(digest) { content.append(contentsOf: $0) }
        return content
    }

    public func stream(_ digest: Digest, _ body: ([UInt8]) async throws -> Void) async throws {
        let encoding = try await readable(digest) { encoding in
            try await streamVerified(digest, encoding, body)
        }
        guard encoding != nil else { throw ObjectError.missing(digest, directory: location) }
    }

    public func stream(_ digest: Digest, range: Range<Int>, _ body: ([UInt8]) async throws -> Void) async throws {
        if range.isEmpty {
            _ = try await size(digest)
            return
        }
        let encoding = try await readable(digest) { encoding in
            switch encoding {
            case .raw:
                do {
                    try await download(key(digest, .raw), from: range.lowerBound, to: range.upperBound, body)
                } catch let error as S3Error where error.status == 416 {
                    // The content ends before the range begins.
                }
            case .lz4: try await streamDecoded(digest, range, body)
            }
        }
        guard encoding != nil else { throw ObjectError.missing(digest, directory: location) }
    }

    public func size(_ digest: Digest) async throws -> Int {
        if let size = try await storedSize(key(digest, .raw)) { return size }
        let header: [UInt8]
        do {
            header = try await beginning(of: key(digest, .lz4), count: LZ4FrameDecoder.headerSize)
        } catch let error as S3Error where error.isMissingKey {
            throw ObjectError.missing(digest, directory: location)
        }
        do {
            if let size = try LZ4FrameDecoder.contentSize(header: header) { return size }
        } catch let error as LZ4FrameError {
            throw ObjectError.damagedFrame(digest, path: client.place(key(digest, .lz4)), reason: error.reason)
        }
        // A frame without a size: of an empty content, or written by another program.
        var size = 0
        try await streamVerified(digest, .lz4) { size += $0.count }
        return size
    }

    public func contains(_ digest: Digest) async throws -> Bool {
        async let raw = storedSize(key(digest, .raw))
        async let compressed = storedSize(key(digest, .lz4))
        let sizes = try await (raw, compressed)
        return sizes.0 != nil || sizes.1 != nil
    }

    /// Reads an object through, in both forms if it is stored in both, and throws for the first that is not it.
    public func verify(_ digest: Digest) async throws {
        var isThere = false
        for encoding in ObjectEncoding.allCases {
            do {
                try await streamVerified(digest, encoding) { _ in }
                isThere = true
            } catch let error as S3Error where error.isMissingKey {
                continue
            }
        }
        guard isThere else { throw ObjectError.missing(digest, directory: location) }
    }

    /// The path of the object in the cache; `nil` for a store without one.
    public func isLocal(_ digest: Digest) async throws -> Bool { try await cache?.store.contains(digest) ?? false }

    public func localPath(_ digest: Digest) async throws -> String? {
        guard let cache else {
            guard try await contains(digest) else { throw ObjectError.missing(digest, directory: location) }
            return nil
        }
        return try await cache.path(digest, from: location) { [self] object in
            try await stream(digest) { try await object.write($0) }
        }
    }

    public func write(_ digest: Digest, to path: String) async throws {
        try await ArrivingObject.receive(
            digest,
            in: Directory.parent(of: path),
            prefix: ".lockstep-",
            queue: queue,
            to: path,
            mode: 0o644,
            from: location
        ) { object in
            try await stream(digest) { try await object.write($0) }
        }
    }

    /// A URL at which anyone may read a raw object for some time, for tools that speak HTTP.
    ///
    /// - Throws: ``ObjectError/missing(_:directory:)`` for one that is not there, or only compressed.
    public func temporaryURL(_ digest: Digest, seconds: Int) async throws -> String {
        guard try await storedSize(key(digest, .raw)) != nil else {
            throw ObjectError.missing(digest, directory: location)
        }
        return client.presignedURL(key(digest, .raw), seconds: seconds)
    }

    // MARK: Keys

    func key(_ digest: Digest, _ encoding: ObjectEncoding) -> String {
        let hex = digest.hex
        return "\(configuration.prefix)sha256/\(hex.prefix(2))/\(hex)\(encoding == .lz4 ? ".lz4" : "")"
    }

    /// The digest and form that a key names; `nil` for a key of something else.
    func object(_ key: String) -> (digest: Digest, encoding: ObjectEncoding)? {
        guard key.hasPrefix(configuration.prefix + "sha256/"), let slash = key.lastIndex(of: "/") else { return nil }
        let name = key[key.index(after: slash)...]
        let encoding: ObjectEncoding = name.hasSuffix(".lz4") ? .lz4 : .raw
        guard let digest = Digest(hex: encoding == .lz4 ? name.dropLast(4) : name), self.key(digest, encoding) == key
        else { return nil }
        return (digest, encoding)
    }

    /// Whether a put has nothing to do.
    func isStored(_ digest: Digest, _ encoding: ObjectEncoding) async throws -> Bool {
        encoding == .raw ? try await storedSize(key(digest, .raw)) != nil : try await contains(digest)
    }

    /// Bytes under a key, `nil` if there is none.
    func storedSize(_ key: String) async throws -> Int? {
        do {
            let answer = try await client.send(S3Client.Call(operation: "HeadObject", method: .HEAD, key: key))
            return answer.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        } catch let error as S3Error where error.isMissingKey {
            return nil
        }
    }
}

extension S3Error {
    /// There is no such key; that there is no such bucket is another matter, though HEAD does not tell them apart.
    var isMissingKey: Bool { status == 404 && code != "NoSuchBucket" && code != "NoSuchUpload" }

    var isMissingUpload: Bool { code == "NoSuchUpload" }
}
