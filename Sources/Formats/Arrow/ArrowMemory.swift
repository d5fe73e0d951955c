/// Bytes of an array, and where they stand in the file if they do.
struct ArrowBuffer {
    var bytes: UnsafeRawBufferPointer
    /// For compressed bytes, the position of the compressed form.
    var position: Int?

    static var empty: ArrowBuffer { ArrowBuffer(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) }
}

/// The memory of one Arrow array: what an IPC body and the C data interface have in common.
///
/// Nothing is checked yet, except that the buffers can be read.
struct ArrowMemory {
    var length: Int
    /// Rows at the start of the buffers that do not belong to the array.
    var offset = 0
    /// `nil` where it is not known.
    var nullCount: Int?
    var buffers: [ArrowBuffer]
    var children: [ArrowMemory] = []
    /// The values that the array's indices name, where they come with it.
    var dictionary: [ArrowMemory] = []

    /// The values at `buffers[index]`, which must have `width` bytes for each row and rows before the first.
    func values(_ index: Int, width: Int) throws(ArrowFault) -> UnsafeRawBufferPointer {
        let buffer = buffers[index]
        if length == 0 { return ArrowBuffer.empty.bytes }
        guard width == 0 || buffer.bytes.count / width >= offset + length else {
            throw ArrowFault(
                "\(length) values of \(width) bytes do not fit a buffer of \(buffer.bytes.count)",
                at: buffer.position
            )
        }
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[offset * width..<(offset + length) * width])
    }
}

/// Bits packed from the least significant, starting anywhere.
struct ArrowBits {
    private let bytes: UnsafeRawBufferPointer
    private let offset: Int

    init(_ memory: ArrowMemory, _ index: Int) throws(ArrowFault) {
        bytes = memory.buffers[index].bytes
        offset = memory.offset
        guard bytes.count >= (memory.offset + memory.length + 7) / 8 else {
            throw ArrowFault(
                "\(memory.length) bits do not fit a buffer of \(bytes.count) bytes",
                at: memory.buffers[index].position
            )
        }
    }

    @inline(__always)
    subscript(row: Int) -> Bool {
        let bit = offset &+ row
        return bytes[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1 != 0
    }

    /// The bits of `count` rows, at most 64, from `row` on; bits above are zero.
    @inline(__always)
    func word(at row: Int, count: Int) -> UInt64 {
        let first = (offset &+ row) &>> 3
        let shift = UInt64(truncatingIfNeeded: (offset &+ row) & 7)
        var word: UInt64 = 0
        if first &+ 9 <= bytes.count {
            word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: first, as: UInt64.self)) &>> shift
            if shift > 0 { word |= UInt64(bytes[first &+ 8]) &<< (64 &- shift) }
        } else {
            for place in 0..<min(9, bytes.count &- first) {
                let byte = UInt64(bytes[first &+ place])
                let target = place &* 8 &- Int(shift)
                // A shift of 64 or more gives zero, and a negative one shifts the other way.
                word |= byte << target
            }
        }
        return count == 64 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: count)) &- 1)
    }
}

/// Which rows of an array have a value.
struct ArrowValidity {
    let count: Int
    /// `nil` where all rows have one.
    let bits: ArrowBits?

    /// The validity of an array whose first buffer holds it.
    ///
    /// A null count of zero makes every row valid, whatever the bits say, as in every other reader.
    init(_ memory: ArrowMemory) throws(ArrowFault) {
        count = memory.length
        let buffer = memory.buffers[0]
        if memory.nullCount == 0 || memory.length == 0 {
            bits = nil
            return
        }
        if buffer.bytes.isEmpty {
            guard memory.nullCount == nil else {
                throw ArrowFault(
                    "\(memory.nullCount ?? 0) rows are null, and no bitmap says which",
                    at: buffer.position
                )
            }
            bits = nil
            return
        }
        let bits = try ArrowBits(memory, 0)
        var nullCount = count
        for row in stride(from: 0, to: count, by: 64) {
            nullCount &-= bits.word(at: row, count: min(64, count &- row)).nonzeroBitCount
        }
        if let declared = memory.nullCount, declared != nullCount {
            throw ArrowFault("\(nullCount) rows are null, not \(declared) as it says", at: buffer.position)
        }
        self.bits = nullCount == 0 ? nil : bits
    }

    @inline(__always)
    subscript(row: Int) -> Bool { bits?[row] ?? true }

    func append(to validity: inout ValidityBits) {
        guard let bits else { return validity.append(repeating: true, count: count) }
        for row in stride(from: 0, to: count, by: 64) {
            let part = min(64, count &- row)
            validity.append(bits: bits.word(at: row, count: part), count: part)
        }
    }

    /// Gives each null row to `body`.
    @inline(__always)
    func forEachNull(_ body: (Int) -> Void) {
        guard let bits else { return }
        for row in stride(from: 0, to: count, by: 64) {
            let part = min(64, count &- row)
            let mask: UInt64 = part == 64 ? ~0 : (1 &<< UInt64(truncatingIfNeeded: part)) &- 1
            var nulls = ~bits.word(at: row, count: part) & mask
            while nulls != 0 {
                body(row &+ nulls.trailingZeroBitCount)
                nulls &= nulls &- 1
            }
        }
    }
}
