/// Recursive-descent and precedence parser with PostgreSQL's grammar for scalar expressions.
///
/// Precedence, loosest first: `or`, `and`, `not`, `is`, comparisons (which do not chain), `between in like`, `||`,
/// `+ -`, `* / %`, `^`, `at time zone`, unary sign, `::` (PostgreSQL 15 manual, 4.1.6, and its grammar).
struct Parser {
    private let tokens: [Token]
    var index = 0
    private var nesting = 0

    enum Precedence {
        static let or = 1
        static let and = 2
        static let not = 3
        static let test = 4
        static let comparison = 5
        static let membership = 6
        static let concatenation = 7
        static let sum = 8
        static let product = 9
        static let power = 10
        static let zone = 11
        static let sign = 12
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

    var token: Token { tokens[index] }
    var following: Token { tokens[min(index + 1, tokens.count - 1)] }

    mutating func advance() { if index < tokens.count - 1 { index += 1 } }

    func at(_ keyword: Keyword) -> Bool { token.kind == .word(keyword.rawValue) }
    func at(_ symbol: Token.Symbol) -> Bool { token.kind == .symbol(symbol) }

    mutating func take(_ keyword: Keyword) -> Bool {
        guard at(keyword) else { return false }
        advance()
        return true
    }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard at(symbol) else { return false }
        advance()
        return true
    }

    /// Takes a word that is none of the reserved ones.
    mutating func take(_ word: String) -> Bool {
        guard token.kind == .word(word) else { return false }
        advance()
        return true
    }

    mutating func expect(_ keyword: Keyword, _ context: String) throws(Problem) {
        if !take(keyword) { throw unexpected("'\(keyword.rawValue)' \(context)") }
    }

    mutating func expect(_ symbol: Token.Symbol, _ context: String) throws(Problem) {
        if !take(symbol) { throw unexpected("'\(symbol.rawValue)' \(context)") }
    }

    func unexpected(_ expected: String) -> Problem {
        Problem("expected \(expected), found \(token.description)", at: token.position)
    }

    func node(_ form: Syntax.Form, at position: Int, over parts: [Syntax]) throws(Problem) -> Syntax {
        let depth = 1 + parts.reduce(0) { max($0, $1.depth) }
        if depth > Syntax.maximumDepth { throw Self.tooDeep(position) }
        return Syntax(form: form, position: position, depth: depth)
    }

    private static func tooDeep(_ position: Int) -> Problem {
        Problem("the expression nests deeper than \(Syntax.maximumDepth) levels; split it into features", at: position)
    }

    // MARK: Operators

    mutating func expression(_ minimum: Int = Precedence.or) throws(Problem) -> Syntax {
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
            case .caret: Precedence.power
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
                case .word("in"), .word("between"), .word("like"), .word("ilike"): Precedence.membership
                default: nil
                }
            // Words that PostgreSQL reserves in part: they stay free for columns.
            case nil where word == "ilike": Precedence.membership
            case nil where word == "at" && following.kind == .word("time"): Precedence.zone
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
        case Precedence.zone:
            advance()
            advance()
            if !take("zone") { throw unexpected("'zone' after 'at time'") }
            let zone = try expression(precedence + 1)
            return try node(.atTimeZone(left, zone), at: position, over: [left, zone])
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
        if take("unknown") { return try node(.isUnknown(left, negated: negated), at: position, over: [left]) }
        if take(.distinct) {
            try expect(.from, "after 'is distinct'")
            let right = try expression(Precedence.test + 1)
            if infixPrecedence() == Precedence.test {
                throw Problem("is distinct from does not chain with is; use parentheses", at: token.position)
            }
            return try node(.distinct(left, right, negated: negated), at: position, over: [left, right])
        }
        throw unexpected("null, true, false, unknown or distinct from after 'is'")
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
            let isSymmetric = take("symmetric")
            let low = try expression(Precedence.membership + 1)
            try expect(.and, "between the two bounds")
            let high = try expression(Precedence.membership + 1)
            result = try node(
                .between(left, low, high, isSymmetric: isSymmetric, negated: negated),
                at: position,
                over: [left, low, high]
            )
        } else {
            let ignoresCase = !at(.like)
            advance()
            let pattern = try expression(Precedence.membership + 1)
            let escape = take("escape") ? try expression(Precedence.membership + 1) : nil
            result = try node(
                .like(left, pattern, escape: escape, ignoresCase: ignoresCase, negated: negated),
                at: position,
                over: [left, pattern] + (escape.map { [$0] } ?? [])
            )
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
}
