import CPostgres

/// One connection to PostgreSQL.
///
/// Every call blocks its thread until the server has answered, so never make one on Swift's cooperative threads: use a
/// `ConnectionPool` from asynchronous code. A connection is used by one thread at a time.
public final class Connection {
    let pointer: OpaquePointer
    var statements = StatementCache()
    /// Set while a COPY runs, when the server takes nothing else.
    var isCopying = false
    /// Set when the protocol's state is unknown; nothing further can be sent.
    var isUnusable = false
    /// Whether this connection has subscribed to a channel.
    var isListening = false
    /// Called before and after every statement; for tests, which make one fail or lose its answer.
    package var probe: StatementProbe?

    /// Connects.
    ///
    /// `target` is a conninfo string (`host=… dbname=…`) or a URL (`postgresql://…`); what it leaves out comes from the
    /// `PG…` environment variables. The time zone is UTC and the connect timeout 10 s unless the target says otherwise;
    /// the client encoding is always UTF-8.
    public init(_ target: String) throws(PostgresError) {
        try Self.checkTarget(target)
        // Later keywords win, and the target is expanded where `dbname` stands.
        let keywords = ["connect_timeout", "options", "fallback_application_name", "dbname", "client_encoding"]
        let values = ["10", "-c TimeZone=UTC", "libpq", target, "UTF8"]
        let connected = Self.withCStrings(keywords) { keywords in
            Self.withCStrings(values) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let connected else {
            throw PostgresError(.connectionFailed, "no memory for a connection to PostgreSQL")
        }
        guard PQstatus(connected) == CONNECTION_OK else {
            let reason = Self.trimmed(PQerrorMessage(connected))
            PQfinish(connected)
            throw PostgresError(
                .connectionFailed,
                "cannot connect to PostgreSQL: \(reason); check that the server runs and that the connection target is right"
            )
        }
        pointer = connected
        // Notices ("relation exists, skipping") would otherwise go to standard error.
        PQsetNoticeReceiver(connected, { _, _ in }, nil)
    }

    deinit {
        PQfinish(pointer)
    }

    /// Runs one statement and returns its rows.
    ///
    /// The statement is prepared once per connection and set of parameter types.
    public func query(_ sql: String, _ parameters: [Parameter] = []) throws(PostgresError) -> Rows {
        Rows(try run(sql, parameters))
    }

    /// Runs one statement and returns the number of rows it changed.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [Parameter] = []) throws(PostgresError) -> Int {
        try run(sql, parameters).affectedRows
    }

    /// Runs any number of statements without parameters, as `psql` would.
    ///
    /// Unless the script holds transaction statements or a transaction is open, it takes effect whole or not at all.
    public func script(_ sql: String) throws(PostgresError) {
        _ = try simple(sql)
    }

    /// Whether the connection can still be used; false after the server went away.
    public var isUsable: Bool { !isUnusable && PQstatus(pointer) == CONNECTION_OK }

    /// The process id of the server's backend, as `pg_stat_activity` shows it.
    public var backendProcess: Int32 { PQbackendPID(pointer) }

    /// Whether a transaction is open, failed or not.
    public var isInTransaction: Bool {
        let status = PQtransactionStatus(pointer)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
    }

    /// Quotes a name for use in a statement.
    public static func quotedIdentifier(_ name: String) -> String {
        var quoted = "\""
        for character in name.unicodeScalars {
            if character == "\"" { quoted.unicodeScalars.append(character) }
            quoted.unicodeScalars.append(character)
        }
        return quoted + "\""
    }
}

extension Connection {
    func simple(_ sql: String) throws(PostgresError) -> QueryResult {
        try checkCanRun(sql)
        try probe?(sql, .before)
        let result = try checked(PQexec(pointer, sql), sql)
        try probe?(sql, .after)
        return result
    }

    private func run(_ sql: String, _ parameters: [Parameter]) throws(PostgresError) -> QueryResult {
        try checkCanRun(sql)
        try probe?(sql, .before)
        let buffer = try ParameterBuffer(parameters)
        let key = StatementCache.Key(sql: sql, types: buffer.types)
        var mayRetry = !isInTransaction
        while true {
            let name = try prepare(key)
            let result = buffer.withPointers { count, values, lengths, formats in
                PQexecPrepared(pointer, name, count, values, lengths, formats, 1)
            }
            do throws(PostgresError) {
                let result = try checked(result, sql)
                try probe?(sql, .after)
                return result
            } catch {
                guard error.saysStatementIsStale else { throw error }
                statements.forget(key)
                guard mayRetry else { throw error }
                mayRetry = false
            }
        }
    }

    private func prepare(_ key: StatementCache.Key) throws(PostgresError) -> String {
        if let name = statements.name(for: key) { return name }
        let name = statements.newName()
        _ = try checked(PQprepare(pointer, name, key.sql, Int32(key.types.count), key.types), key.sql)
        statements.insert(name, for: key)
        try evictStatements()
        return name
    }

    func evictStatements() throws(PostgresError) {
        // A failed transaction takes no statements; the next call evicts.
        guard PQtransactionStatus(pointer) != PQTRANS_INERROR else { return }
        while let name = statements.evict() {
            let sql = "deallocate \(name)"
            _ = try checked(PQexec(pointer, sql), sql)
        }
    }

    func checkCanRun(_ sql: String) throws(PostgresError) {
        if isCopying {
            throw PostgresError(
                .usage,
                "a COPY is in progress on this connection; run the statement after it, or on another"
            )
        }
        if sql.utf8.contains(0) {
            throw PostgresError(
                .usage,
                "the statement holds U+0000, which PostgreSQL cannot take; pass data as parameters"
            )
        }
        if isUnusable {
            throw PostgresError(.connectionFailed, "the connection was lost earlier; open a new one")
        }
    }

    /// Takes over libpq's result, or throws what it says.
    func checked(_ result: OpaquePointer?, _ sql: String) throws(PostgresError) -> QueryResult {
        guard let result else { throw localFailure(sql) }
        let status = PQresultStatus(result)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            return QueryResult(result)
        case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR:
            defer { PQclear(result) }
            throw serverError(result, sql)
        case PGRES_COPY_IN, PGRES_COPY_OUT:
            PQclear(result)
            leaveCopy(status)
            var error = PostgresError(.usage, "COPY cannot run as an ordinary statement; use copyIn")
            error.statement = sql
            throw error
        default:
            PQclear(result)
            isUnusable = true
            throw PostgresError(
                .protocolViolation,
                "the server answered with result status \(status.rawValue), which no statement here asks for"
            )
        }
    }

    /// Ends a COPY that nobody asked for.
    private func leaveCopy(_ status: ExecStatusType) {
        if status == PGRES_COPY_IN {
            PQputCopyEnd(pointer, "not started with copyIn")
        } else {
            var line: UnsafeMutablePointer<CChar>?
            while PQgetCopyData(pointer, &line, 0) > 0 { PQfreemem(line) }
        }
        drain()
    }

    /// Discards what is left of the current statement's results.
    func drain() {
        while let result = PQgetResult(pointer) {
            let status = PQresultStatus(result)
            PQclear(result)
            guard PQstatus(pointer) == CONNECTION_OK, status != PGRES_COPY_IN, status != PGRES_COPY_OUT else {
                isUnusable = true
                return
            }
        }
    }

    /// The error for a call that libpq itself refused.
    func localFailure(_ sql: String) -> PostgresError {
        let isLost = PQstatus(pointer) != CONNECTION_OK
        if isLost { isUnusable = true }
        var error = PostgresError(
            isLost ? .connectionFailed : .protocolViolation,
            Self.trimmed(PQerrorMessage(pointer))
        )
        error.statement = sql
        return error
    }

    func serverError(_ result: OpaquePointer, _ sql: String) -> PostgresError {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let isLost = PQstatus(pointer) != CONNECTION_OK
        if isLost { isUnusable = true }
        // The letters are the protocol's error fields.
        var error = PostgresError(
            isLost ? .connectionFailed : .query,
            field("M") ?? Self.trimmed(PQresultErrorMessage(result)),
            sqlState: field("C")
        )
        error.detail = field("D")
        error.hint = field("H")
        error.table = field("t")
        error.column = field("c")
        error.constraint = field("n")
        error.routine = field("R")
        error.position = field("P").flatMap { Int($0) }
        error.statement = sql
        return error
    }

    /// libpq's messages end in a newline.
    static func trimmed(_ message: UnsafePointer<CChar>?) -> String {
        guard let message else { return "no reason given" }
        return String(cString: message).split(separator: "\n").joined(separator: "; ")
    }

    /// Checks the target's syntax first: libpq's own message would quote parts of it, a password perhaps.
    private static func checkTarget(_ target: String) throws(PostgresError) {
        let isTarget = target.contains("=") || target.hasPrefix("postgresql://") || target.hasPrefix("postgres://")
        let options = isTarget && !target.utf8.contains(0) ? PQconninfoParse(target, nil) : nil
        guard let options else {
            throw PostgresError(
                .connectionFailed,
                "the connection target is neither a URL (postgresql://user@host/database) nor a conninfo string "
                    + "(host=… dbname=…) that libpq can parse; percent-encode special characters in a URL"
            )
        }
        PQconninfoFree(options)
    }

    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let joined = strings.map { Array($0.utf8CString) }
        let bytes = joined.flatMap(\.self)
        return bytes.withUnsafeBufferPointer { buffer in
            var pointers: [UnsafePointer<CChar>?] = []
            var offset = 0
            for string in joined {
                pointers.append(buffer.baseAddress.map { $0 + offset })
                offset += string.count
            }
            pointers.append(nil)
            return body(pointers)
        }
    }
}

extension PostgresError {
    /// Whether a prepared statement was made invalid by later DDL, or is gone.
    var saysStatementIsStale: Bool {
        sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
    }
}
