/// The names an expression mentions, read before there is a schema to bind them to.
///
/// For callers that have to know what an expression depends on: features that use each other, bins that must be loaded.
public struct ExpressionNames: Hashable, Sendable {
    /// A call of a function that the caller brings.
    public struct External: Hashable, Sendable {
        public let function: String
        public let argument: String

        public init(function: String, argument: String) {
            self.function = function
            self.argument = argument
        }
    }

    /// Columns, each once, in the order they are met; names without quotes in lower case.
    public private(set) var columns: [String] = []
    /// Calls such as `bin(x, wind_bins)`, each once.
    public private(set) var externals: [External] = []

    /// - Parameter functions: The names of the functions that the caller brings.
    /// - Throws: `ExpressionError` where the text is not an expression.
    public init(in text: String, functions: Set<String> = ["bin"]) throws(ExpressionError) {
        do {
            collect(try Parser.parse(text), functions)
        } catch {
            throw ExpressionError(message: error.message, position: error.position, text: text)
        }
    }

    private mutating func collect(_ syntax: Syntax, _ functions: Set<String>) {
        switch syntax.form {
        case .column(let name, _): if !columns.contains(name) { columns.append(name) }
        case .call(let name, let arguments) where functions.contains(name) && arguments.count == 2:
            collect(arguments[0], functions)
            switch arguments[1].form {
            case .column(let argument, _), .string(let argument):
                let external = External(function: name, argument: argument)
                if !externals.contains(external) { externals.append(external) }
            default: collect(arguments[1], functions)
            }
        default: for part in syntax.parts { collect(part, functions) }
        }
    }
}

extension Syntax {
    /// The nodes directly below, as written.
    fileprivate var parts: [Syntax] {
        switch form {
        case .column, .integer, .decimal, .string, .boolean, .null, .typed: []
        case .negate(let part), .not(let part), .isNull(let part, _), .isBoolean(let part, _, _),
            .isUnknown(let part, _),
            .cast(let part, _), .extract(_, let part):
            [part]
        case .binary(_, let left, let right), .distinct(let left, let right, _), .atTimeZone(let left, let right):
            [left, right]
        case .all(let parts), .any(let parts), .call(_, let parts): parts
        case .membership(let part, let items, _): [part] + items
        case .window(let window): window.arguments + (window.filter.map { [$0] } ?? [])
        case .between(let part, let low, let high, _, _): [part, low, high]
        case .like(let text, let pattern, let escape, _, _): [text, pattern] + (escape.map { [$0] } ?? [])
        case .choice(let operand, let branches, let otherwise):
            (operand.map { [$0] } ?? []) + branches.flatMap { [$0.condition, $0.result] }
                + (otherwise.map { [$0] } ?? [])
        }
    }
}
