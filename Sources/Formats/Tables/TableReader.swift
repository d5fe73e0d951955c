import Columns

/// Reads the rows of a table file in batches, whatever its format.
///
/// Memory is bounded by one row group of Parquet, one record batch of Arrow, or some thousand rows of CSV, not by the file.
/// What is wrong with the columns is found when the reader is made; what is wrong with values when their batch is read.
public struct TableReader: ~Copyable {
    public let format: TableFormat
    /// The columns of every batch.
    public var schema: Schema { source.schema }
    /// The rows of the file; `nil` for CSV, which does not say.
    public var rowCount: Int? { source.rowCount }

    private let source: any TableSource

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - format: `nil` to go by the path's extension.
    ///   - columns: the columns wanted, in this order; `nil` for all of the file's.
    ///   - types: types asked for, by column; further names are ignored. Without one a CSV column's type is inferred, and
    ///     another's follows from its type in the file.
    ///   - options: the spelling of CSV, and for every format what timestamps without a time zone mean; `nil` for what the
    ///     extension stands for.
    /// - Throws: `FileError`, `CSVError`, `MalformedFile`; `TableError` for an unknown extension, a column that is
    ///   missing, named twice or not readable, and for a type that would change values.
    public init(
        path: String,
        format: TableFormat? = nil,
        columns: [String]? = nil,
        types: [String: DataType] = [:],
        options: CSVOptions? = nil
    ) throws {
        guard let format = format ?? TableFormat(path: path) else { throw TableError.unknownFormat(path) }
        try self.init(FileBytes(path: path), format, columns, types, options ?? CSVOptions(path: path))
    }

    /// Opens a file for the columns of a schema, in its order and of its types; `nil` for all of the file's.
    ///
    /// - Throws: as with `columns` and `types`.
    public init(
        path: String,
        format: TableFormat? = nil,
        schema: Schema?,
        options: CSVOptions? = nil
    ) throws {
        let names = schema?.fields.map(\.name)
        try self.init(path: path, format: format, columns: names, types: Self.types(schema), options: options)
    }

    /// Opens a file that is in memory.
    ///
    /// - Parameters:
    ///   - name: what errors call the bytes.
    ///   - schema: the columns wanted, in this order, and their types; `nil` for all of the file's.
    /// - Throws: `CSVError`, `MalformedFile`, `TableError`.
    public init(
        bytes: [UInt8],
        name: String,
        format: TableFormat,
        schema: Schema? = nil,
        options: CSVOptions? = nil
    ) throws {
        let names = schema?.fields.map(\.name)
        let options = options ?? CSVOptions(path: name)
        try self.init(FileBytes(bytes, name: name), format, names, Self.types(schema), options)
    }

    private static func types(_ schema: Schema?) -> [String: DataType] {
        var types: [String: DataType] = [:]
        for field in schema?.fields ?? [] { types[field.name] = field.type }
        return types
    }

    init(
        _ bytes: FileBytes,
        _ format: TableFormat,
        _ columns: [String]?,
        _ types: [String: DataType],
        _ options: CSVOptions
    ) throws {
        var named: Set<String> = []
        for name in columns ?? [] where !named.insert(name).inserted {
            throw TableError.repeatedColumn(name, in: bytes.name)
        }
        let source: any TableSource =
            switch format {
            case .csv: try CSVTable(bytes, columns, types, options)
            case .parquet: try ParquetTable(bytes, columns, types, options.naiveTimestamps)
            case .arrow: try ArrowTable(bytes, columns, types, options.naiveTimestamps)
            }
        self.format = format
        self.source = source
    }

    /// The next rows, at least one; `nil` at the end of the file.
    ///
    /// - Throws: `CSVError`, `MalformedFile`. After an error there are no more rows.
    public mutating func next() throws -> RecordBatch? { try source.next() }

    /// The whole file as one batch.
    ///
    /// - Precondition: no rows have been read.
    consuming func readAll() throws -> RecordBatch { try source.readAll() }
}
