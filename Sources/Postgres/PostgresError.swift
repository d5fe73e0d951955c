/// What went wrong between this process and PostgreSQL.
///
/// `description` never holds parameter values. `detail` may: the server quotes the failing row there, so show it only
/// to whoever may see the data.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for code that decides what to do next.
    public enum Code: String, Sendable {
        /// No connection could be made, or the connection was lost; what was in flight may or may not have happened.
        case connectionFailed
        /// The server refused a statement; see `sqlState`.
        case query
        /// The server answered with something this library did not ask for.
        case protocolViolation
        /// A result column is absent, null, or of another type than asked for.
        case decoding
        /// The call is not allowed in the connection's present state, or its arguments cannot be sent.
        case usage
        /// A migration failed, or the database's migrations differ from the program's.
        case migration
        /// A private cluster could not be created, started or stopped.
        case cluster
        /// The connection pool was shut down.
        case poolClosed
    }

    /// The kind of failure.
    public var code: Code
    /// The primary message, as the server or this library wrote it.
    public var message: String
    /// The five characters of the SQLSTATE, when the server sent one.
    public var sqlState: String?
    /// The server's detail, which may quote data.
    public var detail: String?
    /// The server's suggestion.
    public var hint: String?
    /// The table the error is about.
    public var table: String?
    /// The column the error is about.
    public var column: String?
    /// The constraint that was violated.
    public var constraint: String?
    /// The statement's text, without parameters.
    public var statement: String?
    /// Where in `statement` the server found the error: characters, counted from 1.
    public var position: Int?
    /// The server function that raised the error.
    var routine: String?

    /// Makes an error that did not come from the server.
    public init(_ code: Code, _ message: String, sqlState: String? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
    }

    /// Whether the same transaction may succeed when run again: serialization failure or deadlock.
    public var isTransactionConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// One line: what, which, and the server's hint.
    public var description: String {
        var text = sqlState?.hasPrefix("22") == true ? Self.withoutQuotedValues(message) : message
        var facts: [String] = []
        if let sqlState { facts.append("SQLSTATE \(sqlState)") }
        if let table { facts.append("table '\(table)'") }
        if let column { facts.append("column '\(column)'") }
        if let constraint { facts.append("constraint '\(constraint)'") }
        if let line = lineNumber { facts.append("line \(line)") }
        if !facts.isEmpty { text += " (" + facts.joined(separator: ", ") + ")" }
        if let statement { text += " in: " + Self.excerpt(statement) }
        if let hint { text += "; hint: " + hint }
        return text
    }

    /// The line of `statement` that `position` falls in, counted from 1.
    var lineNumber: Int? {
        guard let statement, let position, statement.unicodeScalars.contains("\n") else { return nil }
        return statement.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" } + 1
    }

    /// Data exceptions (class 22) quote the offending value in the primary message.
    static func withoutQuotedValues(_ message: String) -> String {
        guard let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\""), first < last else {
            return message
        }
        return message[...first] + "…" + message[last...]
    }

    static func excerpt(_ statement: String) -> String {
        let words = statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count > 160 ? words.prefix(160) + "…" : words
    }
}
