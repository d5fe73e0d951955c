import Columns

extension RecordBatch {
    /// The given rows of every column, in the given order; row -1 gives nulls.
    ///
    /// - Precondition: each row is -1 or a row of the batch.
    public func take(_ rows: [Int]) -> RecordBatch {
        RecordBatch(schema: schema, columns: columns.map { $0.take(rows) }, rowCount: rows.count)
    }

    /// The rows of a range.
    ///
    /// - Precondition: the range lies within the batch.
    public func slice(_ rows: Range<Int>) -> RecordBatch {
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= rowCount,
            "rows \(rows) lie outside a batch of \(rowCount)"
        )
        return RecordBatch(schema: schema, columns: columns.map { $0.slice(rows) }, rowCount: rows.count)
    }

    /// The rows of all batches, one batch after the other.
    ///
    /// - Precondition: there is at least one batch, and all have the same schema.
    public static func concatenate(_ batches: [RecordBatch]) -> RecordBatch {
        guard let first = batches.first else { preconditionFailure("concatenating no batches leaves the schema open") }
        for batch in batches {
            precondition(batch.schema == first.schema, "batches of different schemas cannot be concatenated")
        }
        if batches.count == 1 { return first }
        return RecordBatch(
            schema: first.schema,
            columns: first.columns.indices.map { position in Column.concatenate(batches.map { $0.columns[position] }) },
            rowCount: batches.reduce(0) { $0 + $1.rowCount }
        )
    }

    /// The named columns, in the given order.
    ///
    /// Throws when a name is missing or given twice. Columns are shared, not copied.
    public func select(columns names: [String]) throws(ColumnSelectionError) -> RecordBatch {
        var positions: [Int] = []
        for name in names {
            guard let position = schema.position(of: name) else {
                throw .missing(column: name, available: schema.fields.map(\.name))
            }
            guard !positions.contains(position) else { throw .repeated(column: name) }
            positions.append(position)
        }
        return RecordBatch(
            schema: Schema(positions.map { schema[$0] }),
            columns: positions.map { columns[$0] },
            rowCount: rowCount
        )
    }
}

/// Why columns could not be selected by name.
public enum ColumnSelectionError: Error, Hashable, CustomStringConvertible {
    case missing(column: String, available: [String])
    case repeated(column: String)

    public var description: String {
        switch self {
        case .missing(let column, let available):
            "no column is called '\(column)'; the columns are \(available.joined(separator: ", "))"
        case .repeated(let column):
            "column '\(column)' is selected twice, and names must be unique; select it once"
        }
    }
}
