extension Digest {
    /// The digest and the size in bytes of a file, read in bounded memory.
    ///
    /// - Throws: `ObjectError` when it cannot be read.
    public static func ofFile(_ path: String) throws -> (digest: Digest, size: Int) {
        let file = try OpenFile.reading(path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        var hasher = Hasher()
        var size = 0
        while true {
            let count = try file.read(into: buffer)
            guard count > 0 else { return (hasher.finalize(), size) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += count
        }
    }
}
