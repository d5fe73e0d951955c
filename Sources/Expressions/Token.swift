/// One lexical unit of an expression.
struct Token: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A keyword or an unquoted name, ASCII letters folded to lower case as PostgreSQL folds them.
        case word(String)
        /// A name in double quotes, exactly as written.
        case quoted(String)
        case integer(String)
        case decimal(String)
        /// A length of time such as `7d`: digits that units follow without a space.
        case span(String)
        case string(String)
        /// An operator or punctuation mark.
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Hashable, Sendable {
        case plus = "+"
        case minus = "-"
        case star = "*"
        case slash = "/"
        case percent = "%"
        case caret = "^"
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case concatenate = "||"
        case cast = "::"
        case comma = ","
        case open = "("
        case close = ")"
    }

    let kind: Kind
    /// UTF-8 offset of the first byte.
    let position: Int

    /// How the token is named in a message.
    var description: String {
        switch kind {
        case .word(let word): "'\(word)'"
        case .quoted(let name): "\"\(name)\""
        case .integer(let digits), .decimal(let digits), .span(let digits): "'\(digits)'"
        case .string: "a string"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .end: "the end of the expression"
        }
    }
}

/// Words that cannot name a column without quotes.
enum Keyword: String, CaseIterable {
    case and, or, not, `is`, null, `true`, `false`, `case`, when, then, `else`, end, `in`, between, like
    case distinct, from, cast, `as`
}
