/// The chunks of a file, each whole in memory.
public struct FileChunks {
    public let path: String
    public let sizes: ChunkSizes

    public init(path: String, sizes: ChunkSizes = .standard) {
        self.path = path
        self.sizes = sizes
    }

    /// Hands the chunks of the file to `body` in order and returns the file's size.
    ///
    /// Blocks on the disk. Memory: one chunk of the largest size and 1 MiB, whatever the file's size. A file that is
    /// written meanwhile gives chunks of some mixture; whoever stores them compares the file's status before and after.
    ///
    /// - Throws: `ObjectError` if the file cannot be read or is not a regular one; what `body` throws.
    public func read(_ body: (Span<UInt8>) throws -> Void) throws -> Int {
        let file = try OpenFile.reading(path)
        return try Self.read(sizes: sizes, from: { try file.read(into: $0) }, body)
    }

    /// Hands the chunks of what `fill` gives to `body` in order and returns the number of bytes.
    ///
    /// - Parameter fill: puts the bytes that follow into the buffer and returns their number, 0 at the end.
    public static func read(
        sizes: ChunkSizes = .standard,
        from fill: (UnsafeMutableRawBufferPointer) throws -> Int,
        _ body: (Span<UInt8>) throws -> Void
    ) throws -> Int {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: sizes.maximum + OpenFile.bufferSize,
            alignment: 16
        )
        defer { buffer.deallocate() }
        var chunker = ContentDefinedChunker(sizes: sizes)
        var size = 0
        // The chunk in progress stands from `start`; from there to `end` all has been given to the chunker.
        var start = 0
        var end = 0
        func hand(_ count: Int) throws {
            let chunk = UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
            try chunk.withMemoryRebound(to: UInt8.self) { try body($0.span) }
            start += count
        }
        while true {
            if buffer.count - end < OpenFile.bufferSize {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
                (start, end) = (0, end - start)
            }
            let space = UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + OpenFile.bufferSize])
            let count = try fill(space)
            if count == 0 { break }
            size += count
            var taken = end
            end += count
            while true {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[taken..<end])
                guard let found = rest.withMemoryRebound(to: UInt8.self, { chunker.nextBoundary(in: $0) }) else {
                    break
                }
                taken += found
                try hand(taken - start)
            }
        }
        if end > start { try hand(end - start) }
        return size
    }
}
