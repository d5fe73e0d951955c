import CPostgres
public import FoundationEssentials

/// Writes the rows of a binary COPY: `startRow`, then one `append` for each column, in order.
///
/// The types must be exactly those of the columns; a binary COPY casts nothing.
public struct CopyWriter {
    private let pointer: OpaquePointer
    private let columnCount: Int
    private var buffer: [UInt8] = []
    private var fieldCount: Int
    private var rowCount = 0
    private var oversized: Int?

    private static let chunk = 1 << 16
    /// Signature, flags and the length of the header extension, as the COPY documentation gives them.
    private static let header: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)

    init(pointer: OpaquePointer, columnCount: Int) {
        self.pointer = pointer
        self.columnCount = columnCount
        fieldCount = columnCount
        buffer.reserveCapacity(Self.chunk + 4096)
        buffer.append(contentsOf: Self.header)
    }

    /// Begins the next row; an error when the one before it is not complete.
    public mutating func startRow() throws(PostgresError) {
        try checkRow()
        if buffer.count >= Self.chunk { try flush() }
        BinaryFormat.append(Int16(truncatingIfNeeded: columnCount), to: &buffer)
        fieldCount = 0
        rowCount += 1
    }

    public mutating func appendNull() {
        fieldCount += 1
        BinaryFormat.append(Int32(-1), to: &buffer)
    }

    /// Appends to a `boolean` column.
    public mutating func append(bool value: Bool) {
        start(length: 1)
        buffer.append(value ? 1 : 0)
    }

    /// Appends to a `smallint` column.
    public mutating func append(int16 value: Int16) { appendInteger(value) }

    /// Appends to an `integer` column.
    public mutating func append(int32 value: Int32) { appendInteger(value) }

    /// Appends to a `bigint` column.
    public mutating func append(int64 value: Int64) { appendInteger(value) }

    /// Appends to a `real` column.
    public mutating func append(float value: Float) { appendInteger(value.bitPattern) }

    /// Appends to a `double precision` column.
    public mutating func append(double value: Double) { appendInteger(value.bitPattern) }

    /// Appends to a `text`, `character varying` or `json` column.
    public mutating func append(text value: String) {
        let utf8 = value.utf8
        start(length: utf8.count)
        buffer.append(contentsOf: utf8)
    }

    /// Appends to a `bytea` column.
    public mutating func append(bytes value: [UInt8]) {
        start(length: value.count)
        buffer.append(contentsOf: value)
    }

    /// Appends to a `bytea` column.
    public mutating func append(bytes value: UnsafeRawBufferPointer) {
        start(length: value.count)
        buffer.append(contentsOf: value)
    }

    /// Appends microseconds since 1970 to a `timestamp with time zone` column.
    public mutating func append(timestamp value: Int64) { appendInteger(BinaryFormat.serverTimestamp(value)) }

    /// Appends JSON text to a `jsonb` column.
    public mutating func append(json value: String) { append(.json(value)) }

    /// Appends to a `uuid` column.
    public mutating func append(uuid value: UUID) { append(.uuid(value)) }

    /// Appends any value; the column has the type that `Parameter` names.
    public mutating func append(_ value: Parameter) {
        if case .null = value { return appendNull() }
        fieldCount += 1
        let start = buffer.count
        BinaryFormat.append(Int32(0), to: &buffer)
        value.encode(into: &buffer)
        note(length: buffer.count - start - 4)
        BinaryFormat.patchLength(at: start, in: &buffer)
    }

    @inline(__always)
    private mutating func appendInteger(_ value: some FixedWidthInteger) {
        start(length: value.bitWidth / 8)
        BinaryFormat.append(value, to: &buffer)
    }

    @inline(__always)
    private mutating func start(length: Int) {
        fieldCount += 1
        note(length: length)
        BinaryFormat.append(Int32(truncatingIfNeeded: length), to: &buffer)
    }

    @inline(__always)
    private mutating func note(length: Int) {
        if length >= ParameterBuffer.largestValue { oversized = length }
    }

    private func checkRow() throws(PostgresError) {
        if let oversized {
            throw PostgresError(
                .usage,
                "row \(rowCount) of the COPY has a field of \(oversized) bytes, PostgreSQL takes less than 1 GiB; split it"
            )
        }
        if fieldCount != columnCount {
            throw PostgresError(
                .usage,
                "row \(rowCount) of the COPY has \(fieldCount) fields, the statement names \(columnCount) columns; "
                    + "append each column once"
            )
        }
    }

    private mutating func flush() throws(PostgresError) {
        // A row can be longer than the 32 bits libpq counts in.
        let sent = buffer.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 1 << 24).allSatisfy { start in
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + (1 << 24), bytes.count)])
                let characters = part.baseAddress?.assumingMemoryBound(to: CChar.self)
                return PQputCopyData(pointer, characters, Int32(part.count)) == 1
            }
        }
        guard sent else {
            throw PostgresError(
                .connectionFailed,
                "sending COPY data failed: \(Connection.trimmed(PQerrorMessage(pointer)))"
            )
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Sends what is left and the end marker.
    mutating func finish() throws(PostgresError) {
        try checkRow()
        BinaryFormat.append(Int16(-1), to: &buffer)
        try flush()
    }
}

extension Connection {
    /// Runs `COPY … FROM STDIN (FORMAT binary)`, the fastest way to insert many rows, and returns how many.
    ///
    /// When `rows` throws, or the server refuses a row, no row of this COPY is inserted. Inside `rows` the connection
    /// takes no other statement.
    public func copyIn(_ sql: String, _ rows: (inout CopyWriter) throws -> Void) throws -> Int {
        try checkCanRun(sql)
        guard let started = PQexec(pointer, sql) else { throw localFailure(sql) }
        guard PQresultStatus(started) == PGRES_COPY_IN else {
            _ = try checked(started, sql)
            throw PostgresError(
                .usage,
                "copyIn takes a COPY … FROM STDIN (FORMAT binary) statement; use execute for others"
            )
        }
        let isBinary = PQbinaryTuples(started) == 1
        var writer = CopyWriter(pointer: pointer, columnCount: Int(PQnfields(started)))
        PQclear(started)
        isCopying = true
        defer { isCopying = false }
        do {
            guard isBinary else {
                throw PostgresError(.usage, "copyIn sends binary rows; add (FORMAT binary) to the COPY statement")
            }
            try rows(&writer)
            try writer.finish()
        } catch {
            PQputCopyEnd(pointer, "the client gave up")
            drain()
            throw error
        }
        guard PQputCopyEnd(pointer, nil) == 1 else { throw localFailure(sql) }
        let result = PQgetResult(pointer)
        defer { drain() }
        return try checked(result, sql).affectedRows
    }
}
