/// Collects validity bits, and allocates nothing until the first null.
public struct ValidityBuilder: Sendable {
    @usableFromInline var bitmap: Bitmap?
    public private(set) var count = 0

    public init() {}

    @inlinable
    public mutating func append(_ isValid: Bool) {
        if isValid && bitmap == nil { advance() } else { appendSlow(isValid) }
    }

    @usableFromInline
    mutating func advance() { count += 1 }

    @usableFromInline
    mutating func appendSlow(_ isValid: Bool) {
        if bitmap == nil { bitmap = Bitmap(repeating: true, count: count) }
        bitmap?.append(isValid)
        count += 1
    }

    /// The validity of all rows so far: `nil` when none is null.
    @inlinable
    public func finish() -> Bitmap? { bitmap }
}
