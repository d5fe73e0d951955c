import Objects

/// A pack by name and size.
public struct PackReference: Hashable, Sendable, Comparable {
    public let digest: Digest
    /// Bytes of the pack.
    public let size: Int

    public init(digest: Digest, size: Int) {
        self.digest = digest
        self.size = size
    }

    public static func < (left: PackReference, right: PackReference) -> Bool { left.digest < right.digest }
}

/// Where packs come from.
public protocol PackSource: Sendable {
    /// What a pack holds, without the pack.
    func index(of pack: PackReference) async throws -> PackIndex

    /// The pack itself, as a file on this machine.
    ///
    /// - Throws: `PackError` or `ObjectError` if it is missing or cannot be read.
    func open(_ pack: PackReference) async throws -> PackReader

    /// A pack of which only some entries are read.
    ///
    /// A source elsewhere fetches these and little more, unless they are most of the pack.
    func open(_ pack: PackReference, reading entries: [PackEntry]) async throws -> PackReader
}

extension PackSource {
    public func open(_ pack: PackReference, reading entries: [PackEntry]) async throws -> PackReader {
        try await open(pack)
    }
}

/// The packs that an object store has as raw objects.
public struct ObjectPacks: PackSource {
    private let objects: any ObjectStore

    public init(_ objects: any ObjectStore) { self.objects = objects }

    public func index(of pack: PackReference) async throws -> PackIndex {
        if try await objects.isLocal(pack.digest) { return try await open(pack).index }
        return try await PackIndex.read(pack.digest, size: pack.size, from: objects)
    }

    public func open(_ pack: PackReference, reading entries: [PackEntry]) async throws -> PackReader {
        try await open(pack, reading: entries, index: nil)
    }

    /// - Parameter index: of the pack, where it is known.
    public func open(
        _ pack: PackReference,
        reading entries: [PackEntry],
        index: PackIndex?
    ) async throws -> PackReader {
        guard let ranges = PackParts.ranges(of: entries, packSize: pack.size),
            try await !objects.isLocal(pack.digest)
        else { return try await open(pack) }
        let index = if let index { index } else { try await self.index(of: pack) }
        return try await PackParts.fetch(ranges, of: pack, index, from: objects)
    }

    public func open(_ pack: PackReference) async throws -> PackReader {
        guard let path = try await objects.localPath(pack.digest) else { throw SnapshotError.packNotRaw(pack.digest) }
        return try PackReader(path: path)
    }
}

/// Which of some packs hold which contents.
public struct PackCatalog: Sendable {
    public private(set) var packs: [PackReference] = []
    private var indexes: [PackIndex] = []
    // Of a content in several packs the first.
    private var places: [Digest: UInt32] = [:]

    public init() {}

    /// Reads the indexes of `packs`.
    public init(_ packs: [PackReference], from source: any PackSource) async throws {
        let indexes = try await concurrently(packs) { try await source.index(of: $0) }
        for (pack, index) in zip(packs, indexes) { add(pack, index) }
    }

    public mutating func add(_ pack: PackReference, _ index: PackIndex) {
        let number = UInt32(packs.count)
        packs.append(pack)
        indexes.append(index)
        places.reserveCapacity(places.count + index.count)
        index.forEachDigest { digest in
            // One search of the table: nothing is added to what is there, and what is not there becomes the number.
            places[digest, default: number] += 0
        }
    }

    /// The number of contents.
    public var count: Int { places.count }

    public func contains(_ digest: Digest) -> Bool { places[digest] != nil }

    /// The position in ``packs`` of a pack that holds a content; `nil` if none does.
    public func pack(of digest: Digest) -> Int? { places[digest].map { Int($0) } }

    /// Where a content stands.
    public func place(of digest: Digest) -> (pack: Int, entry: PackEntry)? {
        guard let pack = pack(of: digest), let entry = indexes[pack].entry(digest) else { return nil }
        return (pack, entry)
    }

    /// The digests of what the pack at a position holds.
    public func index(of pack: Int) -> PackIndex { indexes[pack] }
}

extension PackIndex {
    /// Whether an object begins as a pack does.
    public static func isPack(_ digest: Digest, in objects: any ObjectStore) async throws -> Bool {
        try await objects.read(digest, range: 0..<7) == Array("LSTPACK".utf8)
    }

    /// Reads the index of a pack by ranges, at the cost of its own size.
    ///
    /// - Throws: `PackError` for an object that is not a pack of this size.
    public static func read(_ pack: Digest, size: Int, from objects: any ObjectStore) async throws -> PackIndex {
        let name = "\(pack)"
        let end = try await objects.read(pack, range: max(0, size - PackFooter.size)..<size)
        let footer = try PackFooter(end, packSize: size, pack: name)
        return try PackIndex(tail: try await objects.read(pack, range: footer.tail), footer: footer, pack: name)
    }
}
