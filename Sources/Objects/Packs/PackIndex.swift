/// What a pack holds and where, from the end of its bytes.
///
/// Kept as it stands in the pack: 49 bytes an entry and 1 KiB.
public struct PackIndex: Sendable {
    /// Fan-out, digests and places, as ``PackFormat`` lays them out.
    private let bytes: [UInt8]
    private let checksum: Digest
    /// The pack's name or path, for errors.
    public let pack: String
    /// The number of contents.
    public let count: Int
    /// Bytes of the whole pack.
    public let packSize: Int

    private var digests: Int { PackFormat.fanOutSize }
    private var places: Int { PackFormat.fanOutSize + count * Digest.byteCount }

    /// Reads and checks the index.
    ///
    /// - Parameters:
    ///   - tail: the bytes of the pack that ``PackFooter/tail`` names.
    ///   - pack: the pack's name or path, for errors.
    /// - Throws: ``PackError/damaged(pack:offset:reason:)`` unless every entry lies in the pack, in no other entry, and
    ///   the checksum holds.
    public init(tail: [UInt8], footer: PackFooter, pack: String) throws(PackError) {
        func damaged(_ offset: Int, _ reason: String) -> PackError {
            .damaged(pack: pack, offset: offset, reason: reason)
        }
        guard tail.count == footer.tail.count else {
            throw damaged(footer.tail.lowerBound, "the index has \(tail.count) bytes of \(footer.tail.count)")
        }
        let start = footer.tail.lowerBound + 1
        let size = PackFormat.indexSize(footer.count)
        var hasher = Digest.Hasher()
        tail[1..<1 + size + 16].withUnsafeBytes { hasher.update($0) }
        guard hasher.finalize() == footer.checksum else { throw damaged(start, "the index has another checksum") }
        guard tail[0] == PackFormat.endOfEntries else { throw damaged(start - 1, "the entries do not end here") }
        bytes = Array(tail[1..<1 + size])
        checksum = footer.checksum
        count = footer.count
        packSize = footer.tail.upperBound
        self.pack = pack
        try check(endOfEntries: start - 1)
    }

    /// The bytes of the pack from the end of its entries to its own end, from which ``init(tail:footer:pack:)`` reads this.
    public var tail: [UInt8] {
        var tail = [PackFormat.endOfEntries]
        tail += bytes
        tail.appendLittleEndian(UInt64(packSize - PackFormat.footerSize - bytes.count))
        tail.appendLittleEndian(UInt64(count))
        return tail + checksum.bytes + PackFormat.header
    }

    /// Where a content stands; `nil` if the pack does not hold it.
    ///
    /// Cost: a binary search among the digests with the same first byte.
    public func entry(_ digest: Digest) -> PackEntry? { position(of: digest).flatMap { place($0, digest) } }

    /// The place of a content among ``entries``; `nil` if the pack does not hold it.
    public func position(of digest: Digest) -> Int? {
        let first = digest.firstByte
        var low = first == 0 ? 0 : fanOut(first - 1)
        var high = fanOut(first)
        while low < high {
            let middle = (low + high) / 2
            let found = self.digest(middle)
            if found == digest { return middle }
            if found < digest { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Whether the pack holds a content; its bytes are not looked at.
    public func contains(_ digest: Digest) -> Bool { entry(digest) != nil }

    /// Hands every digest to `body`, in order.
    public func forEachDigest(_ body: (Digest) throws -> Void) rethrows {
        for position in 0..<count { try body(digest(position)) }
    }

    /// Every entry, in the order of the digests.
    public var entries: [PackEntry] {
        (0..<count).compactMap { position in
            place(position, digest(position))
        }
    }

    private func fanOut(_ byte: Int) -> Int { Int(bytes.littleEndian(at: byte * 4, as: UInt32.self)) }

    private func digest(_ position: Int) -> Digest {
        bytes.withUnsafeBytes {
            Digest(UnsafeRawBufferPointer(rebasing: $0[(digests + position * Digest.byteCount)...]))
        }
    }

    private func place(_ position: Int, _ digest: Digest) -> PackEntry? {
        let start = places + position * PackFormat.placeSize
        return PackEncoding(rawValue: bytes[start + 16]).map { encoding in
            PackEntry(
                digest: digest,
                offset: Int(truncatingIfNeeded: bytes.littleEndian(at: start, as: UInt64.self)),
                storedSize: Int(bytes.littleEndian(at: start + 8, as: UInt32.self)),
                size: Int(bytes.littleEndian(at: start + 12, as: UInt32.self)),
                encoding: encoding
            )
        }
    }

    private func check(endOfEntries end: Int) throws(PackError) {
        func damaged(_ offset: Int, _ reason: String) -> PackError {
            .damaged(pack: pack, offset: end + 1 + offset, reason: reason)
        }
        var counts = [Int](repeating: 0, count: 256)
        for position in 0..<count {
            let start = digests + position * Digest.byteCount
            counts[Int(bytes[start])] += 1
            if position > 0, digest(position - 1) >= digest(position) {
                throw damaged(start, "the digests are not in order")
            }
        }
        var total = 0
        for byte in 0..<256 {
            total += counts[byte]
            guard fanOut(byte) == total else { throw damaged(byte * 4, "the fan-out does not count the digests") }
        }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        for position in 0..<count {
            let start = places + position * PackFormat.placeSize
            let offset = bytes.littleEndian(at: start, as: UInt64.self)
            let storedSize = Int(bytes.littleEndian(at: start + 8, as: UInt32.self))
            let size = Int(bytes.littleEndian(at: start + 12, as: UInt32.self))
            let encoding = PackEncoding(rawValue: bytes[start + 16])
            if let fault = PackEntryHeader.fault(encoding, storedSize: storedSize, size: size) {
                throw damaged(start, fault)
            }
            guard offset <= UInt64(end) else { throw damaged(start, "an entry starts behind the last one's end") }
            ranges.append(Int(offset)..<Int(offset) + PackFormat.entryHeaderSize + storedSize)
        }
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var expected = PackFormat.header.count
        for range in ranges {
            guard range.lowerBound == expected else {
                throw damaged(0, "an entry is at byte \(range.lowerBound), where \(expected) comes next")
            }
            expected = range.upperBound
        }
        guard expected == end else { throw damaged(0, "the entries end at byte \(expected), not \(end)") }
    }
}

/// The last bytes of a pack, which say where its index is.
public struct PackFooter: Hashable, Sendable {
    /// How many bytes at the end of a pack ``init(_:packSize:pack:)`` needs.
    public static let size = PackFormat.footerSize

    /// The number of contents.
    public let count: Int
    /// The bytes of the pack that ``PackIndex`` needs: from the end of the entries to the end of the pack.
    public let tail: Range<Int>
    let checksum: Digest

    /// Reads the last ``size`` bytes of a pack of `packSize` bytes.
    public init(_ bytes: [UInt8], packSize: Int, pack: String) throws(PackError) {
        func damaged(_ reason: String) -> PackError {
            .damaged(pack: pack, offset: max(0, packSize - Self.size), reason: reason)
        }
        let smallest = PackFormat.header.count + 1 + PackFormat.indexSize(0) + Self.size
        guard bytes.count == Self.size, packSize >= smallest else {
            throw damaged("\(packSize) bytes are too few for a pack")
        }
        let header = PackFormat.header.count
        guard bytes.suffix(header).dropLast().elementsEqual(PackFormat.header.dropLast()) else {
            throw damaged("it does not end as a pack does; it may be truncated")
        }
        if let version = bytes.last, version != PackFormat.version { throw .unsupportedVersion(version, pack: pack) }
        let index = bytes.littleEndian(at: 0, as: UInt64.self)
        let count = bytes.littleEndian(at: 8, as: UInt64.self)
        guard
            index > UInt64(header), index < UInt64(packSize), count <= UInt64(packSize),
            Int(index) + PackFormat.indexSize(Int(count)) + Self.size == packSize,
            let checksum = Digest(bytes: Array(bytes[16..<16 + Digest.byteCount]))
        else { throw damaged("the footer's numbers do not fit a pack of \(packSize) bytes") }
        self.count = Int(count)
        self.checksum = checksum
        tail = Int(index) - 1..<packSize
    }
}
