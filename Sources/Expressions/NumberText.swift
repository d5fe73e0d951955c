/// Reads numbers and truth values from text as PostgreSQL's input functions do; `nil` where they would raise.
///
/// Hexadecimal floats, which PostgreSQL reads where its C library does, are refused.
enum NumberText {
    static func int64(_ text: ArraySlice<UInt8>) -> Int64? {
        let text = text.trimmed()
        return text.isEmpty ? nil : Int64(String(decoding: text, as: UTF8.self))
    }

    static func float64(_ text: ArraySlice<UInt8>) -> Double? {
        guard let form = form(text) else { return nil }
        switch form {
        case .special(let value): return value
        case .decimal(let digits, let isZero):
            guard let value = Double(digits), value.isFinite, value != 0 || isZero else { return nil }
            return value
        }
    }

    /// Rounded once, from the decimal digits.
    static func float32(_ text: ArraySlice<UInt8>) -> Float? {
        guard let form = form(text) else { return nil }
        switch form {
        case .special(let value): return Float(value)
        case .decimal(let digits, let isZero):
            guard let value = Float(digits), value.isFinite, value != 0 || isZero else { return nil }
            return value
        }
    }

    /// Any unambiguous prefix of true, false, yes, no, on, off, or 1 and 0, in any case.
    static func bool(_ text: ArraySlice<UInt8>) -> Bool? {
        let word = String(decoding: text.trimmed(), as: UTF8.self).lowercased()
        switch word {
        case "t", "tr", "tru", "true", "y", "ye", "yes", "on", "1": return true
        case "f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0": return false
        default: return nil
        }
    }

    private enum Form {
        case special(Double)
        /// Digits with at most a sign, a point and an exponent, and whether all of the mantissa is zero.
        case decimal(String, isZero: Bool)
    }

    private static func form(_ text: ArraySlice<UInt8>) -> Form? {
        let text = text.trimmed()
        var rest = text
        var negative = false
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            negative = rest.removeFirst() == UInt8(ascii: "-")
        }
        switch String(decoding: rest, as: UTF8.self).lowercased() {
        case "inf", "infinity": return .special(negative ? -.infinity : .infinity)
        case "nan": return .special(.nan)
        default: break
        }
        let whole = rest.prefix(while: Lexer.isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = rest.prefix(while: Lexer.isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var exponent = ""
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            exponent = "e"
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
                exponent += rest.removeFirst() == UInt8(ascii: "-") ? "-" : ""
            }
            let digits = rest.prefix(while: Lexer.isDigit)
            guard !digits.isEmpty else { return nil }
            exponent += String(decoding: digits, as: UTF8.self)
            rest = rest.dropFirst(digits.count)
        }
        guard rest.isEmpty else { return nil }
        let isZero = (whole + fraction).allSatisfy { $0 == UInt8(ascii: "0") }
        let mantissa =
            "0" + String(decoding: whole, as: UTF8.self) + "." + String(decoding: fraction, as: UTF8.self) + "0"
        return .decimal((negative ? "-" : "") + mantissa + exponent, isZero: isZero)
    }
}
