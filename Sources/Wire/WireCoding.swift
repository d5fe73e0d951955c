import Formats
import FoundationEssentials

/// How control messages are written: JSON with snake_case names, sorted.
///
/// Feature values do not travel this way: see `OnlineRequest` and `OnlineResponse`.
public enum WireCoding {
    public static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(message))
    }

    public static func decode<Message: Decodable>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }
}

/// An RFC 9457 problem document: what went wrong, for whom, and what to do.
public struct Problem: Codable, Hashable, Sendable, Error {
    public static let contentType = "application/problem+json"

    /// A stable word for programs, for example `not-found` or `lock-mismatch`.
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    /// For `lock-mismatch`: one line for each pin that differs.
    public var differences: [String]?

    public init(type: String, title: String, status: Int, detail: String, differences: [String]? = nil) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.differences = differences
    }
}

/// Names of headers that requests may carry.
public enum WireHeader {
    /// The project of Feast-shaped routes, which name none in their path.
    public static let project = "lockstep-project"
    /// A replay's number: the request is answered from its namespace, at its clock.
    public static let replay = "lockstep-replay"
    /// An RFC 3339 instant: the replay's clock is moved to it before the request is answered.
    public static let clock = "lockstep-clock"
    /// The digest of the lock that the caller was built with.
    public static let lock = "lockstep-lock"
}

extension WireCoding {
    /// A message as a JSON value.
    public static func json(_ message: some Encodable) throws -> JSON { try JSON(parsing: encode(message)) }
}
