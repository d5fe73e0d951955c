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
    /// They are the writer's word: not checked against the values.
    ///
    /// - Precondition: the row group exists.
    public func statistics(rowGroup: Int, column name: String) -> ParquetStatistics? {
        precondition(footer.rowGroups.indices.contains(rowGroup), "no row group \(rowGroup) of \(rowGroupCount)")
        guard let column = columns[name], case .decoded(let decoding, _) = column.reading,
            column.leaf < footer.rowGroups[rowGroup].chunks.count
        else { return nil }
        let raw = footer.rowGroups[rowGroup].chunks[column.leaf].statistics
        return ParquetStatistics(
            nullCount: raw.nullCount,
            minimum: raw.minimum.flatMap { Self.scalar($0, decoding) },
            maximum: raw.maximum.flatMap { Self.scalar($0, decoding) }
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

    /// A plain-encoded bound, or `nil` where its bytes do not fit the type or it is not a number.
    private static func scalar(_ bytes: [UInt8], _ decoding: ParquetColumn.Decoding) -> Scalar? {
        func stored<Value: BitwiseCopyable>(_ type: Value.Type) -> Value? {
            guard bytes.count == MemoryLayout<Value>.size else { return nil }
            return bytes.withUnsafeBytes { $0.loadUnaligned(as: type) }
        }
        switch decoding {
        case .bool: return bytes.count == 1 ? .bool(bytes[0] != 0) : nil
        case .int32(isSigned: true): return stored(Int32.self).map { .int64(Int64($0)) }
        case .int32(isSigned: false): return stored(UInt32.self).map { .int64(Int64($0)) }
        case .int64: return stored(Int64.self).map { .int64($0) }
        case .float: return stored(Float.self).flatMap { $0.isNaN ? nil : .float32($0) }
        case .double: return stored(Double.self).flatMap { $0.isNaN ? nil : .float64($0) }
        case .string:
            return bytes.withUnsafeBufferPointer { isUTF8($0) } ? .string(String(decoding: bytes, as: UTF8.self)) : nil
        case .bytes: return .bytes(bytes)
        case .timestamp(let units):
            guard let value = stored(Int64.self) else { return nil }
            switch units {
            case 1_000: return ParquetMilliseconds.value(value).map { .timestamp($0) }
            case 1_000_000: return .timestamp(value)
            default: return ParquetNanoseconds.value(value).map { .timestamp($0) }
            }
        case .vector: return nil
        }
    }
}
