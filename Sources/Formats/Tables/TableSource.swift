import Columns

/// A table file of one format, read batch by batch.
protocol TableSource: AnyObject {
    var schema: Schema { get }
    var rowCount: Int? { get }
    func next() throws -> RecordBatch?
    /// The whole file, where nothing was read before.
    func readAll() throws -> RecordBatch
}

/// The columns of a file that knows its types, as they were asked for.
///
/// - Parameters:
///   - schema: the columns that can be read, the types asked for being given where they can be.
///   - refused: the columns that cannot, with the reason.
/// - Throws: `TableError`.
func selectedColumns(
    _ columns: [String]?,
    types: [String: DataType],
    of schema: Schema,
    refused: [String: String],
    file: String
) throws(TableError) -> Schema {
    guard let columns else {
        // A type that cannot be had is the mistake to name, before columns that were not spoken of.
        for (name, reason) in refused.sorted(by: { $0.key < $1.key }) where types[name] != nil {
            throw TableError(path: file, detail: "column '\(name)': \(reason)")
        }
        guard refused.isEmpty else {
            throw TableError.refused(refused.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, in: file)
        }
        try checkTypes(types, of: schema, file: file)
        return schema
    }
    var fields: [Field] = []
    for name in columns {
        if let reason = refused[name] { throw TableError(path: file, detail: "column '\(name)': \(reason)") }
        guard let type = schema.type(of: name) else {
            let present = schema.fields.map(\.name) + refused.keys.sorted()
            throw TableError.missingColumn(name, in: file, present: present)
        }
        fields.append(Field(name, type))
    }
    let selected = Schema(fields)
    try checkTypes(types, of: selected, file: file)
    return selected
}

private func checkTypes(_ types: [String: DataType], of schema: Schema, file: String) throws(TableError) {
    for field in schema.fields {
        guard let expected = types[field.name], expected != field.type else { continue }
        throw TableError(
            path: file,
            detail: "column '\(field.name)' is \(field.type) in the file, expected \(expected); cast it"
        )
    }
}

/// A CSV file, read some thousand rows at a time.
final class CSVTable: TableSource {
    let schema: Schema
    var rowCount: Int? { nil }
    private var reader: CSVReader

    /// Rows of a batch: enough to make the work of a batch small beside that of its rows.
    private static let batchRows = 16 * 1_024

    init(_ bytes: FileBytes, _ columns: [String]?, _ types: [String: DataType], _ options: CSVOptions) throws {
        let schema: Schema
        if let columns, columns.allSatisfy({ types[$0] != nil }) {
            schema = Schema(columns.compactMap { name in types[name].map { Field(name, $0) } })
        } else {
            var known = types
            // Columns that are not wanted need no type found; any will do.
            if let columns {
                let wanted = Set(columns)
                for name in try CSVFile(bytes, options).header where !wanted.contains(name) { known[name] = .string }
            }
            let found = try CSVInference.infer(bytes, options, known)
            schema =
                try columns.map { columns in
                    Schema(
                        try columns.map { name in
                            guard let type = found.type(of: name) else {
                                throw TableError.missingColumn(name, in: bytes.name, present: found.fields.map(\.name))
                            }
                            return Field(name, type)
                        }
                    )
                } ?? found
        }
        self.schema = schema
        reader = try CSVReader(bytes, schema, options)
    }

    func next() throws -> RecordBatch? { try reader.next(maxRows: Self.batchRows) }
    func readAll() throws -> RecordBatch { try reader.readAll() }
}

/// A Parquet file, read one row group at a time.
final class ParquetTable: TableSource {
    let schema: Schema
    var rowCount: Int? { file.rowCount }
    private let file: ParquetFile
    private var nextGroup = 0

    init(_ bytes: FileBytes, _ columns: [String]?, _ types: [String: DataType], _ naive: NaiveTimestamps) throws {
        file = try ParquetFile(bytes, naive, types)
        schema = try selectedColumns(
            columns,
            types: types,
            of: file.schema,
            refused: file.refusedColumns,
            file: bytes.name
        )
    }

    func next() throws -> RecordBatch? {
        while nextGroup < file.rowGroupCount {
            nextGroup += 1
            let group = nextGroup - 1
            if file.rowCount(rowGroup: group) > 0 {
                return try file.read(rowGroup: group, columns: schema.fields.map(\.name))
            }
        }
        return nil
    }

    func readAll() throws -> RecordBatch { try file.read(columns: schema.fields.map(\.name)) }
}

/// An Arrow file or stream, read one record batch at a time.
final class ArrowTable: TableSource {
    let schema: Schema
    var rowCount: Int? { file.rowCount }
    private let file: ArrowFile
    private var nextBatch = 0

    init(_ bytes: FileBytes, _ columns: [String]?, _ types: [String: DataType], _ naive: NaiveTimestamps) throws {
        file = try ArrowFile(bytes, naive, types)
        schema = try selectedColumns(
            columns,
            types: types,
            of: file.schema,
            refused: file.refusedColumns,
            file: bytes.name
        )
    }

    func next() throws -> RecordBatch? {
        while nextBatch < file.batchCount {
            nextBatch += 1
            let batch = try file.read(batch: nextBatch - 1, columns: schema.fields.map(\.name))
            if batch.rowCount > 0 { return batch }
        }
        return nil
    }

    func readAll() throws -> RecordBatch { try file.read(columns: schema.fields.map(\.name)) }
}
