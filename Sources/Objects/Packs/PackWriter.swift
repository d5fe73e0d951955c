/// Writes contents into packs, so that thousands of small ones cost a few files and a few syncs.
///
/// A pack appears in the directory whole and durable, under `<64 hexadecimal digits>.pack`, when it is sealed: at the
/// size bound, or by ``finish()``. What was appended and not sealed is gone with the writer, or after a crash. A
/// content is kept once for all packs of one writer. Blocks on the disk; use it from one thread at a time.
public final class PackWriter {
    /// At how many bytes a pack is sealed unless told otherwise: 64 MiB.
    public static let standardBound = 64 << 20

    public let directory: String
    private let bound: Int
    private let onSeal: (SealedPack) -> Void
    private var known: Set<Digest> = []
    private var sealed: [SealedPack] = []
    private var current: OpenPack?
    private var hasFailed = false

    /// - Parameters:
    ///   - directory: of the packs; created with the first one, as is its `tmp/`.
    ///   - bound: the bytes that no pack's entries exceed, but for a single entry that does so alone.
    ///   - onSeal: told of every pack that is whole and durable.
    public init(
        directory: String,
        bound: Int = PackWriter.standardBound,
        onSeal: @escaping (SealedPack) -> Void = { _ in }
    ) {
        self.directory = directory
        self.bound = bound
        self.onSeal = onSeal
    }

    /// Hashes, compresses and appends content; returns its digest.
    public func append(_ content: [UInt8]) throws -> Digest {
        let packed = try PackedContent(content.span)
        try append(packed)
        return packed.digest
    }

    /// Appends content, unless this writer has it already.
    ///
    /// - Returns: whether it was appended.
    /// - Throws: `ObjectError` if the disk refuses; then the pack in progress is given up, those sealed stay, and
    ///   further calls throw ``PackError/writerFailed(directory:)``.
    @discardableResult
    public func append(_ content: PackedContent) throws -> Bool {
        guard !hasFailed else { throw PackError.writerFailed(directory: directory) }
        guard !known.contains(content.digest) else { return false }
        try givingUpOnError {
            let size = PackFormat.entryHeaderSize + content.stored.count
            if let current, current.endOfEntries + size > bound { try seal(current) }
            let pack = try current ?? OpenPack(directory: directory)
            current = pack
            try pack.append(content)
        }
        known.insert(content.digest)
        return true
    }

    /// Whether this writer has appended content of this digest.
    public func contains(_ digest: Digest) -> Bool { known.contains(digest) }

    /// Seals the pack in progress and returns all packs of this writer, in the order of sealing.
    ///
    /// More may be appended afterwards; it goes into a new pack.
    public func finish() throws -> [SealedPack] {
        guard !hasFailed else { throw PackError.writerFailed(directory: directory) }
        try givingUpOnError {
            if let current { try seal(current) }
        }
        return sealed
    }

    private func seal(_ pack: OpenPack) throws {
        let whole = try pack.seal()
        sealed.append(whole)
        current = nil
        onSeal(whole)
    }

    private func givingUpOnError(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch {
            current = nil
            hasFailed = true
            throw error
        }
    }
}

/// A pack that is whole and durable.
public struct SealedPack: Sendable {
    /// The SHA-256 of the file: its name.
    public let digest: Digest
    public let path: String
    /// Bytes of the file.
    public let size: Int
    /// What it holds, in the order of the digests.
    public let entries: [PackEntry]
}

/// A pack being written, removed when released unless it was sealed.
private final class OpenPack {
    private let directory: String
    private let temporary: TemporaryFile
    private var buffer: [UInt8] = []
    private var hasher = Digest.Hasher()
    private var written = 0
    /// The bytes that are on their way to the disk, so that the sync at the end has less to wait for.
    private var started = 0
    private var entries: [PackEntry] = []
    /// Where the next entry starts.
    var endOfEntries: Int { written + buffer.count }

    init(directory: String) throws {
        self.directory = directory
        let temporaries = directory + "/tmp"
        try Directory.create(temporaries)
        temporary = try TemporaryFile(in: temporaries, prefix: "pack-")
        buffer.reserveCapacity(OpenFile.bufferSize * 2)
        buffer += PackFormat.header
    }

    func append(_ content: PackedContent) throws {
        entries.append(
            PackEntry(
                digest: content.digest,
                offset: endOfEntries,
                storedSize: content.stored.count,
                size: content.size,
                encoding: content.encoding
            )
        )
        buffer.append(content.encoding.rawValue)
        buffer.appendLittleEndian(UInt32(content.stored.count))
        buffer.appendLittleEndian(UInt32(content.size))
        buffer += content.stored
        if buffer.count >= OpenFile.bufferSize { try flush() }
    }

    func seal() throws -> SealedPack {
        entries.sort { $0.digest < $1.digest }
        buffer.append(PackFormat.endOfEntries)
        let start = endOfEntries
        var index: [UInt8] = []
        index.reserveCapacity(PackFormat.indexSize(entries.count))
        var counts = [UInt32](repeating: 0, count: 256)
        var digests: [UInt8] = []
        digests.reserveCapacity(entries.count * Digest.byteCount)
        for entry in entries {
            let bytes = entry.digest.bytes
            counts[Int(bytes[0])] += 1
            digests += bytes
        }
        var total: UInt32 = 0
        for count in counts {
            total += count
            index.appendLittleEndian(total)
        }
        index += digests
        for entry in entries {
            index.appendLittleEndian(UInt64(entry.offset))
            index.appendLittleEndian(UInt32(entry.storedSize))
            index.appendLittleEndian(UInt32(entry.size))
            index.append(entry.encoding.rawValue)
        }
        index.appendLittleEndian(UInt64(start))
        index.appendLittleEndian(UInt64(entries.count))
        buffer += index
        buffer += Digest.of(index).bytes
        buffer += PackFormat.header
        try flush()
        let digest = hasher.finalize()
        let path = "\(directory)/\(digest.hex).pack"
        try temporary.commit(to: path, mode: 0o444)
        return SealedPack(digest: digest, path: path, size: written, entries: entries)
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { bytes in
            hasher.update(bytes)
            try temporary.file.write(bytes)
        }
        written += buffer.count
        if written - started >= OpenFile.bufferSize * 8 {
            temporary.file.startWriting(started..<written)
            started = written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
