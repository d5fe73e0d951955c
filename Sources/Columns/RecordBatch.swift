/// Rows in flight: a schema and one column of equal length for each field.
public struct RecordBatch: Hashable, Sendable {
    public let schema: Schema
    public let columns: [Column]
    public let rowCount: Int

    /// - Precondition: columns match the schema in number and type and all have `rowCount` rows.
    public init(schema: Schema, columns: [Column], rowCount: Int) {
        precondition(schema.count == columns.count, "\(schema.count) fields but \(columns.count) columns")
        for (field, column) in zip(schema.fields, columns) {
            precondition(field.type == column.type, "field '\(field.name)' is \(field.type), its column \(column.type)")
            precondition(column.count == rowCount, "column '\(field.name)' has \(column.count) of \(rowCount) rows")
        }
        self.schema = schema
        self.columns = columns
        self.rowCount = rowCount
    }

    /// Builds a batch from named columns, the schema following from them.
    ///
    /// - Precondition: there is at least one column, all have the same length, and names are unique.
    public init(_ columns: KeyValuePairs<String, Column>) {
        self.init(
            schema: Schema(columns.map { Field($0.key, $0.value.type) }),
            columns: columns.map(\.value),
            rowCount: columns[0].value.count
        )
    }

    /// The column called `name`, or `nil`.
    public subscript(name: String) -> Column? { schema.position(of: name).map { columns[$0] } }
}
