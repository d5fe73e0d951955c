import Columns

extension ArrowColumnBuilder {
    /// Appends the entries that the array's indices name.
    mutating func appendEntries(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        _ entries: ArrowColumnBuilder
    ) throws(ArrowFault) {
        guard let encoding = decoding.field.dictionary else { preconditionFailure("only indices name entries") }
        let indices = try Self.indices(memory, valid, encoding, entryCount: entries.count)
        let rows = memory.length
        if let dimension = entries.dimension, self.dimension == nil {
            guard 4 * count * dimension <= limit else { throw tooLong(at: memory.buffers[1].position) }
            self.dimension = dimension
            floats.append(contentsOf: repeatElement(0, count: count * dimension))
        }
        switch decoding.target {
        case .type(.bool): Self.gather(indices, entries.bools, to: &bools, zero: false)
        case .type(.int64), .type(.timestamp): Self.gather(indices, entries.words, to: &words, zero: 0)
        case .type(.float32): Self.gather(indices, entries.floats, to: &floats, zero: 0)
        case .type(.float64): Self.gather(indices, entries.doubles, to: &doubles, zero: 0)
        case .type(.string), .type(.bytes): try gatherBinary(indices, entries, at: memory.buffers[1].position)
        case .type(.vector), .measuredVector:
            if let dimension {
                guard 4 * rows * dimension <= limit - 4 * floats.count else {
                    throw tooLong(at: memory.buffers[1].position)
                }
                for index in indices {
                    if index < 0 {
                        floats.append(contentsOf: repeatElement(0, count: dimension))
                    } else {
                        floats.append(contentsOf: entries.floats[index * dimension..<(index + 1) * dimension])
                    }
                }
            }
        }
        guard let present = entries.validity.finish() else { return valid.append(to: &validity) }
        for index in indices { validity.append(index >= 0 && present[index]) }
    }

    /// The index of each row, −1 where the row is null.
    private static func indices(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        _ encoding: ArrowDictionaryEncoding,
        entryCount: Int
    ) throws(ArrowFault) -> [Int] {
        let bytes = try memory.values(1, width: encoding.indexBits / 8)
        var indices: [Int] = []
        func widen<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: Stored.Type) {
            // An index that Int cannot hold becomes negative, as −1 is below.
            _ = convert(bytes, valid, to: &indices, zero: 0) { (value: Stored) in (Int(truncatingIfNeeded: value), true)
            }
        }
        switch (encoding.indexBits, encoding.indexIsSigned) {
        case (8, true): widen(Int8.self)
        case (8, false): widen(UInt8.self)
        case (16, true): widen(Int16.self)
        case (16, false): widen(UInt16.self)
        case (32, true): widen(Int32.self)
        case (32, false): widen(UInt32.self)
        case (_, true): widen(Int64.self)
        case (_, false): widen(UInt64.self)
        }
        clear(&indices, valid, zero: 0)
        let nullsAreInside = valid.bits != nil
        var highest: UInt = 0
        for index in indices { highest = max(highest, UInt(bitPattern: index)) }
        guard highest < UInt(entryCount) || indices.isEmpty || nullsAreInside && highest == 0 else {
            throw ArrowFault(
                "an index is past the end of a dictionary of \(entryCount)",
                at: memory.buffers[1].position
            )
        }
        valid.forEachNull { indices[$0] = -1 }
        if entryCount == 0, indices.contains(0) {
            throw ArrowFault("an index is past the end of an empty dictionary", at: memory.buffers[1].position)
        }
        return indices
    }

    @inline(__always)
    private static func gather<Value: BitwiseCopyable>(
        _ indices: [Int],
        _ entries: [Value],
        to values: inout [Value],
        zero: Value
    ) {
        let first = values.count
        values.append(contentsOf: repeatElement(zero, count: indices.count))
        values.withUnsafeMutableBufferPointer { values in
            entries.withUnsafeBufferPointer { entries in
                for row in indices.indices {
                    let index = indices[row]
                    if index >= 0 { values[first &+ row] = entries[index] }
                }
            }
        }
    }

    private mutating func gatherBinary(
        _ indices: [Int],
        _ entries: ArrowColumnBuilder,
        at position: Int?
    ) throws(ArrowFault) {
        let first = offsets.count - 1
        var end = data.count
        offsets.append(contentsOf: repeatElement(0, count: indices.count))
        offsets.withUnsafeMutableBufferPointer { offsets in
            entries.offsets.withUnsafeBufferPointer { ends in
                for row in indices.indices {
                    let index = indices[row]
                    if index >= 0 { end &+= ends[index &+ 1] &- ends[index] }
                    offsets[first &+ 1 &+ row] = end
                }
            }
        }
        // A dictionary can repeat one long value without end.
        guard end <= limit else { throw tooLong(at: position) }
        data.append(contentsOf: repeatElement(0, count: end - data.count))
        let starts = offsets
        data.withUnsafeMutableBytes { data in
            entries.data.withUnsafeBytes { bytes in
                for row in indices.indices where indices[row] >= 0 {
                    let start = entries.offsets[indices[row]]
                    let length = entries.offsets[indices[row] &+ 1] &- start
                    guard length > 0 else { continue }
                    let target = UnsafeMutableRawBufferPointer(rebasing: data[starts[first &+ row]...])
                    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start &+ length]))
                }
            }
        }
    }
}
