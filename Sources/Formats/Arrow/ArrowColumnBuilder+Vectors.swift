import Columns

extension ArrowColumnBuilder {
    /// Lists of one length, their elements back to back.
    mutating func appendFixedLists(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        dimension: Int
    ) throws(ArrowFault) {
        if memory.length == 0 { return }
        let elements = memory.children[0]
        let (first, count) = (memory.offset * dimension, memory.length * dimension)
        guard elements.length >= first + count else {
            throw ArrowFault("\(elements.length) elements for \(memory.length) vectors of \(dimension)")
        }
        let bytes = try elements.values(1, width: 4)
        try checkElements(elements, valid) { row in first + row * dimension..<first + (row + 1) * dimension }
        let used = UnsafeRawBufferPointer(rebasing: bytes[4 * first..<4 * (first + count)])
        Self.copy(used, count: count, to: &floats, zero: 0)
        Self.clear(&floats, valid, width: dimension, zero: 0)
    }

    /// Lists of any length, which must all have the length of the first.
    mutating func appendLists<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        _ type: Offset.Type
    ) throws(ArrowFault) {
        if memory.length == 0 { return }
        let elements = memory.children[0]
        let (start, end) = try Self.bounds(memory, type, in: elements.length)
        var ends: [Int] = [start]
        ends.reserveCapacity(memory.length + 1)
        for row in 1...memory.length {
            let place = (memory.offset + row) * MemoryLayout<Offset>.size
            let next = Int(truncatingIfNeeded: memory.buffers[1].bytes.loadUnaligned(fromByteOffset: place, as: type))
            guard next >= ends[row - 1], next <= end else {
                throw ArrowFault("its offsets do not ascend", at: memory.buffers[1].position)
            }
            ends.append(next)
        }
        let dimension = try measure(ends, valid, at: memory.buffers[1].position)
        guard let dimension else { return }
        let bytes = try elements.values(1, width: 4)
        try checkElements(elements, valid) { row in ends[row]..<ends[row + 1] }
        guard 4 * memory.length * dimension <= limit - 4 * floats.count else {
            throw tooLong(at: memory.buffers[1].position)
        }
        for row in 0..<memory.length {
            if valid[row] {
                let value = UnsafeRawBufferPointer(rebasing: bytes[4 * ends[row]..<4 * ends[row + 1]])
                Self.copy(value, count: dimension, to: &floats, zero: 0)
            } else {
                floats.append(contentsOf: repeatElement(0, count: dimension))
            }
        }
    }

    /// The length that all lists have; `nil` while all rows are null.
    private mutating func measure(
        _ ends: [Int],
        _ valid: ArrowValidity,
        at position: Int?
    ) throws(ArrowFault) -> Int? {
        for row in 0..<valid.count where valid[row] {
            let length = ends[row + 1] - ends[row]
            if let dimension {
                guard length == dimension else {
                    throw .unsupported(
                        "row \(count + row) has \(length) elements, the vectors before it \(dimension)",
                        at: position
                    )
                }
            } else {
                guard (1...DataType.maximumDimension).contains(length) else {
                    throw .unsupported(
                        "row \(count + row) has \(length) elements; a vector has 1 to \(DataType.maximumDimension)",
                        at: position
                    )
                }
                guard 4 * count * length <= limit else { throw tooLong(at: position) }
                dimension = length
                floats.append(contentsOf: repeatElement(0, count: count * length))
            }
        }
        return dimension
    }

    /// Checks that no vector has an element that is null.
    private func checkElements(
        _ elements: ArrowMemory,
        _ valid: ArrowValidity,
        _ range: (Int) -> Range<Int>
    ) throws(ArrowFault) {
        let present = try ArrowValidity(elements)
        guard present.bits != nil else { return }
        for row in 0..<valid.count where valid[row] {
            for element in range(row) where !present[element] {
                throw .unsupported(
                    "row \(count + row) has an element that is null; a vector has none",
                    at: elements.buffers[0].position
                )
            }
        }
    }
}
