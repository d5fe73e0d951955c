import Columns

/// A file format for tables.
public enum TableFormat: String, Hashable, Sendable, CaseIterable {
    case csv
    case parquet
    /// Arrow IPC: the file form, which Feather version 2 is another name for, or the stream form.
    case arrow

    /// The extensions that name each format, in lower case and without the dot.
    static let extensions: KeyValuePairs<String, TableFormat> = [
        "csv": .csv, "tsv": .csv, "parquet": .parquet, "arrow": .arrow, "feather": .arrow, "ipc": .arrow,
        "arrows": .arrow,
    ]

    /// The format that a path's extension names, in any case.
    ///
    /// `.csv` and `.tsv`, `.parquet`, `.arrow`, `.feather`, `.ipc` and `.arrows`, which is a stream.
    public init?(path: String) {
        let ending = Self.ending(path)
        guard let format = Self.extensions.first(where: { $0.key == ending })?.value else { return nil }
        self = format
    }

    /// What follows the last dot of a path's name, in lower case; empty where nothing does.
    static func ending(_ path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }
}

extension CSVOptions {
    /// The spelling that a path's extension stands for: tabs between the cells of `.tsv`, else commas.
    public init(path: String) {
        self.init()
        if TableFormat.ending(path) == "tsv" { delimiter = UInt8(ascii: "\t") }
    }
}

/// Reads a whole table.
///
/// - Parameters:
///   - format: `nil` to go by the path's extension.
///   - schema: the columns wanted, in this order, and their types; `nil` for all of the file's, a CSV file's types
///     being inferred. A column of another type is converted where no value can change, and refused otherwise.
///   - options: the spelling of CSV, and for every format what timestamps without a time zone mean; `nil` for what the
///     extension stands for.
/// - Throws: `FileError`, `CSVError`, `MalformedFile`; `TableError` for an unknown extension, a missing column or another
///   type.
public func readTable(
    path: String,
    format: TableFormat? = nil,
    schema: Schema? = nil,
    options: CSVOptions? = nil
) throws -> RecordBatch {
    try TableReader(path: path, format: format, schema: schema, options: options).readAll()
}

/// Reads a whole table that is in memory.
///
/// - Parameters:
///   - name: what errors call the bytes.
///   - schema: as for a file.
/// - Throws: `CSVError`, `MalformedFile`; `TableError` for a missing column or another type.
public func readTable(
    bytes: [UInt8],
    name: String,
    format: TableFormat,
    schema: Schema? = nil,
    options: CSVOptions? = nil
) throws -> RecordBatch {
    try TableReader(bytes: bytes, name: name, format: format, schema: schema, options: options).readAll()
}

/// Writes a table so that the path holds either its old content or the whole new one.
///
/// The bytes go to a temporary name in the same directory, are synced, and take the name last.
///
/// - Parameters:
///   - format: `nil` to go by the path's extension.
///   - arrow: `nil` for what the extension stands for.
/// - Throws: `FileError`, `UnwritableValue`; `TableError` for an unknown extension.
public func writeTable(
    _ batch: RecordBatch,
    to path: String,
    format: TableFormat? = nil,
    parquet: ParquetOptions = ParquetOptions(),
    arrow: ArrowOptions? = nil
) throws {
    var writer = try TableWriter(path: path, format: format, schema: batch.schema, parquet: parquet, arrow: arrow)
    try writer.append(batch)
    try writer.finish()
}

extension ArrowOptions {
    /// The options that a path's extension stands for: the stream form for `.arrows`, else the file form.
    public init(path: String) {
        self.init()
        if TableFormat.ending(path) == "arrows" { layout = .stream }
    }
}
