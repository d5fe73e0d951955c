import Columns

/// The literals of a long `in` list, found by one probe.
struct Membership: Sendable {
    /// Lists shorter than this are compared item by item.
    static let minimum = 9

    private enum Keys {
        case words(WordTable)
        case texts(TextTable)
    }

    private let keys: Keys
    private let hasNull: Bool

    /// - Parameter items: Constants of one type; `nil` is returned where that type has no table or an item is undefined.
    init?(_ items: [Vector]) {
        guard let first = items.first(where: { !$0.isNullConstant }) else { return nil }
        var hasNull = false
        var words: [UInt64] = []
        var texts: [ArraySlice<UInt8>] = []
        for item in items {
            if item.validity.invalid != nil { return nil }
            if item.isNullConstant {
                hasNull = true
                continue
            }
            switch item.storage {
            case .int64(let values): words.append(UInt64(bitPattern: values[0]))
            case .float32(let values): words.append(Self.key(values[0]))
            case .float64(let values): words.append(Self.key(values[0]))
            case .text: texts.append(item.text.slice(0))
            case .bool, .vector: return nil
            }
        }
        self.hasNull = hasNull
        if case .text = first.storage { keys = .texts(TextTable(texts)) } else { keys = .words(WordTable(words)) }
    }

    /// The bits of equal floats: NaN equals NaN, and -0.0 equals 0.0.
    @inline(__always)
    private static func key(_ value: Double) -> UInt64 {
        value == 0 ? 0 : (value.isNaN ? Double.nan.bitPattern : value.bitPattern)
    }

    @inline(__always)
    private static func key(_ value: Float) -> UInt64 {
        value == 0 ? 0 : UInt64(value.isNaN ? Float.nan.bitPattern : value.bitPattern)
    }

    /// Whether each value is in the list; null where it is not found beside a null.
    func contains(_ operand: Vector, rows: Int) -> Vector {
        let bits: Mask =
            switch (operand.storage, keys) {
            case (.int64(let values), .words(let table)):
                Masks.pack(rows) { table.contains(UInt64(bitPattern: values[$0])) }
            case (.float32(let values), .words(let table)): Masks.pack(rows) { table.contains(Self.key(values[$0])) }
            case (.float64(let values), .words(let table)): Masks.pack(rows) { table.contains(Self.key(values[$0])) }
            case (.text(let text), .texts(let table)):
                text.data.withUnsafeBufferPointer { data in
                    Masks.pack(rows) {
                        table.contains(UnsafeBufferPointer(rebasing: data[text.offsets[$0]..<text.offsets[$0 &+ 1]]))
                    }
                }
            default: preconditionFailure("the operand is not of the list's type")
            }
        var validity = operand.validity
        if hasNull { validity.valid = validity.valid.map { Masks.and($0, bits) } ?? bits }
        return Vector(.bool(bits), isConstant: false, validity)
    }
}

/// A set of 64-bit words: open addressing, at most half full.
private struct WordTable: Sendable {
    private var slots: [UInt64]
    private let shift: UInt64
    /// Zero marks an empty slot and is kept apart.
    private var hasZero = false

    init(_ words: [UInt64]) {
        var bits: UInt64 = 4
        while 1 << bits < words.count * 2 { bits += 1 }
        shift = 64 - bits
        slots = [UInt64](repeating: 0, count: 1 << Int(bits))
        for word in words {
            if word == 0 {
                hasZero = true
                continue
            }
            var slot = start(word)
            while slots[slot] != 0, slots[slot] != word { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = word
        }
    }

    @inline(__always)
    private func start(_ word: UInt64) -> Int {
        // The high bits of a product depend on all bits of the word; integers in a row spread well.
        Int(truncatingIfNeeded: ((word ^ (word >> 32)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    @inline(__always)
    func contains(_ word: UInt64) -> Bool {
        if word == 0 { return hasZero }
        var slot = start(word)
        while slots[slot] != 0 {
            if slots[slot] == word { return true }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        return false
    }
}

/// A set of byte strings, found by their hash.
private struct TextTable: Sendable {
    /// The place of a text counted from 1; 0 is an empty slot.
    private var slots: [Int32]
    private var hashes: [Int64] = []
    private var offsets = [0]
    private var data: [UInt8] = []

    init(_ texts: [ArraySlice<UInt8>]) {
        var size = 16
        while size < texts.count * 2 { size *= 2 }
        slots = [Int32](repeating: 0, count: size)
        for text in texts {
            let isKnown = Array(text).withUnsafeBufferPointer { contains($0) }
            if isKnown { continue }
            let hash = Array(text).withUnsafeBufferPointer { XXH64.hash($0) }
            var slot = Int(truncatingIfNeeded: hash) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            hashes.append(hash)
            slots[slot] = Int32(hashes.count)
            data += text
            offsets.append(data.count)
        }
    }

    func contains(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let hash = XXH64.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count &- 1)
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if hashes[place] == hash, data[offsets[place]..<offsets[place + 1]].elementsEqual(text) { return true }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        return false
    }
}
