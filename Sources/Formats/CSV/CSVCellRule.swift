import Columns

/// How the text of a non-null cell becomes a value of one fixed-width type.
protocol CSVCellRule {
    associatedtype Value: Hashable & Sendable & BitwiseCopyable
    static var zero: Value { get }
    /// The value, or `nil` where the text is not one.
    ///
    /// - Parameter bytes: the file, of which the text is a part.
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Value?
    static func column(_ values: PrimitiveColumn<Value>) -> Column
}

enum CSVBool: CSVCellRule {
    static var zero: Bool { false }
    @inline(__always)
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Bool? { parseBool(text) }
    static func column(_ values: PrimitiveColumn<Bool>) -> Column { .bool(values) }
}

enum CSVInt64: CSVCellRule {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Int64? {
        shortDigits(text, in: bytes) ?? parseInt64(text)
    }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .int64(values) }
}

enum CSVFloat: CSVCellRule {
    static var zero: Float { 0 }
    @inline(__always)
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Float? { parseFloat(text) }
    static func column(_ values: PrimitiveColumn<Float>) -> Column { .float32(values) }
}

enum CSVDouble: CSVCellRule {
    static var zero: Double { 0 }
    @inline(__always)
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Double? {
        // Whole numbers are common in columns of floats, and of so few digits exact.
        shortDigits(text, in: bytes).map { Double($0) } ?? parseDouble(text)
    }
    static func column(_ values: PrimitiveColumn<Double>) -> Column { .float64(values) }
}

enum CSVTimestamp: CSVCellRule {
    static var zero: Int64 { 0 }
    @inline(__always)
    static func value(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>,
        naive: NaiveTimestamps.Rule
    ) -> Int64? {
        do throws(TimestampFault) { return try parseTimestamp(text, naive: naive) } catch { return nil }
    }
    static func column(_ values: PrimitiveColumn<Int64>) -> Column { .timestamp(values) }
}

extension CSVCellRule {
    /// The number of a cell of one to eight digits; `nil` for every other cell, valid or not.
    @inline(__always)
    fileprivate static func shortDigits(
        _ text: UnsafeBufferPointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>
    ) -> Int64? {
        guard let first = bytes.baseAddress, let start = text.baseAddress, text.count &- 1 < 8 else { return nil }
        let end = start + text.count
        // Only in the file's first bytes is there nothing to read before the cell.
        guard end - first >= 8 else { return nil }
        return parseShortDigits(before: end, count: text.count)
    }
}
