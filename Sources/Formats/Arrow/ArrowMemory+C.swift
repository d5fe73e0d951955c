import CArrow

extension ArrowMemory {
    /// The memory of an array of the C data interface.
    ///
    /// The interface gives no buffer lengths: they follow from the array's length, and for text from its offsets.
    init(_ array: ArrowArray, _ field: ArrowField) throws(ArrowFault) {
        guard array.release != nil else { throw ArrowFault("its array is released already") }
        guard array.length >= 0, array.offset >= 0, array.length <= 1 << 44, array.offset <= 1 << 44,
            array.null_count >= -1, array.null_count <= array.length
        else {
            throw ArrowFault("an array of \(array.length) rows from \(array.offset), \(array.null_count) null")
        }
        self.init(length: Int(array.length), offset: Int(array.offset), nullCount: nil, buffers: [])
        if array.null_count >= 0 { nullCount = Int(array.null_count) }
        let isIndex = field.dictionary != nil
        let expected = isIndex ? 2 : field.type.bufferCount
        let hasViews = field.type.isView && !isIndex
        guard hasViews ? array.n_buffers > Int64(expected) : array.n_buffers == Int64(expected) else {
            throw ArrowFault("an array of type \(field.typeText) has \(array.n_buffers) buffers")
        }
        let children = isIndex ? [] : field.children
        guard array.n_children == Int64(children.count) else {
            throw ArrowFault("an array of type \(field.typeText) has \(array.n_children) children")
        }
        for (place, child) in children.enumerated() {
            guard let pointer = array.children?[place] else { throw ArrowFault("an array lacks a child") }
            self.children.append(try ArrowMemory(pointer.pointee, child))
        }
        if expected > 0 { try takeBuffers(array, field, hasViews: hasViews) }
        if isIndex {
            guard let values = array.dictionary else { throw ArrowFault("an array lacks its dictionary") }
            var entries = field
            entries.dictionary = nil
            dictionary = [try ArrowMemory(values.pointee, entries)]
        }
    }

    private mutating func takeBuffers(
        _ array: ArrowArray,
        _ field: ArrowField,
        hasViews: Bool
    ) throws(ArrowFault) {
        guard let pointers = array.buffers else { throw ArrowFault("an array has no buffers") }
        let rows = length + offset
        func take(_ index: Int, _ size: Int) throws(ArrowFault) -> ArrowBuffer {
            guard size > 0 else { return .empty }
            guard let start = pointers[index] else {
                throw ArrowFault("buffer \(index) of \(size) bytes is missing in an array of type \(field.typeText)")
            }
            return ArrowBuffer(bytes: UnsafeRawBufferPointer(start: start, count: size))
        }
        // Validity may be missing: then all rows are valid.
        buffers.append(pointers[0] == nil ? .empty : try take(0, (rows + 7) / 8))
        if let dictionary = field.dictionary {
            buffers.append(try take(1, rows * dictionary.indexBits / 8))
            return
        }
        switch field.type {
        case .bool: buffers.append(try take(1, (rows + 7) / 8))
        case .utf8(let isLarge), .binary(let isLarge):
            // An empty array may come without offsets.
            let offsets = length == 0 ? .empty : try take(1, (rows + 1) * (isLarge ? 8 : 4))
            buffers.append(offsets)
            buffers.append(try take(2, max(0, Self.last(offsets, isLarge: isLarge))))
        case .list(let isLarge): buffers.append(length == 0 ? .empty : try take(1, (rows + 1) * (isLarge ? 8 : 4)))
        case .utf8View, .binaryView:
            buffers.append(try take(1, rows * 16))
            let count = Int(array.n_buffers) - 3
            let sizes = try take(count + 2, count * 8)
            for index in 0..<count {
                let size = sizes.bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)
                buffers.append(try take(index + 2, max(0, Int(size))))
            }
        default:
            if let width = field.type.width {
                guard rows <= Int.max / max(width, 1) else { throw ArrowFault("values of \(width) bytes") }
                buffers.append(try take(1, rows * width))
            }
        }
    }

    /// The last offset, which is the length of what the offsets mark out.
    private static func last(_ offsets: ArrowBuffer, isLarge: Bool) -> Int {
        if offsets.bytes.isEmpty { return 0 }
        if isLarge { return Int(offsets.bytes.loadUnaligned(fromByteOffset: offsets.bytes.count - 8, as: Int64.self)) }
        return Int(offsets.bytes.loadUnaligned(fromByteOffset: offsets.bytes.count - 4, as: Int32.self))
    }

    /// The rows of a child of this array, which must be of type struct: those that belong to its own rows.
    func column(_ place: Int) throws(ArrowFault) -> ArrowMemory {
        var column = children[place]
        guard column.length >= offset + length else {
            throw ArrowFault("a column of \(column.length) rows in a batch of \(offset + length)")
        }
        // A count of nulls is of no use where rows are left out.
        if column.length != length, column.nullCount != 0 { column.nullCount = nil }
        column.offset += offset
        column.length = length
        return column
    }
}
