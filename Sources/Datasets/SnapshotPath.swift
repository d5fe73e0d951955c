import FoundationEssentials

/// The path of a file in a snapshot: relative, with `/` between components, safe to write below any directory.
///
/// No path is absolute, ends in `/`, or has a component that is empty, `.` or `..`, or a NUL byte. Paths are equal, and
/// order, by their UTF-8 bytes: two spellings of one letter are two files, as on the disk.
public struct SnapshotPath: Sendable {
    public let text: String

    /// Checks a path; nothing is normalised.
    ///
    /// - Throws: ``SnapshotError/unsafePath(_:reason:)``
    public init(_ text: String) throws(SnapshotError) {
        func refuse(_ reason: String) -> SnapshotError { .unsafePath(text, reason: reason) }
        guard !text.isEmpty else { throw refuse("it is empty") }
        guard text.utf8.first != UInt8(ascii: "/") else { throw refuse("it is absolute") }
        guard !text.utf8.contains(0) else { throw refuse("it has a NUL byte") }
        for component in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if component.isEmpty { throw refuse("it has an empty component") }
            if component.elementsEqual(".".utf8) { throw refuse("it has the component '.'") }
            if component.elementsEqual("..".utf8) { throw refuse("it has the component '..'") }
        }
        self.text = text
    }

    /// The names from the outermost directory to the file.
    public var components: [String] {
        text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }
}

extension SnapshotPath: Hashable, Comparable {
    public static func == (left: SnapshotPath, right: SnapshotPath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    public static func < (left: SnapshotPath, right: SnapshotPath) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No UTF-8 has this byte, so what follows cannot continue the path.
        hasher.combine(0xFF as UInt8)
    }
}

extension SnapshotPath: CustomStringConvertible {
    public var description: String { text }
}

extension SnapshotPath: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
