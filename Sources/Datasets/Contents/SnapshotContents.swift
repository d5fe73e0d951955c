import Objects

/// The bytes of a snapshot's files, out of the packs that hold them.
///
/// Everything is verified: each content against its digest, and a file in chunks against its own as well. Any number of
/// threads may read. Blocks on the disk.
public final class SnapshotContents: Sendable {
    public let catalog: PackCatalog
    private let readers: [PackReader?]
    /// Chunk lists of objects whose reference does not name one.
    private let lists: [Digest: Digest]

    /// Opens packs.
    ///
    /// - Parameter entries: what will be read of the packs at some positions, others are not opened; all where left out.
    public init(
        _ catalog: PackCatalog,
        from source: any PackSource,
        lists: [Digest: Digest] = [:],
        entries: [Int: [PackEntry]]? = nil
    ) async throws {
        let wanted = catalog.packs.indices.filter { entries == nil || entries?[$0] != nil }
        let opened = try await concurrently(wanted, width: 4) { position in
            guard let entries = entries?[position] else { return try await source.open(catalog.packs[position]) }
            return try await source.open(catalog.packs[position], reading: entries)
        }
        var readers = [PackReader?](repeating: nil, count: catalog.packs.count)
        for (position, reader) in zip(wanted, opened) { readers[position] = reader }
        self.catalog = catalog
        self.readers = readers
        self.lists = lists
    }

    /// One content of a pack.
    ///
    /// - Throws: ``SnapshotError/missingContent(_:)`` if no pack holds it.
    public func content(_ digest: Digest) throws -> [UInt8] {
        guard let place = catalog.place(of: digest), let reader = readers[place.pack] else {
            throw SnapshotError.missingContent(digest)
        }
        return try reader.content(place.entry)
    }

    /// Hands the bytes of a file to `body`, a part at a time.
    ///
    /// - Throws: ``SnapshotError/wrongContent(_:found:)`` if they are not those of the reference.
    public func read(_ reference: ObjectReference, _ body: (borrowing [UInt8]) throws -> Void) throws {
        guard let list = reference.chunks ?? lists[reference.digest] else {
            let content = try content(reference.digest)
            guard content.count == reference.size else {
                throw SnapshotError.wrongContent(reference.digest, found: "\(content.count) bytes")
            }
            return try body(content)
        }
        var hasher = Digest.Hasher()
        var size = 0
        try forEachChunk(of: list) { part in
            let chunk = try content(part.digest)
            guard chunk.count == part.size else {
                throw SnapshotError.wrongContent(part.digest, found: "\(chunk.count) bytes")
            }
            hasher.update(chunk)
            size += chunk.count
            try body(chunk)
        }
        guard size == reference.size else { throw SnapshotError.wrongContent(reference.digest, found: "\(size) bytes") }
        let found = hasher.finalize()
        guard found == reference.digest else {
            throw SnapshotError.wrongContent(reference.digest, found: found.description)
        }
    }

    /// All bytes of a file.
    public func bytes(_ reference: ObjectReference) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(reference.size)
        try read(reference) { bytes += $0 }
        return bytes
    }

    /// Every digest that the packs must hold for a file: its content, or its lists and chunks.
    public func forEachContent(of reference: ObjectReference, _ body: (Digest) throws -> Void) throws {
        guard let list = reference.chunks ?? lists[reference.digest] else { return try body(reference.digest) }
        try forEachChunk(of: list, lists: body) { try body($0.digest) }
    }

    /// Compares the size that a reference gives with that of what the packs hold; reads lists alone.
    ///
    /// - Throws: ``SnapshotError/wrongContent(_:found:)`` where they differ, ``SnapshotError/missingContent(_:)``.
    public func checkSize(of reference: ObjectReference) throws {
        var size = 0
        if let list = reference.chunks ?? lists[reference.digest] {
            try forEachChunk(of: list) { size += $0.size }
        } else {
            guard let place = catalog.place(of: reference.digest) else {
                throw SnapshotError.missingContent(reference.digest)
            }
            size = place.entry.size
        }
        guard size == reference.size else {
            throw SnapshotError.wrongContent(reference.digest, found: "\(size) bytes, not \(reference.size)")
        }
    }

    private func forEachChunk(
        of digest: Digest,
        below level: UInt8? = nil,
        lists: (Digest) throws -> Void = { _ in },
        _ body: (ChunkList.Part) throws -> Void
    ) throws {
        try lists(digest)
        let list = try ChunkList(try content(digest), digest: digest)
        if let level, list.level >= level {
            throw SnapshotError.malformedChunkList(digest, reason: "it has level \(list.level) below level \(level)")
        }
        for part in list.parts {
            if list.level == 0 {
                try body(part)
            } else {
                try forEachChunk(of: part.digest, below: list.level, lists: lists, body)
            }
        }
    }
}
