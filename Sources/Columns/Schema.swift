/// A named, typed column position.
public struct Field: Hashable, Sendable {
    public var name: String
    public var type: DataType

    public init(_ name: String, _ type: DataType) {
        self.name = name
        self.type = type
    }
}

/// An ordered list of uniquely named fields.
public struct Schema: Hashable, Sendable {
    public let fields: [Field]
    private let positions: [String: Int]

    /// - Precondition: field names are unique; check user input before building a schema.
    public init(_ fields: [Field]) {
        self.fields = fields
        self.positions = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.name, $0) })
    }

    public var count: Int { fields.count }

    public subscript(position: Int) -> Field { fields[position] }

    /// The position of the field called `name`, or `nil`.
    ///
    /// - Complexity: O(1)
    public func position(of name: String) -> Int? { positions[name] }

    public func type(of name: String) -> DataType? { positions[name].map { fields[$0].type } }
}
