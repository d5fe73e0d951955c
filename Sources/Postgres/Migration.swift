/// One numbered step of a database schema, never changed once it has been applied anywhere.
public struct Migration: Sendable, Equatable {
    /// The place in the sequence, from 1.
    public var number: Int
    /// What the step does, in a few words.
    public var name: String
    /// The statements; they must not begin or end transactions.
    public var sql: String
    /// A digest of `sql`, computed by the caller: two migrations with the same checksum are the same.
    public var checksum: String

    public init(number: Int, name: String, sql: String, checksum: String) {
        self.number = number
        self.name = name
        self.sql = sql
        self.checksum = checksum
    }

    var label: String { "migration \(number) '\(name)'" }
}
