import Columns

/// Writes record batches as CSV (RFC 4180, LF line ends) that `CSVReader` reads back bit for bit.
///
/// Null is an unquoted empty cell and the empty string a quoted one. Floats are the shortest text that reads back the
/// same; timestamps RFC 3339 in UTC with no, three or six fraction digits; bytes hexadecimal after `\x`; vectors a quoted
/// list. Every NaN is written `NaN`, so a NaN's payload is not kept.
public struct CSVWriter {
    public let schema: Schema
    private let delimiter: UInt8
    private var bytes: [UInt8] = []

    /// Begins with the header row.
    ///
    /// - Precondition: the delimiter is not a quote, a carriage return or a line feed.
    public init(schema: Schema, delimiter: UInt8 = UInt8(ascii: ",")) {
        let isFree = ![UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(delimiter)
        precondition(isFree, "byte \(delimiter) cannot be a delimiter")
        self.schema = schema
        self.delimiter = delimiter
        for (position, field) in schema.fields.enumerated() {
            if position > 0 { bytes.append(delimiter) }
            var name = field.name
            name.withUTF8 { appendText($0) }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends rows.
    ///
    /// - Throws: `UnwritableValue` for a timestamp outside the years 0000 to 9999; the batch is then not written.
    /// - Precondition: the batch has the writer's schema.
    public mutating func append(_ batch: RecordBatch) throws(UnwritableValue) {
        precondition(batch.schema == schema, "a batch of another schema is appended")
        let start = bytes.count
        for row in 0..<batch.rowCount {
            for (position, column) in batch.columns.enumerated() {
                if position > 0 { bytes.append(delimiter) }
                guard column.isValid(row) else { continue }
                do throws(UnwritableValue) {
                    try append(column, row, batch.schema[position].name)
                } catch {
                    bytes.removeSubrange(start...)
                    throw error
                }
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// The bytes written since the last call, for streaming: their concatenation is the file.
    public mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private mutating func append(_ column: Column, _ row: Int, _ name: String) throws(UnwritableValue) {
        switch column {
        case .bool(let column): bytes.append(contentsOf: (column.values[row] ? "true" : "false").utf8)
        case .int64(let column): Formats.appendText(of: column.values[row], to: &bytes)
        case .float32(let column): Formats.appendText(of: column.values[row], to: &bytes)
        case .float64(let column): Formats.appendText(of: column.values[row], to: &bytes)
        case .timestamp(let column):
            guard appendTimestampText(of: column.values[row], to: &bytes) else {
                throw UnwritableValue(
                    format: "CSV",
                    column: name,
                    detail: "\(column.values[row]) µs is outside the years 0000 to 9999 that RFC 3339 can write"
                )
            }
        case .string(let column):
            column.data.withUnsafeBufferPointer { appendText(UnsafeBufferPointer(rebasing: $0[column.range(row)])) }
        case .bytes(let column):
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "\\x".utf8)
            for byte in column.data[column.range(row)] {
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        case .vector(let column):
            bytes.append(contentsOf: "\"[".utf8)
            for element in 0..<column.dimension {
                if element > 0 { bytes.append(UInt8(ascii: ",")) }
                Formats.appendText(of: column.values[row * column.dimension + element], to: &bytes)
            }
            bytes.append(contentsOf: "]\"".utf8)
        }
    }

    /// Appends text, quoted where it is empty or holds a delimiter, a quote or part of a line end.
    private mutating func appendText(_ text: UnsafeBufferPointer<UInt8>) {
        var isPlain = !text.isEmpty
        for byte in text {
            if byte == delimiter || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
                || byte == UInt8(ascii: "\r")
            {
                isPlain = false
            }
        }
        // A byte order mark at the start of a plain cell would be taken for the file's.
        if isPlain, text[0] == 0xEF { isPlain = false }
        if isPlain { return bytes.append(contentsOf: text) }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
