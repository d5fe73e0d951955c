import Columns
import TimeZones

extension ArrowColumnBuilder {
    /// Timestamps and dates as instants; times of day and durations as counts of microseconds.
    mutating func appendTimes(_ memory: ArrowMemory, _ valid: ArrowValidity) throws(ArrowFault) {
        let type = decoding.field.type
        let width = type.width ?? 8
        let bytes = try memory.values(1, width: width)
        let faulty: Int?
        let isNaive: Bool
        switch type {
        case .date(.day):
            faulty = scale(bytes, valid, Int32.self, by: 86_400_000_000)
            isNaive = true
        case .date(.millisecond):
            faulty = Self.convert(bytes, valid, to: &words, zero: 0) { (value: Int64) in
                let (product, isOver) = value.multipliedReportingOverflow(by: 1_000)
                return (product, !isOver && value % 86_400_000 == 0)
            }
            isNaive = true
        case .time(.second):
            faulty = scale(bytes, valid, Int32.self, by: 1_000_000)
            isNaive = false
        case .time(.millisecond):
            faulty = scale(bytes, valid, Int32.self, by: 1_000)
            isNaive = false
        case .time(let unit), .duration(let unit):
            faulty = appendMicroseconds(bytes, valid, unit)
            isNaive = false
        case .timestamp(let unit, let zone):
            faulty = appendMicroseconds(bytes, valid, unit)
            isNaive = zone == nil
        default: preconditionFailure("\(type) is no time")
        }
        if let faulty {
            let value =
                width == 4
                ? Int64(bytes.loadUnaligned(fromByteOffset: 4 * faulty, as: Int32.self))
                : bytes.loadUnaligned(fromByteOffset: 8 * faulty, as: Int64.self)
            throw .unsupported("row \(count + faulty): \(Self.reason(value, type))", at: memory.buffers[1].position)
        }
        if isNaive, case .zone(let rules) = decoding.naive {
            words.withUnsafeMutableBufferPointer { words in
                for row in words.count &- valid.count..<words.count { words[row] = rules.utc(wall: words[row]) }
            }
        }
        Self.clear(&words, valid, zero: 0)
    }

    private mutating func scale<Stored: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ valid: ArrowValidity,
        _ stored: Stored.Type,
        by factor: Int64
    ) -> Int? {
        Self.convert(bytes, valid, to: &words, zero: 0) { (value: Stored) in
            let (product, isOver) = Int64(truncatingIfNeeded: value).multipliedReportingOverflow(by: factor)
            return (product, !isOver)
        }
    }

    private mutating func appendMicroseconds(
        _ bytes: UnsafeRawBufferPointer,
        _ valid: ArrowValidity,
        _ unit: ArrowTimeUnit
    ) -> Int? {
        switch unit {
        case .second: return scale(bytes, valid, Int64.self, by: 1_000_000)
        case .millisecond: return scale(bytes, valid, Int64.self, by: 1_000)
        case .microsecond:
            Self.copy(bytes, count: valid.count, to: &words, zero: 0)
            return nil
        case .nanosecond:
            return Self.convert(bytes, valid, to: &words, zero: 0) { (value: Int64) in
                let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 1_000)
                return (quotient, remainder == 0)
            }
        }
    }

    private static func reason(_ value: Int64, _ type: ArrowType) -> String {
        switch type {
        case .date(.millisecond) where value % 86_400_000 != 0:
            "\(value) ms is no whole number of days; write the column as timestamps"
        case .timestamp(.nanosecond, _), .time(.nanosecond), .duration(.nanosecond):
            "\(value) ns is no whole number of microseconds; round the column to microseconds"
        case .date(.day): "\(value) days is past the range of microseconds"
        case .timestamp(let unit, _), .time(let unit), .duration(let unit):
            "\(value) \(unit.symbol) is past the range of microseconds"
        default: "\(value) is past the range of microseconds"
        }
    }

    /// Decimals as integers, doubles or text with all the digits of their scale.
    mutating func appendDecimals(
        _ memory: ArrowMemory,
        _ valid: ArrowValidity,
        scale: Int,
        width: Int
    ) throws(ArrowFault) {
        let bytes = try memory.values(1, width: width)
        var text: [UInt8] = []
        func value(_ row: Int) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[row * width..<(row + 1) * width])
        }
        for row in 0..<valid.count {
            let isValid = valid[row]
            switch decoding.target {
            case .type(.int64):
                guard let number = isValid ? Self.integer(value(row)) : 0 else {
                    appendDecimalText(twosComplement: value(row), isBigEndian: false, scale: scale, to: &text)
                    let digits = String(decoding: text, as: UTF8.self)
                    throw .unsupported(
                        "row \(count + row): \(digits) is past the range of int64",
                        at: memory.buffers[1].position
                    )
                }
                words.append(number)
            case .type(.float64):
                text.removeAll(keepingCapacity: true)
                if isValid {
                    appendDecimalText(twosComplement: value(row), isBigEndian: false, scale: scale, to: &text)
                }
                doubles.append(isValid ? text.withUnsafeBufferPointer { parseDouble($0) } ?? .nan : 0)
            default:
                if isValid {
                    appendDecimalText(twosComplement: value(row), isBigEndian: false, scale: scale, to: &data)
                }
                guard data.count <= limit else { throw tooLong(at: memory.buffers[1].position) }
                offsets.append(data.count)
            }
        }
    }

    /// A little-endian integer of any width, where 64 bits hold it.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        if bytes.count == 4 { return Int64(Int32(littleEndian: bytes.loadUnaligned(as: Int32.self))) }
        let low = Int64(littleEndian: bytes.loadUnaligned(as: Int64.self))
        for place in 8..<max(8, bytes.count) where bytes[place] != (low < 0 ? 0xFF : 0) { return nil }
        return low
    }
}
