import CPostgres

/// The rows of one result, in the server's order.
///
/// The memory is libpq's and is read in place; it lives as long as any `Rows` or `Row` that came from it. Results never
/// change, so they may be read from several threads.
public struct Rows: RandomAccessCollection, Sendable {
    let result: QueryResult

    init(_ result: QueryResult) {
        self.result = result
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { result.rowCount }

    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < result.rowCount, "a row index lies within the result")
        return Row(result: result, index: Int32(position))
    }

    /// The names of the columns, in order.
    public var columnNames: [String] { result.columns.map(\.name) }

    /// The position of a column, for loops that read many rows.
    public func column(_ name: String) throws(PostgresError) -> Int {
        try result.column(name)
    }

    /// The only row; an error when there are none or several.
    public func only() throws(PostgresError) -> Row {
        guard count == 1 else {
            throw PostgresError(.decoding, "the statement returned \(count) rows where exactly 1 was expected")
        }
        return self[0]
    }
}

/// A result in libpq's memory, freed with the last reference.
///
/// Unchecked: nothing writes to a `PGresult` after it is received, and libpq's accessors only read.
final class QueryResult: @unchecked Sendable {
    struct Column {
        var name: String
        var type: UInt32
    }

    let pointer: OpaquePointer
    let columns: [Column]
    let rowCount: Int

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columns = (0..<PQnfields(pointer)).map { column in
            Column(name: PQfname(pointer, column).map { String(cString: $0) } ?? "", type: PQftype(pointer, column))
        }
    }

    deinit {
        PQclear(pointer)
    }

    /// Rows changed, or returned, as the command tag says.
    var affectedRows: Int {
        PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    var commandTag: String {
        PQcmdStatus(pointer).map { String(cString: $0) } ?? ""
    }

    func column(_ name: String) throws(PostgresError) -> Int {
        for index in columns.indices where columns[index].name == name { return index }
        let found = columns.isEmpty ? "no columns" : columns.map { "'\($0.name)'" }.joined(separator: ", ")
        throw PostgresError(
            .decoding,
            "the result has no column '\(name)', it has \(found); name it in the select list"
        )
    }
}
