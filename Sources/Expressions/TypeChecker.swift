import Columns

/// Binds names, resolves operators and functions, and makes every conversion explicit.
struct TypeChecker {
    let schema: Schema
    let functions: [ExternalFunction]
    let windows: WindowRule

    /// The typed tree, its root converted to `expecting` where that is given.
    static func check(
        _ syntax: Syntax,
        schema: Schema,
        functions: [ExternalFunction],
        windows: WindowRule,
        expecting: DataType?
    ) throws(Problem) -> TypedNode {
        let checker = TypeChecker(schema: schema, functions: functions, windows: windows)
        var root = try checker.check(syntax)
        if let expecting {
            root = try checker.assigned(root, to: .data(expecting), at: syntax.position)
        } else if root.type == .null {
            root = .null(.string)
        }
        if root.type.isInterval {
            throw Problem(
                "the expression is an interval, which no column holds; use extract(epoch from …) for seconds",
                at: syntax.position
            )
        }
        if root.type == .wallTime {
            throw Problem(
                "the expression is \(root.type), which no column holds; end it with at time zone '…' for a timestamp",
                at: syntax.position
            )
        }
        return root
    }

    /// Lossless by type, as an assignment allows.
    private func assigned(_ node: TypedNode, to type: ValueType, at position: Int) throws(Problem) -> TypedNode {
        switch (node.type, type) {
        case (type, _), (.null, _), (.int64, .float64), (.float32, .float64): return node.converted(to: type)
        default:
            let hint = Self.canCast(node.type, to: type) ? "; write cast(… as \(type)), or declare it \(node.type)" : ""
            throw Problem("the expression is \(node.type), declared \(type)\(hint)", at: position)
        }
    }

    func check(_ syntax: Syntax) throws(Problem) -> TypedNode {
        let position = syntax.position
        switch syntax.form {
        case .column(let name, let isQuoted): return try column(name, isQuoted: isQuoted, at: position)
        case .integer, .decimal, .string, .boolean, .null, .typed: return try literal(syntax)
        case .negate(let operand): return try negation(operand, at: position)
        case .not(let operand): return TypedNode(.not, .bool, [try condition(operand, of: "not")])
        case .binary(let operation, let left, let right):
            return try binary(operation, try check(left), try check(right), at: position)
        case .all(let operands): return TypedNode(.and, .bool, try conditions(operands, of: "and"))
        case .any(let operands): return TypedNode(.or, .bool, try conditions(operands, of: "or"))
        case .isNull(let operand, let negated):
            let node = try check(operand)
            return TypedNode(
                negated ? .isNotNull : .isNull,
                .bool,
                [node.type == .null ? .null(.string) : node.spanned()]
            )
        case .isBoolean(let operand, let value, let negated):
            let function: Function = value ? (negated ? .isNotTrue : .isTrue) : (negated ? .isNotFalse : .isFalse)
            return TypedNode(function, .bool, [try condition(operand, of: "is \(value)")])
        case .isUnknown(let operand, let negated):
            return TypedNode(negated ? .isNotNull : .isNull, .bool, [try condition(operand, of: "is unknown")])
        case .distinct(let left, let right, let negated):
            let function: Function = negated ? .notDistinct : .distinct
            return try comparison(function, try check(left), try check(right), "is distinct from", at: position)
        case .membership(let operand, let items, let negated):
            let value = try check(operand)
            var equalities: [TypedNode] = []
            equalities.reserveCapacity(items.count)
            for item in items {
                equalities.append(try comparison(.equal, value, try check(item), "in", at: item.position))
            }
            let result = equalities.count == 1 ? equalities[0] : TypedNode(.or, .bool, equalities)
            return negated ? TypedNode(.not, .bool, [result]) : result
        case .between(let operand, let low, let high, let isSymmetric, let negated):
            let value = try check(operand)
            let (lower, upper) = (try check(low), try check(high))
            var result = TypedNode(
                .and,
                .bool,
                [
                    try comparison(.greaterOrEqual, value, lower, "between", at: low.position),
                    try comparison(.lessOrEqual, value, upper, "between", at: high.position),
                ]
            )
            if isSymmetric {
                let turned = [
                    try comparison(.greaterOrEqual, value, upper, "between", at: high.position),
                    try comparison(.lessOrEqual, value, lower, "between", at: low.position),
                ]
                result = TypedNode(.or, .bool, [result, TypedNode(.and, .bool, turned)])
            }
            return negated ? TypedNode(.not, .bool, [result]) : result
        case .like(let text, let pattern, let escape, let ignoresCase, let negated):
            let name = ignoresCase ? "ilike" : "like"
            var operands = [try string(text, of: name), try string(pattern, of: name)]
            if let escape {
                operands[1] = TypedNode(.likeEscape, .string, [operands[1], try string(escape, of: "escape")])
            }
            if ignoresCase { operands = operands.map { TypedNode(.lower, .string, [$0]) } }
            let result = TypedNode(.like, .bool, operands)
            return negated ? TypedNode(.not, .bool, [result]) : result
        case .choice(let operand, let branches, let otherwise):
            return try choice(operand, branches, otherwise, at: position)
        case .cast(let operand, let type): return try cast(operand, to: type, at: position)
        case .call(let name, let arguments): return try call(name, arguments, at: position)
        case .extract(let field, let operand): return try extract(field, operand, "extract") { .extract($0) }
        case .atTimeZone(let operand, let zone): return try atTimeZone(operand, zone, at: position)
        case .window(let window): return try aggregate(window, at: position)
        }
    }

    // MARK: Names and literals

    private func column(_ name: String, isQuoted: Bool, at position: Int) throws(Problem) -> TypedNode {
        if let type = schema.type(of: name) { return TypedNode(.column(name), .data(type)) }
        var hint = ""
        if let near = Suggestion.nearest(to: name, among: schema.fields.map(\.name)) {
            hint = "; did you mean \(Self.spelled(near))?"
            if !isQuoted, near != name, near.lowercased() == name.lowercased() {
                hint += " (without quotes a name is read in lower case)"
            }
        } else if Function.named[name] != nil {
            hint = "; a function needs its arguments in parentheses"
        } else if schema.count <= 12 {
            hint = "; there are \(schema.fields.map { Self.spelled($0.name) }.joined(separator: ", "))"
        }
        throw Problem(
            "unknown column \(Self.spelled(name))\(schema.count == 0 ? "; there are no columns" : hint)",
            at: position
        )
    }

    /// The name as an expression must write it, in double quotes where they are needed, else in single ones.
    private static func spelled(_ name: String) -> String {
        let isPlain = name.utf8.enumerated().allSatisfy { offset, byte in
            (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
                || (offset > 0 && Lexer.isDigit(byte))
        }
        return isPlain && Keyword(rawValue: name) == nil
            ? "'\(name)'"
            : "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    private func literal(_ syntax: Syntax) throws(Problem) -> TypedNode {
        switch syntax.form {
        case .integer(let digits):
            guard let value = Int64(digits) else {
                throw Problem(
                    "\(digits) is out of range for int64; write \(digits).0 for a float64",
                    at: syntax.position
                )
            }
            return TypedNode(.constant(.int64(value)), .int64)
        case .decimal(let digits):
            let isZero = digits.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }.allSatisfy {
                !(0x31...0x39).contains($0)
            }
            guard let value = Double(digits), value.isFinite, value != 0 || isZero else {
                throw Problem("\(digits) is out of range for float64", at: syntax.position)
            }
            return TypedNode(.constant(.float64(value)), .float64)
        case .string(let content): return TypedNode(.constant(.string(Array(content.utf8))), .string)
        case .boolean(let value): return TypedNode(.constant(.bool(value)), .bool)
        case .typed(.interval, let content):
            return try interval(content, at: syntax.position)
        case .typed(_, let content):
            guard let value = TimestampText.microseconds(Array(content.utf8)[...]) else {
                throw Problem(
                    "'\(content)' is not a timestamp; write it as 2013-01-01T00:00:00Z",
                    at: syntax.position
                )
            }
            return TypedNode(.constant(.int64(value)), .timestamp)
        default: return .null(.null)
        }
    }

    private func interval(_ text: String, at position: Int) throws(Problem) -> TypedNode {
        do {
            let span = try IntervalText.span(text)
            let node = TypedNode.interval(span.microseconds)
            return span.months == 0 ? node : .calendar(.int64(span.months), node)
        } catch {
            throw Problem(error.message, at: position)
        }
    }

    // MARK: Logic

    /// A boolean operand; `null` counts as one.
    func condition(_ syntax: Syntax, of context: String) throws(Problem) -> TypedNode {
        try argument(syntax, .bool, of: context)
    }

    private func conditions(_ list: [Syntax], of context: String) throws(Problem) -> [TypedNode] {
        var nodes: [TypedNode] = []
        for syntax in list { nodes.append(try condition(syntax, of: context)) }
        return nodes
    }

    func string(_ syntax: Syntax, of context: String) throws(Problem) -> TypedNode {
        try argument(syntax, .string, of: context)
    }

    func argument(_ syntax: Syntax, _ type: ValueType, of context: String) throws(Problem) -> TypedNode {
        let node = try check(syntax)
        if node.type == type || node.type == .null { return node.converted(to: type) }
        if type == .float64, node.type.isNumeric { return node.converted(to: type) }
        var hint = ""
        if type == .bool, node.type.isNumeric { hint = "; compare it, as in … <> 0" }
        if type == .string, Self.canCast(node.type, to: type) { hint = "; write cast(… as string)" }
        throw Problem("'\(context)' needs \(type), found \(node.type)\(hint)", at: syntax.position)
    }

    // MARK: Conversions

    private func cast(_ operand: Syntax, to type: ValueType, at position: Int) throws(Problem) -> TypedNode {
        let node = try check(operand)
        if case .constant(.string(let content)) = node.operation, type == .interval {
            return try interval(String(decoding: content, as: UTF8.self), at: operand.position)
        }
        guard Self.canCast(node.type, to: type) else {
            let hint: String =
                switch (node.type, type) {
                case (.bool, .float64), (.bool, .float32): "; cast it to int64 first"
                case (.int64, .bool), (.float64, .bool), (.float32, .bool): "; compare it, as in … <> 0"
                case (.timestamp, .int64), (.timestamp, .float64): "; use extract(epoch from …)"
                case (.wallTime, .timestamp): "; end it with at time zone '…'"
                case (_, .interval): "; write interval '10 minutes'"
                default: ""
                }
            throw Problem("\(node.type) cannot be cast to \(type)\(hint)", at: position)
        }
        return node.converted(to: type)
    }

    static func canCast(_ from: ValueType, to: ValueType) -> Bool {
        if from == to || from == .null { return true }
        return switch (from, to) {
        case (_, _) where from.isNumeric && to.isNumeric: true
        case (.bool, .int64): true
        case (.string, .bool), (.string, .int64), (.string, .float32), (.string, .float64), (.string, .timestamp),
            (.string, .bytes):
            true
        case (.bool, .string), (.int64, .string), (.float32, .string), (.float64, .string), (.timestamp, .string),
            (.bytes, .string), (.wallTime, .string):
            true
        default: false
        }
    }
}
