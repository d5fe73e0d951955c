import Columns

/// A fault in a CSV file, with its place.
public struct CSVError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Problem: Hashable, Sendable {
        /// A cell that is not of its column's type; `found` is shortened.
        case value(expected: DataType, found: String)
        case naiveTimestamp(found: String)
        case vectorLength(expected: Int, found: Int)
        case invalidUTF8
        case fieldCount(expected: Int, found: Int)
        case unterminatedQuote
        case textAfterQuote
        case quoteInUnquotedCell
        case carriageReturnWithoutLineFeed
        case cellTooLong
        case noHeader
        case missingColumn(String, present: [String])
        case duplicateColumn(String)
        case badDelimiter(UInt8)
    }

    /// The path or name of the file.
    public let file: String
    /// The line the faulty cell begins on, from one; `nil` where the fault is not in a line.
    public let line: Int?
    /// The position of the faulty cell in its row, from one.
    public let columnNumber: Int?
    /// The header's name of that position.
    public let columnName: String?
    public let problem: Problem

    public var description: String {
        var place = "'\(file)'"
        if let line { place += " line \(line)" }
        if let columnNumber { place += " column \(columnNumber)" }
        if let columnName { place += " '\(columnName)'" }
        return "\(place): \(problem)"
    }
}

extension CSVError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .value(let expected, let found):
            "expected \(expected) (\(expected.csvForm)), found '\(found)'; "
                + "correct the cell, or declare its spelling as null"
        case .naiveTimestamp(let found):
            "expected a timestamp with a time zone, found '\(found)'; append Z or an offset, or declare a time zone"
        case .vectorLength(let expected, let found):
            "expected a vector of \(expected) elements, found \(found)"
        case .invalidUTF8: "the text is not valid UTF-8; convert the file to UTF-8"
        case .fieldCount(let expected, let found):
            "expected \(expected) fields as in the header, found \(found); add or remove delimiters, or quote the cell"
        case .unterminatedQuote: "the quoted cell that begins here never ends; close the quote"
        case .textAfterQuote: "expected a delimiter or the end of the line after the closing quote; double inner quotes"
        case .quoteInUnquotedCell: "a quote inside an unquoted cell; quote the whole cell and double the inner quote"
        case .carriageReturnWithoutLineFeed:
            "a carriage return without a line feed; end lines with LF or CRLF, or quote the cell"
        case .cellTooLong: "the cell is longer than 4 GiB"
        case .noHeader: "the file is empty; expected a header row"
        case .missingColumn(let name, let present):
            "no column '\(name)'; the file has \(present.map { "'\($0)'" }.joined(separator: ", "))"
        case .duplicateColumn(let name): "the header names column '\(name)' twice; rename one of the two"
        case .badDelimiter(let byte): "byte \(byte) cannot be the delimiter; it is a quote or part of a line ending"
        }
    }
}

extension DataType {
    /// The form a cell of the type has, for messages.
    fileprivate var csvForm: String {
        switch self {
        case .bool: "true, false, t, f, 1 or 0"
        case .int64: "digits between -9223372036854775808 and 9223372036854775807"
        case .float32, .float64: "a decimal number in range, NaN or Infinity"
        case .string: "UTF-8 text"
        case .bytes: "hexadecimal digits after \\x"
        case .timestamp: "RFC 3339, for example 2013-01-01T10:00:00Z"
        case .vector: "a quoted list such as [0.5, 1]"
        }
    }
}
