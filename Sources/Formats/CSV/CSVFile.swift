import Columns

/// The bytes of a CSV file with its header read: what the reader and the inference share.
struct CSVFile {
    let bytes: FileBytes
    let options: CSVOptions
    let tokenizer: CSVTokenizer
    /// The names of the header row, in file order.
    let header: [String]
    /// The byte after the header row.
    let bodyStart: Int

    init(_ bytes: FileBytes, _ options: CSVOptions) throws {
        self.bytes = bytes
        self.options = options
        tokenizer = CSVTokenizer(delimiter: options.delimiter)
        func error(_ problem: CSVError.Problem, line: Int? = nil, column: Int? = nil) -> CSVError {
            CSVError(file: bytes.name, line: line, columnNumber: column, columnName: nil, problem: problem)
        }
        guard ![UInt8(ascii: "\""), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(options.delimiter) else {
            throw error(.badDelimiter(options.delimiter))
        }
        let tokenizer = self.tokenizer
        (header, bodyStart) = try bytes.withBytes { raw in
            let text = raw.assumingMemoryBound(to: UInt8.self)
            // A byte order mark may precede the header.
            var position = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            guard position < text.count else { throw error(.noHeader) }
            let cells: [CSVCell]
            do throws(CSVLayoutFault) {
                cells = try tokenizer.row(text, position: &position)
            } catch {
                throw CSVError(
                    file: bytes.name,
                    line: 1,
                    columnNumber: error.field.map { $0 + 1 },
                    columnName: nil,
                    problem: error.problem
                )
            }
            var names: [String] = []
            for (number, cell) in cells.enumerated() {
                guard isUTF8(cell.text(in: text)) else { throw error(.invalidUTF8, line: 1, column: number + 1) }
                names.append(String(decoding: cell.unescaped(in: text), as: UTF8.self))
            }
            return (names, position)
        }
    }

    /// For each field of the file its place in `names`, or -1.
    func slots(for names: [String]) throws(CSVError) -> [Int] {
        var slots = [Int](repeating: -1, count: header.count)
        var fields: [String: Int] = [:]
        var repeated: Set<String> = []
        for (field, name) in header.enumerated() where fields.updateValue(field, forKey: name) != nil {
            repeated.insert(name)
        }
        for (slot, name) in names.enumerated() {
            guard let field = fields[name] else { throw fault(.missingColumn(name, present: header)) }
            guard !repeated.contains(name) else { throw fault(.duplicateColumn(name)) }
            slots[field] = slot
        }
        return slots
    }

    /// The rows scanned before they are given types: few enough for their cells to stay in a processor's cache.
    static func blockRows(columns: Int) -> Int { max(8, min(1_024, 8_192 / (columns + 1))) }

    func fault(_ problem: CSVError.Problem) -> CSVError {
        CSVError(file: bytes.name, line: nil, columnNumber: nil, columnName: nil, problem: problem)
    }

    /// The error for a fault at a byte of the file.
    func fault(_ problem: CSVError.Problem, position: Int, field: Int?) -> CSVError {
        let line = bytes.withBytes { 1 + $0[..<min(position, $0.count)].count { $0 == UInt8(ascii: "\n") } }
        return CSVError(
            file: bytes.name,
            line: line,
            columnNumber: field.map { $0 + 1 },
            columnName: field.flatMap { $0 < header.count ? header[$0] : nil },
            problem: problem
        )
    }
}

/// The column names of a CSV file, in file order.
///
/// Throws `FileError` where the file cannot be read and `CSVError` where it has no valid header row.
public func csvHeader(path: String, options: CSVOptions = CSVOptions()) throws -> [String] {
    try CSVFile(FileBytes(path: path), options).header
}
