import Columns
import Formats
import Wire

/// What `inspect` prints of a table file: tables for people, one document for programs.
struct TableReport {
    let file: String
    let description: TableDescription

    // MARK: - For people

    func show() {
        let columnCount = count(description.columns.count, "column")
        print(
            "\(file): \(description.formatName), \(count(description.rowCount, "row")), \(columnCount), "
                + count(description.byteCount, "byte")
        )
        if let createdBy = description.createdBy { print("created by \(shown(createdBy))") }
        print()
        showColumns()
        showParts()
        let remarks = description.columns.filter { $0.remark != nil }
        if !remarks.isEmpty {
            print()
            for column in remarks { print("column '\(shown(column.name))': \(column.remark ?? "")") }
        }
        if !description.metadata.isEmpty {
            print()
            for (key, value) in description.metadata { print("\(shown(key)) = \(shown(value, limit: 80))") }
        }
        showRows()
    }

    private func showColumns() {
        let summaries = description.parts.contains { !$0.chunks.isEmpty } ? ColumnSummary.all(description) : nil
        var headings = ["COLUMN", "TYPE", "IN THE FILE"]
        if summaries != nil { headings += ["CODEC", "ENCODINGS", "BYTES", "NULLS", "MIN", "MAX"] }
        var rows: [[String]] = []
        for column in description.columns {
            var row = [shown(column.name), column.type.map { "\($0)" } ?? "not read", column.fileType]
            if let summary = summaries?[column.name] {
                row += [
                    summary.codecs.joined(separator: ", "), summary.encodings.joined(separator: ", "),
                    "\(summary.byteCount)", summary.nullCount.map { "\($0)" } ?? "",
                    summary.minimum.map { text($0) } ?? "", summary.maximum.map { text($0) } ?? "",
                ]
            }
            rows.append(row)
        }
        Terminal.table(headings, rows)
    }

    /// The row groups or batches; past the first of many, only their number.
    private func showParts() {
        guard !description.parts.isEmpty else { return }
        let isParquet = description.format == .parquet
        let limit = 20
        print()
        let rows = description.parts.prefix(limit).enumerated().map { number, part in
            [
                "\(number)", "\(part.rowCount)", "\(part.byteCount)",
                isParquet ? part.uncompressedByteCount.map { "\($0)" } ?? "" : part.codec ?? "",
                part.sortedBy.map { shown($0) }.joined(separator: ", "),
            ]
        }
        Terminal.table(
            [isParquet ? "ROW GROUP" : "BATCH", "ROWS", "BYTES", isParquet ? "UNCOMPRESSED" : "CODEC", "SORTED BY"],
            rows
        )
        if description.parts.count > limit { print("and \(description.parts.count - limit) more; --json has all") }
    }

    private func showRows() {
        let batch = description.firstRows
        guard batch.rowCount > 0, batch.schema.count > 0 else { return }
        print()
        Terminal.table(
            batch.schema.fields.map { shown($0.name) },
            (0..<batch.rowCount).map { row in batch.columns.map { text($0[row]) } }
        )
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private func text(_ value: Scalar) -> String {
        switch value {
        case .null: return "null"
        case .string(let text): return shown(text)
        case .bytes(let bytes):
            let digits = bytes.prefix(16).map { byte in
                let hexadecimal = String(byte, radix: 16)
                return byte < 16 ? "0" + hexadecimal : hexadecimal
            }
            return "\\x" + digits.joined() + (bytes.count > 16 ? "…" : "")
        case .vector(let elements) where elements.count > 4:
            return "[" + elements.prefix(4).map { "\($0)" }.joined(separator: ",") + ",…]"
        default:
            let json = ValueCoding.json(value)
            return json.string ?? json.text
        }
    }

    /// Text on one line, shortened; control characters are escaped, so that a file cannot steer the terminal.
    private func shown(_ text: String, limit: Int = 40) -> String {
        var result = ""
        for (number, scalar) in text.unicodeScalars.enumerated() {
            if number == limit { return result + "…" }
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            result += isControl ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return result
    }
}

// MARK: - For programs

extension TableReport {
    var json: JSON {
        let batch = description.firstRows
        return .object([
            "file": .string(file),
            "format": .string(description.format.rawValue),
            "form": .string(description.formatName),
            "bytes": .int(description.byteCount),
            "rows": .int(description.rowCount),
            "created_by": string(description.createdBy),
            "columns": .array(
                description.columns.map { column in
                    .object([
                        "name": .string(column.name), "type": string(column.type.map { "\($0)" }),
                        "file_type": .string(column.fileType), "remark": string(column.remark),
                    ])
                }
            ),
            description.format == .arrow ? "batches" : "row_groups": .array(description.parts.map(json)),
            "metadata": .array(
                description.metadata.map { .object(["key": .string($0.0), "value": .string($0.1)]) }
            ),
            "first_rows": .object([
                "columns": .array(batch.schema.fields.map { .string($0.name) }),
                "rows": .array(
                    (0..<batch.rowCount).map { row in .array(batch.columns.map { ValueCoding.json($0[row]) }) }
                ),
            ]),
        ])
    }

    private func json(_ part: TableDescription.Part) -> JSON {
        .object([
            "rows": .int(part.rowCount), "bytes": .int(part.byteCount),
            "uncompressed_bytes": int(part.uncompressedByteCount), "codec": string(part.codec),
            "sorted_by": .array(part.sortedBy.map(JSON.string)), "chunks": .array(part.chunks.map(json)),
        ])
    }

    private func json(_ chunk: ParquetLayout.Chunk) -> JSON {
        .object([
            "column": .string(chunk.path), "codec": .string(chunk.codec),
            "encodings": .array(chunk.encodings.map(JSON.string)), "values": .int(chunk.valueCount),
            "offset": .int(chunk.offset), "bytes": .int(chunk.compressedBytes),
            "uncompressed_bytes": .int(chunk.uncompressedBytes), "dictionary": .bool(chunk.hasDictionary),
            "nulls": int(chunk.nullCount), "min": chunk.minimum.map(ValueCoding.json) ?? .null,
            "max": chunk.maximum.map(ValueCoding.json) ?? .null,
        ])
    }

    private func string(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    private func int(_ number: Int?) -> JSON { number.map { .int($0) } ?? .null }
}

/// What the chunks of a column say together.
private struct ColumnSummary {
    var codecs: [String] = []
    var encodings: [String] = []
    var byteCount = 0
    /// `nil` where a chunk does not say; the same holds for the bounds.
    var nullCount: Int? = 0
    var minimum: Scalar?
    var maximum: Scalar?
    private var hasBounds = true

    static func all(_ description: TableDescription) -> [String: ColumnSummary] {
        var summaries: [String: ColumnSummary] = [:]
        for part in description.parts {
            for chunk in part.chunks { summaries[chunk.path, default: ColumnSummary()].add(chunk) }
        }
        return summaries
    }

    private mutating func add(_ chunk: ParquetLayout.Chunk) {
        if !codecs.contains(chunk.codec) { codecs.append(chunk.codec) }
        for encoding in chunk.encodings where !encodings.contains(encoding) { encodings.append(encoding) }
        byteCount &+= chunk.compressedBytes
        nullCount = nullCount.flatMap { sum in chunk.nullCount.map { sum &+ $0 } }
        // A chunk of nulls has no bounds and needs none.
        if chunk.valueCount == 0 || chunk.nullCount == chunk.valueCount { return }
        guard hasBounds, let low = chunk.minimum, let high = chunk.maximum else {
            (hasBounds, minimum, maximum) = (false, nil, nil)
            return
        }
        minimum = minimum.map { Self.isLess(low, $0) ? low : $0 } ?? low
        maximum = maximum.map { Self.isLess($0, high) ? high : $0 } ?? high
    }

    private static func isLess(_ left: Scalar, _ right: Scalar) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): !left && right
        case (.int64(let left), .int64(let right)), (.timestamp(let left), .timestamp(let right)): left < right
        case (.float32(let left), .float32(let right)): left < right
        case (.float64(let left), .float64(let right)): left < right
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        default: false
        }
    }
}
