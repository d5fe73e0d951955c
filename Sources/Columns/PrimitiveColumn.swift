/// Fixed-width values with optional validity.
///
/// A null row holds the zero value in `values`, so that equal columns have equal bytes.
public struct PrimitiveColumn<Value: Hashable & Sendable & BitwiseCopyable>: Hashable, Sendable {
    public let values: [Value]
    /// `nil` when no row is null.
    public let validity: Bitmap?

    /// - Precondition: `validity`, where given, has one bit for each value. Values under a zero bit must be zero.
    @inlinable
    public init(_ values: [Value], validity: Bitmap? = nil) {
        precondition(validity == nil || validity?.count == values.count, "validity and values differ in length")
        self.values = values
        self.validity = validity
    }

    @inlinable
    public var count: Int { values.count }

    /// Whether the row has a value.
    @inlinable
    public func isValid(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }

    @inlinable
    public subscript(row: Int) -> Value? { isValid(row) ? values[row] : nil }

    public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }
}

extension PrimitiveColumn {
    /// Builds a column from optional values, storing `zero` under nulls.
    @inlinable
    public init(_ optionals: [Value?], zero: Value) {
        var validity = Bitmap(repeating: true, count: optionals.count)
        var hasNull = false
        var values: [Value] = []
        values.reserveCapacity(optionals.count)
        for (row, value) in optionals.enumerated() {
            if value == nil {
                validity[row] = false
                hasNull = true
            }
            values.append(value ?? zero)
        }
        self.init(values, validity: hasNull ? validity : nil)
    }
}
