/// Distinct values in order of first appearance, and each value's place among them.
///
/// The order, and so the file, does not depend on the hash; its seed is drawn for each process, so that no data can be
/// prepared to make probing slow.
struct ParquetDictionary {
    /// The position in the input of the first occurrence of each distinct value.
    private(set) var entries: [Int] = []
    private(set) var indices: [UInt32] = []

    /// More distinct values than this are written plain.
    static let entryLimit = 1 << 16
    /// After this many values, mostly distinct values are written plain.
    static let sampleSize = 1 << 14

    /// The bits an index takes.
    var width: Int { max(1, Int.bitWidth - (entries.count - 1).leadingZeroBitCount) }

    /// Returns `nil` where the values are too varied for a dictionary to pay.
    @inline(__always)
    init?(count: Int, hash: (Int) -> UInt64, areEqual: (Int, Int) -> Bool) {
        var capacity = 1 << 10
        var table = [Int32](repeating: -1, count: capacity)
        var hashes: [UInt64] = []
        indices.reserveCapacity(count)
        for position in 0..<count {
            let value = hash(position)
            var probe = Int(truncatingIfNeeded: value) & (capacity &- 1)
            var index = table[probe]
            while index >= 0, hashes[Int(index)] != value || !areEqual(entries[Int(index)], position) {
                probe = (probe &+ 1) & (capacity &- 1)
                index = table[probe]
            }
            if index < 0 {
                guard entries.count < Self.entryLimit else { return nil }
                if position >= Self.sampleSize, entries.count > position / 4 &* 3 { return nil }
                index = Int32(truncatingIfNeeded: entries.count)
                table[probe] = index
                entries.append(position)
                hashes.append(value)
                if entries.count &* 2 > capacity {
                    capacity &*= 2
                    table = [Int32](repeating: -1, count: capacity)
                    for (entry, hash) in hashes.enumerated() {
                        var probe = Int(truncatingIfNeeded: hash) & (capacity &- 1)
                        while table[probe] >= 0 { probe = (probe &+ 1) & (capacity &- 1) }
                        table[probe] = Int32(truncatingIfNeeded: entry)
                    }
                }
            }
            indices.append(UInt32(truncatingIfNeeded: index))
        }
    }
}

/// The hash seed of this process.
let dictionarySeed = UInt64.random(in: 0...UInt64.max)

/// Mixes a word into a hash: the folded 128-bit product.
@inline(__always)
func mixed(_ word: UInt64, _ seed: UInt64) -> UInt64 {
    let product = (word ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
}

/// Hashes bytes, eight at a time.
@inline(__always)
func hashed(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    var result = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    guard let base = bytes.baseAddress else { return mixed(result, seed) }
    var position = 0
    while position &+ 8 <= bytes.count {
        result = mixed(base.loadUnaligned(fromByteOffset: position, as: UInt64.self), result)
        position &+= 8
    }
    var tail: UInt64 = 0
    while position < bytes.count {
        tail = tail &<< 8 | UInt64(bytes[position])
        position &+= 1
    }
    return mixed(tail, result)
}
