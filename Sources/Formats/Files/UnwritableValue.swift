/// A value that a file format has no room for.
public struct UnwritableValue: Error, Hashable, Sendable, CustomStringConvertible {
    /// "CSV" or "Parquet".
    public let format: String
    public let column: String
    public let detail: String

    public var description: String { "column '\(column)' cannot be written as \(format): \(detail)" }
}
