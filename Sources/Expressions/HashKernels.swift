import Columns

/// `hash_bucket(x, n)`: a stable bucket from 0 to n - 1 for any value that has an identity.
///
/// The hash is XXH64 with seed 42 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md) of these bytes:
///
/// | type | bytes |
/// |---|---|
/// | bool | 1 or 0 as 4 bytes, little-endian |
/// | int64; timestamp in microseconds since 1970 | 8 bytes, little-endian two's complement |
/// | float32, float64 | the IEEE 754 bits as 4 or 8 bytes, little-endian; -0.0 as 0.0, every NaN as `0x7FC00000` or `0x7FF8000000000000` |
/// | string | its UTF-8 bytes |
/// | bytes | themselves |
///
/// The 64 bits are read as a signed number h, and the bucket is `h mod n`, never negative (floored division). Null has no
/// bucket, and n below 1 is undefined. It is Spark's `pmod(xxhash64(x), n)`.
extension Kernel {
    func hashBucket(_ operand: Vector, _ count: Vector) -> Vector {
        var validity = Validity.strict([operand, count], rows: rows)
        let constant = operand.isConstant
        let hashes: [Int64]
        switch operand.storage {
        case .bool:
            let bits = operand.bits(rows)
            hashes = (0..<rows).map { XXH64.hash(UInt32(Masks.bit(bits, $0) ? 1 : 0)) }
        case .int64(let values): hashes = values.map { XXH64.hash(UInt64(bitPattern: $0)) }
        case .float32(let values):
            hashes = values.map { XXH64.hash($0.isNaN ? 0x7FC0_0000 : ($0 == 0 ? 0 : $0.bitPattern)) }
        case .float64(let values):
            hashes = values.map { XXH64.hash($0.isNaN ? 0x7FF8_0000_0000_0000 : ($0 == 0 ? 0 : $0.bitPattern)) }
        case .text(let text):
            hashes = text.data.withUnsafeBufferPointer { data in
                (0..<text.offsets.count - 1).map { row in
                    XXH64.hash(UnsafeBufferPointer(rebasing: data[text.offsets[row]..<text.offsets[row + 1]]))
                }
            }
        case .vector: preconditionFailure("vectors are not hashed")
        }
        // A bool's mask was spread over all rows.
        let operand = Operand(values: hashes, isConstant: constant && hashes.count == 1)
        let result = Elementwise.zip(operand, count.int64, rows: rows, &validity) { hash, count -> Int64 in
            guard count > 0 else { return 0 }
            let remainder = hash % count
            return remainder < 0 ? remainder &+ count : remainder
        } fails: { _, count, _ in
            count < 1
        }
        return Vector(.int64(result), isConstant: false, validity)
    }
}

/// The hash function XXH64 with seed 42.
enum XXH64 {
    private static let seed: UInt64 = 42
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// Of the four bytes of a word, little-endian.
    @inline(__always)
    static func hash(_ word: UInt32) -> Int64 {
        mixed(shortStep(seed &+ prime5 &+ 4, UInt64(word)))
    }

    /// Of the eight bytes of a word, little-endian.
    @inline(__always)
    static func hash(_ word: UInt64) -> Int64 {
        mixed(step(seed &+ prime5 &+ 8, word))
    }

    static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64 {
        let raw = UnsafeRawBufferPointer(bytes)
        var place = 0
        var hash: UInt64
        if raw.count >= 32 {
            var lanes = (
                seed &+ prime1 &+ prime2, seed &+ prime2, seed, seed &- prime1
            )
            while place &+ 32 <= raw.count {
                lanes.0 = round(lanes.0, word(raw, place))
                lanes.1 = round(lanes.1, word(raw, place &+ 8))
                lanes.2 = round(lanes.2, word(raw, place &+ 16))
                lanes.3 = round(lanes.3, word(raw, place &+ 24))
                place &+= 32
            }
            hash = rotated(lanes.0, 1) &+ rotated(lanes.1, 7) &+ rotated(lanes.2, 12) &+ rotated(lanes.3, 18)
            for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
                hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
            }
        } else {
            hash = seed &+ prime5
        }
        hash &+= UInt64(raw.count)
        while place &+ 8 <= raw.count {
            hash = step(hash, word(raw, place))
            place &+= 8
        }
        if place &+ 4 <= raw.count {
            let part = raw.loadUnaligned(fromByteOffset: place, as: UInt32.self)
            hash = shortStep(hash, UInt64(UInt32(littleEndian: part)))
            place &+= 4
        }
        while place < raw.count {
            hash = rotated(hash ^ (UInt64(raw[place]) &* prime5), 11) &* prime1
            place &+= 1
        }
        return mixed(hash)
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    @inline(__always)
    private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 &- count) }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func step(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        rotated(hash ^ round(0, word), 27) &* prime1 &+ prime4
    }

    @inline(__always)
    private static func shortStep(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        rotated(hash ^ (word &* prime1), 23) &* prime2 &+ prime3
    }

    @inline(__always)
    private static func mixed(_ hash: UInt64) -> Int64 {
        var hash = hash
        hash = (hash ^ (hash >> 33)) &* prime2
        hash = (hash ^ (hash >> 29)) &* prime3
        return Int64(bitPattern: hash ^ (hash >> 32))
    }
}
