import Columns

/// ## Layout
/// All integers are little-endian; a state is exactly as long as it says.
///
///     state    = 0x01 function type content
///     function = tag, and for a quantile the bits of its fraction (8 bytes)
///     type     = tag, and for a vector its dimension (4 bytes); 0x00 for count(*)
///
/// | content of                | bytes                                                                            |
/// |---------------------------|----------------------------------------------------------------------------------|
/// | count(*), count           | count (8)                                                                        |
/// | sum, avg                  | counts of all values, NaN, +∞ and −∞ (8 each), number in units of 2^-1074         |
/// | stddev                    | as sum, then the number Σx² in units of 2^-2148                                  |
/// | min, max                  | 0x00 for none, or 0x01 value                                                     |
/// | first, last               | 0x00 for none, or 0x01 event time, known time, sequence (8 each), cell           |
/// | count_distinct, quantile  | count of values (8), the values ascending, each followed by how often (8) for a quantile |
///
///     number   = sign (0x00, 0x01 negative), position (2), digit count (2), digits (4 each, lowest first)
///     value    = ordinal (8), or length (8) and bytes
///     cell     = 0x00 for null, or 0x01 and the value's bits, or its length (8) and bytes, or its elements (4 each)
///
/// A number has no zero digit at either end, zero has no digits, so that equal states have equal bytes.
extension WindowState {
    private static let version: UInt8 = 1
    /// No state of more rows is read, so that no count overflows.
    private static let maximumCount = 1 << 48

    /// The state as bytes, the same for equal states.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = [WindowState.version, function.tag]
        if case .quantile(let fraction) = function { bytes.append(integer: fraction.bitPattern) }
        bytes.append(type.tag)
        if case .vector(let dimension) = type { bytes.append(integer: UInt32(dimension)) }
        switch content {
        case .count(let count): bytes.append(integer: count)
        case .sum(let sum): sum.append(to: &bytes)
        case .moments(let moments):
            moments.sum.append(to: &bytes)
            moments.squares.number().append(to: &bytes)
        case .extremum(nil), .end(nil): bytes.append(0)
        case .extremum(let value?):
            bytes.append(1)
            value.append(to: &bytes)
        case .end(let end?):
            bytes.append(1)
            bytes.append(integer: end.eventTime)
            bytes.append(integer: end.knownTime)
            bytes.append(integer: end.sequence)
            end.value.append(to: &bytes)
        case .values(let values):
            bytes.append(integer: values.count)
            for (value, count) in values.sorted(by: { $0.key < $1.key }) {
                value.append(to: &bytes)
                if function != .countDistinct { bytes.append(integer: count) }
            }
        }
        return bytes
    }

    /// Reads a state.
    ///
    /// - Throws: for any bytes that `encode` does not write.
    public init(decoding bytes: [UInt8]) throws(WindowError) {
        var reader = StateReader(bytes: bytes)
        guard try reader.byte() == WindowState.version else { throw reader.malformed("preceded by version 1") }
        let functionTag = try reader.byte()
        let function: WindowFunction
        if functionTag == WindowFunction.quantile(0).tag {
            let fraction = Double(bitPattern: try reader.integer())
            // −0.0 is in range, but no fraction that anyone wrote.
            guard (0...1).contains(fraction), fraction.sign == .plus else {
                throw reader.malformed("preceded by a fraction")
            }
            function = .quantile(fraction)
        } else {
            guard let known = WindowFunction.plain.first(where: { $0.tag == functionTag }) else {
                throw reader.malformed("preceded by a function")
            }
            function = known
        }
        let type = try reader.type()
        guard function.resultType(of: type) != nil else { throw reader.malformed("preceded by a type for \(function)") }
        try self.init(function, of: type)
        switch content {
        case .count: content = .count(try reader.count(to: WindowState.maximumCount))
        case .sum: content = .sum(try reader.sum(of: type, to: WindowState.maximumCount))
        case .moments:
            let sum = try reader.sum(of: type, to: WindowState.maximumCount)
            let squares = try reader.number(bitCount: 2 * 2098 + sum.finiteCount.significantBits)
            // n Σx² ≥ (Σx)²: without it the variance would be negative.
            guard !squares.isNegative, sum.finiteCount > 0 || squares.isZero,
                squares.multiplied(by: UInt64(sum.finiteCount)).isAtLeast(sum.finite.number().squared()),
                type != .int64 || squares.isMultiple(ofPowerOfTwo: 2148)
            else { throw reader.malformed("preceded by a sum of squares of \(sum.finiteCount) values") }
            content = .moments(ExactMoments(sum: sum, squares: squares))
        case .extremum: if try reader.flag() { content = .extremum(try reader.value(of: type)) }
        case .end:
            if try reader.flag() {
                let eventTime = Int64(bitPattern: try reader.integer())
                let knownTime = Int64(bitPattern: try reader.integer())
                guard knownTime >= eventTime else { throw reader.malformed("preceded by a time not before the event") }
                let sequence = Int64(bitPattern: try reader.integer())
                let value = try reader.cell(of: type)
                content = .end(
                    WindowEnd(eventTime: eventTime, knownTime: knownTime, sequence: sequence, value: value)
                )
            }
        case .values:
            var values: [WindowValue: Int] = [:]
            var previous: WindowValue?
            var total = 0
            for _ in 0..<(try reader.count(to: bytes.count / 8)) {
                let value = try reader.value(of: type)
                if let previous, value <= previous {
                    throw reader.malformed("preceded by a greater value than the one before")
                }
                previous = value
                let count = function == .countDistinct ? 1 : try reader.count(to: WindowState.maximumCount)
                total += count
                guard count > 0, total <= WindowState.maximumCount else {
                    throw reader.malformed("preceded by a count of rows")
                }
                values[value] = count
            }
            content = .values(values)
        }
        guard reader.isAtEnd else { throw reader.malformed("the end") }
    }
}

extension WindowFunction {
    fileprivate static let plain: [WindowFunction] = [
        .countRows, .count, .sum, .average, .minimum, .maximum, .standardDeviation, .first, .last, .countDistinct,
    ]

    fileprivate var tag: UInt8 {
        switch self {
        case .countRows: 1
        case .count: 2
        case .sum: 3
        case .average: 4
        case .minimum: 5
        case .maximum: 6
        case .standardDeviation: 7
        case .first: 8
        case .last: 9
        case .countDistinct: 10
        case .quantile: 11
        }
    }
}

extension DataType? {
    fileprivate var tag: UInt8 {
        switch self {
        case nil: 0
        case .bool: 1
        case .int64: 2
        case .float32: 3
        case .float64: 4
        case .string: 5
        case .bytes: 6
        case .timestamp: 7
        case .vector: 8
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(integer value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}

extension ExactNumber {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(isNegative ? 1 : 0)
        bytes.append(integer: UInt16(position))
        bytes.append(integer: UInt16(digits.count))
        for digit in digits { bytes.append(integer: digit) }
    }
}

extension ExactSum {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(integer: count)
        bytes.append(integer: nanCount)
        bytes.append(integer: positiveInfinityCount)
        bytes.append(integer: negativeInfinityCount)
        finite.number().append(to: &bytes)
    }
}

extension WindowValue {
    fileprivate func append(to bytes: inout [UInt8]) {
        switch self {
        case .ordinal(let ordinal): bytes.append(integer: ordinal)
        case .bytes(let text):
            bytes.append(integer: text.count)
            bytes.append(contentsOf: text)
        }
    }
}

extension Scalar {
    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.append(isNull ? 0 : 1)
        switch self {
        case .null: break
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int64(let value), .timestamp(let value): bytes.append(integer: value)
        case .float32(let value): bytes.append(integer: (value.isNaN ? .nan : value).bitPattern)
        case .float64(let value): bytes.append(integer: (value.isNaN ? .nan : value).bitPattern)
        case .string(let value): WindowValue.bytes(Array(value.utf8)).append(to: &bytes)
        case .bytes(let value): WindowValue.bytes(value).append(to: &bytes)
        case .vector(let elements):
            for element in elements { bytes.append(integer: (element.isNaN ? .nan : element).bitPattern) }
        }
    }
}

extension Int {
    fileprivate var significantBits: Int { Int.bitWidth - leadingZeroBitCount }
}

/// Reads the parts of an encoded state, none past the end.
private struct StateReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    func malformed(_ expected: String) -> WindowError { .malformedState(offset: offset, expected: expected) }

    mutating func take(_ count: Int) throws(WindowError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - offset else { throw malformed("followed by \(count) bytes") }
        offset += count
        return bytes[offset - count..<offset]
    }

    mutating func byte() throws(WindowError) -> UInt8 {
        var last: UInt8 = 0
        for byte in try take(1) { last = byte }
        return last
    }

    mutating func integer(byteCount: Int = 8) throws(WindowError) -> UInt64 {
        try take(byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func flag() throws(WindowError) -> Bool {
        let byte = try byte()
        guard byte <= 1 else { throw malformed("preceded by 0 or 1") }
        return byte == 1
    }

    mutating func count(to limit: Int) throws(WindowError) -> Int {
        let count = try integer()
        guard count <= UInt64(limit) else { throw malformed("preceded by a count up to \(limit)") }
        return Int(count)
    }

    mutating func type() throws(WindowError) -> DataType? {
        switch try byte() {
        case 0: return nil
        case 1: return .bool
        case 2: return .int64
        case 3: return .float32
        case 4: return .float64
        case 5: return .string
        case 6: return .bytes
        case 7: return .timestamp
        case 8:
            let dimension = Int(try integer(byteCount: 4))
            guard (1...DataType.maximumDimension).contains(dimension) else {
                throw malformed("preceded by a dimension")
            }
            return .vector(dimension: dimension)
        default: throw malformed("preceded by a type")
        }
    }

    mutating func number(bitCount: Int) throws(WindowError) -> ExactNumber {
        let isNegative = try flag()
        let position = Int(try integer(byteCount: 2))
        var digits: [UInt32] = []
        for _ in 0..<(try integer(byteCount: 2)) { digits.append(UInt32(try integer(byteCount: 4))) }
        let number = ExactNumber(isNegative: isNegative, digits: digits, position: position)
        guard number.isNegative == isNegative, number.digits == digits, number.position == position,
            number.bitWidth <= bitCount
        else { throw malformed("preceded by a number in its shortest form, of at most \(bitCount) bits") }
        return number
    }

    mutating func sum(of type: DataType?, to limit: Int) throws(WindowError) -> ExactSum {
        let count = try count(to: limit)
        let nanCount = try self.count(to: count)
        let positiveInfinityCount = try self.count(to: count - nanCount)
        let negativeInfinityCount = try self.count(to: count - nanCount - positiveInfinityCount)
        let finiteCount = count - nanCount - positiveInfinityCount - negativeInfinityCount
        // A double is below 2^2098 in units of the least one.
        let number = try number(bitCount: finiteCount == 0 ? 0 : 2098 + finiteCount.significantBits)
        if type == .int64 {
            guard finiteCount == count, number.isMultiple(ofPowerOfTwo: 1074),
                number.bitWidth <= 1074 + 64 + count.significantBits
            else { throw malformed("preceded by a sum of \(count) integers") }
        }
        return ExactSum(
            finite: number,
            count: count,
            nanCount: nanCount,
            positiveInfinityCount: positiveInfinityCount,
            negativeInfinityCount: negativeInfinityCount
        )
    }

    mutating func text(of type: DataType?) throws(WindowError) -> [UInt8] {
        let text = Array(try take(try count(to: bytes.count)))
        if type == .string, String(validating: text, as: UTF8.self) == nil {
            throw malformed("preceded by UTF-8 text")
        }
        return text
    }

    mutating func value(of type: DataType?) throws(WindowError) -> WindowValue {
        if type == .string || type == .bytes { return .bytes(try text(of: type)) }
        let value = WindowValue.ordinal(Int64(bitPattern: try integer()))
        // Every ordinal is an integer, but not every integer is the ordinal of a float.
        guard WindowValue(value.scalar(type)) == value else { throw malformed("preceded by the ordinal of a value") }
        return value
    }

    mutating func cell(of type: DataType?) throws(WindowError) -> Scalar {
        guard try flag() else { return .null }
        switch type {
        case nil: throw malformed("preceded by a null")
        case .bool: return .bool(try flag())
        case .int64: return .int64(Int64(bitPattern: try integer()))
        case .timestamp: return .timestamp(Int64(bitPattern: try integer()))
        case .float32: return .float32(try float())
        case .float64:
            let value = Double(bitPattern: try integer())
            guard !value.isNaN || value.bitPattern == Double.nan.bitPattern else {
                throw malformed("preceded by a NaN")
            }
            return .float64(value)
        case .string: return .string(String(decoding: try text(of: type), as: UTF8.self))
        case .bytes: return .bytes(try text(of: type))
        case .vector(let dimension):
            var elements: [Float] = []
            for _ in 0..<dimension { elements.append(try float()) }
            return .vector(elements)
        }
    }

    private mutating func float() throws(WindowError) -> Float {
        let value = Float(bitPattern: UInt32(try integer(byteCount: 4)))
        guard !value.isNaN || value.bitPattern == Float.nan.bitPattern else { throw malformed("preceded by a NaN") }
        return value
    }
}
