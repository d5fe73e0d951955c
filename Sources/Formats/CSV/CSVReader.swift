import Columns

/// Reads the rows of a CSV file into typed columns.
///
/// RFC 4180 with a header row: cells may be quoted, and then hold delimiters, line breaks and doubled quotes; lines end
/// in LF or CRLF; a byte order mark is skipped. Columns are found by the header's names, in any order, and columns
/// outside the schema are skipped. An unquoted empty cell is null and a quoted one is the empty string; further null
/// spellings apply to unquoted cells.
///
/// Every line is a row. An empty line is so a row of one empty cell: null in a file of one column, and an error in a wider
/// one, where it is a row of too few cells. The last line may lack its end; a file that ends in a line end has no row
/// after it.
///
/// The file is mapped, so memory is what the batches take. Errors are `CSVError` and name the first faulty cell in
/// reading order, whatever the batch size.
public struct CSVReader: ~Copyable {
    public let schema: Schema
    /// The names of the header row, in file order.
    public var header: [String] { file.header }

    private let file: CSVFile
    private let slots: [Int]
    /// As `slots`, with one place after the others for all cells that are not wanted.
    private let places: [Int]
    private let blockRows: Int
    private let nulls: CSVNulls
    private let naiveTimestamps: [NaiveTimestamps.Rule]
    private var parsers: [any CSVColumnParser]
    private var position: Int
    private var cells: [CSVCell]

    /// - Throws: `FileError`, or `CSVError` where the header is unusable or lacks a column of the schema.
    public init(path: String, schema: Schema, options: CSVOptions = CSVOptions()) throws {
        try self.init(FileBytes(path: path), schema, options)
    }

    /// - Parameter name: what errors call the bytes.
    public init(bytes: [UInt8], name: String, schema: Schema, options: CSVOptions = CSVOptions()) throws {
        try self.init(FileBytes(bytes, name: name), schema, options)
    }

    init(_ bytes: FileBytes, _ schema: Schema, _ options: CSVOptions) throws {
        let file = try CSVFile(bytes, options)
        let slots = try file.slots(for: schema.fields.map(\.name))
        self.schema = schema
        self.file = file
        self.slots = slots
        places = slots.map { $0 < 0 ? schema.count : $0 }
        blockRows = CSVFile.blockRows(columns: schema.count)
        nulls = CSVNulls(options.nullSpellings)
        naiveTimestamps = schema.fields.map { options.naiveTimestamps.rule(for: $0.name) }
        position = file.bodyStart
        parsers = Self.parsers(for: schema)
        let blank = CSVCell(start: 0, length: 0, form: .plain)
        cells = [CSVCell](repeating: blank, count: (schema.count + 1) * blockRows)
    }

    private static func parsers(for schema: Schema) -> [any CSVColumnParser] {
        schema.fields.map { field in
            switch field.type {
            case .bool: CSVPrimitiveParser<CSVBool>()
            case .int64: CSVPrimitiveParser<CSVInt64>()
            case .float32: CSVPrimitiveParser<CSVFloat>()
            case .float64: CSVPrimitiveParser<CSVDouble>()
            case .timestamp: CSVPrimitiveParser<CSVTimestamp>()
            case .string: CSVStringParser()
            case .bytes: CSVBytesParser()
            case .vector(let dimension): CSVVectorParser(dimension: dimension)
            }
        }
    }

    /// The next rows, at most `maxRows` and at least one; `nil` at the end of the file.
    ///
    /// - Precondition: `maxRows` is positive.
    public mutating func next(maxRows: Int) throws(CSVError) -> RecordBatch? {
        precondition(maxRows > 0, "a batch has at least one row")
        let rowCount = try parse(maxRows: maxRows)
        return rowCount == 0 ? nil : finish(rowCount)
    }

    /// All the rows that are left.
    public mutating func readAll() throws(CSVError) -> RecordBatch {
        finish(try parse(maxRows: .max))
    }

    /// Appends up to `maxRows` rows to the columns.
    private mutating func parse(maxRows: Int) throws(CSVError) -> Int {
        let start = position
        var rowCount = 0
        while rowCount < maxRows {
            let rows = try parseBlock(maxRows: min(blockRows, maxRows - rowCount))
            if rows == 0 { break }
            if rowCount == 0, rows < maxRows {
                // Columns that grow are copied again and again. The first rows tell how many there will be, a little
                // more so that some longer rows at the start do not spoil it; memory that is not used is never touched.
                let perRow = max(1, (position - start) / rows)
                let left = (file.bytes.count - position) / perRow
                let expected = min(maxRows, rows + left + left / 8)
                for slot in parsers.indices { parsers[slot].reserve(rows: expected) }
            }
            rowCount += rows
        }
        return rowCount
    }

    private mutating func finish(_ rowCount: Int) -> RecordBatch {
        RecordBatch(schema: schema, columns: parsers.indices.map { parsers[$0].finish() }, rowCount: rowCount)
    }

    /// Scans and types up to `maxRows` rows.
    private mutating func parseBlock(maxRows: Int) throws(CSVError) -> Int {
        let file = self.file
        var faults: [(row: Int, field: Int, cell: CSVCell)] = []
        let (rows, layoutFault) = file.bytes.withBytes { raw in
            let bytes = raw.assumingMemoryBound(to: UInt8.self)
            let (rows, fault) = places.withUnsafeBufferPointer { places in
                cells.withUnsafeMutableBufferPointer { cells in
                    file.tokenizer.block(
                        bytes,
                        position: &position,
                        maxRows: maxRows,
                        slots: places,
                        cells: cells,
                        stride: blockRows
                    )
                }
            }
            cells.withUnsafeBufferPointer { cells in
                let block = CSVBlock(
                    bytes: bytes,
                    cells: cells,
                    rows: rows,
                    stride: blockRows,
                    nulls: nulls,
                    naiveTimestamps: naiveTimestamps
                )
                for (field, slot) in slots.enumerated() where slot >= 0 {
                    if let row = parsers[slot].parse(block, slot: slot) {
                        faults.append((row, field, cells[slot * blockRows + row]))
                    }
                }
            }
            return (rows, fault)
        }
        if !faults.isEmpty || layoutFault != nil {
            // A file is read whole or not at all: after an error there are no more rows.
            position = file.bytes.count
            parsers = Self.parsers(for: schema)
        }
        if let first = faults.min(by: { ($0.row, $0.field) < ($1.row, $1.field) }) {
            throw valueError(first.cell, field: first.field)
        }
        if let layoutFault {
            throw file.fault(layoutFault.problem, position: layoutFault.position, field: layoutFault.field)
        }
        return rows
    }

    private func valueError(_ cell: CSVCell, field: Int) -> CSVError {
        let type = schema[slots[field]].type
        let problem = file.bytes.withBytes { raw -> CSVError.Problem in
            let bytes = raw.assumingMemoryBound(to: UInt8.self)
            let text = cell.text(in: bytes)
            let found = shortened(cell.unescaped(in: bytes))
            switch type {
            case .string: return .invalidUTF8
            case .timestamp:
                do throws(TimestampFault) {
                    _ = try parseTimestamp(text, naive: .refuse)
                } catch {
                    if error == .naive { return .naiveTimestamp(found: found) }
                }
            case .vector(let dimension):
                if let count = CSVVectorParser.elements(text)?.count, count != dimension {
                    return .vectorLength(expected: dimension, found: count)
                }
            default: break
            }
            return .value(expected: type, found: found)
        }
        // A quoted cell's text begins after the quote, on the same line.
        return file.fault(problem, position: cell.start, field: field)
    }
}

/// At most 40 characters of a cell on one line, for a message.
private func shortened(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(200), as: UTF8.self)
    var result = ""
    for scalar in text.unicodeScalars.prefix(40) {
        result += scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : String(scalar)
    }
    return text.unicodeScalars.count > 40 || bytes.count > 200 ? result + "…" : result
}
