import Columns

/// What a file says of one column in one row group.
public struct ParquetStatistics: Hashable, Sendable {
    /// `nil` where the file does not say.
    public let nullCount: Int?
    /// A lower bound of the values that are neither null nor NaN.
    public let minimum: Scalar?
    /// An upper bound of the values that are neither null nor NaN.
    public let maximum: Scalar?
}

extension ParquetFile {
    /// The statistics of a column in a row group, or `nil` for a column that is not read.
    ///
    /// They are the writer's word: not checked against the values. Bounds whose order the file leaves open, and those of
    /// times that are read in a time zone, are left out.
    ///
    /// - Precondition: the row group exists.
    public func statistics(rowGroup: Int, column name: String) -> ParquetStatistics? {
        precondition(footer.rowGroups.indices.contains(rowGroup), "no row group \(rowGroup) of \(rowGroupCount)")
        guard let column = columns[name], case .decoded(let decoding) = column.reading,
            column.leaf < footer.rowGroups[rowGroup].chunks.count
        else { return nil }
        let bounds = decoding.isZoned ? nil : bounds(rowGroup: rowGroup, column, decoding)
        return ParquetStatistics(
            nullCount: footer.rowGroups[rowGroup].chunks[column.leaf].statistics.nullCount,
            minimum: bounds?.minimum,
            maximum: bounds?.maximum
        )
    }

    /// The rows of a row group.
    ///
    /// - Precondition: the row group exists.
    public func rowCount(rowGroup: Int) -> Int { footer.rowGroups[rowGroup].rowCount }

    /// The columns a row group says it is sorted by, ascending with nulls last, up to the first that is not so.
    ///
    /// - Precondition: the row group exists.
    public func sortedBy(rowGroup: Int) -> [String] {
        let names = [Int: String](uniqueKeysWithValues: columns.values.map { ($0.leaf, $0.name) })
        return footer.rowGroups[rowGroup].sorting
            .prefix { !$0.isDescending && !$0.nullsFirst && names[$0.column] != nil }
            .compactMap { names[$0.column] }
    }

    /// The bounds of a chunk where they can be relied on; times of a zone's clocks as though they were UTC.
    func bounds(
        rowGroup: Int,
        _ column: ParquetColumn,
        _ decoding: ParquetDecoding
    ) -> (minimum: Scalar?, maximum: Scalar?) {
        let raw = footer.rowGroups[rowGroup].chunks[column.leaf].statistics
        var stored: (minimum: [UInt8]?, maximum: [UInt8]?) = (nil, nil)
        if column.leaf < footer.isOrderedByType.count, footer.isOrderedByType[column.leaf] {
            stored = (raw.minimum, raw.maximum)
        } else if decoding.isSignedInteger {
            // The older fields have no declared order; for signed integers all writers agreed on it.
            stored = (raw.legacyMinimum, raw.legacyMaximum)
        }
        let minimum = stored.minimum.flatMap { Self.scalar($0, decoding) }
        let maximum = stored.maximum.flatMap { Self.scalar($0, decoding) }
        // Not-a-number as one bound casts doubt on the other, and so does a minimum over the maximum.
        if let minimum, let maximum, maximum.precedes(minimum) { return (nil, nil) }
        if decoding.isFloating, (stored.minimum != nil && minimum == nil) || (stored.maximum != nil && maximum == nil) {
            return (nil, nil)
        }
        return (minimum, maximum)
    }

    /// A plain-encoded bound, or `nil` where its bytes do not fit the type or it is not a number.
    private static func scalar(_ bytes: [UInt8], _ decoding: ParquetDecoding) -> Scalar? {
        func stored<Value: BitwiseCopyable>(_ type: Value.Type) -> Value? {
            guard bytes.count == MemoryLayout<Value>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(as: type) }
        }
        switch decoding {
        case .bool: return bytes.count == 1 ? .bool(bytes[0] != 0) : nil
        case .int32: return stored(Int32.self).map { .int64(Int64($0)) }
        case .uint32: return stored(UInt32.self).map { .int64(Int64($0)) }
        case .int64: return stored(Int64.self).map { .int64($0) }
        case .uint64: return stored(UInt64.self).flatMap { Int64(exactly: $0) }.map { .int64($0) }
        case .float: return stored(Float.self).flatMap { $0.isNaN ? nil : .float32($0) }
        case .wideFloat: return stored(Float.self).flatMap { $0.isNaN ? nil : .float64(Double($0)) }
        case .double: return stored(Double.self).flatMap { $0.isNaN ? nil : .float64($0) }
        case .binary(isText: true):
            return bytes.withUnsafeBufferPointer { isUTF8($0) } ? .string(String(decoding: bytes, as: UTF8.self)) : nil
        case .binary(isText: false): return .bytes(bytes)
        case .time(let unit): return ticks(bytes, unit).map { .int64($0) }
        case .instant(.ticks(let unit), _): return ticks(bytes, unit).map { .timestamp($0) }
        case .instant(.days, _):
            let (product, isOver) = Int64(stored(Int32.self) ?? .max).multipliedReportingOverflow(by: 86_400_000_000)
            return isOver ? nil : .timestamp(product)
        case .half, .wideHalf, .instant(.julian, _), .uuid, .decimal, .vector, .nulls: return nil
        }
    }

    private static func ticks(_ bytes: [UInt8], _ unit: ParquetTimeUnit) -> Int64? {
        guard bytes.count == 4 || bytes.count == 8 else { return nil }
        let value = bytes.withUnsafeBytes {
            bytes.count == 4 ? Int64($0.loadUnaligned(as: Int32.self)) : $0.loadUnaligned(as: Int64.self)
        }
        switch unit {
        case .milliseconds:
            let (product, isOver) = value.multipliedReportingOverflow(by: 1_000)
            return isOver ? nil : product
        case .microseconds: return value
        case .nanoseconds: return value % 1_000 == 0 ? value / 1_000 : nil
        }
    }
}

extension Scalar {
    /// Whether a value is less than another of its type; false for values of different types, null and NaN.
    ///
    /// Text and bytes compare as unsigned bytes.
    func precedes(_ other: Scalar) -> Bool {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): !left && right
        case (.int64(let left), .int64(let right)), (.timestamp(let left), .timestamp(let right)): left < right
        case (.float32(let left), .float32(let right)): left < right
        case (.float64(let left), .float64(let right)): left < right
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        default: false
        }
    }
}

extension ParquetDecoding {
    fileprivate var isSignedInteger: Bool {
        switch self {
        case .int32, .int64, .time, .instant(.ticks, _), .instant(.days, _): true
        default: false
        }
    }

    var isFloating: Bool {
        switch self {
        case .float, .double, .half, .wideFloat, .wideHalf: true
        default: false
        }
    }

    var isZoned: Bool {
        if case .instant(_, rule: .zone) = self { true } else { false }
    }
}
