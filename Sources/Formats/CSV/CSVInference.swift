import Columns

/// Finds the types of a CSV file's columns from all of its cells.
///
/// A column has the first type that fits every cell that is not null: int64, float64, bool (`true`, `false`, `t`, `f`),
/// timestamp, else string. Text that a number would not keep stays a string: integers past int64, a leading zero or
/// plus sign (postal codes, telephone numbers). A quoted empty cell, and a column without values, make a string.
public enum CSVInference {
    /// The schema of a file, in header order.
    ///
    /// - Parameter known: types that are already known, by column; their cells are not looked at.
    /// - Throws: `FileError`; `CSVError` for a bad layout, or a header that names a column twice.
    public static func infer(
        path: String,
        options: CSVOptions = CSVOptions(),
        known: [String: DataType] = [:]
    ) throws -> Schema {
        try infer(FileBytes(path: path), options, known)
    }

    /// - Parameter name: what errors call the bytes.
    public static func infer(
        bytes: [UInt8],
        name: String,
        options: CSVOptions = CSVOptions(),
        known: [String: DataType] = [:]
    ) throws -> Schema {
        try infer(FileBytes(bytes, name: name), options, known)
    }

    static func infer(_ bytes: FileBytes, _ options: CSVOptions, _ known: [String: DataType]) throws -> Schema {
        let file = try CSVFile(bytes, options)
        let slots = try file.slots(for: file.header)
        let nulls = CSVNulls(options.nullSpellings)
        let width = slots.count
        let blockRows = CSVFile.blockRows(columns: width)
        let blank = CSVCell(start: 0, length: 0, form: .plain)
        var cells = [CSVCell](repeating: blank, count: width * blockRows)
        var candidates = [Candidates](repeating: .all, count: width)
        var hasValues = [Bool](repeating: false, count: width)
        var position = file.bodyStart
        let fault = bytes.withBytes { raw -> CSVLayoutFault? in
            let text = raw.assumingMemoryBound(to: UInt8.self)
            return cells.withUnsafeMutableBufferPointer { cells in
                while true {
                    let (rows, fault) = slots.withUnsafeBufferPointer { slots in
                        file.tokenizer.block(
                            text,
                            position: &position,
                            maxRows: blockRows,
                            slots: slots,
                            cells: cells,
                            stride: blockRows
                        )
                    }
                    for slot in 0..<width where known[file.header[slot]] == nil {
                        let naive = options.naiveTimestamps.rule(for: file.header[slot])
                        for row in 0..<rows {
                            let cell = cells[slot * blockRows + row]
                            let content = cell.text(in: text)
                            if cell.form == .plain, nulls.contains(content) { continue }
                            hasValues[slot] = true
                            candidates[slot].narrow(content, naive)
                            if candidates[slot].isEmpty { break }
                        }
                    }
                    if let fault { return fault }
                    if rows == 0 { return nil }
                }
            }
        }
        if let fault { throw file.fault(fault.problem, position: fault.position, field: fault.field) }
        return Schema(
            file.header.enumerated().map { slot, name in
                Field(name, known[name] ?? (hasValues[slot] ? candidates[slot].type : .string))
            }
        )
    }

    /// The types other than string that every cell so far would have.
    private struct Candidates: OptionSet {
        let rawValue: UInt8
        static let int64 = Candidates(rawValue: 1)
        static let float64 = Candidates(rawValue: 2)
        static let bool = Candidates(rawValue: 4)
        static let timestamp = Candidates(rawValue: 8)
        static let all: Candidates = [.int64, .float64, .bool, .timestamp]

        mutating func narrow(_ text: UnsafeBufferPointer<UInt8>, _ naive: NaiveTimestamps.Rule) {
            if !isDisjoint(with: [.int64, .float64]), !Self.isFaithfulNumber(text) { subtract([.int64, .float64]) }
            if contains(.int64), parseInt64(text) == nil {
                remove(.int64)
                // An integer that int64 cannot hold would lose digits as a float.
                if text.allSatisfy({ $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }) { remove(.float64) }
            }
            if contains(.float64), !contains(.int64), parseDouble(text) == nil { remove(.float64) }
            if contains(.bool), text.count == 1 && text[0] <= UInt8(ascii: "1") || parseBool(text) == nil {
                remove(.bool)
            }
            if contains(.timestamp), CSVTimestamp.value(text, in: text, naive: naive) == nil { remove(.timestamp) }
        }

        var type: DataType {
            if contains(.int64) { return .int64 }
            if contains(.float64) { return .float64 }
            if contains(.bool) { return .bool }
            return contains(.timestamp) ? .timestamp : .string
        }

        /// Whether a number would keep what the text says: no plus sign, no zero before another digit.
        private static func isFaithfulNumber(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            guard let first = text.first, first != UInt8(ascii: "+") else { return false }
            let digits = first == UInt8(ascii: "-") ? text[1...] : text[...]
            guard digits.first == UInt8(ascii: "0"), digits.count > 1 else { return true }
            return digits[digits.startIndex + 1] &- 48 >= 10
        }
    }
}
