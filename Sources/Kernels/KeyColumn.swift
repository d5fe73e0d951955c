import Columns

/// The entity key of each row, as one byte string that no other key shares.
///
/// ## Layout
/// The encoding is the key of the online store and the sort order of history, so it never changes under one version
/// byte. It depends on the values of the row alone: not on the batch, its order, the process or the machine.
///
///     key    = version part*
///     version = 0x01
///     part    = tag presence payload
///     presence = 0x01                           (a key with a null part has no encoding at all)
///
/// | type      | tag  | payload                                                                        |
/// |-----------|------|--------------------------------------------------------------------------------|
/// | bool      | 0x01 | one byte, 0x00 or 0x01                                                         |
/// | int64     | 0x02 | 8 bytes, big-endian, sign bit flipped: byte order is numeric order             |
/// | string    | 0x03 | byte length as 8 bytes big-endian, then the UTF-8 bytes, not normalised         |
/// | bytes     | 0x04 | byte length as 8 bytes big-endian, then the bytes                              |
/// | timestamp | 0x05 | microseconds since 1970-01-01T00:00:00Z, as int64                              |
///
/// Tags and lengths make the encoding injective and prefix-free within a list of types: (`a`, `bc`) and (`ab`, `c`)
/// differ. Strings order by length, then by bytes. A null in any part makes the whole key null, which matches nothing.
/// A key of no parts, as a view without entities has, is the version byte alone: the same non-null key in every row.
///
/// A single column is kept as it is and encoded only when asked for, because most keys are one integer or one string.
public struct KeyColumn: Sendable {
    /// The version byte that every key starts with.
    public static let encodingVersion: UInt8 = 1

    enum Storage: Sendable {
        case fixed(KeyPartType, [Int64])
        case variable(KeyPartType, BinaryColumn)
        /// Encoded keys.
        case composite(BinaryColumn)
    }

    let storage: Storage
    /// `nil` when no key is null.
    let validity: Bitmap?
    /// The number of rows.
    public let count: Int

    /// Keys of the given parts, in order.
    ///
    /// - Parameter rowCount: the length of every column. Needed because there may be none.
    /// - Throws: when a column is of a type that cannot be a key: float32, float64 or a vector.
    public init(_ columns: [Column], rowCount: Int) throws(KeyError) {
        for (position, column) in columns.enumerated() {
            precondition(column.count == rowCount, "key column \(position) has \(column.count) of \(rowCount) rows")
            guard KeyPartType(column.type) != nil else { throw .unsupportedType(position: position, column.type) }
        }
        var validity: Bitmap?
        for column in columns where column.nullCount > 0 { validity = validity.intersection(column.validity) }
        self.validity = validity
        self.count = rowCount
        switch (columns.count, columns.first) {
        case (1, .bool(let column)?): storage = .fixed(.bool, column.values.map { $0 ? 1 : 0 })
        case (1, .int64(let column)?): storage = .fixed(.int64, column.values)
        case (1, .timestamp(let column)?): storage = .fixed(.timestamp, column.values)
        case (1, .string(let column)?): storage = .variable(.string, column)
        case (1, .bytes(let column)?): storage = .variable(.bytes, column)
        default: storage = .composite(encodeComposite(columns, rowCount: rowCount, validity: validity))
        }
    }

    /// Keys of one string column, which needs no check.
    public init(strings column: BinaryColumn) {
        self.init(
            storage: .variable(.string, column),
            validity: column.nullCount > 0 ? column.validity : nil,
            count: column.count
        )
    }

    init(storage: Storage, validity: Bitmap?, count: Int) {
        self.storage = storage
        self.validity = validity
        self.count = count
    }

    /// Whether a part of the row's key is null, so that it matches nothing.
    public func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

    /// The number of null keys.
    public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }

    /// The encoded key of one row, or `nil` where it is null.
    public func bytes(_ row: Int) -> [UInt8]? {
        precondition(row >= 0 && row < count, "row \(row) lies outside \(count) keys")
        if isNull(row) { return nil }
        switch storage {
        case .fixed(let type, let values):
            var key: [UInt8] = [KeyColumn.encodingVersion]
            type.append(values[row], to: &key)
            return key
        case .variable(let type, let column):
            var key: [UInt8] = [KeyColumn.encodingVersion]
            column.data.withUnsafeBufferPointer { type.append($0[column.range(row)], to: &key) }
            return key
        case .composite(let column): return Array(column.data[column.range(row)])
        }
    }

    /// The encoded key of every row; a null key is null.
    public func encoded() -> BinaryColumn {
        if case .composite(let column) = storage { return column }
        var offsets: [Int] = [0]
        offsets.reserveCapacity(count + 1)
        var data: [UInt8] = []
        switch storage {
        case .fixed(let type, let values):
            data.reserveCapacity(count * 11)
            for row in 0..<count {
                if !isNull(row) {
                    data.append(KeyColumn.encodingVersion)
                    type.append(values[row], to: &data)
                }
                offsets.append(data.count)
            }
        case .variable(let type, let column):
            data.reserveCapacity(count * 11 + column.data.count)
            column.data.withUnsafeBufferPointer { source in
                for row in 0..<count {
                    if !isNull(row) {
                        data.append(KeyColumn.encodingVersion)
                        type.append(source[column.range(row)], to: &data)
                    }
                    offsets.append(data.count)
                }
            }
        case .composite: break
        }
        return BinaryColumn(offsets: offsets, data: data, validity: validity)
    }

    /// The keys of the given rows, in the given order; row -1 gives the null key.
    public func take(_ rows: [Int]) -> KeyColumn {
        let validity = gatherValidity(validity, rows)
        let taken: Storage =
            switch storage {
            case .fixed(let type, let values): .fixed(type, rows.map { $0 >= 0 ? values[$0] : 0 })
            case .variable(let type, let column): .variable(type, gather(column, rows, validity))
            case .composite(let column): .composite(gather(column, rows, validity))
            }
        return KeyColumn(storage: taken, validity: validity, count: rows.count)
    }
}

/// Why columns cannot form a key.
public enum KeyError: Error, Hashable, CustomStringConvertible {
    case unsupportedType(position: Int, DataType)

    public var description: String {
        switch self {
        case .unsupportedType(let position, let type):
            "key column \(position) is \(type), and a key is bool, int64, string, bytes or timestamp; "
                + "cast it, or choose another join key"
        }
    }
}
