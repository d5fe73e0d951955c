import CPostgres
public import FoundationEssentials

/// A column of a result, by name or by position.
public protocol ColumnReference {
    /// The position in the result that `row` belongs to.
    func position(in row: Row) throws(PostgresError) -> Int
}

extension String: ColumnReference {
    public func position(in row: Row) throws(PostgresError) -> Int { try row.result.column(self) }
}

extension Int: ColumnReference {
    public func position(in row: Row) throws(PostgresError) -> Int {
        guard row.result.columns.indices.contains(self) else {
            throw PostgresError(
                .decoding,
                "the result has \(row.result.columns.count) columns, there is none at position \(self)"
            )
        }
        return self
    }
}

/// One row of a result.
///
/// Every accessor checks the column's type: a column of another type, or null where the accessor does not say
/// `IfPresent`, is an error of code `decoding` that names the column.
public struct Row: Sendable {
    let result: QueryResult
    let index: Int32

    /// Whether the value is null.
    public func isNull(_ column: some ColumnReference) throws(PostgresError) -> Bool {
        PQgetisnull(result.pointer, index, Int32(try column.position(in: self))) != 0
    }

    /// Reads the raw bytes of a value of any type, or null, without a copy.
    public func withUnsafeBytes<R>(
        _ column: some ColumnReference,
        _ body: (UnsafeRawBufferPointer?) throws -> R
    ) throws -> R {
        try body(bytes(at: try column.position(in: self)))
    }

    func bytes(at position: Int) -> UnsafeRawBufferPointer? {
        let column = Int32(position)
        guard PQgetisnull(result.pointer, index, column) == 0 else { return nil }
        let count = Int(PQgetlength(result.pointer, index, column))
        return UnsafeRawBufferPointer(start: PQgetvalue(result.pointer, index, column), count: count)
    }

    @inline(__always)
    private func optional<T>(
        _ column: some ColumnReference,
        _ types: [UInt32],
        _ decode: (UnsafeRawBufferPointer, UInt32) -> T?
    ) throws(PostgresError) -> T? {
        let position = try column.position(in: self)
        let type = result.columns[position].type
        guard types.contains(type) else {
            let expected = TypeIdentifier.sqlName(types.first ?? 0)
            throw PostgresError(
                .decoding,
                "column '\(result.columns[position].name)' is \(TypeIdentifier.sqlName(type)), "
                    + "\(expected) was asked for; cast it in the statement, or read it as what it is"
            )
        }
        guard let bytes = bytes(at: position) else { return nil }
        guard let value = decode(bytes, type) else {
            throw PostgresError(
                .decoding,
                "column '\(result.columns[position].name)' holds \(bytes.count) bytes that are no value of "
                    + "\(TypeIdentifier.sqlName(types.first ?? 0)) this program can represent"
            )
        }
        return value
    }

    private func required<T>(_ column: some ColumnReference, _ value: T?) throws(PostgresError) -> T {
        if let value { return value }
        let name = result.columns[try column.position(in: self)].name
        throw PostgresError(
            .decoding,
            "column '\(name)' is null where a value was expected; use the IfPresent accessor, or coalesce it"
        )
    }
}

extension Row {
    public func boolIfPresent(_ column: some ColumnReference) throws(PostgresError) -> Bool? {
        try optional(column, [TypeIdentifier.bool]) { bytes, _ in bytes.count == 1 ? bytes[0] != 0 : nil }
    }

    /// Reads `bigint`, `integer`, `smallint` or `oid`.
    public func int64IfPresent(_ column: some ColumnReference) throws(PostgresError) -> Int64? {
        try optional(column, [TypeIdentifier.int8, TypeIdentifier.int4, TypeIdentifier.int2, TypeIdentifier.oid]) {
            bytes,
            type in
            switch type {
            case TypeIdentifier.int8: BinaryFormat.integer(bytes)
            case TypeIdentifier.int4: BinaryFormat.integer(bytes, as: Int32.self).map(Int64.init)
            case TypeIdentifier.int2: BinaryFormat.integer(bytes, as: Int16.self).map(Int64.init)
            default: BinaryFormat.integer(bytes, as: UInt32.self).map(Int64.init)
            }
        }
    }

    /// Reads `double precision` or `real`, bit for bit.
    public func doubleIfPresent(_ column: some ColumnReference) throws(PostgresError) -> Double? {
        try optional(column, [TypeIdentifier.float8, TypeIdentifier.float4]) { bytes, type in
            type == TypeIdentifier.float8
                ? BinaryFormat.integer(bytes).map(Double.init(bitPattern:))
                : BinaryFormat.integer(bytes).map { Double(Float(bitPattern: $0)) }
        }
    }

    /// Reads `text`, `character varying`, `character` or `name`.
    public func textIfPresent(_ column: some ColumnReference) throws(PostgresError) -> String? {
        try optional(column, [TypeIdentifier.text, TypeIdentifier.varchar, TypeIdentifier.bpchar, TypeIdentifier.name])
        {
            bytes,
            _ in String(validating: bytes, as: UTF8.self)
        }
    }

    public func bytesIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [UInt8]? {
        try optional(column, [TypeIdentifier.bytea]) { bytes, _ in Array(bytes) }
    }

    /// Reads `timestamp with time zone`: microseconds since 1970 UTC; the infinities are `Int64.max` and `.min`.
    public func timestampIfPresent(_ column: some ColumnReference) throws(PostgresError) -> Int64? {
        try optional(column, [TypeIdentifier.timestamptz]) { bytes, _ in
            BinaryFormat.integer(bytes).flatMap(BinaryFormat.timestamp(server:))
        }
    }

    /// Reads `jsonb` or `json` as JSON text.
    public func jsonIfPresent(_ column: some ColumnReference) throws(PostgresError) -> String? {
        try optional(column, [TypeIdentifier.jsonb, TypeIdentifier.json]) { bytes, type in
            guard type == TypeIdentifier.jsonb else { return String(validating: bytes, as: UTF8.self) }
            return bytes.first == 1 ? String(validating: bytes.dropFirst(), as: UTF8.self) : nil
        }
    }

    public func uuidIfPresent(_ column: some ColumnReference) throws(PostgresError) -> UUID? {
        try optional(column, [TypeIdentifier.uuid]) { bytes, _ in
            bytes.count == 16 ? UUID(uuid: bytes.loadUnaligned(as: uuid_t.self)) : nil
        }
    }

    public func boolArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [Bool]? {
        try optional(column, [TypeIdentifier.boolArray]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.bool) { $0.count == 1 ? $0[0] != 0 : nil }
        }
    }

    public func int64ArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [Int64]? {
        try optional(column, [TypeIdentifier.int8Array]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.int8) { BinaryFormat.integer($0) }
        }
    }

    public func doubleArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [Double]? {
        try optional(column, [TypeIdentifier.float8Array]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.float8) {
                BinaryFormat.integer($0).map(Double.init(bitPattern:))
            }
        }
    }

    public func textArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [String]? {
        try optional(column, [TypeIdentifier.textArray]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.text) { String(validating: $0, as: UTF8.self) }
        }
    }

    public func bytesArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [[UInt8]]? {
        try optional(column, [TypeIdentifier.byteaArray]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.bytea) { Array($0) }
        }
    }

    public func timestampArrayIfPresent(_ column: some ColumnReference) throws(PostgresError) -> [Int64]? {
        try optional(column, [TypeIdentifier.timestamptzArray]) { bytes, _ in
            BinaryFormat.array(bytes, of: TypeIdentifier.timestamptz) {
                BinaryFormat.integer($0).flatMap(BinaryFormat.timestamp(server:))
            }
        }
    }
}

extension Row {
    public func bool(_ column: some ColumnReference) throws(PostgresError) -> Bool {
        try required(column, boolIfPresent(column))
    }

    public func int64(_ column: some ColumnReference) throws(PostgresError) -> Int64 {
        try required(column, int64IfPresent(column))
    }

    public func double(_ column: some ColumnReference) throws(PostgresError) -> Double {
        try required(column, doubleIfPresent(column))
    }

    public func text(_ column: some ColumnReference) throws(PostgresError) -> String {
        try required(column, textIfPresent(column))
    }

    public func bytes(_ column: some ColumnReference) throws(PostgresError) -> [UInt8] {
        try required(column, bytesIfPresent(column))
    }

    public func timestamp(_ column: some ColumnReference) throws(PostgresError) -> Int64 {
        try required(column, timestampIfPresent(column))
    }

    public func json(_ column: some ColumnReference) throws(PostgresError) -> String {
        try required(column, jsonIfPresent(column))
    }

    public func uuid(_ column: some ColumnReference) throws(PostgresError) -> UUID {
        try required(column, uuidIfPresent(column))
    }

    public func boolArray(_ column: some ColumnReference) throws(PostgresError) -> [Bool] {
        try required(column, boolArrayIfPresent(column))
    }

    public func int64Array(_ column: some ColumnReference) throws(PostgresError) -> [Int64] {
        try required(column, int64ArrayIfPresent(column))
    }

    public func doubleArray(_ column: some ColumnReference) throws(PostgresError) -> [Double] {
        try required(column, doubleArrayIfPresent(column))
    }

    public func textArray(_ column: some ColumnReference) throws(PostgresError) -> [String] {
        try required(column, textArrayIfPresent(column))
    }

    public func bytesArray(_ column: some ColumnReference) throws(PostgresError) -> [[UInt8]] {
        try required(column, bytesArrayIfPresent(column))
    }

    public func timestampArray(_ column: some ColumnReference) throws(PostgresError) -> [Int64] {
        try required(column, timestampArrayIfPresent(column))
    }
}
