import Objects
import Synchronization

/// Takes the contents of a snapshot: what the store's packs do not hold goes into new ones.
final class ContentSink: Sendable {
    private struct State {
        let writer: PackWriter
        /// Chunk lists made, each whole.
        var lists: [Digest: [UInt8]] = [:]
    }

    /// What the store has already.
    let known: PackCatalog
    /// Contents that are not taken, with the reason.
    let erased: [Digest: String]
    private let state: Mutex<State>

    /// - Parameter directory: where packs are written; see `PackWriter`.
    init(
        known: PackCatalog,
        erased: [Digest: String] = [:],
        directory: String,
        bound: Int = PackWriter.standardBound,
        onSeal: @escaping @Sendable (SealedPack) -> Void
    ) {
        self.known = known
        self.erased = erased
        state = Mutex(
            State(writer: PackWriter(directory: directory, bound: bound, onSeal: onSeal))
        )
    }

    /// Appends what is neither in the store nor in the new packs.
    func append(_ contents: [PackedContent]) throws {
        guard !contents.isEmpty else { return }
        try state.withLock { state in
            for content in contents where !known.contains(content.digest) { try state.writer.append(content) }
        }
    }

    /// Stores a file's chunk list and returns its digest.
    func append(listOf chunks: [ChunkList.Part]) throws -> Digest {
        let lists = ChunkList.lists(of: chunks)
        let packed = try lists.map { try PackedContent($0.span) }
        try append(packed)
        state.withLock { state in
            for (content, bytes) in zip(packed, lists) { state.lists[content.digest] = bytes }
        }
        return packed[packed.count - 1].digest
    }

    /// Stores bytes that are in memory.
    func append(_ bytes: [UInt8]) throws -> ObjectReference {
        guard bytes.count > FileCapture.wholeLimit else {
            let packed = try PackedContent(bytes.span)
            try append([packed])
            return ObjectReference(size: packed.size, digest: packed.digest)
        }
        var parts: [ChunkList.Part] = []
        var start = 0
        for length in ContentDefinedChunker.lengths(of: bytes) {
            let packed = try PackedContent(bytes.span.extracting(start..<start + length))
            try append([packed])
            parts.append(ChunkList.Part(digest: packed.digest, size: length))
            start += length
        }
        return ObjectReference(size: bytes.count, digest: Digest.of(bytes), chunks: try append(listOf: parts))
    }

    /// Seals the last pack and returns all new packs.
    func finish() throws -> [SealedPack] {
        try state.withLock { try $0.writer.finish() }
    }

    /// The chunk lists made so far.
    var lists: [Digest: [UInt8]] { state.withLock { $0.lists } }
}
