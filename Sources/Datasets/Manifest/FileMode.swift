/// Who may read, write and execute a file: the nine permission bits.
///
/// Set-user-id, set-group-id and sticky are not recorded: a checkout must not make a program that runs as another user.
public struct FileMode: Hashable, Sendable {
    public let bits: UInt16

    public static let regular = FileMode(0o644)
    public static let executable = FileMode(0o755)

    /// Takes the permission bits of `bits`; others are left out.
    public init(_ bits: some BinaryInteger) { self.bits = UInt16(truncatingIfNeeded: bits) & 0o777 }

    /// Reads four octal digits, of which the first is 0; `nil` for anything else.
    public init?(text: some StringProtocol) {
        guard text.utf8.count == 4, text.utf8.first == UInt8(ascii: "0"), let bits = UInt16(text, radix: 8) else {
            return nil
        }
        self.init(bits)
    }
}

extension FileMode: CustomStringConvertible {
    /// Four octal digits.
    public var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
