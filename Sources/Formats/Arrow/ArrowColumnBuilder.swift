import Columns

/// Collects the values of one column from Arrow arrays.
///
/// The type of the arrays is looked at once for each array, and the loops inside are over plain memory. Faults name the
/// row, counted from 0 over all arrays.
struct ArrowColumnBuilder {
    let decoding: ArrowDecoding
    /// The most bytes the rows may take together, where they can take more than the arrays they come from.
    let limit: Int
    var bools: [Bool] = []
    var words: [Int64] = []
    var floats: [Float] = []
    var doubles: [Double] = []
    var offsets = [0]
    var data: [UInt8] = []
    var validity = ValidityBits()
    /// The length of vectors, once it is known; rows before that are all null.
    var dimension: Int?

    init(_ decoding: ArrowDecoding, limit: Int) {
        self.decoding = decoding
        self.limit = limit
        if case .type(.vector(let dimension)) = decoding.target { self.dimension = dimension }
    }

    var count: Int { validity.count }

    /// The bytes that the values so far take in memory.
    var byteCount: Int {
        bools.count + 8 * (words.count + doubles.count + offsets.count) + 4 * floats.count + data.count
    }

    /// Makes room for rows to come, in at most `bytes` of memory.
    mutating func reserve(_ rows: Int, bytes: Int) {
        switch decoding.target {
        case .type(.bool): bools.reserveInHugePages(min(rows, bytes))
        case .type(.int64), .type(.timestamp): words.reserveInHugePages(min(rows, bytes / 8))
        case .type(.float32): floats.reserveInHugePages(min(rows, bytes / 4))
        case .type(.float64): doubles.reserveInHugePages(min(rows, bytes / 8))
        case .type(.string), .type(.bytes): offsets.reserveInHugePages(min(rows + 1, bytes / 8))
        case .type(.vector(let dimension)): floats.reserveInHugePages(min(rows, bytes / 4 / dimension) * dimension)
        case .measuredVector: break
        }
    }

    /// - Parameter entries: the values that the array's indices name, where the field has a dictionary.
    mutating func append(_ memory: ArrowMemory, entries: ArrowColumnBuilder?) throws(ArrowFault) {
        if let entries {
            let valid = try ArrowValidity(memory)
            return try appendEntries(memory, valid, entries)
        }
        if decoding.field.type == .null { return try appendNulls(memory.length) }
        let valid = try ArrowValidity(memory)
        switch decoding.field.type {
        case .bool: try appendBools(memory, valid)
        case .int, .float: try appendNumbers(memory, valid)
        case .timestamp, .date, .time, .duration: try appendTimes(memory, valid)
        case .decimal(_, let scale, let bits): try appendDecimals(memory, valid, scale: scale, width: bits / 8)
        case .utf8(let isLarge), .binary(let isLarge):
            if isLarge {
                try appendBinary(memory, valid, Int64.self)
            } else {
                try appendBinary(memory, valid, Int32.self)
            }
        case .utf8View, .binaryView: try appendViews(memory, valid)
        case .fixedSizeBinary(let width): try appendFixedBinary(memory, valid, width: width)
        case .fixedSizeList(let count): try appendFixedLists(memory, valid, dimension: count)
        case .list(let isLarge):
            if isLarge {
                try appendLists(memory, valid, Int64.self)
            } else {
                try appendLists(memory, valid, Int32.self)
            }
        case .null, .interval, .listView, .structure, .map, .union, .runEndEncoded:
            throw .unsupported("its type is \(decoding.field.typeText), which is not read")
        }
        valid.append(to: &validity)
    }

    /// Appends rows without values.
    private mutating func appendNulls(_ rows: Int) throws(ArrowFault) {
        // Nothing in the file grows with these rows.
        let width = dimension.map { 4 * $0 } ?? 8
        guard rows <= (limit - count * width) / width else {
            throw .unsupported("\(count + rows) null rows take more than \(limit) bytes")
        }
        switch decoding.target {
        case .type(.bool): bools.append(contentsOf: repeatElement(false, count: rows))
        case .type(.int64), .type(.timestamp): words.append(contentsOf: repeatElement(0, count: rows))
        case .type(.float32): floats.append(contentsOf: repeatElement(0, count: rows))
        case .type(.float64): doubles.append(contentsOf: repeatElement(0, count: rows))
        case .type(.string), .type(.bytes): offsets.append(contentsOf: repeatElement(data.count, count: rows))
        case .type(.vector(let dimension)): floats.append(contentsOf: repeatElement(0, count: rows * dimension))
        case .measuredVector: break
        }
        validity.append(repeating: false, count: rows)
    }

    /// The column; `nil` where no row tells how long its vectors are.
    func finish() -> Column? {
        let validity = validity.finish()
        switch decoding.target {
        case .type(.bool): return .bool(PrimitiveColumn(bools, validity: validity))
        case .type(.int64): return .int64(PrimitiveColumn(words, validity: validity))
        case .type(.timestamp): return .timestamp(PrimitiveColumn(words, validity: validity))
        case .type(.float32): return .float32(PrimitiveColumn(floats, validity: validity))
        case .type(.float64): return .float64(PrimitiveColumn(doubles, validity: validity))
        case .type(.string): return .string(BinaryColumn(offsets: offsets, data: data, validity: validity))
        case .type(.bytes): return .bytes(BinaryColumn(offsets: offsets, data: data, validity: validity))
        case .type(.vector), .measuredVector:
            guard let dimension else { return nil }
            return .vector(VectorColumn(dimension: dimension, values: floats, validity: validity))
        }
    }
}

extension ArrowColumnBuilder {
    /// Appends values that are stored as they are kept.
    @inline(__always)
    static func copy<Value: BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        to values: inout [Value],
        zero: Value
    ) {
        guard count > 0, let source = bytes.baseAddress else { return }
        if Int(bitPattern: source) % MemoryLayout<Value>.alignment == 0 {
            let start = source.assumingMemoryBound(to: Value.self)
            values.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
            return
        }
        let first = values.count
        values.append(contentsOf: repeatElement(zero, count: count))
        values.withUnsafeMutableBytes { target in
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[(first * MemoryLayout<Value>.stride)...])
            rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<rest.count]))
        }
    }

    /// Appends values through `convert`, which also says whether the value could be kept.
    ///
    /// - Returns: the first row with a value that could not; whatever stands in null rows can.
    @inline(__always)
    static func convert<Stored: BitwiseCopyable, Value: BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ valid: ArrowValidity,
        to values: inout [Value],
        zero: Value,
        _ convert: (Stored) -> (value: Value, isKept: Bool)
    ) -> Int? {
        let count = valid.count
        guard count > 0, let source = bytes.baseAddress else { return nil }
        let first = values.count
        values.append(contentsOf: repeatElement(zero, count: count))
        var isKept = true
        values.withUnsafeMutableBufferPointer { values in
            for row in 0..<count {
                let stored = source.loadUnaligned(fromByteOffset: row &* MemoryLayout<Stored>.size, as: Stored.self)
                let result = convert(stored)
                values[first &+ row] = result.value
                isKept = isKept && result.isKept
            }
        }
        if isKept { return nil }
        return (0..<count).first { row in
            let stored = source.loadUnaligned(fromByteOffset: row &* MemoryLayout<Stored>.size, as: Stored.self)
            return valid[row] && !convert(stored).isKept
        }
    }

    /// Puts zero into the null rows of the last rows.
    @inline(__always)
    static func clear<Value: BitwiseCopyable>(
        _ values: inout [Value],
        _ valid: ArrowValidity,
        width: Int = 1,
        zero: Value
    ) {
        guard valid.bits != nil else { return }
        values.withUnsafeMutableBufferPointer { values in
            let first = values.count &- valid.count &* width
            valid.forEachNull { row in
                for place in 0..<width { values[first &+ row &* width &+ place] = zero }
            }
        }
    }
}
