/// Recursive-descent and precedence parser with PostgreSQL's grammar for scalar expressions.
///
/// Precedence, loosest first: `or`, `and`, `not`, `is`, comparisons (which do not chain), `between in like`, `||`,
/// `+ -`, `* / %`, unary sign, `::` (PostgreSQL 15 manual, 4.1.6).
struct Parser {
    private let tokens: [Token]
    private var index = 0
    private var nesting = 0

    private enum Precedence {
        static let or = 1
        static let and = 2
        static let not = 3
        static let test = 4
        static let comparison = 5
        static let membership = 6
        static let concatenation = 7
        static let sum = 8
        static let product = 9
        static let sign = 10
    }

    static func parse(_ text: String) throws(Problem) -> Syntax {
        var parser = Parser(tokens: try Lexer.tokens(of: text))
        if parser.token.kind == .end { throw Problem("the expression is empty", at: 0) }
        let syntax = try parser.expression()
        if parser.token.kind != .end { throw parser.unexpected("an operator or the end of the expression") }
        return syntax
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    private var token: Token { tokens[index] }
    private var following: Token { tokens[min(index + 1, tokens.count - 1)] }

    private mutating func advance() { if index < tokens.count - 1 { index += 1 } }

    private func at(_ keyword: Keyword) -> Bool { token.kind == .word(keyword.rawValue) }
    private func at(_ symbol: Token.Symbol) -> Bool { token.kind == .symbol(symbol) }

    private mutating func take(_ keyword: Keyword) -> Bool {
        guard at(keyword) else { return false }
        advance()
        return true
    }

    private mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard at(symbol) else { return false }
        advance()
        return true
    }

    private mutating func expect(_ keyword: Keyword, _ context: String) throws(Problem) {
        if !take(keyword) { throw unexpected("'\(keyword.rawValue)' \(context)") }
    }

    private mutating func expect(_ symbol: Token.Symbol, _ context: String) throws(Problem) {
        if !take(symbol) { throw unexpected("'\(symbol.rawValue)' \(context)") }
    }

    private func unexpected(_ expected: String) -> Problem {
        Problem("expected \(expected), found \(token.description)", at: token.position)
    }

    private func node(_ form: Syntax.Form, at position: Int, over parts: [Syntax]) throws(Problem) -> Syntax {
        let depth = 1 + parts.reduce(0) { max($0, $1.depth) }
        if depth > Syntax.maximumDepth { throw Self.tooDeep(position) }
        return Syntax(form: form, position: position, depth: depth)
    }

    private static func tooDeep(_ position: Int) -> Problem {
        Problem("the expression nests deeper than \(Syntax.maximumDepth) levels; split it into features", at: position)
    }

    // MARK: Operators

    private mutating func expression(_ minimum: Int = Precedence.or) throws(Problem) -> Syntax {
        nesting += 1
        defer { nesting -= 1 }
        if nesting > Syntax.maximumDepth { throw Self.tooDeep(token.position) }
        var left = try prefix()
        while let precedence = infixPrecedence(), precedence >= minimum {
            left = try infix(left, precedence)
        }
        return left
    }

    private func infixPrecedence() -> Int? {
        switch token.kind {
        case .symbol(let symbol):
            switch symbol {
            case .plus, .minus: Precedence.sum
            case .star, .slash, .percent: Precedence.product
            case .concatenate: Precedence.concatenation
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: Precedence.comparison
            default: nil
            }
        case .word(let word):
            switch Keyword(rawValue: word) {
            case .or: Precedence.or
            case .and: Precedence.and
            case .is: Precedence.test
            case .in, .between, .like: Precedence.membership
            case .not:
                switch following.kind {
                case .word("in"), .word("between"), .word("like"): Precedence.membership
                default: nil
                }
            default: nil
            }
        default: nil
        }
    }

    private mutating func infix(_ left: Syntax, _ precedence: Int) throws(Problem) -> Syntax {
        let position = token.position
        switch precedence {
        case Precedence.or, Precedence.and:
            let keyword: Keyword = precedence == Precedence.or ? .or : .and
            var operands = [left]
            while take(keyword) { operands.append(try expression(precedence + 1)) }
            return try node(keyword == .or ? .any(operands) : .all(operands), at: position, over: operands)
        case Precedence.test: return try test(left)
        case Precedence.membership: return try membership(left)
        default:
            guard case .symbol(let symbol) = token.kind, let operation = BinaryOperator(rawValue: symbol.rawValue)
            else {
                throw unexpected("an operator")
            }
            advance()
            let right = try expression(precedence + 1)
            if precedence == Precedence.comparison, infixPrecedence() == precedence {
                throw Problem("comparisons do not chain; join two with and, as in a < b and b < c", at: token.position)
            }
            return try node(.binary(operation, left, right), at: position, over: [left, right])
        }
    }

    private mutating func test(_ left: Syntax) throws(Problem) -> Syntax {
        let position = token.position
        advance()
        let negated = take(.not)
        if take(.null) { return try node(.isNull(left, negated: negated), at: position, over: [left]) }
        if take(.true) { return try node(.isBoolean(left, true, negated: negated), at: position, over: [left]) }
        if take(.false) { return try node(.isBoolean(left, false, negated: negated), at: position, over: [left]) }
        if take(.distinct) {
            try expect(.from, "after 'is distinct'")
            let right = try expression(Precedence.test + 1)
            if infixPrecedence() == Precedence.test {
                throw Problem("is distinct from does not chain with is; use parentheses", at: token.position)
            }
            return try node(.distinct(left, right, negated: negated), at: position, over: [left, right])
        }
        throw unexpected("null, true, false or distinct from after 'is'")
    }

    private mutating func membership(_ left: Syntax) throws(Problem) -> Syntax {
        let position = token.position
        let negated = take(.not)
        let result: Syntax
        if take(.in) {
            try expect(.open, "after 'in'")
            var items = [try expression()]
            while take(.comma) { items.append(try expression()) }
            try expect(.close, "or ',' after an item of the list")
            result = try node(.membership(left, items, negated: negated), at: position, over: items + [left])
        } else if take(.between) {
            let low = try expression(Precedence.membership + 1)
            try expect(.and, "between the two bounds")
            let high = try expression(Precedence.membership + 1)
            result = try node(.between(left, low, high, negated: negated), at: position, over: [left, low, high])
        } else {
            advance()
            let pattern = try expression(Precedence.membership + 1)
            result = try node(.like(left, pattern, negated: negated), at: position, over: [left, pattern])
        }
        if infixPrecedence() == Precedence.membership {
            throw Problem("in, between and like do not chain; use parentheses", at: token.position)
        }
        return result
    }

    private mutating func prefix() throws(Problem) -> Syntax {
        let position = token.position
        if take(.not) {
            let operand = try expression(Precedence.not)
            return try node(.not(operand), at: position, over: [operand])
        }
        if take(.minus) {
            let operand = try expression(Precedence.sign)
            return try node(.negate(operand), at: position, over: [operand])
        }
        if take(.plus) { return try expression(Precedence.sign) }
        var operand = try primary()
        while at(Token.Symbol.cast) {
            let position = token.position
            advance()
            operand = try node(.cast(operand, try typeName()), at: position, over: [operand])
        }
        return operand
    }

    // MARK: Primaries

    private mutating func primary() throws(Problem) -> Syntax {
        let start = token
        let form: Syntax.Form
        switch start.kind {
        case .integer(let digits): form = .integer(digits)
        case .decimal(let digits): form = .decimal(digits)
        case .string(let content): form = .string(content)
        case .quoted(let name): form = .column(name, isQuoted: true)
        case .symbol(.open):
            advance()
            let inner = try expression()
            try expect(.close, "to close the parenthesis")
            return inner
        case .word(let word): return try named(word)
        default: throw unexpected("an expression")
        }
        advance()
        return Syntax(form: form, position: start.position, depth: 1)
    }

    private mutating func named(_ word: String) throws(Problem) -> Syntax {
        let position = token.position
        switch Keyword(rawValue: word) {
        case .null, .true, .false:
            advance()
            return Syntax(form: word == "null" ? .null : .boolean(word == "true"), position: position, depth: 1)
        case .case: return try choice()
        case .cast:
            advance()
            try expect(.open, "after 'cast'")
            let operand = try expression()
            try expect(.as, "and a type, as in cast(x as float64)")
            let type = try typeName()
            try expect(.close, "to close 'cast'")
            return try node(.cast(operand, type), at: position, over: [operand])
        case .some: throw unexpected("an expression")
        case nil: break
        }
        switch following.kind {
        case .symbol(.open): return try call(word)
        case .string(let content) where word == "timestamp" || word == "timestamptz" || word == "interval":
            advance()
            advance()
            let type: ValueType = word == "interval" ? .interval : .timestamp
            return Syntax(form: .typed(type, content), position: position, depth: 1)
        default:
            advance()
            return Syntax(form: .column(word, isQuoted: false), position: position, depth: 1)
        }
    }

    private mutating func call(_ name: String) throws(Problem) -> Syntax {
        let position = token.position
        advance()
        advance()
        if name == "extract" { return try extract(at: position) }
        var arguments: [Syntax] = []
        if !take(.close) {
            repeat { arguments.append(try expression()) } while take(.comma)
            try expect(.close, "or ',' after an argument of \(name)")
        }
        return try node(.call(name, arguments), at: position, over: arguments)
    }

    private mutating func extract(at position: Int) throws(Problem) -> Syntax {
        let fields = TimeField.allCases.map(\.rawValue)
        let name: String
        switch token.kind {
        case .word(let word), .string(let word): name = word.lowercased()
        default: throw unexpected("a field in extract(field from x)")
        }
        guard let field = TimeField(rawValue: name) else {
            let hint = Suggestion.nearest(to: name, among: fields).map { "; did you mean '\($0)'?" } ?? ""
            throw Problem(
                "extract has no field '\(name)', only \(fields.joined(separator: ", "))\(hint)",
                at: token.position
            )
        }
        advance()
        try expect(.from, "after the field of extract")
        let operand = try expression()
        if token.kind == .word("at") {
            throw Problem("'at time zone' is not supported: extract works in UTC", at: token.position)
        }
        try expect(.close, "to close 'extract'")
        return try node(.extract(field, operand), at: position, over: [operand])
    }

    private mutating func choice() throws(Problem) -> Syntax {
        let position = token.position
        advance()
        let operand = at(.when) ? nil : try expression()
        var branches: [Syntax.Branch] = []
        var parts = operand.map { [$0] } ?? []
        while take(.when) {
            let condition = try expression()
            try expect(.then, "after the condition of 'when'")
            let result = try expression()
            branches.append(Syntax.Branch(condition: condition, result: result))
            parts += [condition, result]
        }
        if branches.isEmpty { throw unexpected("'when' in 'case'") }
        let otherwise = take(.else) ? try expression() : nil
        if let otherwise { parts.append(otherwise) }
        try expect(.end, otherwise == nil ? "or 'when' or 'else' in 'case'" : "to close 'case'")
        return try node(.choice(operand: operand, branches: branches, otherwise: otherwise), at: position, over: parts)
    }

    private mutating func typeName() throws(Problem) -> ValueType {
        guard case .word(var name) = token.kind else { throw unexpected("the name of a type") }
        let position = token.position
        if name == "double", following.kind == .word("precision") {
            advance()
            name = "double precision"
        }
        advance()
        if let type = ValueType(spelling: name) { return type }
        switch name {
        case "int", "integer", "int4", "int2", "smallint":
            throw Problem("there is no type '\(name)'; the only integer type is int64 (bigint)", at: position)
        case "numeric", "decimal":
            throw Problem("there is no type '\(name)'; use float64", at: position)
        default:
            let hint = Suggestion.nearest(to: name, among: ValueType.spellings).map { "; did you mean '\($0)'?" }
            throw Problem(
                "unknown type '\(name)'\(hint ?? "; a cast goes to bool, int64, float32, float64, string or timestamp")",
                at: position
            )
        }
    }
}
