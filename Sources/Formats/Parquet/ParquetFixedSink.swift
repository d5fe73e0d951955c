import Columns

/// How a stored fixed-width value becomes a column's value.
protocol ParquetFixed {
    associatedtype Stored: BitwiseCopyable
    associatedtype Value: Hashable & Sendable & BitwiseCopyable
    static var zero: Value { get }
    /// The value, or `nil` where the type has no such value.
    static func value(_ stored: Stored) -> Value?
    static var refusal: String { get }
    static func column(_ values: PrimitiveColumn<Value>) -> Column
}

extension ParquetFixed {
    static var refusal: String { "" }
}

enum ParquetInt32: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: Int32) -> Int64? { Int64(stored) }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .int64(values) }
}

enum ParquetUInt32: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: UInt32) -> Int64? { Int64(stored) }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .int64(values) }
}

enum ParquetInt64: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: Int64) -> Int64? { stored }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .int64(values) }
}

enum ParquetFloat: ParquetFixed {
    static var zero: Float { 0 }
    @inline(__always)
    static func value(_ stored: Float) -> Float? { stored }
    static func column(_ values: PrimitiveColumn<Float>) -> Column { .float32(values) }
}

enum ParquetDouble: ParquetFixed {
    static var zero: Double { 0 }
    @inline(__always)
    static func value(_ stored: Double) -> Double? { stored }
    static func column(_ values: PrimitiveColumn<Double>) -> Column { .float64(values) }
}

enum ParquetMicroseconds: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: Int64) -> Int64? { stored }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .timestamp(values) }
}

enum ParquetMilliseconds: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: Int64) -> Int64? {
        let (product, isOver) = stored.multipliedReportingOverflow(by: 1_000)
        return isOver ? nil : product
    }
    static var refusal: String { "a timestamp in milliseconds is past the range of microseconds" }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .timestamp(values) }
}

enum ParquetNanoseconds: ParquetFixed {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(_ stored: Int64) -> Int64? {
        let (quotient, remainder) = stored.quotientAndRemainder(dividingBy: 1_000)
        return remainder == 0 ? quotient : nil
    }
    static var refusal: String { "a timestamp has a fraction of a microsecond; round the column to microseconds" }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .timestamp(values) }
}

/// Numbers and timestamps.
struct ParquetFixedSink<Rule: ParquetFixed>: ParquetSink {
    private let isOptional: Bool
    private var values: [Rule.Value] = []
    private var validity = ValidityBits()
    private var dictionary: [Rule.Value]?

    init(isOptional: Bool) { self.isOptional = isOptional }

    var rowCount: Int { values.count }

    // The sink is called through an existential, whose table holds the generic code; specialised, it is 10 times faster.
    @specialized(where Rule == ParquetInt32)
    @specialized(where Rule == ParquetUInt32)
    @specialized(where Rule == ParquetInt64)
    @specialized(where Rule == ParquetFloat)
    @specialized(where Rule == ParquetDouble)
    @specialized(where Rule == ParquetMicroseconds)
    @specialized(where Rule == ParquetMilliseconds)
    @specialized(where Rule == ParquetNanoseconds)
    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        guard count <= bytes.count / MemoryLayout<Rule.Stored>.stride else { throw .cutShort }
        var entries = [Rule.Value](repeating: Rule.zero, count: count)
        let isValid = entries.withUnsafeMutableBufferPointer { Self.copy(bytes, count: count, to: $0) }
        guard isValid else { throw ParquetValueFault(reason: .unsupported, detail: Rule.refusal) }
        dictionary = entries
    }

    @inline(__always)
    private static func copy(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        to target: UnsafeMutableBufferPointer<Rule.Value>
    ) -> Bool {
        guard count > 0, let base = bytes.baseAddress else { return true }
        for position in 0..<count {
            let offset = position &* MemoryLayout<Rule.Stored>.stride
            guard let value = Rule.value(base.loadUnaligned(fromByteOffset: offset, as: Rule.Stored.self)) else {
                return false
            }
            target[position] = value
        }
        return true
    }

    @specialized(where Rule == ParquetInt32)
    @specialized(where Rule == ParquetUInt32)
    @specialized(where Rule == ParquetInt64)
    @specialized(where Rule == ParquetFloat)
    @specialized(where Rule == ParquetDouble)
    @specialized(where Rule == ParquetMicroseconds)
    @specialized(where Rule == ParquetMilliseconds)
    @specialized(where Rule == ParquetNanoseconds)
    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page, isOptional: isOptional)
        let first = values.count
        let indices: [UInt32]?
        switch page.encoding {
        case .plain:
            guard rows.validCount <= page.values.count / MemoryLayout<Rule.Stored>.stride else { throw .cutShort }
            indices = nil
        case .rleDictionary, .plainDictionary:
            guard let dictionary else { throw .noDictionary }
            indices = try dictionaryIndices(page, count: rows.validCount, dictionaryCount: dictionary.count)
        default: throw .encoding(page.encoding)
        }
        if values.capacity < first + rows.count { values.reserveCapacity(max(2 * first, first + rows.count)) }
        values.append(contentsOf: repeatElement(Rule.zero, count: rows.count))
        let entries = dictionary ?? []
        let isValid = values.withUnsafeMutableBufferPointer { values in
            let target = UnsafeMutableBufferPointer(rebasing: values[first...])
            if let indices {
                entries.withUnsafeBufferPointer { entries in
                    for (position, index) in indices.enumerated() { target[position] = entries[Int(index)] }
                }
            } else {
                guard Self.copy(page.values, count: rows.validCount, to: target) else { return false }
            }
            rows.spread(target, zero: Rule.zero)
            return true
        }
        guard isValid else { throw ParquetValueFault(reason: .unsupported, detail: Rule.refusal) }
        rows.append(to: &validity)
    }

    mutating func endChunk() { dictionary = nil }

    mutating func finish() -> Column {
        defer { self = Self(isOptional: isOptional) }
        return Rule.column(PrimitiveColumn(values, validity: validity.finish()))
    }
}

/// Booleans: bits, least significant first, or the hybrid of width one.
struct ParquetBoolSink: ParquetSink {
    private let isOptional: Bool
    private var values: [Bool] = []
    private var validity = ValidityBits()

    init(isOptional: Bool) { self.isOptional = isOptional }

    var rowCount: Int { values.count }

    mutating func setDictionary(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetValueFault) {
        throw ParquetValueFault(detail: "a dictionary of booleans")
    }

    mutating func append(_ page: ParquetPage) throws(ParquetValueFault) {
        let rows = ParquetRows(page, isOptional: isOptional)
        let first = values.count
        var bits: [UInt8] = []
        switch page.encoding {
        case .plain:
            guard rows.validCount <= 8 * page.values.count else { throw .cutShort }
            bits = (0..<rows.validCount).map { page.values[$0 >> 3] >> UInt8($0 & 7) & 1 }
        case .rle:
            // The hybrid's bytes come after their length.
            guard page.values.count >= 4 else { throw .cutShort }
            let size = Int(UInt32(littleEndian: page.values.loadUnaligned(as: UInt32.self)))
            guard size <= page.values.count - 4 else { throw .cutShort }
            var decoder = HybridDecoder(UnsafeRawBufferPointer(rebasing: page.values[4..<4 + size]), width: 1)
            guard let levels = decoder.levels(count: rows.validCount) else { throw .cutShort }
            bits = levels.expanded
        default: throw .encoding(page.encoding)
        }
        values.append(contentsOf: bits.lazy.map { $0 != 0 })
        values.append(contentsOf: repeatElement(false, count: rows.count - rows.validCount))
        values.withUnsafeMutableBufferPointer {
            rows.spread(UnsafeMutableBufferPointer(rebasing: $0[first...]), zero: false)
        }
        rows.append(to: &validity)
    }

    mutating func endChunk() {}

    mutating func finish() -> Column {
        defer { self = Self(isOptional: isOptional) }
        return .bool(PrimitiveColumn(values, validity: validity.finish()))
    }
}
