import Columns
import Kernels

/// Whether an expression may hold aggregates over windows.
public enum WindowRule: Sendable {
    case allowed
    /// Where there is no history to aggregate: a source's filter, values sent with a request.
    case refused
}

/// An aggregate over the rows of a window, as it stands in an expression: `sum(amount) over 7d`.
///
/// For keys k at time t it is over the history rows of k with `t - width < event_time <= t` and `known_at <= t` for which
/// the filter is true; the old end is open. See `docs/semantics.md`.
public struct WindowTerm: Sendable {
    public let function: WindowFunction
    /// What is aggregated, over columns of history; `nil` for `count(*)`.
    public let argument: Expression?
    /// Which rows count; null counts as false.
    public let filter: Expression?
    /// Microseconds, positive.
    public let width: Int64
    public let type: DataType
    /// The name of the column that holds its values where the whole expression is evaluated.
    ///
    /// It says what is computed: equal terms, and only they, have equal names.
    public let column: String
}

extension WindowTerm: Hashable {
    public static func == (left: WindowTerm, right: WindowTerm) -> Bool { left.column == right.column }

    public func hash(into hasher: inout Hasher) { hasher.combine(column) }
}

extension WindowTerm: CustomStringConvertible {
    /// The function and the width, for messages.
    public var description: String { "\(function) over \(TimeSpan(microseconds: width))" }
}

/// A window's aggregate in a checked tree.
struct WindowNode: Hashable, Sendable {
    let function: WindowFunction
    let width: Int64
    let argument: TypedNode?
    let filter: TypedNode?

    /// Aggregates by the names they are called by.
    static let functions: [String: WindowFunction] = [
        "count": .count, "sum": .sum, "avg": .average, "min": .minimum, "max": .maximum,
        "stddev": .standardDeviation, "stddev_samp": .standardDeviation, "first": .first, "last": .last,
        "count_distinct": .countDistinct,
    ]
    static let quantile = "approx_quantile"
    static let rowCount = "count(*)"
    static let names = functions.keys.sorted() + [quantile]

    /// See `WindowTerm.column`.
    var column: String {
        let hexadecimal = CanonicalWriter.bytes(of: TypedNode(.window(self), .bool)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }
        return "__window:" + hexadecimal.joined()
    }
}

extension TypedNode {
    func collectWindows(text: String, into terms: inout [WindowTerm]) {
        if case .window(let window) = operation, case .data(let type) = type {
            let term = WindowTerm(
                function: window.function,
                argument: window.argument.map { Expression($0, text: text) },
                filter: window.filter.map { Expression($0, text: text) },
                width: window.width,
                type: type,
                column: window.column
            )
            if !terms.contains(term) { terms.append(term) }
        }
        for operand in operands { operand.collectWindows(text: text, into: &terms) }
    }
}

extension Parser {
    /// Whether a call that was just read is an aggregate.
    var isBeforeWindow: Bool {
        token.kind == .word("over") || (token.kind == .word("filter") && following.kind == .symbol(.open))
    }

    /// `count(*)` and `count(distinct x)`, from behind the parenthesis on.
    mutating func count(at position: Int) throws(Problem) -> Syntax {
        if take(Keyword.distinct) {
            let argument = try expression()
            try expect(.close, "after the argument of count")
            return try window("count_distinct", [argument], at: position)
        }
        advance()
        try expect(.close, "after count(*")
        return try window(WindowNode.rowCount, [], at: position)
    }

    /// What follows an aggregate's arguments: `[filter (where condition)] over span`.
    mutating func window(_ name: String, _ arguments: [Syntax], at position: Int) throws(Problem) -> Syntax {
        var filter: Syntax?
        if take("filter") {
            try expect(.open, "after 'filter'")
            if !take("where") { throw unexpected("'where' and a condition in 'filter'") }
            filter = try expression()
            try expect(.close, "to close 'filter'")
        }
        guard take("over") else {
            let call = arguments.isEmpty ? name : "\(name)(x)"
            throw unexpected("'over' and a length of time, as in \(call) over 7d")
        }
        let window = Syntax.Window(name: name, arguments: arguments, filter: filter, width: try width())
        return try node(.window(window), at: position, over: arguments + (filter.map { [$0] } ?? []))
    }

    /// `7d`, `'7d'` or `interval '7 days'`.
    private mutating func width() throws(Problem) -> Int64 {
        let start = token
        if start.kind == .symbol(.open) {
            throw Problem(
                "a window is a length of time, as in over 7d; its rows are those of the view's join keys",
                at: start.position
            )
        }
        var width: Int64?
        switch start.kind {
        case .span(let text), .string(let text): width = TimeSpan(text)?.microseconds
        case .word("interval"):
            guard case .string(let text) = following.kind else { throw unexpected("a length of time such as 7d") }
            advance()
            let span: IntervalText.Span
            do {
                span = try IntervalText.span(text)
            } catch {
                throw Problem(error.message, at: start.position)
            }
            guard span.months == 0 else {
                throw Problem("a month has no fixed length; give a window in days, as in over 30d", at: start.position)
            }
            width = span.microseconds
        default: throw unexpected("a length of time such as 7d, 12h or 1h30m")
        }
        guard let width else {
            throw Problem("a window needs a length of time such as 7d, 12h or 1h30m", at: start.position)
        }
        guard width > 0 else { throw Problem("a window is longer than zero", at: start.position) }
        advance()
        return width
    }
}

extension TypeChecker {
    func aggregate(_ window: Syntax.Window, at position: Int) throws(Problem) -> TypedNode {
        let name = window.name
        var (function, arity) = (WindowNode.functions[name], 1)
        if name == WindowNode.quantile { arity = 2 }
        if name == WindowNode.rowCount { (function, arity) = (.countRows, 0) }
        if function == nil && arity == 1 {
            let near = Suggestion.nearest(to: name, among: WindowNode.names)
            throw Problem(
                "'\(name)' is not an aggregate"
                    + (near.map { "; did you mean '\($0)'?" }
                        ?? "; these are: \(WindowNode.names.joined(separator: ", "))"),
                at: position
            )
        }
        guard case .allowed = windows else {
            throw Problem(
                "there is no history to aggregate here; a window stands in a feature of a view with a source, and not"
                    + " within another window",
                at: position
            )
        }
        guard window.arguments.count == arity else {
            throw Problem("\(name) takes \(Self.wanted(arity...arity)), found \(window.arguments.count)", at: position)
        }
        if arity == 2 { function = .quantile(try fraction(window.arguments[1])) }
        guard let function else { preconditionFailure("'\(name)' was looked up above") }
        let inner = TypeChecker(schema: schema, functions: functions, windows: .refused)
        var argument: TypedNode?
        if let syntax = window.arguments.first {
            let node = try inner.check(syntax)
            guard case .data(let type) = node.type, function.resultType(of: type) != nil else {
                let hint = node.type == .bool ? "; cast it to int64 to count where it is true" : ""
                throw Problem("'\(name)' is not defined on \(node.type)\(hint)", at: syntax.position)
            }
            argument = node
        }
        let type: DataType? = if case .data(let type)? = argument?.type { type } else { nil }
        guard let result = function.resultType(of: type) else { preconditionFailure("the type was checked above") }
        let filter = try window.filter.map { syntax throws(Problem) in try inner.condition(syntax, of: "filter") }
        let node = WindowNode(function: function, width: window.width, argument: argument, filter: filter)
        return TypedNode(.window(node), .data(result))
    }

    private func fraction(_ syntax: Syntax) throws(Problem) -> Double {
        var value: Double?
        switch syntax.form {
        case .decimal(let digits), .integer(let digits): value = Double(digits)
        default: break
        }
        guard let value, (0...1).contains(value) else {
            throw Problem("the second argument of \(WindowNode.quantile) is a number from 0 to 1", at: syntax.position)
        }
        return value
    }
}
