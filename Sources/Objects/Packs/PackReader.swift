/// Reads contents out of a pack's file, each verified against its digest.
///
/// Damage of any kind is a ``PackError`` that names the pack and the offset, never content that is not what was put.
/// Blocks on the disk; any number of threads may use one reader.
public final class PackReader: Sendable {
    private let file: PackFile
    public let index: PackIndex

    public var path: String { file.path }

    /// Opens a pack and reads its index.
    public init(path: String) throws {
        let file = try PackFile(path)
        let footerStart = max(0, file.size - PackFooter.size)
        let footer = try PackFooter(try file.read(footerStart..<file.size), packSize: file.size, pack: path)
        let header = try file.read(0..<PackFormat.header.count)
        guard header.dropLast() == PackFormat.header.dropLast() else {
            throw PackError.damaged(pack: path, offset: 0, reason: "it does not start as a pack does")
        }
        guard header == PackFormat.header else {
            throw PackError.unsupportedVersion(header[header.count - 1], pack: path)
        }
        index = try PackIndex(tail: try file.read(footer.tail), footer: footer, pack: path)
        self.file = file
    }

    /// Opens a pack whose index is known, and of which the file may hold only some entries.
    public init(path: String, index: PackIndex) throws {
        let file = try PackFile(path)
        guard file.size == index.packSize else {
            throw PackError.damaged(pack: path, offset: 0, reason: "it has \(file.size) bytes of \(index.packSize)")
        }
        self.file = file
        self.index = index
    }

    /// The content of this digest.
    ///
    /// - Throws: ``PackError/missing(_:pack:)`` if the pack does not hold it.
    public func content(_ digest: Digest) throws -> [UInt8] {
        guard let entry = index.entry(digest) else { throw PackError.missing(digest, pack: path) }
        return try content(entry)
    }

    /// The content of one of the index's entries.
    public func content(_ entry: PackEntry) throws -> [UInt8] {
        let bytes = try file.read(entry.range)
        return try entry.content(from: bytes.span, pack: path)
    }

    /// Reads the whole pack through: its own digest, and that of every content.
    ///
    /// - Parameter name: the digest that is the pack's name.
    /// - Returns: what is wrong, in the order of the bytes; empty for a pack that is whole.
    public func verify(name: Digest) throws -> [PackError] {
        var problems: [PackError] = []
        for entry in index.entries.sorted(by: { $0.offset < $1.offset }) {
            do {
                _ = try content(entry)
            } catch let error as PackError {
                problems.append(error)
            }
        }
        var hasher = Digest.Hasher()
        for start in stride(from: 0, to: file.size, by: OpenFile.bufferSize) {
            hasher.update(try file.read(start..<min(start + OpenFile.bufferSize, file.size)))
        }
        let found = hasher.finalize()
        if found != name { problems.append(.wrongName(expected: name, found: found, pack: path)) }
        return problems
    }
}

/// What can still be had from a pack whose index cannot be read.
public struct PackSalvage: Sendable {
    /// Where the entries end, or where the first one stands that cannot be read.
    public let end: Int
    /// What is wrong there; `nil` if the entries end there as they should.
    public let problem: PackError?

    /// Reads a pack's entries from the front, without its index, and hands each content and its digest to `body`.
    ///
    /// The digests are those of what is found: damage inside an entry gives content that nobody has put, under a digest
    /// that nobody looks for. Keep what some record names.
    public init(path: String, _ body: (Digest, [UInt8]) throws -> Void) throws {
        let file = try PackFile(path)
        var offset = PackFormat.header.count
        func stop(_ reason: String?) -> PackError? {
            reason.map { .damaged(pack: path, offset: offset, reason: $0) }
        }
        while true {
            let head = try file.read(offset..<offset + PackFormat.entryHeaderSize)
            if head.first == PackFormat.endOfEntries {
                (end, problem) = (offset, nil)
                return
            }
            guard head.count == PackFormat.entryHeaderSize else {
                (end, problem) = (offset, stop("the pack ends"))
                return
            }
            let header = head.withUnsafeBytes { PackEntryHeader($0) }
            let encoding = PackEncoding(rawValue: header.encoding)
            let fault = PackEntryHeader.fault(encoding, storedSize: header.storedSize, size: header.size)
            guard let encoding, fault == nil else {
                (end, problem) = (offset, stop(fault))
                return
            }
            let start = offset + PackFormat.entryHeaderSize
            let stored = try file.read(start..<start + header.storedSize)
            let content = stored.withUnsafeBufferPointer { encoding.decode($0, size: header.size) }
            guard let content else {
                (end, problem) = (offset, stop("the entry is not whole"))
                return
            }
            try body(Digest.of(content), content)
            offset = start + header.storedSize
        }
    }
}
