import Columns
import TimeZones

/// A type that columns hold in fixed-width slots.
protocol ParquetValue: Hashable, Sendable, BitwiseCopyable {
    static var zero: Self { get }
    static func column(_ values: PrimitiveColumn<Self>, _ type: DataType) -> Column
}

extension Int64: ParquetValue {
    static func column(_ values: PrimitiveColumn<Int64>, _ type: DataType) -> Column {
        type == .timestamp ? .timestamp(values) : .int64(values)
    }
}

extension Float: ParquetValue {
    static func column(_ values: PrimitiveColumn<Float>, _ type: DataType) -> Column { .float32(values) }
}

extension Double: ParquetValue {
    static func column(_ values: PrimitiveColumn<Double>, _ type: DataType) -> Column { .float64(values) }
}

/// How a stored fixed-width value becomes a column's value.
protocol ParquetConversion {
    associatedtype Value: ParquetValue
    /// Whether values are stored as they are in the column.
    static var isVerbatim: Bool { get }
    /// The value, or `nil` where the column's type has no such value.
    func value(_ address: UnsafeRawPointer) -> Value?
    /// What is wrong with a value that is not converted.
    func refusal(_ address: UnsafeRawPointer) -> String
}

extension ParquetConversion {
    static var isVerbatim: Bool { false }
    func refusal(_ address: UnsafeRawPointer) -> String { "" }
}

/// Values that are stored as they are in the column.
struct ParquetSame<Value: ParquetValue>: ParquetConversion {
    static var isVerbatim: Bool { true }
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Value? { address.loadUnaligned(as: Value.self) }
}

/// Integers of 32 bits, of either sign.
struct ParquetNarrow<Stored: FixedWidthInteger & BitwiseCopyable>: ParquetConversion {
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Int64? { Int64(address.loadUnaligned(as: Stored.self)) }
}

struct ParquetUnsigned: ParquetConversion {
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Int64? {
        let stored = address.loadUnaligned(as: Int64.self)
        return stored < 0 ? nil : stored
    }
    func refusal(_ address: UnsafeRawPointer) -> String {
        "\(address.loadUnaligned(as: UInt64.self)) is past int64, as which uint64 is read; cast the column"
    }
}

struct ParquetWideFloat: ParquetConversion {
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Double? {
        let stored = address.loadUnaligned(as: Float.self)
        // Conversion would quiet a signaling NaN; its bits are carried over as they are.
        guard stored.isNaN else { return Double(stored) }
        let bits = UInt64(stored.bitPattern)
        return Double(bitPattern: (bits & 0x8000_0000) << 32 | 0x7FF0_0000_0000_0000 | (bits & 0x7F_FFFF) << 29)
    }
}

/// IEEE 754 half precision.
struct ParquetHalf: ParquetConversion {
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Float? { Self.float(UInt32(address.loadUnaligned(as: UInt16.self))) }

    @inline(__always)
    static func float(_ half: UInt32) -> Float {
        let sign = (half & 0x8000) &<< 16
        let exponent = half &>> 10 & 31
        let fraction = half & 0x3FF
        if exponent == 31 { return Float(bitPattern: sign | 0x7F80_0000 | fraction &<< 13) }
        if exponent == 0 {
            let magnitude = Float(fraction) * 0x1p-24
            return Float(bitPattern: magnitude.bitPattern | sign)
        }
        return Float(bitPattern: sign | (exponent &+ 112) &<< 23 | fraction &<< 13)
    }
}

struct ParquetWideHalf: ParquetConversion {
    func value(_ address: UnsafeRawPointer) -> Double? {
        var float = ParquetHalf.float(UInt32(address.loadUnaligned(as: UInt16.self)))
        return withUnsafeBytes(of: &float) { $0.baseAddress.flatMap { ParquetWideFloat().value($0) } }
    }
}

/// Days, or ticks of more than a microsecond, of 32 or 64 bits.
struct ParquetScaled<Stored: FixedWidthInteger & BitwiseCopyable>: ParquetConversion {
    let factor: Int64
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Int64? {
        let (product, isOver) = Int64(truncatingIfNeeded: address.loadUnaligned(as: Stored.self))
            .multipliedReportingOverflow(by: factor)
        return isOver ? nil : product
    }
    func refusal(_ address: UnsafeRawPointer) -> String {
        "\(address.loadUnaligned(as: Stored.self)) is past the range of microseconds; correct it in the file"
    }
}

struct ParquetNanoseconds: ParquetConversion {
    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Int64? {
        let stored = address.loadUnaligned(as: Int64.self)
        // Exact division by 1,000 = 8 · 125: by a shift, and by the inverse of 125 modulo 2^64, which gives a quotient in
        // range for multiples and for nothing else (H. S. Warren, "Hacker's Delight", 10-17).
        let quotient = (stored &>> 3) &* 0x1CAC_0831_26E9_78D5
        let most: Int64 = (1 << 60) / 125
        return stored & 7 == 0 && quotient <= most && quotient >= 0 &- most ? quotient : nil
    }
    func refusal(_ address: UnsafeRawPointer) -> String {
        let stored = address.loadUnaligned(as: Int64.self)
        return "\(stored) ns is not a whole number of microseconds; round the column to microseconds"
    }
}

/// INT96: nanoseconds of the day, 64 bits, and the Julian day, 32 bits.
struct ParquetJulian: ParquetConversion {
    /// The Julian day of 1970-01-01.
    static let epoch: Int64 = 2_440_588

    @inline(__always)
    func value(_ address: UnsafeRawPointer) -> Int64? {
        let nanoseconds = address.loadUnaligned(as: Int64.self)
        let day = Int64(address.loadUnaligned(fromByteOffset: 8, as: Int32.self)) &- Self.epoch
        let (time, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000)
        let (midnight, isOver) = day.multipliedReportingOverflow(by: 86_400_000_000)
        let (sum, isPast) = midnight.addingReportingOverflow(time)
        return rest != 0 || isOver || isPast ? nil : sum
    }
    func refusal(_ address: UnsafeRawPointer) -> String {
        let nanoseconds = address.loadUnaligned(as: Int64.self)
        let day = address.loadUnaligned(fromByteOffset: 8, as: Int32.self)
        return "\(nanoseconds) ns of Julian day \(day) is not a whole number of microseconds that fits a timestamp; "
            + "round the column to microseconds"
    }
}

/// Times of a zone's clocks as instants.
struct ParquetZoned<Base: ParquetConversion>: ParquetConversion where Base.Value == Int64 {
    let base: Base
    let rules: TimeZoneRules
    func value(_ address: UnsafeRawPointer) -> Int64? { base.value(address).map { rules.utc(wall: $0) } }
    func refusal(_ address: UnsafeRawPointer) -> String { base.refusal(address) }
}
