import Columns

/// The validity of gathered rows, a negative row being null; `nil` when no gathered row is null.
func gatherValidity(_ validity: Bitmap?, _ rows: [Int]) -> Bitmap? {
    var words = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
    var valid = 0
    if let validity {
        for (position, row) in rows.enumerated() where row >= 0 && validity[row] {
            words[position &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: position & 63)
            valid &+= 1
        }
    } else {
        // The common case has no null at all: find that out before touching any word.
        guard rows.contains(where: { $0 < 0 }) else { return nil }
        for (position, row) in rows.enumerated() where row >= 0 {
            words[position &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: position & 63)
            valid &+= 1
        }
    }
    return valid == rows.count ? nil : Bitmap(words: words, count: rows.count)
}

/// The validity of a range of rows; `nil` when none of them is null.
func sliceValidity(_ validity: Bitmap?, _ rows: Range<Int>) -> Bitmap? {
    guard let validity else { return nil }
    var words: [UInt64] = []
    words.reserveCapacity((rows.count + 63) / 64)
    let source = validity.words
    let shift = UInt64(rows.lowerBound & 63)
    var word = rows.lowerBound >> 6
    while words.count < (rows.count + 63) / 64 {
        var bits = source[word] >> shift
        if shift != 0, word + 1 < source.count { bits |= source[word + 1] << (64 - shift) }
        words.append(bits)
        word += 1
    }
    let slice = Bitmap(words: words, count: rows.count)
    return slice.setCount == rows.count ? nil : slice
}

/// The validity of columns laid end to end; `nil` when none of their rows is null.
func concatenateValidity(_ columns: [Column]) -> Bitmap? {
    guard columns.contains(where: { $0.nullCount > 0 }) else { return nil }
    let count = columns.reduce(0) { $0 + $1.count }
    var words = [UInt64](repeating: 0, count: (count + 63) / 64)
    var position = 0
    for column in columns {
        let piece = column.validity ?? Bitmap(repeating: true, count: column.count)
        let shift = UInt64(position & 63)
        for (index, bits) in piece.words.enumerated() {
            let word = position >> 6 + index
            words[word] |= bits << shift
            // Bits past the end of a bitmap are zero, so a carry past the last word has nothing to carry.
            if shift != 0, word + 1 < words.count { words[word + 1] |= bits >> (64 - shift) }
        }
        position += column.count
    }
    return Bitmap(words: words, count: count)
}
