/// A time zone that is unknown, or whose entry in the system's database cannot be used.
public struct TimeZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public let detail: String

    public var description: String { "time zone '\(name)' \(detail)" }
}
