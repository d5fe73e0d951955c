/// A FlatBuffers table in untrusted bytes: every offset, vtable and length is checked before it is followed.
///
/// Slots are counted from 0 in the order of the schema's fields
/// (https://flatbuffers.dev/internals/). Alignment is not assumed.
struct FlatTable {
    private let bytes: UnsafeRawBufferPointer
    /// The position in the file of the first byte, for errors.
    private let base: Int
    private let start: Int
    private let vtable: Int
    private let vtableSize: Int
    private let size: Int

    /// The root table of a buffer.
    init(root bytes: UnsafeRawBufferPointer, base: Int) throws(ArrowFault) {
        guard bytes.count >= 4 else { throw ArrowFault("the metadata is cut short", at: base) }
        let root = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        try self.init(bytes, base: base, at: root)
    }

    private init(_ bytes: UnsafeRawBufferPointer, base: Int, at start: Int) throws(ArrowFault) {
        guard start >= 4, start <= bytes.count - 4 else {
            throw ArrowFault("the metadata points past its end", at: base)
        }
        let distance = Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int32.self)))
        let vtable = start - distance
        guard vtable >= 0, vtable <= bytes.count - 4 else {
            throw ArrowFault("a table of the metadata has no vtable", at: base + start)
        }
        let vtableSize = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: vtable, as: UInt16.self)))
        let size = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: vtable + 2, as: UInt16.self)))
        guard vtableSize >= 4, vtableSize % 2 == 0, vtableSize <= bytes.count - vtable, size >= 4,
            size <= bytes.count - start
        else { throw ArrowFault("a table of the metadata has a damaged vtable", at: base + vtable) }
        self.bytes = bytes
        self.base = base
        self.start = start
        self.vtable = vtable
        self.vtableSize = vtableSize
        self.size = size
    }

    /// Where the table stands in the file.
    var position: Int { base + start }

    /// The position of a field of `width` bytes; `nil` where the table leaves it out.
    private func field(_ slot: Int, width: Int) throws(ArrowFault) -> Int? {
        let entry = 4 + 2 * slot
        guard entry + 2 <= vtableSize else { return nil }
        let offset = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: vtable + entry, as: UInt16.self)))
        if offset == 0 { return nil }
        guard offset >= 4, offset + width <= size else {
            throw ArrowFault("a field of the metadata lies outside its table", at: base + vtable + entry)
        }
        return start + offset
    }

    func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ slot: Int,
        default absent: Value
    ) throws(ArrowFault) -> Value {
        guard let place = try field(slot, width: MemoryLayout<Value>.size) else { return absent }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Value.self))
    }

    func bool(_ slot: Int) throws(ArrowFault) -> Bool { try integer(slot, default: UInt8(0)) != 0 }

    /// The position that an offset field points to.
    private func target(_ slot: Int) throws(ArrowFault) -> Int? {
        guard let place = try field(slot, width: 4) else { return nil }
        return try follow(place)
    }

    private func follow(_ place: Int) throws(ArrowFault) -> Int {
        let distance = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        guard distance > 0, distance <= bytes.count - 4 - place else {
            throw ArrowFault("the metadata points past its end", at: base + place)
        }
        return place + distance
    }

    func table(_ slot: Int) throws(ArrowFault) -> FlatTable? {
        guard let target = try target(slot) else { return nil }
        return try FlatTable(bytes, base: base, at: target)
    }

    /// The elements of a vector, which has `width` bytes for each.
    private func vector(
        _ slot: Int,
        width: Int
    ) throws(ArrowFault) -> (start: Int, count: Int)? {
        guard let target = try target(slot) else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: target, as: UInt32.self)))
        guard count <= (bytes.count - target - 4) / width else {
            throw ArrowFault("a vector of the metadata is longer than the metadata", at: base + target)
        }
        return (target + 4, count)
    }

    /// The text of a string field; `nil` where it is absent.
    func string(_ slot: Int, _ budget: inout FlatBudget) throws(ArrowFault) -> String? {
        guard let (start, count) = try vector(slot, width: 1) else { return nil }
        try budget.spend(count, at: base + start)
        let text = UnsafeBufferPointer(rebasing: bytes.bindMemory(to: UInt8.self)[start..<start + count])
        guard isUTF8(text) else { throw ArrowFault("a string of the metadata is not valid UTF-8", at: base + start) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a vector of structs, `width` bytes each; empty where it is absent.
    func structures(_ slot: Int, width: Int) throws(ArrowFault) -> UnsafeRawBufferPointer {
        guard let (start, count) = try vector(slot, width: width) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<start + count * width])
    }

    /// Gives each table of a vector to `body`, which takes the budget on.
    func forEachTable(
        _ slot: Int,
        _ budget: inout FlatBudget,
        _ body: (FlatTable, inout FlatBudget) throws(ArrowFault) -> Void
    ) throws(ArrowFault) {
        guard let (start, count) = try vector(slot, width: 4) else { return }
        try budget.spend(4 * count, at: base + start)
        for element in 0..<count {
            try body(FlatTable(bytes, base: base, at: follow(start + 4 * element)), &budget)
        }
    }
}

/// How much may still be read from metadata, whose parts can be pointed to again and again.
///
/// Honest metadata points to each part once, so that what is read is never more than what is there.
struct FlatBudget {
    private var left: Int

    init(_ metadataSize: Int) { left = 4 * metadataSize + 4_096 }

    mutating func spend(_ bytes: Int, at position: Int) throws(ArrowFault) {
        left -= bytes + 8
        guard left >= 0 else { throw ArrowFault("the metadata repeats its own parts", at: position) }
    }
}
