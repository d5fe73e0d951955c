/// Literals, names, calls and the forms with a grammar of their own.
extension Parser {
    mutating func primary() throws(Problem) -> Syntax {
        let start = token
        let form: Syntax.Form
        switch start.kind {
        case .integer(let digits): form = .integer(digits)
        case .decimal(let digits): form = .decimal(digits)
        case .span: throw Lexer.runOn(start.position)
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
        var arguments: [Syntax] = []
        switch name {
        case "extract": return try extract(at: position)
        case "trim": if let sided = try trim(at: position) { return sided }
        case "position": return try place(at: position)
        case "substring":
            arguments.append(try expression())
            let start = take(.from) ? try expression() : nil
            let length = take("for") ? try expression() : nil
            if start != nil || length != nil {
                try expect(.close, "to close 'substring'")
                arguments.append(start ?? Syntax(form: .integer("1"), position: position, depth: 1))
                if let length { arguments.append(length) }
                return try node(.call(name, arguments), at: position, over: arguments)
            }
            if !at(.close) { try expect(.comma, "or 'from' or 'for' after the text of substring") }
        case "count" where at(Token.Symbol.star) || at(Keyword.distinct): return try count(at: position)
        default: break
        }
        if !take(.close) {
            repeat { arguments.append(try expression()) } while take(.comma)
            try expect(.close, "or ',' after an argument of \(name)")
        }
        if isBeforeWindow { return try window(name, arguments, at: position) }
        return try node(.call(name, arguments), at: position, over: arguments)
    }

    /// `trim([both | leading | trailing] [characters] from text)`; `nil` where the arguments are an ordinary list.
    private mutating func trim(at position: Int) throws(Problem) -> Syntax? {
        var name = "btrim"
        var hasSide = false
        if case .word(let word) = token.kind,
            let known = ["both": "btrim", "leading": "ltrim", "trailing": "rtrim"][word]
        {
            switch following.kind {
            case .symbol(.comma), .symbol(.close): break
            default:
                name = known
                hasSide = true
                advance()
            }
        }
        var arguments: [Syntax] = []
        if take(.from) {
            arguments = [try expression()]
        } else {
            let start = index
            let first = try expression()
            if take(.from) {
                arguments = [try expression(), first]
            } else if hasSide {
                arguments = [first]
            } else {
                index = start
                return nil
            }
        }
        try expect(.close, "to close 'trim'")
        return try node(.call(name, arguments), at: position, over: arguments)
    }

    /// `position(part in text)`.
    private mutating func place(at position: Int) throws(Problem) -> Syntax {
        let part = try expression(Precedence.membership + 1)
        try expect(.in, "as in position('a' in name)")
        let text = try expression(Precedence.membership + 1)
        try expect(.close, "to close 'position'")
        return try node(.call("strpos", [text, part]), at: position, over: [text, part])
    }

    private mutating func extract(at position: Int) throws(Problem) -> Syntax {
        let fields = TimeField.allCases.map(\.rawValue)
        let name: String
        switch token.kind {
        case .word(let word), .string(let word): name = word.lowercased()
        default: throw unexpected("a field in extract(field from x)")
        }
        guard let field = TimeField(rawValue: name) else {
            let hint = Suggestion.nearest(to: name, among: fields).map { "; did you mean '\($0)'?" }
            throw Problem(
                "extract has no field '\(name)'" + (hint ?? ", only \(fields.joined(separator: ", "))"),
                at: token.position
            )
        }
        advance()
        try expect(.from, "after the field of extract")
        let operand = try expression()
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

    mutating func typeName() throws(Problem) -> ValueType {
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
                "unknown type '\(name)'"
                    + (hint ?? "; a cast goes to bool, int64, float32, float64, string, bytes or timestamp"),
                at: position
            )
        }
    }
}
