/// The body of one message: gives the memory of fields, decompressing what is compressed.
struct ArrowBody {
    let file: UnsafeRawBufferPointer
    let message: ArrowMessage
    let parts: ArrowBatchParts
    let scratch: ArrowScratch
    /// The most bytes that one buffer may expand to.
    let limit: Int

    init(
        _ message: ArrowMessage,
        _ file: UnsafeRawBufferPointer,
        _ scratch: ArrowScratch,
        limit: Int
    ) throws(ArrowFault) {
        self.file = file
        self.message = message
        self.parts = try ArrowBatchParts(message, file)
        self.scratch = scratch
        self.limit = limit
    }

    /// The memory of a field that stands at `cursor`, which is valid until the scratch memory is reused.
    ///
    /// - Parameter rows: how many rows the field has, where that is known.
    func memory(_ field: ArrowField, rows: Int?, _ cursor: inout ArrowCursor) throws(ArrowFault) -> ArrowMemory {
        let position = message.position
        guard cursor.node < parts.nodes.count else { throw ArrowFault("a batch lacks an array", at: position) }
        let node = parts.nodes[cursor.node]
        cursor.node += 1
        if let rows, node.length != rows {
            throw ArrowFault("an array of \(node.length) rows in a batch of \(rows)", at: position)
        }
        var bufferCount = field.dictionary == nil ? field.type.bufferCount : 2
        if field.dictionary == nil, field.type.isView {
            guard cursor.view < parts.variadicCounts.count else {
                throw ArrowFault("an array of views has no count of its buffers", at: position)
            }
            bufferCount += parts.variadicCounts[cursor.view]
            cursor.view += 1
        }
        guard bufferCount <= parts.buffers.count - cursor.buffer else {
            throw ArrowFault("a batch lacks a buffer", at: position)
        }
        var memory = ArrowMemory(length: node.length, nullCount: node.nullCount, buffers: [])
        for index in cursor.buffer..<cursor.buffer + bufferCount {
            memory.buffers.append(try buffer(parts.buffers[index]))
        }
        cursor.buffer += bufferCount
        if field.dictionary == nil {
            for child in field.children { memory.children.append(try self.memory(child, rows: nil, &cursor)) }
        }
        return memory
    }

    private func buffer(_ range: Range<Int>) throws(ArrowFault) -> ArrowBuffer {
        let start = message.body.lowerBound + range.lowerBound
        let stored = ArrowBuffer(
            bytes: UnsafeRawBufferPointer(rebasing: file[start..<start + range.count]),
            position: start
        )
        if message.codec == .none || range.isEmpty { return stored }
        guard range.count >= 8 else { throw ArrowFault("a compressed buffer has no length", at: start) }
        let length = Int64(littleEndian: stored.bytes.loadUnaligned(as: Int64.self))
        let payload = UnsafeRawBufferPointer(rebasing: stored.bytes[8...])
        if length == -1 { return ArrowBuffer(bytes: payload, position: start) }
        guard length >= 0, length <= limit, Int(length) / message.codec.expansion <= payload.count else {
            throw ArrowFault("a compressed buffer of \(payload.count) bytes says that it has \(length)", at: start)
        }
        let content = scratch.take(Int(length))
        let isWhole =
            message.codec == .lz4
            ? LZ4.decompressFrame(payload, into: content, count: Int(length))
            : Zstd.decompress(payload, into: content, count: Int(length))
        guard isWhole else {
            throw ArrowFault("a buffer does not decompress to \(length) bytes", at: start)
        }
        return ArrowBuffer(bytes: UnsafeRawBufferPointer(content), position: start)
    }
}

extension ArrowOptions.Compression {
    /// How many times longer than its compressed form content can be.
    fileprivate var expansion: Int {
        switch self {
        case .none: 1
        case .lz4: 255
        // A block holds at most 128 KiB and takes at least four bytes (RFC 8878, section 3.1.1.2).
        case .zstd: 32_768
        }
    }
}

/// Memory that is used again for each batch, so that it is mapped and touched once.
final class ArrowScratch {
    private var blocks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Memory of `count` bytes, aligned to 64, that lasts until `reuse` or the end of this object.
    func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        defer { used += 1 }
        if used == blocks.count {
            blocks.append(.allocate(byteCount: max(count, 64), alignment: 64))
        } else if blocks[used].count < count {
            blocks[used].deallocate()
            blocks[used] = .allocate(byteCount: count, alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: blocks[used][..<count])
    }

    /// Ends the use of all memory that was taken.
    func reuse() { used = 0 }
}
