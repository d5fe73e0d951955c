import Columns
import Formats

/// Writes an answer that peers give to within a rounding, so that the two can be compared number by number.
public func writeAnswer(_ batch: RecordBatch, to path: String) throws {
    try writeTable(batch, to: path, format: .parquet)
}
