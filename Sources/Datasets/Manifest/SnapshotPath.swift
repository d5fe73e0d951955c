/// The path of a file in a snapshot: relative, with `/` between components, safe to write below any directory.
///
/// A path is bytes, as on the disk; it need not be UTF-8. None is absolute, ends in `/`, or has a component that is empty,
/// `.` or `..`, or a NUL byte. Paths are equal, and order, by their bytes: two spellings of one letter are two files.
public struct SnapshotPath: Hashable, Sendable {
    public let bytes: [UInt8]

    /// Checks a path; nothing is normalised.
    ///
    /// - Throws: ``SnapshotError/unsafePath(_:reason:)``
    public init(bytes: [UInt8]) throws(SnapshotError) {
        if let reason = Self.fault(bytes) { throw .unsafePath(Printable.text(bytes), reason: reason) }
        self.bytes = bytes
    }

    /// Checks a path; nothing is normalised.
    ///
    /// - Throws: ``SnapshotError/unsafePath(_:reason:)``
    public init(_ text: String) throws(SnapshotError) { try self.init(bytes: Array(text.utf8)) }

    /// The path as text for people: bytes that are not UTF-8 are written `\xff`.
    public var text: String { Printable.text(bytes) }

    /// The path as it is, `nil` where it is not UTF-8.
    public var utf8: String? { String(validating: bytes, as: UTF8.self) }

    /// The names from the outermost directory to the file.
    public var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// The last component.
    public var name: ArraySlice<UInt8> {
        bytes[((bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
    }

    /// Every directory above it, the innermost first.
    var parents: [SnapshotPath] {
        bytes.indices.reversed().filter { bytes[$0] == UInt8(ascii: "/") }.map { SnapshotPath(checked: bytes[..<$0]) }
    }

    /// Takes bytes that are known to be a path, such as the beginning of one.
    init(checked bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    private static func fault(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return "it is empty" }
        if first == UInt8(ascii: "/") { return "it is absolute" }
        let dot = UInt8(ascii: ".")
        var start = 0
        for position in 0...bytes.count {
            guard position == bytes.count || bytes[position] == UInt8(ascii: "/") else {
                if bytes[position] == 0 { return "it has a NUL byte" }
                continue
            }
            let count = position - start
            if count == 0 { return "it has an empty component" }
            if count == 1, bytes[start] == dot { return "it has the component '.'" }
            if count == 2, bytes[start] == dot, bytes[start + 1] == dot { return "it has the component '..'" }
            start = position + 1
        }
        return nil
    }
}

extension SnapshotPath: Comparable {
    public static func < (left: SnapshotPath, right: SnapshotPath) -> Bool { left.bytes.precedes(right.bytes) }
}

extension SnapshotPath: CustomStringConvertible {
    public var description: String { text }
}

extension [UInt8] {
    /// Whether these bytes come before others in byte order.
    func precedes(_ other: [UInt8]) -> Bool {
        withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                for position in 0..<Swift.min(left.count, right.count) where left[position] != right[position] {
                    return left[position] < right[position]
                }
                return left.count < right.count
            }
        }
    }
}

/// Names for people.
enum Printable {
    /// UTF-8 as it is; other bytes as `\x` and two hexadecimal digits.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            var length = 1
            if first >= 0x80 {
                length =
                    (2...4).first { String(validating: rest.prefix($0), as: UTF8.self)?.unicodeScalars.count == 1 } ?? 0
            }
            if length == 0 {
                text += (first < 16 ? "\\x0" : "\\x") + String(first, radix: 16)
                length = 1
            } else {
                text += String(decoding: rest.prefix(length), as: UTF8.self)
            }
            rest = rest.dropFirst(length)
        }
        return text
    }
}
