/// A packed sequence of bits, least significant bit first, as Arrow lays out validity.
///
/// In a validity bitmap 1 means the row has a value and 0 means null. Bits past `count` are zero.
public struct Bitmap: Hashable, Sendable {
    public private(set) var words: [UInt64]
    public private(set) var count: Int

    /// A bitmap of `count` equal bits.
    public init(repeating bit: Bool, count: Int) {
        self.words = [UInt64](repeating: bit ? ~0 : 0, count: (count + 63) / 64)
        self.count = count
        clearTail()
    }

    public init(_ bits: [Bool]) {
        var words = [UInt64](repeating: 0, count: (bits.count + 63) / 64)
        for (row, bit) in bits.enumerated() where bit { words[row >> 6] |= 1 << UInt64(row & 63) }
        self.words = words
        self.count = bits.count
    }

    public init() {
        self.words = []
        self.count = 0
    }

    /// Takes packed words; bits past `count` are cleared.
    ///
    /// - Precondition: `words.count` is `count / 64`, rounded up.
    public init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64, "a bitmap of \(count) bits needs \((count + 63) / 64) words")
        self.words = words
        self.count = count
        clearTail()
    }

    @inlinable
    public subscript(row: Int) -> Bool {
        get { words[row &>> 6] &>> UInt64(truncatingIfNeeded: row & 63) & 1 != 0 }
        set { set(row, newValue) }
    }

    @usableFromInline
    mutating func set(_ row: Int, _ bit: Bool) {
        precondition(row < count, "row \(row) is past the end of a bitmap of \(count) bits")
        let mask: UInt64 = 1 << UInt64(row & 63)
        if bit { words[row >> 6] |= mask } else { words[row >> 6] &= ~mask }
    }

    public mutating func append(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
        count += 1
    }

    public mutating func append(repeating bit: Bool, count added: Int) {
        for _ in 0..<added { append(bit) }
    }

    /// The number of one bits.
    public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Row-wise AND of two bitmaps of equal length.
    public func intersection(_ other: Bitmap) -> Bitmap {
        precondition(count == other.count, "bitmaps of \(count) and \(other.count) rows cannot be combined")
        var result = self
        for word in result.words.indices { result.words[word] &= other.words[word] }
        return result
    }

    /// Row-wise OR of two bitmaps of equal length.
    public func union(_ other: Bitmap) -> Bitmap {
        precondition(count == other.count, "bitmaps of \(count) and \(other.count) rows cannot be combined")
        var result = self
        for word in result.words.indices { result.words[word] |= other.words[word] }
        return result
    }

    private mutating func clearTail() {
        let used = count & 63
        if used != 0, let last = words.indices.last { words[last] &= (1 << UInt64(used)) - 1 }
    }
}

extension Bitmap? {
    /// The validity of a row that is valid only where both inputs are; `nil` means that all rows are valid.
    public func intersection(_ other: Bitmap?) -> Bitmap? {
        switch (self, other) {
        case (nil, let only), (let only, nil): only
        case (let left?, let right?): left.intersection(right)
        }
    }
}
