import Columns

extension ArrowColumnBuilder {
    func tooLong(at position: Int?) -> ArrowFault {
        .unsupported("its values take more than \(limit) bytes", at: position)
    }

    private var isText: Bool { decoding.target == .type(.string) }

    /// - Parameter first: the first row of those just added, of which `validity` does not know yet.
    private func checkText(from first: Int, at position: Int?) throws(ArrowFault) {
        guard isText, first < offsets.count - 1,
            let row = firstRowOfInvalidUTF8(offsets: offsets, data: data, from: first)
        else { return }
        throw ArrowFault("row \(row) is not valid UTF-8", at: position)
    }

    /// Byte strings that offsets mark out in one buffer.
    mutating func appendBinary<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        _ type: Offset.Type
    ) throws(ArrowFault) {
        let rows = memory.length
        if rows == 0 { return }
        let first = offsets.count - 1
        let content = memory.buffers[2]
        let (start, end) = try Self.bounds(memory, type, in: content.bytes.count)
        let ends = memory.buffers[1].bytes
        let shift = data.count &- start
        var place = (memory.offset &+ 1) &* MemoryLayout<Offset>.size
        offsets.append(contentsOf: repeatElement(0, count: rows))
        var isAscending = true
        offsets.withUnsafeMutableBufferPointer { offsets in
            var previous = start
            for row in 0..<rows {
                let next = Int(truncatingIfNeeded: ends.loadUnaligned(fromByteOffset: place, as: Offset.self))
                isAscending = isAscending && next >= previous
                offsets[first &+ 1 &+ row] = next &+ shift
                previous = next
                place &+= MemoryLayout<Offset>.size
            }
        }
        guard isAscending else { throw ArrowFault("its offsets do not ascend", at: memory.buffers[1].position) }
        var hasHidden = false
        valid.forEachNull { hasHidden = hasHidden || offsets[first &+ $0] != offsets[first &+ $0 &+ 1] }
        if !hasHidden {
            Self.copy(
                UnsafeRawBufferPointer(rebasing: content.bytes[start..<end]),
                count: end - start,
                to: &data,
                zero: 0
            )
        } else {
            // Null rows with bytes: what stands there is left out.
            var from = start
            for row in 0..<rows {
                let to = offsets[first + 1 + row] - shift
                if valid[row] { data.append(contentsOf: content.bytes[from..<to]) }
                offsets[first + 1 + row] = data.count
                from = to
            }
        }
        try checkText(from: first, at: content.position)
    }

    /// The first and last offset of an array's rows, both inside `size`.
    static func bounds<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ memory: ArrowMemory,
        _ type: Offset.Type,
        in size: Int
    ) throws(ArrowFault) -> (start: Int, end: Int) {
        let buffer = memory.buffers[1]
        let width = MemoryLayout<Offset>.size
        guard buffer.bytes.count / width > memory.offset + memory.length else {
            throw ArrowFault(
                "\(memory.length + 1) offsets do not fit a buffer of \(buffer.bytes.count) bytes",
                at: buffer.position
            )
        }
        let start = Int(buffer.bytes.loadUnaligned(fromByteOffset: memory.offset * width, as: type))
        let last = (memory.offset + memory.length) * width
        let end = Int(buffer.bytes.loadUnaligned(fromByteOffset: last, as: type))
        guard start >= 0, start <= end, end <= size else {
            throw ArrowFault("offsets from \(start) to \(end) lie outside \(size) values", at: buffer.position)
        }
        return (start, end)
    }

    /// Byte strings of up to 12 bytes in place, and longer ones somewhere in several buffers.
    mutating func appendViews(_ memory: ArrowMemory, _ valid: ArrowValidity) throws(ArrowFault) {
        let views = try memory.values(1, width: 16)
        let first = offsets.count - 1
        offsets.reserveCapacity(max(offsets.capacity, offsets.count + memory.length))
        for row in 0..<memory.length {
            if valid[row] {
                let value = try Self.view(views, row, memory)
                // Views may share bytes, so that what they take together is not bounded by what is there.
                guard value.count <= limit - data.count else { throw tooLong(at: memory.buffers[1].position) }
                data.append(contentsOf: value)
            }
            offsets.append(data.count)
        }
        try checkText(from: first, at: memory.buffers[1].position)
    }

    @inline(__always)
    private static func view(
        _ views: UnsafeRawBufferPointer,
        _ row: Int,
        _ memory: ArrowMemory
    ) throws(ArrowFault) -> UnsafeRawBufferPointer {
        let place = 16 &* row
        func field(_ index: Int) -> Int {
            Int(Int32(littleEndian: views.loadUnaligned(fromByteOffset: place &+ 4 &* index, as: Int32.self)))
        }
        let length = field(0)
        if length >= 0, length <= 12 {
            return UnsafeRawBufferPointer(rebasing: views[place &+ 4..<place &+ 4 &+ length])
        }
        let (buffer, start) = (field(2), field(3))
        guard length >= 0, buffer >= 0, buffer < memory.buffers.count - 2, start >= 0,
            start &+ length <= memory.buffers[buffer + 2].bytes.count
        else { throw ArrowFault("view \(row) lies outside its buffer", at: memory.buffers[1].position) }
        return UnsafeRawBufferPointer(rebasing: memory.buffers[buffer &+ 2].bytes[start..<start &+ length])
    }

    /// Byte strings of one length, and UUIDs as text.
    mutating func appendFixedBinary(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        width: Int
    ) throws(ArrowFault) {
        if width == 0, valid.count > (limit - 8 * offsets.count) / 8 { throw tooLong(at: nil) }
        let bytes = try memory.values(1, width: width)
        let first = offsets.count - 1
        let isUUID = isText && width == 16 && decoding.field.extensionName == ArrowDecoding.uuidExtension
        for row in 0..<valid.count {
            if valid[row], width > 0 {
                let value = UnsafeRawBufferPointer(rebasing: bytes[row &* width..<(row &+ 1) &* width])
                if isUUID { appendUUIDText(value, to: &data) } else { data.append(contentsOf: value) }
            }
            offsets.append(data.count)
        }
        try checkText(from: first, at: memory.buffers[1].position)
    }
}
