import Columns

/// Collects validity bits a word at a time.
///
/// The bit loops of the readers are hot, so this stays in the module and works on whole words.
struct ValidityBits {
    private var words: [UInt64] = []
    private(set) var count = 0
    private(set) var nullCount = 0

    mutating func append(_ isValid: Bool) {
        if count & 63 == 0 { words.append(0) }
        if isValid { words[count &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: count & 63) } else { nullCount &+= 1 }
        count &+= 1
    }

    /// Appends the low `added` bits of `bits`, at most 64 of them; bits above are zero.
    mutating func append(bits: UInt64, count added: Int) {
        guard added > 0 else { return }
        let shift = UInt64(truncatingIfNeeded: count & 63)
        if shift == 0 {
            words.append(bits)
        } else {
            words[count &>> 6] |= bits &<< shift
            if Int(shift) &+ added > 64 { words.append(bits &>> (64 &- shift)) }
        }
        nullCount &+= added &- bits.nonzeroBitCount
        count &+= added
    }

    mutating func append(repeating isValid: Bool, count added: Int) {
        var left = added
        while left > 0 {
            let part = min(64, left)
            let mask: UInt64 = part == 64 ? ~0 : (1 &<< UInt64(part)) &- 1
            append(bits: isValid ? mask : 0, count: part)
            left &-= part
        }
    }

    /// `nil` when no row is null.
    func finish() -> Bitmap? { nullCount == 0 ? nil : Bitmap(words: words, count: count) }
}
