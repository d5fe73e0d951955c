/// The file of an object, read front to back and hashed on the way; blocks on the disk.
final class StoredFile {
    /// Where an object is, and how it is kept.
    struct Location: Sendable {
        let path: String
        let encoding: ObjectEncoding
    }

    private let digest: Digest
    private let file: OpenFile
    private let range: Range<Int>?
    private let decoder: LZ4FrameDecoder?
    private let buffer: UnsafeMutableRawBufferPointer
    private var hasher = Digest.Hasher()
    // Where the next piece starts in the content.
    private var offset = 0

    /// - Parameter range: the offsets of the content to read; `nil` for all of it, verified.
    init(_ digest: Digest, at location: Location, range: Range<Int>? = nil) throws {
        self.digest = digest
        self.range = range
        file = try .reading(location.path)
        decoder = location.encoding == .lz4 ? try LZ4FrameDecoder() : nil
        buffer = .allocate(byteCount: decoder == nil ? OpenFile.bufferSize : 0, alignment: 16)
        if let range, decoder == nil {
            try file.seek(to: range.lowerBound)
            offset = range.lowerBound
        }
    }

    deinit {
        buffer.deallocate()
    }

    /// The next piece, at most 1 MiB, valid until the next call; `nil` at the end.
    ///
    /// - Throws: at the end of the whole content if what was read was not the object.
    func next() throws -> UnsafeRawBufferPointer? {
        guard let range else { return try nextVerified() }
        while offset < range.upperBound, let piece = try piece() {
            let start = offset
            offset += piece.count
            let wanted = range.clamped(to: start..<offset)
            if !wanted.isEmpty {
                return UnsafeRawBufferPointer(rebasing: piece[wanted.lowerBound - start..<wanted.upperBound - start])
            }
        }
        return nil
    }

    private func nextVerified() throws -> UnsafeRawBufferPointer? {
        if let piece = try piece() {
            hasher.update(piece)
            return piece
        }
        let found = hasher.finalize()
        guard found == digest else { throw ObjectError.corrupt(digest, found: found, path: file.path) }
        return nil
    }

    private func piece() throws -> UnsafeRawBufferPointer? {
        if let decoder { return try decoded(decoder) }
        let wanted = min(buffer.count, range.map { $0.upperBound - offset } ?? buffer.count)
        let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        return count == 0 ? nil : UnsafeRawBufferPointer(rebasing: buffer[..<count])
    }

    private func decoded(_ decoder: LZ4FrameDecoder) throws -> UnsafeRawBufferPointer? {
        do {
            repeat {
                if let piece = try decoder.next() { return piece }
            } while try decoder.supply({ try file.read(into: $0) })
            try decoder.finish()
            return nil
        } catch let error as LZ4FrameError {
            throw ObjectError.damagedFrame(digest, path: file.path, reason: error.reason)
        }
    }

    /// Bytes of the content, by the file's size or the frame's header.
    static func contentSize(_ digest: Digest, at location: Location) throws -> Int {
        let file = try OpenFile.reading(location.path)
        guard location.encoding == .lz4 else { return try file.size }
        do {
            let header = try file.read(0..<LZ4FrameDecoder.headerSize)
            if let size = try LZ4FrameDecoder.contentSize(header: header) { return size }
        } catch let error as LZ4FrameError {
            throw ObjectError.damagedFrame(digest, path: location.path, reason: error.reason)
        }
        // A frame without a size: of an empty content, or written by another program.
        let content = try StoredFile(digest, at: location)
        var size = 0
        while let piece = try content.next() { size += piece.count }
        return size
    }

    /// The bytes of the content at the offsets `range`, not verified.
    static func read(_ digest: Digest, range: Range<Int>, at location: Location) throws -> [UInt8] {
        guard location.encoding == .lz4 else { return try OpenFile.reading(location.path).read(range) }
        let content = try StoredFile(digest, at: location, range: range)
        var bytes: [UInt8] = []
        while let piece = try content.next() { bytes.append(contentsOf: piece) }
        return bytes
    }
}
