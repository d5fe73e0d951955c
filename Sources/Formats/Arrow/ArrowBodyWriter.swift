import Columns

/// The body of one record batch: the buffers of its columns, compressed or not, each at a multiple of 64 bytes.
///
/// The memory is kept from batch to batch.
final class ArrowBodyWriter {
    private let compression: ArrowOptions.Compression
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    private var scratch = ArrowScratch()
    private(set) var count = 0
    /// The length and null count of each array.
    private(set) var nodes: [Int64] = []
    /// The place and length of each buffer.
    private(set) var buffers: [Int64] = []

    init(_ compression: ArrowOptions.Compression) { self.compression = compression }

    /// The body of whole columns, uncompressed, in memory that is taken once.
    convenience init(_ columns: [Column]) {
        self.init(.none)
        reserve(columns.reduce(0) { $0 + Self.bound($1) })
        for column in columns { append(column, rows: 0..<column.count) }
        scratch = ArrowScratch()
    }

    /// The most bytes that a column takes uncompressed.
    private static func bound(_ column: Column) -> Int {
        let values =
            switch column {
            case .bool: column.count / 8
            case .int64, .float64, .timestamp: 8 * column.count
            case .float32: 4 * column.count
            case .string(let column), .bytes(let column): 8 * column.offsets.count + column.data.count
            case .vector(let column): 4 * column.values.count
            }
        // A bitmap, and the padding of at most four buffers.
        return values + column.count / 8 + 4 * 64
    }

    deinit { memory.deallocate() }

    func withBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Where a buffer begins; `nil` for one without bytes.
    ///
    /// The address holds until more is appended.
    func address(ofBuffer index: Int) -> UnsafeRawPointer? {
        guard buffers[2 * index + 1] > 0 else { return nil }
        return UnsafeRawPointer(memory.baseAddress.map { $0 + Int(buffers[2 * index]) })
    }

    /// Forgets the batch before.
    func begin() {
        count = 0
        nodes.removeAll(keepingCapacity: true)
        buffers.removeAll(keepingCapacity: true)
    }

    func append(_ column: Column, rows: Range<Int>) {
        scratch.reuse()
        appendNode(column.validity, rows)
        switch column {
        case .bool(let column): append(packed: column.values, rows)
        case .int64(let column), .timestamp(let column): append(column.values, rows)
        case .float32(let column): append(column.values, rows)
        case .float64(let column): append(column.values, rows)
        case .string(let column), .bytes(let column):
            append(offsets: column.offsets, rows)
            append(column.data, column.offsets[rows.lowerBound]..<column.offsets[rows.upperBound])
        case .vector(let column):
            let elements = rows.lowerBound * column.dimension..<rows.upperBound * column.dimension
            appendNode(nil, elements)
            append(column.values, elements)
        }
    }

    /// Appends the length and null count of an array, and the validity of its rows where some are null.
    private func appendNode(_ validity: Bitmap?, _ rows: Range<Int>) {
        var nullCount = 0
        if let validity {
            let words = scratch.take((rows.count + 63) / 64 * 8)
            for start in stride(from: 0, to: rows.count, by: 64) {
                let part = min(64, rows.count - start)
                let bits = validity.bits(at: rows.lowerBound + start, count: part)
                nullCount += part - bits.nonzeroBitCount
                words.storeBytes(of: bits.littleEndian, toByteOffset: start / 8, as: UInt64.self)
            }
            nodes += [Int64(rows.count), Int64(nullCount)]
            append(UnsafeRawBufferPointer(rebasing: words[..<(nullCount == 0 ? 0 : (rows.count + 7) / 8)]))
        } else {
            nodes += [Int64(rows.count), 0]
            append(ArrowBuffer.empty.bytes)
        }
    }

    private func append<Value: BitwiseCopyable>(_ values: [Value], _ range: Range<Int>) {
        values.withUnsafeBytes { bytes in
            let width = MemoryLayout<Value>.stride
            append(UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * width..<range.upperBound * width]))
        }
    }

    private func append(packed bools: [Bool], _ rows: Range<Int>) {
        let words = scratch.take((rows.count + 63) / 64 * 8)
        bools.withUnsafeBufferPointer { bools in
            for start in stride(from: 0, to: rows.count, by: 64) {
                var bits: UInt64 = 0
                for bit in 0..<min(64, rows.count - start) where bools[rows.lowerBound &+ start &+ bit] {
                    bits |= 1 &<< UInt64(truncatingIfNeeded: bit)
                }
                words.storeBytes(of: bits.littleEndian, toByteOffset: start / 8, as: UInt64.self)
            }
        }
        append(UnsafeRawBufferPointer(rebasing: words[..<((rows.count + 7) / 8)]))
    }

    /// Appends the offsets of rows, counted from the first of them.
    private func append(offsets: [Int], _ rows: Range<Int>) {
        let first = offsets[rows.lowerBound]
        if first == 0 { return append(offsets, rows.lowerBound..<rows.upperBound + 1) }
        let shifted = scratch.take((rows.count + 1) * 8)
        offsets.withUnsafeBufferPointer { offsets in
            for row in 0...rows.count {
                shifted.storeBytes(of: offsets[rows.lowerBound &+ row] &- first, toByteOffset: row &* 8, as: Int.self)
            }
        }
        append(UnsafeRawBufferPointer(shifted))
    }

    /// Appends one buffer and pads it.
    private func append(_ bytes: UnsafeRawBufferPointer) {
        let start = count
        if bytes.isEmpty {
            buffers += [Int64(start), 0]
            return
        }
        switch compression {
        case .none:
            reserve(bytes.count)
            copy(bytes)
        case .lz4:
            reserve(8 + max(bytes.count, LZ4.frameBound(bytes.count)))
            finish(
                bytes,
                LZ4.compressFrame(bytes, into: UnsafeMutableRawBufferPointer(rebasing: memory[(start + 8)...]))
            )
        case .zstd:
            reserve(8 + max(bytes.count, Zstd.bound(bytes.count)))
            finish(bytes, Zstd.compress(bytes, into: UnsafeMutableRawBufferPointer(rebasing: memory[(start + 8)...])))
        }
        buffers += [Int64(start), Int64(count - start)]
        let padding = (64 - count % 64) % 64
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + padding])
            .initializeMemory(as: UInt8.self, repeating: 0)
        count += padding
    }

    /// Puts the length before compressed bytes that stand in their place, or the bytes themselves where they are fewer.
    private func finish(_ bytes: UnsafeRawBufferPointer, _ compressedCount: Int) {
        let isSmaller = compressedCount < bytes.count
        let length = isSmaller ? Int64(bytes.count) : -1
        memory.storeBytes(of: length.littleEndian, toByteOffset: count, as: Int64.self)
        count += 8
        if isSmaller { count += compressedCount } else { copy(bytes) }
    }

    private func copy(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Makes room for more bytes and their padding.
    private func reserve(_ more: Int) {
        let needed = count + more + 64
        guard needed > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(needed, 2 * memory.count), alignment: 64)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
