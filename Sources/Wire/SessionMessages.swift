/// A lease to be opened: for whoever sends objects, or reads those of a snapshot.
public struct SessionRequest: Codable, Hashable, Sendable {
    /// The snapshot that is read, `name` or `name@number`; left out by a writer.
    public var reading: String?

    public init(reading: String? = nil) { self.reading = reading }
}

/// A lease on the database's clock.
public struct SessionMessage: Codable, Hashable, Sendable {
    public var id: Int64
    /// RFC 3339, by the database's clock.
    public var expiresAt: String
    /// How long it lives unless it is renewed; renew well before.
    public var seconds: Int

    public init(id: Int64, expiresAt: String, seconds: Int) {
        self.id = id
        self.expiresAt = expiresAt
        self.seconds = seconds
    }
}

/// Objects that a session will send, or relies on.
public struct PinRequest: Codable, Hashable, Sendable {
    public var digests: [String]

    public init(digests: [String]) { self.digests = digests }
}

/// Which of them have to be sent; the others stay as long as the session lives.
public struct PinResponse: Codable, Hashable, Sendable {
    public var missing: [String]

    public init(missing: [String]) { self.missing = missing }
}
