/// Why an expression was refused: what was found at which place, and what would do instead.
public struct ExpressionError: Error, Hashable, Sendable {
    /// What is wrong, what was expected, and where known what to write instead.
    public let message: String
    /// The UTF-8 offset in `text` of the part the message is about.
    public let position: Int
    /// The whole expression.
    public let text: String

    public init(message: String, position: Int, text: String) {
        self.message = message
        self.position = position
        self.text = text
    }
}

extension ExpressionError: CustomStringConvertible {
    /// The message, the line of the expression it is about, and a caret under the place.
    public var description: String {
        let bytes = Array(text.utf8)
        let place = min(max(position, 0), bytes.count)
        let newline = UInt8(ascii: "\n")
        let start = bytes[..<place].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex(of: newline) ?? bytes.count
        let line = String(decoding: bytes[start..<end], as: UTF8.self)
        // A tab before the caret stays a tab, so that the caret stands under its character whatever the tab width.
        let indent = String(
            String(decoding: bytes[start..<place], as: UTF8.self).map { $0 == "\t" ? "\t" : " " as Character }
        )
        return "\(message)\n  \(line)\n  \(indent)^"
    }
}

/// A failure inside the front end, before the expression's text is attached.
struct Problem: Error {
    let message: String
    let position: Int

    init(_ message: String, at position: Int) {
        self.message = message
        self.position = position
    }
}
