import Columns

/// A table file whose extension names no format, or whose columns are not those asked for.
public struct TableError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let detail: String

    public var description: String { "'\(path)': \(detail)" }

    static func unknownFormat(_ path: String) -> TableError {
        let known = TableFormat.extensions.map { ".\($0.key)" }.joined(separator: ", ")
        return TableError(
            path: path,
            detail: "the extension names no table format; use one of \(known), or name a format"
        )
    }

    static func missingColumn(_ name: String, in path: String, present: [String]) -> TableError {
        let names = present.map { "'\($0)'" }.joined(separator: ", ")
        return TableError(
            path: path,
            detail: "no column '\(name)'; " + (present.isEmpty ? "the file has no columns" : "the file has \(names)")
        )
    }

    static func repeatedColumn(_ name: String, in path: String) -> TableError {
        TableError(path: path, detail: "column '\(name)' is asked for twice; name each column once")
    }

    static func refused(_ columns: [(name: String, reason: String)], in path: String) -> TableError {
        let reasons = columns.map { "column '\($0.name)': \($0.reason)" }.joined(separator: "; ")
        return TableError(path: path, detail: "\(reasons); name the columns to read without them")
    }
}
