import Columns
import TimeZones

/// Writes typed trees as SQL.
///
/// Every operation stands in parentheses and every literal has its type, so that neither
/// precedence nor the database's own typing has a say.
struct SQLRenderer {
    struct Unsupported: Error {
        let construct: String

        init(_ construct: String) { self.construct = construct }
    }

    let dialect: SQLDialect
    let isExact: Bool
    var history: SQLHistory?

    func text(of node: TypedNode) throws(Unsupported) -> String {
        switch node.operation {
        case .column(let name): return quoted(name)
        case .constant(let constant): return try literal(constant, node.type)
        case .window(let window): return try text(of: window, type: node.type)
        default: break
        }
        var operands: [String] = []
        for operand in node.operands { operands.append(try text(of: operand)) }
        switch node.operation {
        case .column, .constant, .window: return ""
        case .extract(let field): return try extract(field, operands[0], from: node.operands[0].type)
        case .part(let field):
            guard dialect == .postgres else { throw Unsupported("date_part of \(field.rawValue)") }
            return "date_part('\(field.rawValue)', \(operands[0]))"
        case .truncate(let unit): return try truncate(unit, operands[0], node.type)
        case .truncateInZone(let unit, let zone):
            guard dialect == .postgres else { throw Unsupported("date_trunc in a time zone") }
            return "date_trunc('\(unit.rawValue)', \(operands[0]), \(string(zone.name)))"
        case .atTimeZone(let zone):
            guard dialect == .postgres else { throw Unsupported("at time zone") }
            return "(\(operands[0]) at time zone \(string(zone.name)))"
        case .external(let function): throw Unsupported("\(function.name)(…, \(function.argument))")
        case .apply(let function): return try apply(function, node, operands)
        }
    }

    // MARK: Names and literals

    func quoted(_ name: String) -> String {
        let quote: Character = dialect == .spark ? "`" : "\""
        return "\(quote)\(String(name.flatMap { $0 == quote ? [quote, quote] : [$0] }))\(quote)"
    }

    func string(_ text: String) -> String {
        let escaped = text.flatMap { character -> [Character] in
            switch character {
            case "'": dialect == .spark ? ["\\", "'"] : ["'", "'"]
            case "\\" where dialect == .spark: ["\\", "\\"]
            default: [character]
            }
        }
        return "'\(String(escaped))'"
    }

    private func literal(_ constant: Constant, _ type: ValueType) throws(Unsupported) -> String {
        switch (constant, type) {
        case (.null, _): return "cast(null as \(try name(of: type)))"
        case (.bool(let value), _): return value ? "true" : "false"
        case (.int64(let value), .timestamp): return moment(value)
        case (.int64(let value), .interval) where dialect == .postgres: return "interval '\(value) microseconds'"
        case (.int64(let value), _): return "cast('\(value)' as bigint)"
        case (.float64(let value), _):
            var digits = TextWriter(rows: 1)
            NumberText.append(value, to: &digits)
            return "cast('\(String(decoding: digits.text.data, as: UTF8.self))' as \(try name(of: type)))"
        case (.string(let bytes), _):
            let text = string(String(decoding: bytes, as: UTF8.self))
            return dialect == .postgres ? "\(text)::text" : text
        }
    }

    private func moment(_ microseconds: Int64) -> String {
        if dialect != .postgres { return timestamp("cast('\(microseconds)' as bigint)") }
        var output = TextWriter(rows: 1)
        TimestampText.append(microseconds, isWall: false, to: &output)
        return "timestamptz '\(String(decoding: output.text.data, as: UTF8.self))'"
    }

    func name(of type: ValueType) throws(Unsupported) -> String {
        switch type {
        case .bool: "boolean"
        case .int64: "bigint"
        case .float32: dialect == .spark ? "float" : "real"
        case .float64: dialect == .spark ? "double" : "double precision"
        case .string: dialect == .spark ? "string" : "text"
        case .bytes: dialect == .postgres ? "bytea" : (dialect == .duckDB ? "blob" : "binary")
        case .timestamp: dialect == .spark ? "timestamp" : "timestamptz"
        case .interval: dialect == .postgres ? "interval" : "bigint"
        case .wallTime: "timestamp"
        default: throw Unsupported("\(type)")
        }
    }

    // MARK: Time

    /// Elsewhere than in PostgreSQL an interval is its microseconds, as a bigint.
    func microseconds(_ timestamp: String) -> String {
        dialect == .duckDB ? "epoch_us(\(timestamp))" : "unix_micros(\(timestamp))"
    }

    func timestamp(_ microseconds: String) -> String {
        dialect == .duckDB ? "make_timestamptz(\(microseconds))" : "timestamp_micros(\(microseconds))"
    }

    private func extract(_ field: TimeField, _ operand: String, from type: ValueType) throws(Unsupported) -> String {
        let double = try name(of: .float64)
        if dialect == .postgres { return "cast(extract(\(field.rawValue) from \(operand)) as \(double))" }
        let count = type == .interval ? operand : microseconds(operand)
        func share(_ unit: String) -> String {
            "(cast(((\(count) % 60000000) + 60000000) % 60000000 as \(double)) / cast('\(unit)' as \(double)))"
        }
        switch field {
        case .epoch: return "(cast(\(count) as \(double)) / cast('1000000' as \(double)))"
        case .second: return share("1000000")
        case .milliseconds: return share("1000")
        case .microseconds: return share("1")
        case .year, .month, .day, .hour, .minute, .quarter, .week, .doy:
            return "cast(extract(\(field.rawValue) from \(utc(operand))) as \(double))"
        case .dow:
            let day = dialect == .duckDB ? "extract(dow from \(utc(operand)))" : "(dayofweek(\(operand)) - 1)"
            return "cast(\(day) as \(double))"
        case .isodow:
            let day = dialect == .duckDB ? "extract(isodow from \(utc(operand)))" : "(weekday(\(operand)) + 1)"
            return "cast(\(day) as \(double))"
        default: throw Unsupported("extract of \(field.rawValue)")
        }
    }

    /// What UTC's clocks show, where the session's time zone would have a say.
    private func utc(_ timestamp: String) -> String {
        dialect == .duckDB ? "(\(timestamp) at time zone 'UTC')" : timestamp
    }

    private func truncate(_ unit: TimeUnit, _ operand: String, _ type: ValueType) throws(Unsupported) -> String {
        let text = "date_trunc('\(unit.rawValue)', \(dialect == .postgres ? operand : utc(operand)))"
        if dialect == .postgres {
            // Of timestamps with a time zone only this form does not ask the session.
            return type == .timestamp ? "date_trunc('\(unit.rawValue)', \(operand), 'UTC')" : text
        }
        switch unit {
        case .decade, .century, .millennium: throw Unsupported("date_trunc to the \(unit.rawValue)")
        case .microseconds: return operand
        case .milliseconds where dialect == .spark: return "date_trunc('millisecond', \(operand))"
        default: return dialect == .duckDB ? "(\(text) at time zone 'UTC')" : text
        }
    }
}
