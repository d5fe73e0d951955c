import Objects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What files held when they were last read, so that those that have not changed since need not be read again.
///
/// **The rule.** A file's recorded content is taken for its content only if device, inode, size, modification and change
/// time are all what they were, to the nanosecond, *and* both times were at least ``settlingTime`` old when the file was
/// read. A write to a file sets both times to the clock's, and no call can set the change time to another; so a write
/// after the reading leaves other times, unless the clock was set back by more than the settling time in between and
/// stands at the very nanosecond. A file that was written shortly before it was read is not recorded, whatever it holds
/// ("racily clean" in git's words). A snapshot also never names a recorded content that the store does not have.
///
/// A program that writes through a mapping of the file may leave the times alone until it unmaps or syncs it; capture
/// such files with the cache off.
///
/// Kept in one file for each root, with a checksum; a file that is damaged or of another root is as good as none. Integers
/// are little-endian: the ASCII text `LSTSTAT`, the version byte `01`, the root (u32 length, bytes), the number of entries
/// u64, for each entry in path order its path (u32 length, bytes), size, modification time, change time, inode, device
/// (8 bytes each), the digest, the digest of the chunk list or 32 zero bytes; at the end the SHA-256 of all before it.
struct StatCache: Sendable {
    struct Entry: Hashable, Sendable {
        let path: SnapshotPath
        let size: Int
        let modified: Int64
        let changed: Int64
        let inode: UInt64
        let device: UInt64
        let object: ObjectReference

        init(path: SnapshotPath, status: FileStatus, object: ObjectReference) {
            self.path = path
            size = status.size
            modified = status.modified
            changed = status.changed
            inode = status.inode
            device = status.device
            self.object = object
        }

        /// Whether a file of this status holds what is recorded.
        func describes(_ status: FileStatus) -> Bool {
            status.kind == .file && size == status.size && modified == status.modified && changed == status.changed
                && inode == status.inode && device == status.device
        }
    }

    /// How old a file's times must be when it is read: 2 seconds, the coarsest times that a file system keeps.
    static let settlingTime: Int64 = 2_000_000_000
    private static let header = Array("LSTSTAT".utf8) + [1]
    private static let noChunks = [UInt8](repeating: 0, count: Digest.byteCount)

    let root: [UInt8]
    /// In the order of their paths.
    private(set) var entries: [Entry] = []

    init(root: String) { self.root = Array(root.utf8) }

    /// Whether a file that was read may be recorded.
    static func mayRecord(_ file: CapturedFile) -> Bool {
        max(file.status.modified, file.status.changed) <= file.readAt - settlingTime
    }

    /// What is recorded for each of some things in path order; `nil` where the rule allows nothing.
    func objects(for tree: [TreeEntry]) -> [ObjectReference?] {
        var position = 0
        return tree.map { item in
            while position < entries.count, entries[position].path < item.path { position += 1 }
            guard position < entries.count, entries[position].path == item.path,
                entries[position].describes(item.status)
            else { return nil }
            return entries[position].object
        }
    }

    mutating func replace(_ entries: [Entry]) { self.entries = entries }

    // MARK: The file

    static func path(root: String, in directory: String) -> String {
        "\(directory)/\(Digest.of(Array(root.utf8)).hex.prefix(32)).stat"
    }

    /// Reads the cache of a root; an empty one where there is none that can be used.
    static func load(root: String, from directory: String) -> StatCache {
        var cache = StatCache(root: root)
        let path = DiskPath(path(root: root, in: directory))
        guard let bytes = try? OpenedFile.content(of: path, limit: 1 << 32), let entries = cache.decode(bytes) else {
            return cache
        }
        cache.entries = entries
        return cache
    }

    /// Writes the cache beside its place and puts it there; it need not be durable.
    func save(in directory: String) throws {
        let path = Self.path(root: String(decoding: root, as: UTF8.self), in: directory)
        try AtomicFile.write(encoded, to: path, isDurable: false)
    }

    private var encoded: [UInt8] {
        var bytes = Self.header
        bytes.reserveCapacity(entries.count * 192 + 128)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(UInt32(root.count))
        bytes += root
        append(UInt64(entries.count))
        for entry in entries {
            append(UInt32(entry.path.bytes.count))
            bytes += entry.path.bytes
            append(Int64(entry.size))
            append(entry.modified)
            append(entry.changed)
            append(entry.inode)
            append(entry.device)
            bytes += entry.object.digest.bytes
            bytes += entry.object.chunks?.bytes ?? Self.noChunks
        }
        bytes += Digest.of(bytes).bytes
        return bytes
    }

    private func decode(_ bytes: [UInt8]) -> [Entry]? {
        let end = bytes.count - Digest.byteCount
        guard end > 0, bytes.starts(with: Self.header) else { return nil }
        return bytes.withUnsafeBytes { (bytes) -> [Entry]? in
            var hasher = Digest.Hasher()
            hasher.update(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            guard hasher.finalize() == Digest(UnsafeRawBufferPointer(rebasing: bytes[end...])) else { return nil }
            // The checksum holds, so the lengths are those that were written.
            var position = Self.header.count
            func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
                defer { position += MemoryLayout<Value>.size }
                return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
            }
            func take(_ count: Int) -> UnsafeRawBufferPointer {
                defer { position += count }
                return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
            }
            guard take(Int(integer(UInt32.self))).elementsEqual(root) else { return nil }
            let count = Int(integer(UInt64.self))
            var entries: [Entry] = []
            entries.reserveCapacity(count)
            for _ in 0..<count {
                let path = SnapshotPath(checked: take(Int(integer(UInt32.self))))
                let size = Int(integer(Int64.self))
                let status = FileStatus(
                    kind: .file,
                    mode: .regular,
                    size: size,
                    modified: integer(Int64.self),
                    changed: integer(Int64.self),
                    inode: integer(UInt64.self),
                    device: integer(UInt64.self)
                )
                let digest = Digest(take(Digest.byteCount))
                let chunks = take(Digest.byteCount)
                let object = ObjectReference(
                    size: size,
                    digest: digest,
                    chunks: chunks.elementsEqual(Self.noChunks) ? nil : Digest(chunks)
                )
                entries.append(Entry(path: path, status: status, object: object))
            }
            return entries
        }
    }
}
