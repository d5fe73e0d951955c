import Columns

/// Booleans: bits, least significant first, or the hybrid of width one.
struct ParquetBoolSink: ParquetSink {
    private var values = ParquetBuffer<Bool>()
    private var validity = ValidityBits()

    init(reserving rows: Int) { values.reserve(rows) }

    var rowCount: Int { values.count }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        throw ParquetValueFault(detail: "a dictionary of booleans")
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page)
        var bits = ParquetBits(capacity: rows.validCount)
        switch page.encoding {
        case .plain:
            guard rows.validCount <= 8 * page.values.count else { throw .cutShort }
            bits.append(page.values, bit: 0, count: rows.validCount)
        case .rle:
            if rows.validCount == 0 { break }
            // The hybrid's bytes come after their length.
            guard page.values.count >= 4 else { throw .cutShort }
            let size = Int(UInt32(littleEndian: page.values.loadUnaligned(as: UInt32.self)))
            guard size <= page.values.count - 4 else { throw .cutShort }
            var decoder = HybridDecoder(UnsafeRawBufferPointer(rebasing: page.values[4..<4 + size]), width: 1)
            guard let decoded = decoder.bits(rows.validCount) else { throw .cutShort }
            bits = decoded
        default: throw .encoding(page.encoding, .boolean)
        }
        values.withRoom(for: rows.count) { target in
            for (index, word) in bits.words.enumerated() {
                let start = index &* 64
                for bit in 0..<min(64, bits.count &- start) {
                    target[start &+ bit] = word &>> UInt64(truncatingIfNeeded: bit) & 1 != 0
                }
            }
            rows.spread(target, zero: false)
        }
        values.advance(by: rows.count)
        rows.append(to: &validity)
    }

    mutating func endChunk() {}

    mutating func finish() -> Column { .bool(PrimitiveColumn(values.finish(), validity: validity.finish())) }
}
