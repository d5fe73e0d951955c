import Columns

/// What a sink found wrong with a page's values.
struct ParquetValueFault: Error {
    var reason = MalformedFile.Reason.malformed
    let detail: String

    static let cutShort = ParquetValueFault(detail: "values are cut short")
    static let badIndex = ParquetValueFault(detail: "an index is past the end of the dictionary")
    static let noDictionary = ParquetValueFault(detail: "a page uses a dictionary that the chunk does not have")

    static func encoding(_ encoding: ParquetEncoding, _ type: ParquetType?) -> ParquetValueFault {
        ParquetValueFault(detail: "\(encoding) is not an encoding of \(type.map { "\($0)" } ?? "this type")")
    }

    /// A value that its column's type does not have.
    ///
    /// - Parameter row: counted from 0 over the whole file.
    static func value(row: Int, _ detail: String) -> ParquetValueFault {
        ParquetValueFault(reason: .unsupported, detail: "row \(row) (counted from 0): \(detail)")
    }
}

/// Collects the values of one column, page by page.
protocol ParquetSink {
    /// Rows so far.
    var rowCount: Int { get }
    /// Takes a dictionary page, which replaces any earlier one.
    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault)
    mutating func append(_ page: ParquetPage) throws(ParquetValueFault)
    /// Bytes of a value that is stored as it is in the column; `nil` where values are converted.
    static var verbatimWidth: Int? { get }
    /// Lets `body` write `count` rows that have values straight to their place, which `prefix` bytes precede that are
    /// put back afterwards.
    ///
    /// The rows count when `body` returns true. Returns `nil`, without calling `body`, where there is no such place.
    mutating func appendVerbatim(
        count: Int,
        prefix: Int,
        _ body: (UnsafeMutableRawPointer) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) -> Bool?
    /// Checks that the chunk ended with a whole row, and forgets its dictionary.
    mutating func endChunk() throws(ParquetValueFault)
    mutating func finish() throws(ParquetValueFault) -> Column
}

extension ParquetSink {
    static var verbatimWidth: Int? { nil }

    mutating func appendVerbatim(
        count: Int,
        prefix: Int,
        _ body: (UnsafeMutableRawPointer) throws(MalformedFile) -> Bool
    ) throws(MalformedFile) -> Bool? { nil }
}

/// The rows of a flat page that have values.
struct ParquetRows {
    let count: Int
    let validCount: Int
    /// One bit for each row where some are null and some are not.
    private let words: [UInt64]?

    init(_ page: ParquetPage) {
        count = page.valueCount
        switch page.definition {
        case .constant(let level):
            validCount = level == page.maxDefinition ? count : 0
            words = nil
        case .bits(let bits):
            validCount = bits.setCount
            words = validCount == 0 || validCount == count ? nil : bits.words
        case .each: preconditionFailure("levels of a flat column are bits")
        }
    }

    func append(to validity: inout ValidityBits) {
        guard let words else { return validity.append(repeating: validCount == count, count: count) }
        for (index, word) in words.enumerated() {
            validity.append(bits: word, count: min(64, count &- index &* 64))
        }
    }

    @inline(__always)
    func isValid(_ row: Int) -> Bool {
        guard let words else { return validCount > 0 }
        return words[row &>> 6] &>> UInt64(truncatingIfNeeded: row & 63) & 1 != 0
    }

    /// The row of the `position`-th value.
    func row(ofValue position: Int) -> Int {
        guard words != nil else { return position }
        var left = position
        for row in 0..<count where isValid(row) {
            if left == 0 { return row }
            left -= 1
        }
        return count
    }

    /// Moves the first `validCount` of `values` to their rows, from the back, and clears the null rows.
    @inline(__always)
    func spread<Value: BitwiseCopyable>(_ values: UnsafeMutablePointer<Value>, zero: Value) {
        guard let words else {
            if validCount == 0 { values.update(repeating: zero, count: count) }
            return
        }
        var next = validCount
        for index in words.indices.reversed() {
            let start = index &* 64
            let rows = min(64, count &- start)
            let word = words[index]
            if word == ParquetBits.mask(rows) {
                next &-= rows
                (values + start).update(from: values + next, count: rows)
                continue
            }
            var row = rows
            while row > 0 {
                row &-= 1
                if word &>> UInt64(truncatingIfNeeded: row) & 1 != 0 {
                    next &-= 1
                    values[start &+ row] = values[next]
                } else {
                    values[start &+ row] = zero
                }
            }
        }
    }
}

/// Reads the indices of a dictionary-encoded page: a byte for their width, then the hybrid.
struct ParquetIndices {
    private var decoder: HybridDecoder
    private let dictionaryCount: Int
    static let blockSize = 1_024

    init(_ values: UnsafeRawBufferPointer, dictionaryCount: Int) throws(ParquetValueFault) {
        guard let width = values.first, width <= 32 else { throw .cutShort }
        decoder = HybridDecoder(UnsafeRawBufferPointer(rebasing: values[1...]), width: Int(width))
        self.dictionaryCount = dictionaryCount
    }

    /// Decodes `count` indices, all of which are in the dictionary.
    mutating func decode(_ count: Int, into target: UnsafeMutablePointer<UInt32>) throws(ParquetValueFault) {
        guard decoder.decode(count, into: target) else { throw .cutShort }
        var highest: UInt32 = 0
        for index in 0..<count { highest = max(highest, target[index]) }
        guard count == 0 || highest < dictionaryCount else { throw .badIndex }
    }

    /// Calls `body` for each block of indices of a page, with the position of its first.
    static func forEachBlock(
        _ values: UnsafeRawBufferPointer,
        count: Int,
        dictionaryCount: Int,
        _ body: (UnsafeBufferPointer<UInt32>, Int) throws(ParquetValueFault) -> Void
    ) throws(ParquetValueFault) {
        if count == 0 { return }
        var indices = try ParquetIndices(values, dictionaryCount: dictionaryCount)
        let outcome = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: blockSize) { block in
            Result<Void, ParquetValueFault> { () throws(ParquetValueFault) in
                guard let base = block.baseAddress else { preconditionFailure("an allocation has an address") }
                var position = 0
                while position < count {
                    let taken = min(blockSize, count &- position)
                    try indices.decode(taken, into: base)
                    try body(UnsafeBufferPointer(start: base, count: taken), position)
                    position &+= taken
                }
            }
        }
        try outcome.get()
    }
}
