/// Hashing and ordering of key bytes.
///
/// The seed differs from process to process, so that nobody can choose keys that all collide. No result depends on it:
/// dense ids follow the order of rows, and ties are settled by comparing bytes.
enum KeyHash {
    static let seed = UInt64.random(in: .min ... .max)

    @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    static func hash(_ value: Int64, seed: UInt64) -> UInt64 {
        mix(UInt64(bitPattern: value) ^ seed, 0x9e37_79b9_7f4a_7c15 ^ (seed &<< 1 | 1))
    }

    /// Hashes bytes eight at a time, the last word overlapping the one before it.
    @inline(__always)
    static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while offset &+ 8 <= bytes.count {
            state = mix(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0xa076_1d64_78bd_642f)
            offset &+= 8
        }
        var tail: UInt64 = 0
        if offset < bytes.count {
            if bytes.count >= 8 {
                tail = bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
            } else {
                while offset < bytes.count {
                    tail = tail &<< 8 | UInt64(bytes[offset])
                    offset &+= 1
                }
            }
        }
        return mix(state ^ tail, 0xe703_7ed1_a0b4_28db ^ (seed &<< 1 | 1))
    }

    /// Which of several shards a key with this hash falls into.
    ///
    /// It follows from the upper half; hash tables go by the lower bits.
    @inline(__always)
    static func shard(_ hash: UInt64, of count: Int) -> Int {
        Int(truncatingIfNeeded: (hash &>> 32) &* UInt64(truncatingIfNeeded: count) &>> 32)
    }

    @inline(__always)
    static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count && compare(left, right) == 0
    }

    /// Negative, zero or positive as the left bytes sort before, with or after the right; a prefix sorts first.
    @inline(__always)
    static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let common = min(left.count, right.count)
        var offset = 0
        while offset &+ 8 <= common {
            let a = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let b = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if a != b { return a.bigEndian < b.bigEndian ? -1 : 1 }
            offset &+= 8
        }
        while offset < common {
            if left[offset] != right[offset] { return left[offset] < right[offset] ? -1 : 1 }
            offset &+= 1
        }
        return left.count &- right.count
    }
}
