import CLZ4

/// Why bytes are not one whole LZ4 frame.
package struct LZ4FrameError: Error {
    package let reason: String
}

/// Writes one LZ4 frame: independent blocks of 1 MiB, the content's size in the header, its checksum at the end.
///
/// The format is that of the LZ4 frame specification, so `lz4 -d` reads it. Content of size 0 has no size field.
package final class LZ4FrameEncoder {
    private let context: OpaquePointer
    private var preferences = LZ4F_preferences_t()
    private let output: UnsafeMutableRawBufferPointer
    private let sink: (UnsafeRawBufferPointer) throws -> Void

    /// Writes the frame's header to `sink`.
    package init(contentSize: Int, sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
        var context: OpaquePointer?
        _ = try Self.checked(LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION)))
        guard let context else { throw LZ4FrameError(reason: "no memory for a compression context") }
        self.context = context
        self.sink = sink
        preferences.frameInfo.blockSizeID = LZ4F_max1MB
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
        preferences.frameInfo.contentSize = UInt64(contentSize)
        preferences.autoFlush = 1
        let bound = LZ4F_compressBound(OpenFile.bufferSize, &preferences)
        output = .allocate(byteCount: max(bound, 64), alignment: 16)
        let count = try Self.checked(LZ4F_compressBegin(context, output.baseAddress, output.count, &preferences))
        try sink(UnsafeRawBufferPointer(rebasing: output[..<count]))
    }

    deinit {
        LZ4F_freeCompressionContext(context)
        output.deallocate()
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + OpenFile.bufferSize, bytes.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            let count = try Self.checked(
                LZ4F_compressUpdate(context, output.baseAddress, output.count, part.baseAddress, part.count, nil)
            )
            try sink(UnsafeRawBufferPointer(rebasing: output[..<count]))
            start = end
        }
    }

    package func finish() throws {
        let count = try Self.checked(LZ4F_compressEnd(context, output.baseAddress, output.count, nil))
        try sink(UnsafeRawBufferPointer(rebasing: output[..<count]))
    }

    fileprivate static func checked(_ result: Int) throws -> Int {
        guard LZ4F_isError(result) == 0 else {
            throw LZ4FrameError(reason: String(cString: LZ4F_getErrorName(result)))
        }
        return result
    }
}

/// Reads one LZ4 frame that comes in pieces, checking header, size and content checksum.
///
/// ``supply(_:)`` a piece, take ``next()`` until it gives none, and so on; then ``finish()``.
package final class LZ4FrameDecoder {
    private let context: OpaquePointer
    private let input: UnsafeMutableRawBufferPointer
    private let output: UnsafeMutableRawBufferPointer
    private var available = 0
    private var consumed = 0
    private var mayHoldMore = false
    private var isComplete = false

    package init() throws {
        var context: OpaquePointer?
        _ = try LZ4FrameEncoder.checked(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION)))
        guard let context else { throw LZ4FrameError(reason: "no memory for a decompression context") }
        self.context = context
        input = .allocate(byteCount: OpenFile.bufferSize, alignment: 16)
        output = .allocate(byteCount: OpenFile.bufferSize, alignment: 16)
    }

    deinit {
        LZ4F_freeDecompressionContext(context)
        input.deallocate()
        output.deallocate()
    }

    /// Takes the next bytes of the frame: `fill` writes up to 1 MiB of them and returns how many.
    ///
    /// - Returns: whether there were any.
    package func supply(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Bool {
        precondition(consumed == available, "bytes are supplied before those supplied last were decoded")
        available = try fill(input)
        consumed = 0
        mayHoldMore = available > 0
        return available > 0
    }

    /// The next piece of the content, at most 1 MiB, valid until the next call; `nil` when more bytes are needed.
    package func next() throws -> UnsafeRawBufferPointer? {
        while consumed < available || mayHoldMore {
            if isComplete {
                guard consumed == available else { throw LZ4FrameError(reason: "bytes after the frame's end") }
                return nil
            }
            var taken = available - consumed
            var produced = output.count
            let hint = try LZ4FrameEncoder.checked(
                LZ4F_decompress(
                    context,
                    output.baseAddress,
                    &produced,
                    input.baseAddress.map { $0 + consumed },
                    &taken,
                    nil
                )
            )
            if taken == 0, produced == 0, consumed < available {
                throw LZ4FrameError(reason: "the decoder stands still")
            }
            consumed += taken
            mayHoldMore = produced == output.count
            isComplete = hint == 0
            if produced > 0 { return UnsafeRawBufferPointer(rebasing: output[..<produced]) }
        }
        return nil
    }

    /// - Throws: ``LZ4FrameError`` if the frame is not whole.
    package func finish() throws {
        guard isComplete else { throw LZ4FrameError(reason: "the file ends before the frame does") }
    }

    /// The size of a frame's content, which its header says; `nil` if it does not, as for an empty content.
    ///
    /// - Parameter header: the first bytes of the frame, ``headerSize`` of them or all there are.
    package static func contentSize(header: [UInt8]) throws -> Int? {
        let decoder = try LZ4FrameDecoder()
        var info = LZ4F_frameInfo_t()
        var count = header.count
        _ = try LZ4FrameEncoder.checked(LZ4F_getFrameInfo(decoder.context, &info, header, &count))
        guard info.contentSize > 0 else { return nil }
        guard let size = Int(exactly: info.contentSize) else {
            throw LZ4FrameError(reason: "a content of \(info.contentSize) bytes")
        }
        return size
    }

    /// Bytes that are enough for a frame's header.
    package static let headerSize = 19
}
