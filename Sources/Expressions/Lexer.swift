/// Splits an expression into tokens by PostgreSQL's lexical rules.
///
/// Left out on purpose: comments (in a folded YAML scalar one would swallow the rest of the expression), escape strings
/// (`E'…'`), dollar quoting and hexadecimal numbers.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    static func tokens(of text: String) throws(Problem) -> [Token] {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private func byte(_ ahead: Int = 0) -> UInt8 { position + ahead < bytes.count ? bytes[position + ahead] : 0 }

    private mutating func next() throws(Problem) -> Token {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        let start = position
        guard position < bytes.count else { return Token(kind: .end, position: start) }
        let first = byte()
        let kind: Token.Kind
        switch first {
        case UInt8(ascii: "'"): kind = .string(try quoted(by: first, what: "string"))
        case UInt8(ascii: "\""):
            let name = try quoted(by: first, what: "quoted name")
            if name.isEmpty { throw Problem("a quoted name cannot be empty", at: start) }
            kind = .quoted(name)
        case _ where Self.isDigit(first) || (first == UInt8(ascii: ".") && Self.isDigit(byte(1))): kind = try number()
        case _ where Self.startsWord(first):
            while position < bytes.count, Self.continuesWord(bytes[position]) { position += 1 }
            kind = .word(Self.folded(bytes[start..<position]))
        default: kind = .symbol(try symbol())
        }
        return Token(kind: kind, position: start)
    }

    private mutating func quoted(by quote: UInt8, what: String) throws(Problem) -> String {
        let start = position
        var content: [UInt8] = []
        position += 1
        while position < bytes.count {
            if bytes[position] == quote {
                guard byte(1) == quote, position + 1 < bytes.count else {
                    position += 1
                    return String(decoding: content, as: UTF8.self)
                }
                position += 1
            }
            if bytes[position] == 0 { throw Problem("a \(what) cannot hold a zero byte", at: position) }
            content.append(bytes[position])
            position += 1
        }
        throw Problem("this \(what) has no closing \(Character(UnicodeScalar(quote)))", at: start)
    }

    private mutating func number() throws(Problem) -> Token.Kind {
        let start = position
        var isDecimal = false
        while Self.isDigit(byte()) { position += 1 }
        if byte() == UInt8(ascii: ".") {
            isDecimal = true
            position += 1
            while Self.isDigit(byte()) { position += 1 }
        }
        if byte() | 0x20 == UInt8(ascii: "e") {
            let sign = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
            if Self.isDigit(byte(1 + sign)) {
                isDecimal = true
                position += 1 + sign
                while Self.isDigit(byte()) { position += 1 }
            }
        }
        if !isDecimal, position < bytes.count, Self.startsWord(bytes[position]) {
            let digits = position
            while position < bytes.count, Self.continuesWord(bytes[position]) { position += 1 }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            if TimeSpan(text) != nil { return .span(text) }
            position = digits
        }
        if position < bytes.count, Self.continuesWord(bytes[position]) || byte() == UInt8(ascii: ".") {
            throw Self.runOn(start)
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        return isDecimal ? .decimal(digits) : .integer(digits)
    }

    static func runOn(_ position: Int) -> Problem {
        Problem("a number is followed directly by other characters; put a space or an operator between", at: position)
    }

    private mutating func symbol() throws(Problem) -> Token.Symbol {
        let pair = String(decoding: [byte(), byte(1)], as: UTF8.self)
        switch pair {
        case "--", "/*":
            throw Problem(
                "'\(pair)' would start a comment in SQL, and expressions have none; put a space between",
                at: position
            )
        case "!=":
            position += 2
            return .notEqual
        default: break
        }
        if let symbol = Token.Symbol(rawValue: pair) {
            position += 2
            return symbol
        }
        if byte() < 0x80, let symbol = Token.Symbol(rawValue: String(UnicodeScalar(byte()))) {
            position += 1
            return symbol
        }
        throw Problem(Self.refusal(of: byte()), at: position)
    }

    private static func refusal(of byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "~"): "'~' is not an operator here; regular expressions are not supported, like is"
        case UInt8(ascii: "."): "'.' is not an operator here; a column is named without its source"
        case UInt8(ascii: ";"): "';' does not belong in an expression; remove it"
        case UInt8(ascii: "`"): "'`' does not quote names; use double quotes"
        default: "'\(String(UnicodeScalar(byte)))' is not part of the language"
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func startsWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_") || byte >= 0x80
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        startsWord(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }

    private static func folded(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
