import Columns

/// A file format for tables.
public enum TableFormat: String, Hashable, Sendable, CaseIterable {
    case csv
    case parquet

    /// The format that a path's extension names: `.csv` or `.parquet`, in any case.
    public init?(path: String) {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return nil }
        self.init(rawValue: name[name.index(after: dot)...].lowercased())
    }
}

/// A table file whose extension names no format, or whose columns are not those asked for.
public struct TableError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let detail: String

    public var description: String { "'\(path)': \(detail)" }

    static func unknownFormat(_ path: String) -> TableError {
        let known = TableFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
        return TableError(
            path: path,
            detail: "the extension names no table format; use one of \(known), or name a format"
        )
    }
}

/// Reads a whole table.
///
/// - Parameters:
///   - format: `nil` to go by the path's extension.
///   - schema: the columns wanted, in this order, and their types; `nil` for all of the file's, a CSV file's types
///     being inferred.
///   - options: the spelling of CSV, and for every format what timestamps without a time zone mean.
/// - Throws: `FileError`, `CSVError`, `MalformedFile`; `TableError` for an unknown extension or another type.
public func readTable(
    path: String,
    format: TableFormat? = nil,
    schema: Schema? = nil,
    options: CSVOptions = CSVOptions()
) throws -> RecordBatch {
    guard let format = format ?? TableFormat(path: path) else { throw TableError.unknownFormat(path) }
    switch format {
    case .csv:
        let bytes = try FileBytes(path: path)
        var reader = try CSVReader(bytes, schema ?? CSVInference.infer(bytes, options, [:]), options)
        return try reader.readAll()
    case .parquet:
        let file = try ParquetFile(path: path, naiveTimestamps: options.naiveTimestamps)
        guard let schema else { return try file.read() }
        for field in schema.fields {
            if let type = file.schema.type(of: field.name), type != field.type {
                throw TableError(
                    path: path,
                    detail: "column '\(field.name)' is \(type) in the file, expected \(field.type); cast it"
                )
            }
        }
        return try file.read(columns: schema.fields.map(\.name))
    }
}

/// Writes a table so that the path holds either its old content or the whole new one.
///
/// The bytes go to a temporary name in the same directory, are synced, and take the name last.
///
/// - Parameter format: `nil` to go by the path's extension.
/// - Throws: `FileError`, `UnwritableValue`; `TableError` for an unknown extension.
public func writeTable(
    _ batch: RecordBatch,
    to path: String,
    format: TableFormat? = nil,
    parquet options: ParquetOptions = ParquetOptions()
) throws {
    guard let format = format ?? TableFormat(path: path) else { throw TableError.unknownFormat(path) }
    let file = try NewFile(path: path)
    switch format {
    case .csv:
        var writer = CSVWriter(schema: batch.schema)
        try writer.append(batch)
        try writer.takeBytes().withUnsafeBytes { try file.write($0) }
    case .parquet:
        let bytes = try Parquet.encode([batch], options: options)
        try bytes.withUnsafeBytes { try file.write($0) }
    }
    try file.commit()
}
