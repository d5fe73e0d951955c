import Columns

/// A Parquet file open for reading: its schema, and columns on demand.
///
/// Every encoding of values and levels is read, data pages v1 and v2, and the codecs SNAPPY, GZIP, ZSTD, LZ4_RAW and LZ4.
/// Top-level columns of plain values are read, and lists of float as vectors; other nested columns, and types that no
/// column of ours can hold exactly, are refused by name, and the rest of the file is read all the same.
///
/// | in the file | read as | on request |
/// |---|---|---|
/// | BOOLEAN | bool | |
/// | INT of any width and sign | int64; a uint64 past it is an error | |
/// | FLOAT, FLOAT16 | float32 | float64 |
/// | DOUBLE | float64 | |
/// | STRING, ENUM, JSON | string | bytes |
/// | BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY | bytes | string |
/// | UUID | string of 36 characters | bytes |
/// | TIMESTAMP | timestamp; a fraction of a microsecond is an error | |
/// | DATE, INT96 | timestamp without a time zone | |
/// | TIME | int64, microseconds since midnight | |
/// | DECIMAL | int64 without fraction up to 18 digits, else string | string, float64, int64 without fraction |
/// | LIST of float | vector | |
/// | NULL | refused | any type |
///
/// Timestamps without a time zone need a rule. The file is mapped and never trusted: damage throws `MalformedFile`, and
/// page checksums are verified where the file has them. Errors count rows from 0 over the whole file.
///
/// Memory: only the pages of the columns and row groups asked for are touched. Reading one row group takes its columns,
/// one page and one dictionary at a time beside them; nothing is kept from one call to the next but the footer. No row
/// group has more than 64 Mi rows and 64 for each byte of the file, and no page takes more than 1 GiB and 64
/// bytes for each byte of the file, nor do the columns of a row group together; what claims more is refused. A text
/// column takes up to twice its bytes while it grows.
public struct ParquetFile: Sendable {
    /// The columns that can be read.
    ///
    /// Those that cannot are in `refusedColumns`.
    public let schema: Schema
    /// Columns of the file that are not read, with the reason.
    public let refusedColumns: [String: String]
    public let rowCount: Int
    public var rowGroupCount: Int { footer.rowGroups.count }
    /// The file's own pairs, in file order.
    public let metadata: [(String, String)]
    /// The program that says it wrote the file.
    public var createdBy: String? { footer.createdBy }

    let bytes: FileBytes
    let footer: ParquetFooter
    let columns: [String: ParquetColumn]
    /// Whether the checksums of pages are verified, as they are unless this is turned off.
    ///
    /// They need not be where a digest of the whole file was: that is a tenth of the time of a read.
    public var verifiesChecksums = true

    /// - Parameters:
    ///   - name: what errors call the bytes.
    ///   - naiveTimestamps: what timestamps without a time zone mean.
    ///   - types: the types wanted, by column; a column that is not named has the first type of the table above.
    /// - Throws: `MalformedFile`.
    public init(
        bytes: [UInt8],
        name: String,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws {
        try self.init(FileBytes(bytes, name: name), naiveTimestamps, types)
    }

    /// - Throws: `FileError`, `MalformedFile`.
    public init(
        path: String,
        naiveTimestamps: NaiveTimestamps = .refuse,
        types: [String: DataType] = [:]
    ) throws {
        try self.init(FileBytes(path: path), naiveTimestamps, types)
    }

    init(_ bytes: FileBytes, _ naive: NaiveTimestamps, _ types: [String: DataType]) throws {
        let footer = try bytes.withBytes { try ParquetFile.footer($0, name: bytes.name) }
        func fault(_ detail: String) -> MalformedFile {
            let offset = max(0, bytes.count - 8 - footer.byteCount)
            return MalformedFile(.malformed, file: bytes.name, format: "Parquet", offset: offset, detail)
        }
        guard let columns = ParquetColumn.columns(of: footer.schema, naive: naive, types: types) else {
            throw fault("its schema is not a tree of columns")
        }
        var rowCount = 0
        for (number, group) in footer.rowGroups.enumerated() {
            let (sum, isOver) = rowCount.addingReportingOverflow(group.rowCount)
            guard group.rowCount >= 0, group.rowCount <= Self.rowLimit(bytes.count), !isOver else {
                throw fault("row group \(number) has \(group.rowCount) rows in a file of \(bytes.count) bytes")
            }
            rowCount = sum
        }
        guard rowCount == footer.rowCount else {
            throw fault("its row groups have \(rowCount) rows, its footer says \(footer.rowCount)")
        }
        var dimensions: [String: Int] = [:]
        var metadata: [(String, String)] = []
        for (key, value) in footer.metadata {
            if key.hasPrefix(ParquetWriter.dimensionPrefix) {
                dimensions[String(key.dropFirst(ParquetWriter.dimensionPrefix.count))] = Int(value)
            } else {
                metadata.append((key, value))
            }
        }
        var fields: [Field] = []
        var refused: [String: String] = [:]
        var byName: [String: ParquetColumn] = [:]
        for column in columns {
            guard byName[column.name] == nil, refused[column.name] == nil else {
                throw fault("it has two columns called '\(column.name)'; rename one")
            }
            if let codec = Self.unreadCodec(of: column, footer) {
                refused[column.name] = "it is compressed with \(codec), which is not read; write it with ZSTD or SNAPPY"
                continue
            }
            switch column.reading {
            case .refused(let reason): refused[column.name] = reason
            case .decoded(let decoding):
                var type = decoding.type
                if case .vector(let emptyLevel, nil) = decoding {
                    var length = dimensions[column.name]
                    if length == nil {
                        do {
                            length = try Self.firstListLength(bytes, column, emptyLevel: emptyLevel, footer)
                        } catch let error as MalformedFile {
                            // The other columns can be read all the same.
                            refused[column.name] = error.detail
                            continue
                        }
                    }
                    guard let length else {
                        refused[column.name] = "no row of it tells the length of its vectors; ask for a type"
                        continue
                    }
                    guard (1...DataType.maximumDimension).contains(length) else {
                        refused[column.name] = "its lists have \(length) elements; a vector has 1 to 65,536"
                        continue
                    }
                    type = .vector(dimension: length)
                }
                if let type { fields.append(Field(column.name, type)) }
                byName[column.name] = column
            }
        }
        self.bytes = bytes
        self.footer = footer
        self.columns = byName
        self.schema = Schema(fields)
        self.refusedColumns = refused
        self.metadata = metadata
        self.rowCount = rowCount
    }

    /// The bytes of the whole file, those that every read sees: what is to be hashed where they are not trusted.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withBytes(body)
    }

    private static func footer(_ bytes: UnsafeRawBufferPointer, name: String) throws(MalformedFile) -> ParquetFooter {
        func fault(_ detail: String, at offset: Int? = nil) -> MalformedFile {
            MalformedFile(.malformed, file: name, format: "Parquet", offset: offset, detail)
        }
        let magic = bytes.count - 4
        if bytes.count >= 12, bytes[magic...].elementsEqual("PARE".utf8) {
            throw MalformedFile(
                .unsupported,
                file: name,
                format: "Parquet",
                "its footer is encrypted; decrypt it first"
            )
        }
        guard bytes.count >= 12 else { throw fault("its \(bytes.count) bytes are too few", at: 0) }
        guard bytes.starts(with: "PAR1".utf8) else {
            throw fault("it does not begin with PAR1", at: 0)
        }
        guard bytes[magic...].elementsEqual("PAR1".utf8) else {
            throw fault("it does not end with PAR1; it may be cut short", at: magic)
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: magic - 4, as: UInt32.self)))
        guard length <= magic - 8 else { throw fault("a footer of \(length) bytes does not fit", at: magic - 4) }
        let start = magic - 4 - length
        var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: bytes[..<(magic - 4)]), position: start)
        do throws(ThriftReader.Fault) {
            var footer = try ParquetFooter(&reader)
            footer.byteCount = length
            return footer
        } catch {
            throw fault("footer: \(error.detail)", at: error.position)
        }
    }

    /// The codec of a column's chunks that is not read, by name.
    private static func unreadCodec(of column: ParquetColumn, _ footer: ParquetFooter) -> String? {
        for group in footer.rowGroups where column.leaf < group.chunks.count {
            let codec = group.chunks[column.leaf].codec
            guard let known = ParquetCodec(rawValue: codec), known != .brotli, known != .lzo else {
                return ParquetCodec.name(codec)
            }
        }
        return nil
    }

    /// The length of the first list that is neither null nor empty.
    private static func firstListLength(
        _ bytes: FileBytes,
        _ column: ParquetColumn,
        emptyLevel: Int,
        _ footer: ParquetFooter
    ) throws -> Int? {
        let scratch = ParquetScratch()
        let limit = expansionLimit(bytes.count)
        return try bytes.withBytes { raw -> Int? in
            for group in footer.rowGroups where column.leaf < group.chunks.count {
                let chunk = group.chunks[column.leaf]
                guard chunk.valueCount <= limit / 4 else { continue }
                var cursor = try ParquetPageCursor(
                    raw,
                    file: bytes.name,
                    column: column,
                    chunk: chunk,
                    limit: limit,
                    verifiesChecksums: true
                )
                var length = 0
                while let stored = try cursor.next() {
                    if stored.header.kind == .dictionary { continue }
                    let page = try cursor.page(stored, scratch)
                    let repetition = page.repetition.expanded(page.valueCount)
                    for (repeated, level) in zip(repetition, page.definition.expanded(page.valueCount)) {
                        if repeated == 0, length > 0 { return length }
                        if level > emptyLevel { length += 1 }
                    }
                }
                if length > 0 { return length }
            }
            return nil
        }
    }
}
