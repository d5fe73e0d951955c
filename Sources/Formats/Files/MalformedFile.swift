/// A file whose bytes do not follow its format, or that uses a part of the format Lockstep does not read.
public struct MalformedFile: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The bytes break the format's rules.
        case malformed
        /// The bytes are legal but use a feature that is not read.
        case unsupported
    }

    public let reason: Reason
    /// The path or name of the file.
    public let file: String
    /// "Parquet", "safetensors", "LZ4 frame".
    public let format: String
    /// The byte position where the fault was seen, where one is known.
    public let offset: Int?
    public let detail: String

    init(_ reason: Reason, file: String, format: String, offset: Int? = nil, _ detail: String) {
        self.reason = reason
        self.file = file
        self.format = format
        self.offset = offset
        self.detail = detail
    }

    public var description: String {
        let place = offset.map { " at byte \($0)" } ?? ""
        return switch reason {
        case .malformed: "'\(file)' is not a valid \(format) file\(place): \(detail)"
        case .unsupported: "'\(file)' cannot be read as \(format)\(place): \(detail)"
        }
    }
}
