import Columns

/// One bit for each row, packed like a `Bitmap`; bits past the last row are unspecified.
typealias Mask = [UInt64]

enum Masks {
    @inline(__always)
    static func words(_ rows: Int) -> Int { (rows + 63) >> 6 }

    static func all(_ bit: Bool, rows: Int) -> Mask { Mask(repeating: bit ? ~0 : 0, count: words(rows)) }

    @inline(__always)
    static func combine(_ left: Mask, _ right: Mask, _ operation: (UInt64, UInt64) -> UInt64) -> Mask {
        precondition(left.count == right.count, "masks differ in length")
        return Mask(unsafeUninitializedCapacity: left.count) { output, count in
            for word in left.indices { output[word] = operation(left[word], right[word]) }
            count = left.count
        }
    }

    static func and(_ left: Mask, _ right: Mask) -> Mask { combine(left, right) { $0 & $1 } }
    static func andNot(_ left: Mask, _ right: Mask) -> Mask { combine(left, right) { $0 & ~$1 } }
    static func or(_ left: Mask, _ right: Mask) -> Mask { combine(left, right) { $0 | $1 } }
    static func not(_ mask: Mask) -> Mask { mask.map { ~$0 } }

    /// The bits `test` gives for each row.
    ///
    /// A whole word is first tested into bytes, which the compiler vectorises; eight bytes of 0 or 1 are then gathered
    /// into eight bits by one multiplication. Shifting bit by bit takes five times as long.
    @inline(__always)
    static func pack(_ rows: Int, _ test: (Int) -> Bool) -> Mask {
        // No closure here may hold `test`: behind one it is called for every row instead of inlined.
        let words = words(rows)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: 64 &+ words &* 8, alignment: 16)
        defer { scratch.deallocate() }
        let mask = (scratch + 64).assumingMemoryBound(to: UInt64.self)
        for word in 0..<rows >> 6 {
            let start = word << 6
            for place in 0..<64 {
                scratch.storeBytes(of: test(start &+ place) ? 1 : 0, toByteOffset: place, as: UInt8.self)
            }
            var bits: UInt64 = 0
            for group in 0..<8 {
                let eight = UInt64(littleEndian: scratch.load(fromByteOffset: group &* 8, as: UInt64.self))
                bits |= ((eight &* 0x0102_0408_1020_4080) >> 56) << UInt64(truncatingIfNeeded: group &* 8)
            }
            mask[word] = bits
        }
        if rows & 63 != 0 {
            var bits: UInt64 = 0
            for row in rows & ~63..<rows {
                bits |= (test(row) ? 1 : 0) &<< UInt64(truncatingIfNeeded: row & 63)
            }
            mask[rows >> 6] = bits
        }
        return Mask(UnsafeBufferPointer(start: mask, count: words))
    }

    @inline(__always)
    static func bit(_ mask: Mask, _ row: Int) -> Bool { mask[row >> 6] >> UInt64(row & 63) & 1 != 0 }

    /// The number of one bits among the first `rows`.
    static func count(_ mask: Mask, rows: Int) -> Int {
        var total = 0
        for word in 0..<words(rows) {
            let tail = rows - word << 6
            total += (tail < 64 ? mask[word] & ((1 << UInt64(tail)) - 1) : mask[word]).nonzeroBitCount
        }
        return total
    }
}

/// Which rows of a result have a value, and which have none because their evaluation is undefined.
///
/// An undefined (invalid) row is also null: the two masks share no bit.
struct Validity: Sendable {
    /// `nil` when no row is null.
    var valid: Mask?
    /// `nil` when every row is defined.
    var invalid: Mask?

    /// Of a function that is null where any operand is null and undefined where any is undefined.
    static func strict(_ operands: [Vector], rows: Int) -> Validity {
        var result = Validity()
        for operand in operands { result.join(operand, rows: rows) }
        return result
    }

    mutating func join(_ operand: Vector, rows: Int) {
        if let mask = operand.validMask(rows) { valid = valid.map { Masks.and($0, mask) } ?? mask }
        if let mask = operand.invalidMask(rows) { invalid = invalid.map { Masks.or($0, mask) } ?? mask }
    }

    /// Marks rows as undefined where the operands had values and the function failed.
    mutating func fail(_ failures: Mask) {
        let failures = valid.map { Masks.and($0, failures) } ?? failures
        valid = valid.map { Masks.andNot($0, failures) } ?? Masks.not(failures)
        invalid = invalid.map { Masks.or($0, failures) } ?? failures
    }
}
