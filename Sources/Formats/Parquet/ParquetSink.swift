import Columns

/// What a sink found wrong with a page's values.
struct ParquetValueFault: Error {
    var reason = MalformedFile.Reason.malformed
    let detail: String

    static let cutShort = ParquetValueFault(detail: "values are cut short")
    static let badIndex = ParquetValueFault(detail: "an index is past the end of the dictionary")
    static let noDictionary = ParquetValueFault(detail: "a page uses a dictionary that the chunk does not have")

    static func encoding(_ encoding: ParquetEncoding) -> ParquetValueFault {
        ParquetValueFault(reason: .unsupported, detail: "values are encoded as \(encoding), which is not read")
    }
}

/// Collects the values of one column, page by page.
protocol ParquetSink {
    var rowCount: Int { get }
    /// Takes a dictionary page, which replaces any earlier one.
    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault)
    mutating func append(_ page: ParquetPage) throws(ParquetValueFault)
    /// Checks that the chunk ended with a whole row, and forgets its dictionary.
    mutating func endChunk() throws(ParquetValueFault)
    mutating func finish() -> Column
}

/// The rows of a flat page that have values.
struct ParquetRows {
    let count: Int
    let validCount: Int
    /// One level for each row where some are null and some are not.
    let levels: [UInt8]?

    /// - Parameter isOptional: whether level 1 is a value; otherwise every row has one.
    init(_ page: ParquetPage, isOptional: Bool) {
        count = page.valueCount
        switch page.definition {
        case .constant(let level, _):
            validCount = isOptional && level == 0 ? 0 : count
            levels = nil
        case .each(let each):
            validCount = page.definition.count(of: 1)
            levels = validCount == 0 || validCount == count ? nil : each
        }
    }

    func append(to validity: inout ValidityBits) {
        guard let levels else { return validity.append(repeating: validCount == count, count: count) }
        var row = 0
        while row < levels.count {
            let part = min(64, levels.count &- row)
            var bits: UInt64 = 0
            for bit in 0..<part { bits |= UInt64(levels[row &+ bit]) &<< UInt64(bit) }
            validity.append(bits: bits, count: part)
            row &+= part
        }
    }

    /// Moves the first `validCount` of `values` to their rows, from the back, and clears the null rows.
    @inline(__always)
    func spread<Value>(_ values: UnsafeMutableBufferPointer<Value>, zero: Value) {
        guard let levels else { return }
        var next = validCount
        var row = count
        while row > 0 {
            row &-= 1
            if levels[row] != 0 {
                next &-= 1
                values[row] = values[next]
            } else {
                values[row] = zero
            }
        }
    }
}

/// Reads the indices of a dictionary-encoded page: a byte for their width, then the hybrid.
func dictionaryIndices(
    _ page: ParquetPage,
    count: Int,
    dictionaryCount: Int
) throws(ParquetValueFault) -> [UInt32] {
    if count == 0 { return [] }
    guard let width = page.values.first, width <= 32 else { throw .cutShort }
    var decoder = HybridDecoder(UnsafeRawBufferPointer(rebasing: page.values[1...]), width: Int(width))
    var isWhole = false
    let indices = [UInt32](unsafeUninitializedCapacity: count) { target, written in
        isWhole = decoder.decode(into: UnsafeMutableBufferPointer(rebasing: target[..<count]))
        written = isWhole ? count : 0
    }
    guard isWhole else { throw .cutShort }
    var highest: UInt32 = 0
    for index in indices { highest = max(highest, index) }
    guard highest < dictionaryCount else { throw .badIndex }
    return indices
}
