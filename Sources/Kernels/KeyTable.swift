/// Open addressing with linear probing: each slot has a 64-bit word and the id it leads to.
///
/// For fixed-width keys the word is the key itself, for others its hash, so that growing never reads keys again.
struct KeyTable: Sendable {
    private struct Slot {
        var word: UInt64
        /// -1 in an empty slot.
        var id: Int
    }

    let seed = KeyHash.seed
    private var slots = [Slot](repeating: Slot(word: 0, id: -1), count: 16)
    private var used = 0

    @inline(__always)
    func find(_ value: Int64) -> Int? { find(value, hash: KeyHash.hash(value, seed: seed)) }

    /// - Precondition: the hash is that of the value.
    @inline(__always)
    func find(_ value: Int64, hash: UInt64) -> Int? {
        let word = UInt64(bitPattern: value)
        let mask = slots.count &- 1
        var position = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[position]
            if slot.id < 0 { return nil }
            if slot.word == word { return slot.id }
            position = (position &+ 1) & mask
        }
    }

    @inline(__always)
    func find(_ hash: UInt64, where isEqual: (Int) -> Bool) -> Int? {
        let mask = slots.count &- 1
        var position = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[position]
            if slot.id < 0 { return nil }
            if slot.word == hash, isEqual(slot.id) { return slot.id }
            position = (position &+ 1) & mask
        }
    }

    mutating func insert(_ value: Int64, id: Int) {
        let word = UInt64(bitPattern: value)
        if (used &+ 1) &* 2 > slots.count { grow { KeyHash.hash(Int64(bitPattern: $0), seed: $1) } }
        place(Slot(word: word, id: id), at: KeyHash.hash(value, seed: seed))
    }

    mutating func insert(hash: UInt64, id: Int) {
        if (used &+ 1) &* 2 > slots.count { grow { word, _ in word } }
        place(Slot(word: hash, id: id), at: hash)
    }

    /// Gives each key the number that stands at its present one.
    mutating func renumber(_ numbers: [Int]) {
        for position in slots.indices where slots[position].id >= 0 {
            slots[position].id = numbers[slots[position].id]
        }
    }

    private mutating func place(_ slot: Slot, at hash: UInt64) {
        let mask = slots.count &- 1
        var position = Int(truncatingIfNeeded: hash) & mask
        while slots[position].id >= 0 { position = (position &+ 1) & mask }
        slots[position] = slot
        used &+= 1
    }

    private mutating func grow(_ hash: (UInt64, UInt64) -> UInt64) {
        let old = slots
        slots = [Slot](repeating: Slot(word: 0, id: -1), count: old.count * 4)
        used = 0
        for slot in old where slot.id >= 0 { place(slot, at: hash(slot.word, seed)) }
    }
}
