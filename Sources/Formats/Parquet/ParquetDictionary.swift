/// Distinct values in order of first appearance, and each value's place among them.
///
/// The order, and so the file, does not depend on the hash; its seed is drawn for each process, so that no data can be
/// prepared to make probing slow.
struct ParquetDictionary {
    /// The position in the input of the first occurrence of each distinct value.
    private(set) var entries: [Int] = []
    private(set) var indices: [UInt32] = []

    /// The bits an index takes.
    var width: Int { Self.width(entries.count) }

    static func width(_ entryCount: Int) -> Int {
        max(1, Int.bitWidth - (entryCount - 1).leadingZeroBitCount)
    }

    /// One place of the hash table; an unused one has the index -1.
    ///
    /// With the hash beside the index a value that is not there is mostly seen in one cache line.
    private struct Slot {
        var hash: UInt64
        var index: Int32
    }

    /// Values looked at before all of them are: short runs, spread over all.
    ///
    /// Runs see values that repeat at once, and their spread those that come again far away, as the entities of a panel
    /// do.
    private static let runCount = 512
    private static let runLength = 8

    /// The position of one value of the sample.
    ///
    /// Runs stand at uneven distances, or a period of the values could hide between them, and at the same ones each
    /// time, since the file's bytes depend on what they find.
    @inline(__always)
    private static func samplePosition(_ sample: Int, count: Int) -> Int {
        let share = count / runCount
        let run = sample / runLength
        let jitter = Int(permuted(UInt64(run &+ 1), 0) % UInt64(share - runLength))
        return run &* share &+ jitter &+ sample % runLength
    }

    /// Whether a sample of the values repeats often enough for a dictionary to be worth building.
    ///
    /// A sample of m values out of n has about m²/2 × (1/D − 1/n) repetitions where D are distinct. A dictionary of
    /// 8-byte values stops to pay where D comes near two thirds of n, and that is where the line is drawn.
    @inline(__always)
    static func isPromising(count: Int, hash: (Int) -> UInt64, areEqual: (Int, Int) -> Bool) -> Bool {
        let size = runCount * runLength
        guard count > 4 * size else { return true }
        @inline(__always)
        func position(_ sample: Int) -> Int { samplePosition(sample, count: count) }
        let sample = ParquetDictionary(
            count: size,
            entryLimit: size,
            hash: { hash(position($0)) },
            areEqual: { areEqual(position($0), position($1)) }
        )
        return size - (sample?.entries.count ?? size) >= size * size / (4 * min(count, 1 << 17))
    }

    /// Returns `nil` where there are more than `entryLimit` distinct values.
    ///
    /// - Precondition: there is a value; a dictionary without entries has no width.
    @inline(__always)
    init?(count: Int, entryLimit: Int, hash: (Int) -> UInt64, areEqual: (Int, Int) -> Bool) {
        var capacity = 1 << 12
        let unused = Slot(hash: 0, index: -1)
        var table = [Slot](repeating: unused, count: capacity)
        var entries: [Int] = []
        var isComplete = true
        indices = [UInt32](unsafeUninitializedCapacity: count) { indices, initializedCount in
            initializedCount = count
            for position in 0..<count {
                let value = hash(position)
                var probe = Int(truncatingIfNeeded: value) & (capacity &- 1)
                var slot = table[probe]
                while slot.index >= 0, slot.hash != value || !areEqual(entries[Int(slot.index)], position) {
                    probe = (probe &+ 1) & (capacity &- 1)
                    slot = table[probe]
                }
                if slot.index < 0 {
                    guard entries.count < entryLimit else {
                        isComplete = false
                        initializedCount = position
                        return
                    }
                    slot.index = Int32(truncatingIfNeeded: entries.count)
                    table[probe] = Slot(hash: value, index: slot.index)
                    entries.append(position)
                    if entries.count &* 2 > capacity {
                        capacity &*= 4
                        let old = table
                        table = [Slot](repeating: unused, count: capacity)
                        for slot in old where slot.index >= 0 {
                            var probe = Int(truncatingIfNeeded: slot.hash) & (capacity &- 1)
                            while table[probe].index >= 0 { probe = (probe &+ 1) & (capacity &- 1) }
                            table[probe] = slot
                        }
                    }
                }
                indices[position] = UInt32(truncatingIfNeeded: slot.index)
            }
        }
        guard isComplete else { return nil }
        self.entries = entries
    }
}

/// The hash seed of this process.
let dictionarySeed = UInt64.random(in: 0...UInt64.max)

/// A word's hash: a permutation of the words, so that equal hashes mean equal words.
///
/// The finaliser of MurmurHash3 (A. Appleby), keyed.
@inline(__always)
func permuted(_ word: UInt64, _ seed: UInt64) -> UInt64 {
    var result = word ^ seed
    result = (result ^ result &>> 33) &* 0xFF51_AFD7_ED55_8CCD
    result = (result ^ result &>> 33) &* 0xC4CE_B9FE_1A85_EC53
    return result ^ result &>> 33
}

/// Mixes a word into a hash: the folded 128-bit product.
@inline(__always)
private func mixed(_ word: UInt64, _ seed: UInt64) -> UInt64 {
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
